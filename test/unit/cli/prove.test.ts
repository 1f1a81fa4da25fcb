import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { questions } from '../../../src/prove/index.js';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';

test('without a Mac every question says so, the exit code too, and nothing is written', async () => {
  const folder = tempFolder();
  const argv = ['prove', '--data-dir', path.join(folder, 'data')];
  const { code, stdout } = await cli(argv);
  expect(code).toBe(2);
  expect(stdout.match(/needs macOS/g)).toHaveLength(questions.length);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe(
    `0 as expected, 0 different, ${questions.length} could not be asked: nothing was proven`,
  );
  expect(readdirSync(folder)).toEqual([]);
  const json = await cli([...argv, '--json']);
  const all = documents(json.stdout);
  expect(all.slice(0, -1)).toEqual(
    questions.map(({ name, asks, expected }) => ({
      schema: 'launchwarden.prove/1',
      name,
      question: asks,
      expected,
      verdict: 'not-asked',
      reason: 'needs macOS',
      took_ms: expect.any(Number),
      simulated: false,
      resumed: false,
      left: [],
    })),
  );
  expect(all.at(-1)).toMatchObject({
    schema: 'launchwarden.prove-summary/1',
    as_expected: 0,
    different: 0,
    not_asked: questions.length,
    simulated: false,
  });
});

describe('--report', () => {
  test('is written beside what is printed, and never over an existing file', async () => {
    const folder = tempFolder();
    const argv = ['prove', '--data-dir', folder, '--only', 'timers', '--report', 'report.md'];
    const { code, stdout } = await cli(argv, { cwd: folder });
    expect(code).toBe(2);
    expect(stdout).toContain('timers');
    const text = readFileSync(path.join(folder, 'report.md'), 'utf8');
    expect(text).toContain('## timers: could not be asked');
    const again = await cli(argv, { cwd: folder });
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('[prove/report-file]');
    expect(readFileSync(path.join(folder, 'report.md'), 'utf8')).toBe(text);
  });

  test('in a folder that is not there is refused before anything is asked', async () => {
    const { code, stdout, stderr } = await cli(['prove', '--report', '/nowhere/at/all.md']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('[prove/report-file]');
  });
});

test('an unknown question is named with the nearest one', async () => {
  const { code, stderr } = await cli(['prove', '--only', 'timer']);
  expect(code).toBe(2);
  expect(stderr).toContain('there is no question "timer" [prove/unknown-question]\n  Did you mean "timers"?');
});

test('a tree is asked with what stands in it, which proves nothing', async () => {
  const folder = tempFolder();
  const root = path.join(folder, 'root');
  mkdirSync(root);
  const argv = [
    'prove',
    '--root',
    root,
    '--data-dir',
    path.join(folder, 'data'),
    '--only',
    'arguments,exit-codes',
  ];
  const { code, stdout } = await cli(argv);
  expect(stdout).toMatch(/could not be asked {2}exit-codes +there is no \/bin\/launchctl/);
  expect(stdout).toContain('nothing was proven');
  expect([1, 2]).toContain(code);
  expect(existsSync(path.join(folder, 'data'))).toBe(false);
});
