import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { expect, test } from 'vitest';
import { UserError } from '../../../src/base/errors.js';
import { openStore } from '../../../src/store/index.js';
import { context, detection, fileEvent, standingClock, temporaryFolder, temporaryStore } from './samples.js';

const clock = standingClock();
const typescript = path.resolve('test/helpers/typescript.mjs');

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof UserError) return error.code;
    throw error;
  }
  return 'opened';
}

test('the folder and every file in it are private', () => {
  const store = temporaryStore();
  store.alerts.upsert(detection('a'), context, []);
  store.events.append([fileEvent('a')]);
  expect(statSync(store.dataDir).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(store.dataDir)) {
    expect([name, statSync(path.join(store.dataDir, name)).mode & 0o777]).toEqual([name, 0o600]);
  }
});

test('what was committed is there again after a close, a pid file is not', () => {
  const dataDir = path.join(temporaryFolder(), 'deep', 'data');
  const first = openStore({ dataDir, clock });
  const { alert } = first.alerts.upsert(detection('a'), context, ['siem']);
  first.meta.set('agent.id', 'x');
  expect(existsSync(path.join(dataDir, 'agent.pid'))).toBe(true);
  first.close();
  first.close();
  expect(existsSync(path.join(dataDir, 'agent.pid'))).toBe(false);
  const second = temporaryStore({ dataDir });
  expect(second.alerts.list()).toEqual([alert]);
  expect(second.meta.get('agent.id')).toBe('x');
  expect(second.check()).toEqual([]);
});

test('one writer a folder, any number of readers beside it', () => {
  const { dataDir, alerts } = temporaryStore();
  alerts.upsert(detection('a'), context, []);
  const error = (() => {
    try {
      openStore({ dataDir, clock, busyMs: 1 });
    } catch (thrown) {
      return thrown as UserError;
    }
    return undefined;
  })();
  expect(error?.code).toBe('store/locked');
  expect(error?.message).toContain(`process ${process.pid}`);
  const reader = temporaryStore({ dataDir, readOnly: true });
  alerts.upsert(detection('b'), context, []);
  expect(reader.alerts.list()).toHaveLength(2);
  expect(() => reader.alerts.addNote(alerts.ids()[0]!, { author: 'x', text: 'y' })).toThrow();
});

test('a reader needs a database that is there and knows its schema', () => {
  const folder = temporaryFolder();
  expect(codeOf(() => openStore({ dataDir: path.join(folder, 'none'), clock, readOnly: true }))).toBe(
    'store/none',
  );
  expect(codeOf(() => openStore({ dataDir: folder, clock, readOnly: true }))).toBe('store/none');
  expect(readdirSync(folder)).toEqual([]);
});

test('a database in a folder that is closed to the reader is not one that is not there', ({ skip }) => {
  const folder = temporaryFolder();
  const dataDir = path.join(folder, 'data');
  openStore({ dataDir, clock }).close();
  // A process of its own: some system calls go by the real user, which a process keeps.
  const other = process.geteuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  chmodSync(folder, 0o755);
  const read = () => {
    const reader = path.join(import.meta.dirname, 'reader.ts');
    const argv = ['--import', typescript, reader, dataDir];
    return spawnSync(process.execPath, argv, { ...other, encoding: 'utf8', cwd: '/' });
  };
  chmodSync(dataDir, 0o000);
  const { stdout, stderr } = read();
  chmodSync(dataDir, 0o700);
  if (stdout === '') {
    process.stdout.write(`skipped: the program may not be read by another user: ${stderr.slice(0, 200)}\n`);
    skip();
  }
  expect(stdout).toMatch(
    /^store\/no-access: .*launchwarden\.db cannot be opened: it is not allowed.*\n.*run with sudo/,
  );
});

test('a folder that somebody else could change is refused, and nothing is written', () => {
  const folder = temporaryFolder();
  const [open, real, link, file] = ['open', 'real', 'link', 'file'].map((name) =>
    path.join(folder, name),
  ) as [string, string, string, string];
  mkdirSync(open);
  chmodSync(open, 0o777);
  mkdirSync(real, { mode: 0o700 });
  symlinkSync(real, link);
  writeFileSync(file, '');
  expect(codeOf(() => openStore({ dataDir: open, clock }))).toBe('store/open-folder');
  expect(codeOf(() => openStore({ dataDir: link, clock }))).toBe('store/not-a-folder');
  expect(codeOf(() => openStore({ dataDir: file, clock }))).toBe('store/not-a-folder');
  expect([...readdirSync(open), ...readdirSync(real)]).toEqual([]);
  symlinkSync('/etc/passwd', path.join(real, 'launchwarden.db'));
  expect(codeOf(() => openStore({ dataDir: real, clock }))).toBe('store/not-a-file');
});

test('a database of a newer program is refused, one that is no database too', () => {
  const newer = path.join(temporaryFolder(), 'newer');
  openStore({ dataDir: newer, clock }).close();
  const Database = createRequire(import.meta.url)('better-sqlite3');
  const db = new Database(path.join(newer, 'launchwarden.db'));
  db.pragma('user_version = 999');
  db.close();
  expect(codeOf(() => openStore({ dataDir: newer, clock }))).toBe('store/newer-schema');
  const broken = path.join(temporaryFolder(), 'broken');
  mkdirSync(broken, { mode: 0o700 });
  writeFileSync(
    path.join(broken, 'launchwarden.db'),
    'this is no database, whatever its name says. '.repeat(200),
  );
  expect(codeOf(() => openStore({ dataDir: broken, clock }))).toBe('store/corrupt');
});

test('a damaged file of raw events is set aside and said, alerts stay', () => {
  const { dataDir, alerts, close } = temporaryStore();
  alerts.upsert(detection('a'), context, []);
  close();
  writeFileSync(path.join(dataDir, 'events.db'), 'damaged '.repeat(2000));
  expect(codeOf(() => openStore({ dataDir, clock }))).toBe('store/corrupt');
  const store = temporaryStore({ dataDir, keepGoing: true });
  expect(store.warnings).toEqual([expect.stringContaining('events.db is damaged')]);
  expect(store.alerts.list()).toHaveLength(1);
  expect(store.events.append([fileEvent('x')])).toHaveLength(1);
  expect(readdirSync(dataDir).some((name) => name.startsWith('events.db.damaged-'))).toBe(true);
});

test('a killed writer leaves no lock, and every alert that it reported', async () => {
  const dataDir = path.join(temporaryFolder(), 'data');
  const writer = path.join(import.meta.dirname, 'writer.ts');
  for (let round = 0; round < 5; round++) {
    const child = spawn(process.execPath, ['--import', typescript, writer, dataDir, String(round)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let reported = '';
    child.stdout.on('data', (chunk) => {
      reported += chunk;
      if (reported.split('\n').length > 20 + round * 7) child.kill('SIGKILL');
    });
    await once(child, 'close');
    const store = openStore({ dataDir, clock, busyMs: 1 });
    const ids = new Set(store.alerts.ids(100_000));
    const lines = reported.split('\n').slice(0, -1);
    expect(lines.length).toBeGreaterThan(15);
    expect(lines.filter((id) => !ids.has(id))).toEqual([]);
    expect(store.check()).toEqual([]);
    const { rows } = store.outbox.depth('siem', 'alert');
    expect(rows).toBe(store.alerts.chain().length);
    store.close();
  }
});
