import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';
import { fakeSystem } from '../install/fake-system.js';

const system = fakeSystem({ uid: 501 });

test.each(['light', 'complete'])('what preset %s writes passes the check', async (preset) => {
  const cwd = tempFolder();
  mkdirSync(path.join(cwd, 'mac'));
  const written = await cli(['config', 'init', '--preset', preset, '--root', 'mac', '--json'], { cwd });
  const file = path.join(cwd, 'mac/Library/Application Support/launchwarden/config.toml');
  expect([written.code, ...documents(written.stdout)]).toMatchObject([0, { file, preset }]);
  expect(readFileSync(file, 'utf8')).toMatch(/^#:schema \.\/config\.schema\.json\n/);
  const checked = await cli(['config', 'check', '--root', 'mac'], { cwd, system });
  expect([checked.code, checked.stdout]).toEqual([0, 'The configuration is sound.\n']);
});

test('one that is there stays, unless --force', async () => {
  const cwd = tempFolder();
  const file = path.join(cwd, 'config.toml');
  writeFileSync(file, 'mine');
  const argv = ['config', 'init', '--preset', 'light', '--config', 'config.toml'];
  const kept = await cli(argv, { cwd });
  expect([kept.code, kept.stderr]).toEqual([2, expect.stringContaining('[config/exists]')]);
  expect(readFileSync(file, 'utf8')).toBe('mine');
  expect((await cli([...argv, '--force'], { cwd })).code).toBe(0);
  expect(readFileSync(file, 'utf8')).toContain('preset "light"');
});

test('without a terminal it wants --preset', async () => {
  const cwd = tempFolder();
  const run = await cli(['config', 'init', '--config', 'c.toml'], { cwd, stdin: 'light\nnone\n' });
  expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('[config/no-terminal]')]);
  expect(existsSync(path.join(cwd, 'c.toml'))).toBe(false);
});

test('on a terminal it asks, says what is no answer, and writes what was answered', async () => {
  const cwd = tempFolder();
  const stdin = 'huge\nlight\nsplunk\nsplunk.example\nhttps://splunk.example:8088\n\n';
  const run = await cli(['config', 'init', '--config', 'c.toml'], { cwd, stdin, columns: 100 });
  expect(run.code, run.stderr).toBe(0);
  expect(run.stdout).toContain('the answer is "huge"');
  expect(run.stdout).toContain('must be a URL of https');
  const text = readFileSync(path.join(cwd, 'c.toml'), 'utf8');
  expect(text).toContain('url = "https://splunk.example:8088"');
  expect(text).toContain('token = "file:/Library/Application Support/launchwarden/secrets/hec"');
  expect(text).toContain('preset "light"');
});

test.each(['', 'light\n', 'a\nb\nc\nlight\nnone\n'])(
  'answers that end too early, or never fit, write nothing: %j',
  async (stdin) => {
    const cwd = tempFolder();
    const run = await cli(['config', 'init', '--config', 'c.toml'], { cwd, stdin, columns: 100 });
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('[cli/no-answer]')]);
    expect(existsSync(path.join(cwd, 'c.toml'))).toBe(false);
  },
);
