import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadAddon } from '../../src/sensors/addon/index.js';
import { fakeEslogger } from '../helpers/eslogger-lines.js';
import { documents } from '../helpers/run-cli.js';
import { standInLaunchctlProgram } from '../helpers/stand-in-launchctl.js';
import { program, waitFor } from '../simulation/mac.js';

let base: string;
let root: string;
let launchd: ReturnType<typeof standInLaunchctlProgram>;
let running: ChildProcess | undefined;

beforeEach(() => {
  base = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'launchwarden-prove-test-')));
  root = path.join(base, 'root');
  launchd = standInLaunchctlProgram(path.join(root, 'bin', 'launchctl'));
  mkdirSync(path.join(root, 'Users', 'alice'), { recursive: true });
});

afterEach(() => {
  running?.kill('SIGKILL');
  running = undefined;
  rmSync(base, { recursive: true, force: true });
});

function standIn(macPath: string, script: string): void {
  const file = path.join(root, macPath);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

interface Prove {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

function prove(...more: readonly string[]): Prove {
  const argv = [program, 'prove', '--root', root, '--data-dir', path.join(base, 'data'), '--json', ...more];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  running = child;
  let output = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    output += text;
  });
  return {
    child,
    output: () => output,
    ended: new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal }))),
  };
}

/** What prove has left in the tree. */
const leavings = () =>
  readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /launchwarden.prove/.test(name));

// Some seventy programs are started.
const timeout = 180_000;

test('asks the stand-ins of a tree, and leaves it as it was', { timeout }, async () => {
  standIn('/bin/ps', 'echo 31');
  standIn('/usr/bin/sfltool', 'exit 0');
  const { folder } = { folder: path.join(root, 'usr', 'bin') };
  fakeEslogger(folder);
  writeFileSync(path.join(folder, 'error'), 'ES_NEW_CLIENT_RESULT_ERR_NOT_PERMITTED');
  standIn('/usr/bin/true', 'exit 0');
  standIn('/bin/cp', 'exit 0');
  symlinkSync('/usr/bin/xargs', path.join(folder, 'xargs'));
  const report = path.join(base, 'report.md');
  const run = prove('--report', report);
  expect(await run.ended).toEqual({ code: 1, signal: null });
  const all = documents(run.output());
  const verdicts = Object.fromEntries(all.map(({ name, verdict }) => [name, verdict]));
  expect(verdicts).toMatchObject({
    arguments: loadAddon().state === 'loaded' ? 'as-expected' : 'not-asked',
    'exit-codes': 'as-expected',
    'job-class': 'as-expected',
    'forged-labels': 'as-expected',
    links: 'as-expected',
    'odd-plists': 'as-expected',
    'switched-off': 'not-asked',
    'eslogger-events': 'not-asked',
    jit: 'not-asked',
  });
  // How long the waits take is this machine's affair; that they were measured is not.
  expect(['as-expected', 'different']).toContain(verdicts['timers']);
  expect(all.every(({ simulated }) => simulated === true)).toBe(true);
  expect(launchd.loaded()).toEqual([]);
  expect(leavings()).toEqual([]);
  expect(readdirSync(base).sort()).toEqual(['report.md', 'root']);
  expect(readFileSync(report, 'utf8')).toContain('eslogger lacks Full Disk Access');
});

describe('a run that is ended', { timeout }, () => {
  // Loads a job, and then waits for a word of it that never comes.
  const asking = async () => {
    const run = prove('--only', 'job-class,links');
    await waitFor('a job of its own', () => (launchd.loaded().length > 0 ? true : undefined), 60_000);
    return run;
  };

  beforeEach(() => standIn('/bin/ps', 'exec sleep 30'));

  test('by SIGINT undoes what it did, and says what was not asked', async () => {
    const run = await asking();
    run.child.kill('SIGINT');
    expect(await run.ended).toEqual({ code: 130, signal: null });
    expect(documents(run.output())).toMatchObject([
      { name: 'job-class', verdict: 'not-asked', reason: 'it was interrupted', left: [] },
      { name: 'links', verdict: 'not-asked', reason: 'it was interrupted' },
      { as_expected: 0, not_asked: 2 },
    ]);
    expect(launchd.loaded()).toEqual([]);
    expect(leavings()).toEqual([]);
  });

  test('by SIGKILL is cleaned up by the next one', async () => {
    const run = await asking();
    run.child.kill('SIGKILL');
    await run.ended;
    expect(launchd.loaded()).toHaveLength(1);
    expect(leavings().length).toBeGreaterThan(0);
    const next = prove('--only', 'exit-codes');
    expect(await next.ended).toEqual({ code: 0, signal: null });
    expect(documents(next.output())).toMatchObject([
      { schema: 'launchwarden.prove-cleanup/1', what: expect.stringMatching(/^launchctl bootout .*: done$/) },
      { schema: 'launchwarden.prove-cleanup/1', what: expect.stringMatching(/^remove the folder .*: done$/) },
      { name: 'exit-codes', verdict: 'as-expected' },
      { as_expected: 1 },
    ]);
    expect(launchd.loaded()).toEqual([]);
    expect(leavings()).toEqual([]);
    expect(readdirSync(path.join(base, 'data'))).toEqual([]);
  });
});
