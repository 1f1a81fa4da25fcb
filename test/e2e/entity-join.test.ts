import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import { RootMap } from '../../src/base/root.js';
import { QueryRun } from '../../src/detect/index.js';
import { Enricher } from '../../src/enrich/index.js';
import { compileQuery } from '../../src/rules/index.js';
import { fileReader } from '../../src/sensors/endpoint-security/index.js';
import { EsloggerReader } from '../../src/sensors/eslogger/index.js';
import { execLine, file, line, processObject, type Token, token } from '../helpers/eslogger-lines.js';
import { launchAgentPlist } from '../simulation/mac.js';

// The form of Elastic's rule on launch services of 2026: who wrote the item is the parent of the launchctl that loads it.
const query = `sequence with maxspan=30s
  [file where event.action == "launch_daemon"] by process.entity_id
  [process where event.type == "start" and process.name == "launchctl" and process.args : "load"]
    by process.parent.entity_id`;

const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-join-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const plist = '/Users/alice/Library/LaunchAgents/com.example.plist';
const shell: Token = { pid: 600, pidversion: 60 };
const at = (second: number) => `2025-08-07T15:13:${String(second).padStart(2, '0')}.000000000Z`;

/** The shell writes the item by itself. */
const write = (second: number, by = shell): string =>
  line(
    'close',
    { modified: true, target: file(plist, '70', { st_ctimespec: at(second) }), was_mapped_writable: false },
    {
      time: at(second),
      process: processObject(by, '/bin/zsh'),
    },
  );

const load = (second: number, parent: Token, pid = 601): string =>
  execLine(['launchctl', 'load', plist], {
    time: at(second),
    target: processObject({ pid, pidversion: pid }, '/bin/launchctl', { parent_audit_token: token(parent) }),
  });

function matches(...lines: string[]): number {
  const compiled = compileQuery('eql', query);
  if ('diagnostics' in compiled) throw new Error(compiled.diagnostics[0]?.message);
  const root = new RootMap(folder);
  mkdirSync(path.dirname(root.toHost(plist)), { recursive: true });
  writeFileSync(root.toHost(plist), launchAgentPlist('com.example'));
  const reader = new EsloggerReader({ root, boot: 'boot', readFile: fileReader(root) });
  const enricher = new Enricher({
    root,
    clock: systemClock,
    version: '0',
    agentId: 'a',
    hostId: 'h',
    boot: 'boot',
  });
  let found = 0;
  const run = new QueryRun({ query: compiled.query, onMatch: () => found++ });
  for (const text of lines)
    for (const observation of reader.read(text))
      for (const event of enricher.enrich(observation)) run.process(event);
  run.finish();
  return found;
}

test('fires when the writer executes another program in its own place, which starts launchctl', () => {
  const other: Token = { pid: shell.pid, pidversion: 61 };
  const exec = execLine(['sh', 'load.sh'], {
    time: at(2),
    process: processObject(shell, '/bin/zsh'),
    target: processObject(other, '/bin/sh'),
  });
  expect(matches(write(1), exec, load(5, other))).toBe(1);
});

test('fires when the writer starts launchctl', () => {
  expect(matches(write(1), load(5, shell))).toBe(1);
});

test.each([
  ['another process starts it', [write(1), load(5, { pid: 700, pidversion: 70 })]],
  ['an earlier image of the same pid wrote', [write(1, { pid: 600, pidversion: 59 }), load(5, shell)]],
  ['a process that was given the same pid starts it', [write(1), load(5, { pid: 600, pidversion: 61 })]],
  ['it is loaded too late', [write(1), load(32, shell)]],
  ['it is loaded before it is written', [load(1, shell), write(5)]],
  ['nothing is loaded', [write(1), write(2)]],
])('does not fire when %s', (_, lines) => {
  expect(matches(...lines)).toBe(0);
});
