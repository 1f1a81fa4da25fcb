import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { lineWriter, UnifiedLog } from '../../../src/agent/unified-log.js';
import { RootMap } from '../../../src/base/root.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { tempFolder } from '../../helpers/run-cli.js';
import { waitFor } from '../../simulation/mac.js';

test('lines are escaped and bounded, and a flood is cut with its count', () => {
  const clock = new ManualClock();
  const lines: string[] = [];
  const log = new UnifiedLog((category, kind, text) => lines.push(`${category} ${kind} ${text}`), clock);
  log.say('gap', 'error', 'a\nb\u001b[2J');
  expect(lines[0]).not.toMatch(/[\n\u001b]/);
  for (let count = 0; count < 100; count++) log.say('alert', 'fault', 'x'.repeat(10_000));
  expect(lines).toHaveLength(20);
  expect(lines.at(-1)?.length).toBeLessThan(600);
  clock.pass(3_000);
  log.say('agent', 'notice', 'after');
  expect(lines.at(-1)).toBe('agent notice after (81 lines before it were left out)');
  clock.pass(3_600_000);
  for (let count = 0; count < 30; count++) log.say('agent', 'notice', 'y');
  expect(lines).toHaveLength(41);
});

test('a failing writer does not harm', () => {
  const log = new UnifiedLog(() => {
    throw new Error('no log');
  }, new ManualClock());
  expect(() => log.say('agent', 'notice', 'x')).not.toThrow();
});

test('the addon is asked on a Mac, and never for a tree', () => {
  const said: unknown[] = [];
  const unifiedLog = (...args: unknown[]) => said.push(args);
  lineWriter({ root: new RootMap(), platform: 'darwin', unifiedLog })?.('gap', 'fault', 'x');
  expect(said).toEqual([['gap', 2, 'x']]);
  const root = new RootMap(tempFolder());
  expect(lineWriter({ root, platform: 'darwin', unifiedLog })).toBeUndefined();
  expect(lineWriter({ root: new RootMap(), platform: 'linux', unifiedLog: undefined })).toBeUndefined();
});

test('without the addon logger(1) is run, one line after the other and without a shell', async () => {
  const folder = tempFolder();
  const out = path.join(folder, 'said');
  mkdirSync(path.join(folder, 'usr/bin'), { recursive: true });
  writeFileSync(
    path.join(folder, 'usr/bin/logger'),
    `#!${process.execPath}\nrequire('node:fs').appendFileSync(${JSON.stringify(out)}, JSON.stringify(process.argv.slice(2)) + '\\n');\n`,
    { mode: 0o755 },
  );
  const write = lineWriter({ root: new RootMap(folder), platform: 'linux', unifiedLog: undefined });
  write?.('agent', 'notice', 'ready; $(id) `id`');
  write?.('alert', 'error', '-x');
  const lines = await waitFor('both lines', () => {
    try {
      const all = readFileSync(out, 'utf8').trim().split('\n');
      return all.length === 2 ? all : undefined;
    } catch {
      return undefined;
    }
  });
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    ['-t', 'launchwarden', '-p', 'daemon.notice', '--', 'agent: ready; $(id) `id`'],
    ['-t', 'launchwarden', '-p', 'daemon.err', '--', 'alert: -x'],
  ]);
});
