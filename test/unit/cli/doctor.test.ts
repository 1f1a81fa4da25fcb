import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ControlServer } from '../../../src/agent/control.js';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/log.js';
import { probes } from '../../../src/doctor/index.js';
import { jobProgram, renderJob } from '../../../src/install/index.js';
import { openStore } from '../../../src/store/index.js';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';
import { standInLaunchctlProgram } from '../../helpers/stand-in-launchctl.js';

const home = 'Library/Application Support/launchwarden';

/** What `doctor --json` says, by question; `summary` is its last document. */
async function examined(argv: readonly string[], setting = {}) {
  const { code, stdout, stderr } = await cli(['doctor', '--json', ...argv], setting);
  const all = documents(stdout);
  const by = new Map(all.map((one) => [String(one['name'] ?? 'summary'), one]));
  return { code, stderr, all, of: (name: string) => by.get(name) as Record<string, unknown> };
}

/** A tree with the job installed and a data folder that an agent has used. */
async function installed(): Promise<{ tree: string; dataDir: string; job: string }> {
  const tree = tempFolder();
  const job = path.join(tree, 'Library/LaunchDaemons/com.launchwarden.agent.plist');
  const dataDir = path.join(tree, home, 'data');
  for (const folder of [
    path.dirname(job),
    path.dirname(dataDir),
    path.join(tree, 'Library/Logs/launchwarden'),
  ])
    mkdirSync(folder, { recursive: true });
  const text = renderJob(jobProgram);
  writeFileSync(job, text, { mode: 0o644 });
  openStore({ dataDir, clock: systemClock }).close();
  return { tree, dataDir, job };
}

test('every question is answered on an empty tree, with a reason where it cannot be', async () => {
  const tree = tempFolder();
  const { code, all, of } = await examined(['--root', tree]);
  expect(all.map((one) => one['schema'])).toEqual([
    ...probes.map(() => 'launchwarden.doctor/1'),
    'launchwarden.doctor-summary/1',
  ]);
  for (const one of all.slice(0, -1)) expect(one['found'], String(one['name'])).not.toBe('');
  // Nothing was made by looking.
  expect(existsSync(path.join(tree, 'Library'))).toBe(false);
  expect(of('agent')).toMatchObject({ mark: 'failed' });
  expect(of('gaps')).toMatchObject({ mark: 'unknown' });
  expect(of('job-file')).toMatchObject({ mark: 'not_here' });
  expect(code).toBe(1);
});

test('a changed job and open modes are found, and --fix mends both and says so', async () => {
  const { tree, dataDir, job } = await installed();
  const good = readFileSync(job, 'utf8');
  writeFileSync(job, good.replace('Interactive', 'Background'));
  chmodSync(dataDir, 0o755);
  const only = ['--root', tree, '--only', 'job-file,data-folder'];
  const before = await examined(only);
  expect(before.of('job-file')).toMatchObject({ mark: 'failed', found: 'somebody changed it: ProcessType' });
  expect(before.of('data-folder')).toMatchObject({ mark: 'failed' });
  expect(before.code).toBe(1);

  const fixed = await examined([...only, '--fix']);
  expect(fixed.of('job-file')).toMatchObject({
    mark: 'ok',
    fixed: [{ does: `write ${job} anew`, error: null }],
  });
  expect(fixed.of('data-folder')).toMatchObject({ mark: 'ok' });
  expect(fixed.code).toBe(0);
  expect(readFileSync(job, 'utf8')).toBe(good);
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  expect((await examined([...only, '--fix'])).of('job-file')['fixed']).toEqual([]);
});

test('settings and exceptions that switch the detection off are said without an agent', async () => {
  const folder = tempFolder();
  const file = path.join(folder, 'c.toml');
  const only = ['--root', folder, '--config', file, '--only', 'configuration'];
  writeFileSync(file, '');
  expect((await examined(only)).of('configuration')).toMatchObject({ mark: 'ok' });
  writeFileSync(file, '[rules]\nbuiltin = false\n');
  expect((await examined(only)).of('configuration')).toMatchObject({
    mark: 'failed',
    found: 'no rule detects anything: none is on',
  });
  mkdirSync(path.join(folder, 'exceptions'));
  writeFileSync(
    path.join(folder, 'exceptions', 'a.toml'),
    `name = "a"\n[[exception]]\nid = "wide"\nreason = "r"\nauthor = "a"\nexpires = 2036-01-01\nitem = 'file.path: /Library/*'\n`,
  );
  writeFileSync(file, '');
  expect((await examined(only)).of('configuration')).toMatchObject({
    mark: 'warning',
    found: expect.stringContaining('an exception hides whatever anybody makes (wide)'),
  });
});

test('an install.json that cannot be read is said with what to do, and nothing is called installed', async () => {
  const { tree, job } = await installed();
  const state = path.join(tree, home, 'install.json');
  const text = renderJob({ ...jobProgram, dataDir: '/var/lw' });
  writeFileSync(job, text, { mode: 0o644 });
  for (const [content, why] of [
    ['garbage', 'it is no JSON'],
    ['{"schema":"launchwarden.install/9"}', 'it is not of the kind launchwarden.install/1'],
  ] as const) {
    writeFileSync(state, content, { mode: 0o600 });
    const { code, of } = await examined(['--root', tree, '--only', 'installed,job-file']);
    expect(code).toBe(1);
    expect(of('installed')).toMatchObject({
      mark: 'failed',
      found: expect.stringContaining(`${state} cannot be read: ${why}`),
      cure: expect.stringContaining('move it away; "sudo launchwarden install" puts it right'),
    });
    // The job is not said to run something else when nobody knows what it is to run.
    expect(of('job-file')).toMatchObject({ mark: 'unknown', found: expect.stringContaining(why) });
  }
});

test('a job that runs something else is said and never rewritten', async () => {
  const { tree, job } = await installed();
  const evil = readFileSync(job, 'utf8').replace(/<string>run<\/string>/, '<string>sleep</string>');
  writeFileSync(job, evil);
  const { code, of } = await examined(['--root', tree, '--only', 'job-file', '--fix']);
  expect(of('job-file')).toMatchObject({ mark: 'failed', fixed: [] });
  expect(of('job-file')['found']).toContain('runs something else');
  expect(readFileSync(job, 'utf8')).toBe(evil);
  expect(code).toBe(1);
});

test('the state of the job is asked of launchctl', async () => {
  const { tree } = await installed();
  expect((await examined(['--root', tree, '--only', 'job'])).of('job')).toMatchObject({ mark: 'not_here' });
  standInLaunchctlProgram(path.join(tree, 'bin/launchctl'));
  const { of, code } = await examined(['--root', tree, '--only', 'job']);
  expect(of('job')).toMatchObject({
    mark: 'failed',
    found: 'the job is installed and launchd has not loaded it',
  });
  expect(code).toBe(1);
});

test('a damaged database is found without touching it', async () => {
  const { tree, dataDir } = await installed();
  const file = path.join(dataDir, 'launchwarden.db');
  expect((await examined(['--root', tree, '--only', 'database'])).of('database')).toMatchObject({
    mark: 'ok',
  });
  const bytes = readFileSync(file);
  bytes.fill(0xff, 4096, Math.min(bytes.length, 40_960));
  writeFileSync(file, bytes);
  const { of, code } = await examined(['--root', tree, '--only', 'database']);
  expect(of('database')).toMatchObject({ mark: 'failed' });
  expect(code).toBe(1);
  expect(readFileSync(file).equals(bytes)).toBe(true);
});

test('a broken configuration is told, and the rest is examined all the same', async () => {
  const { tree, dataDir } = await installed();
  const file = path.join(tree, home, 'config.toml');
  writeFileSync(file, '[log]\nlevell = "info"\n');
  const { of, code } = await examined(['--root', tree]);
  expect(of('configuration')).toMatchObject({ mark: 'failed' });
  expect(of('configuration')['found']).toContain('config.toml:2:1');
  expect(of('data-folder')['found']).toContain(dataDir);
  expect(of('tier')).toMatchObject({ mark: 'unknown' });
  expect(of('database')).toMatchObject({ mark: 'ok' });
  expect(code).toBe(1);
});

test('what a running agent says about itself counts', async () => {
  const { tree, dataDir } = await installed();
  const status = {
    verdict: 'blind',
    reasons: ['files are not seen: no sensor of files runs', 'x\u001b[2J'],
    version: '9.9.9',
    started: '2026-01-01T00:00:00.000000Z',
    tier: { running: null, reason: 'eslogger: refused' },
    sensors: [{ kind: 'file-watch', running: false, notes: [], counters: {} }],
    destinations: [],
    disk_access: { state: 'denied', reason: 'TCC.db may not be opened (EPERM)' },
    addon: { state: 'loaded', passed_over: [] },
    store: { state: 'full', reason: 'the disk is full' },
  };
  const daemon = await ControlServer.listen(dataDir, { status: () => status }, silentLogger);
  try {
    const { of, code } = await examined(['--root', tree]);
    for (const name of ['agent', 'tier', 'sensors', 'full-disk-access', 'disk'])
      expect(of(name), name).toMatchObject({ mark: 'failed' });
    expect(code).toBe(1);
    const { stdout } = await cli(['doctor', '--root', tree, '--only', 'agent'], { columns: 80 });
    expect(stdout).not.toContain('\u001b[2J');
    for (const line of stdout.split('\n')) expect([...line].length).toBeLessThanOrEqual(120);
  } finally {
    await daemon.close();
  }
});

test('an unknown question names the nearest one', async () => {
  const { code, stderr } = await cli(['doctor', '--only', 'databse']);
  expect(code).toBe(2);
  expect(stderr).toContain('database');
});

test('a folder in the place of the root is a usage error', async () => {
  const file = path.join(tempFolder(), 'nothing');
  expect((await cli(['doctor', '--root', file])).code).toBe(2);
  mkdirSync(file);
  expect((await cli(['doctor', '--root', file, '--only', 'sqlite'])).code).toBe(0);
});
