import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Connection } from '../../../src/store/database.js';
import { openStore, type Store } from '../../../src/store/index.js';
import { mulberry32 } from '../../helpers/mulberry32.js';
import {
  context,
  detection,
  fileEvent,
  standingClock,
  start,
  temporaryFolder,
  temporaryStore,
} from './samples.js';

const Driver = createRequire(import.meta.url)('better-sqlite3') as new (file: string) => Connection;
const files = ['launchwarden.db', 'events.db'] as const;

const item = (name: string) => ({
  path: `/Library/LaunchAgents/${name}`,
  inode: '7',
  ctimeNanos: 1_795_326_829_391_123_456n,
  size: 3,
  mode: 0o644,
  uid: 0,
  gid: 0,
  type: 'file' as const,
});

const alertCount = 100;

/** A data folder with something in every table, all of it in the files themselves. */
function filledFolder(): string {
  const dataDir = path.join(temporaryFolder(), 'data');
  const store = openStore({ dataDir, clock: standingClock() });
  store.outbox.configure(['siem', 'file'], 1, 0);
  for (let n = 0; n < alertCount; n++) {
    const { alert } = store.alerts.upsert(detection(`a${n}`), context, ['siem', 'file']);
    if (n % 4 === 0) store.alerts.addNote(alert.id, { author: 'x', text: 'looked at' });
    const bytes = new Uint8Array(500 + n * 40).fill(n);
    store.evidence.put(`hash-${n}`, { bytes, size: bytes.length, truncated: false }, { path: `/p${n}` });
  }
  const events = Array.from({ length: 120 }, (_, n) => fileEvent(`e${n}`, {}, start + n));
  store.events.append(events);
  store.items.apply(Array.from({ length: 60 }, (_, n) => item(`i${n}`)));
  store.outbox.addEvents(events.slice(0, 30), ['siem']);
  store.gaps.add({ sensor: 'agent', reason: 'restart', from: start, to: start + 5, detail: 'x' });
  for (let n = 0; n < 20; n++) store.termHistory.seen('rule', `t${n}`, start + n);
  store.meta.set('agent.id', 'agent-1');
  store.progress.set('complete_through', String(start));
  store.close();
  return dataDir;
}

/** Everything that an agent and a person do with a store; what fails on the way is thrown. */
function useAll(store: Store, name: string): void {
  const event = fileEvent(`new-${name}`, {}, start + 5_000);
  store.meta.get('agent.id');
  store.progress.get('complete_through');
  store.items.load();
  [...store.events.scan()];
  store.events.transaction(() => {
    store.events.append([event]);
    store.items.apply([item(`new-${name}`), { path: '/Library/LaunchAgents/i1', gone: true }]);
  });
  store.evidence.put(`new-${name}`, { bytes: new Uint8Array(900), size: 900, truncated: false });
  store.transaction(() => store.alerts.upsert(detection(`new-${name}`), context, ['siem', 'file']));
  store.alerts.amendEvent({ ...event, doc: { ...event.doc, message: 'more' } }, ['siem']);
  store.events.replace(event);
  store.alerts.list();
  store.alerts.changesSince(0);
  store.alerts.counts();
  for (const lane of ['status', 'alert', 'event'] as const) {
    const now = start / 1000 + 60_000;
    const rows = store.outbox.take('siem', lane, { maxItems: 1000, maxBytes: 1e9, now });
    store.outbox.depth('siem', lane);
    store.outbox.nextReady('siem', lane);
    const settlements = rows
      .slice(0, 5)
      .map(({ seq, revision }) => ({ seq, revision, outcome: 'delivered' as const }));
    store.outbox.settle('siem', lane, { settlements, now });
  }
  store.outbox.states();
  store.outbox.dead.list();
  store.gaps.list();
  store.termHistory.seen('rule', `new-${name}`, start + 9);
  store.events.prune(1, 0);
  store.alerts.prune(start * 2);
  store.progress.set('complete_through', String(start + 1));
  store.tend();
  store.condition();
}

test.each(files)(
  '%s with flipped bits never keeps an agent from starting, judging and delivering',
  (file) => {
    const whole = filledFolder();
    const random = mulberry32(file.length);
    let damaged = 0;
    let kept = 0;
    const rounds = 15;
    for (let round = 0; round < rounds; round++) {
      const dataDir = path.join(temporaryFolder(), 'data');
      mkdirSync(dataDir, { mode: 0o700 });
      for (const name of files) copyFileSync(path.join(whole, name), path.join(dataDir, name));
      const bytes = readFileSync(path.join(dataDir, file));
      for (let flip = 0; flip < alertCount; flip++) {
        const at = Math.floor(random() * bytes.length);
        bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8));
      }
      writeFileSync(path.join(dataDir, file), bytes);
      const clock = standingClock();
      const store = openStore({ dataDir, clock, keepGoing: true });
      try {
        useAll(store, 'first');
        useAll(store, 'second');
      } catch (error) {
        throw new Error(`round ${round}`, { cause: error });
      }
      const notices = store.takeNotices();
      const aside = readdirSync(dataDir).filter((name) => /\.damaged-\d+$/.test(name));
      expect(aside.length > 0, `round ${round}: ${JSON.stringify(notices)}`).toBe(notices.length > 0);
      if (aside.length > 0) damaged++;
      const ids = store.alerts.ids();
      for (const name of ['first', 'second'])
        expect([round, ids.includes(detection(`new-${name}`).id)]).toEqual([round, true]);
      kept += store.alerts.list().length - 2;
      store.close();
      const again = openStore({ dataDir, clock, keepGoing: true });
      useAll(again, 'third');
      again.close();
    }
    // The test means something, and most is kept.
    expect(damaged).toBeGreaterThan(rounds / 4);
    expect(kept / rounds).toBeGreaterThan(alertCount / 2);
  },
);

function copyOf(whole: string): string {
  const dataDir = path.join(temporaryFolder(), 'data');
  mkdirSync(dataDir, { mode: 0o700 });
  for (const name of files) copyFileSync(path.join(whole, name), path.join(dataDir, name));
  return dataDir;
}

function change(file: string, sql: string): void {
  const db = new Driver(file);
  db.exec(sql);
  db.close();
}

/** The -wal of a database that has other tables and that nobody closed. */
function foreignLog(): Buffer {
  const file = path.join(temporaryFolder(), 'foreign.db');
  const db = new Driver(file);
  db.pragma('journal_mode = WAL');
  db.exec('CREATE TABLE t (x); CREATE TABLE u (x);');
  const bytes = readFileSync(`${file}-wal`);
  db.close();
  return bytes;
}

type State = readonly [what: string, spoil: (file: string, dataDir: string) => void, alertsKept: boolean];

const states: readonly State[] = [
  ['cut in half', (file) => truncateSync(file, Math.floor(readFileSync(file).length / 8192) * 4096), true],
  ['cut to a few bytes', (file) => truncateSync(file, 60), false],
  ['cut within a page', (file) => truncateSync(file, 5000), false],
  ['text', (file) => writeFileSync(file, 'no database, whatever it is called. '.repeat(300)), false],
  [
    'a folder',
    (file) => {
      rmSync(file);
      mkdirSync(file);
    },
    false,
  ],
  [
    'a link',
    (file) => {
      renameSync(file, `${file}.moved`);
      symlinkSync(`${file}.moved`, file);
    },
    false,
  ],
  [
    'of another program',
    (file) => {
      rmSync(file);
      change(file, 'CREATE TABLE alerts (x); PRAGMA user_version = 1');
    },
    false,
  ],
  ['of a newer version', (file) => change(file, 'PRAGMA user_version = 99'), true],
  ['without its version', (file) => change(file, 'PRAGMA user_version = 0'), true],
  ['with a table renamed', (file) => change(file, 'ALTER TABLE meta RENAME TO mета'), true],
  [
    'empty beside its -wal',
    (file) => {
      writeFileSync(file, '');
      writeFileSync(`${file}-wal`, foreignLog());
    },
    false,
  ],
  [
    'gone, its -wal left',
    (file) => {
      rmSync(file);
      writeFileSync(`${file}-wal`, foreignLog());
    },
    false,
  ],
  ['beside the -wal of another', (file) => writeFileSync(`${file}-wal`, foreignLog()), true],
];

for (const file of files) {
  test.each(states)(`${file} that is %s is set aside whole, told, and begun anew`, (_, spoil, alertsKept) => {
    const dataDir = copyOf(filledFolder());
    spoil(path.join(dataDir, file), dataDir);
    const store = temporaryStore({ dataDir, keepGoing: true });
    useAll(store, 'first');
    const [notice] = store.takeNotices();
    expect(notice).toMatchObject({ reason: 'store-damaged', detail: expect.stringContaining(file) });
    expect(store.condition().set_aside).toHaveLength(1);
    const kept = store.alerts.list().length - 1;
    if (file === 'events.db') expect(kept).toBe(alertCount);
    else if (alertsKept) expect(kept).toBeGreaterThan(alertCount / 4);
    expect(store.check()).toEqual([]);
    store.close();
    const again = temporaryStore({ dataDir, keepGoing: true });
    expect(again.takeNotices()).toEqual([]);
    expect(again.alerts.list()).toHaveLength(kept + 1);
  });
}

test.each([
  ['gone', (file: string) => rmSync(file)],
  ['empty', (file: string) => writeFileSync(file, '')],
])('one file that is %s while the other is there is told with the time since when', (_, spoil) => {
  for (const file of files) {
    const dataDir = copyOf(filledFolder());
    spoil(path.join(dataDir, file));
    const store = temporaryStore({ dataDir, keepGoing: true });
    expect(store.takeNotices()).toMatchObject([
      { reason: 'store-lost', detail: expect.stringContaining(file), from: expect.any(Number) },
    ]);
    useAll(store, 'first');
  }
  expect(temporaryStore({ keepGoing: true }).takeNotices()).toEqual([]);
});

test('a lock file that is damaged keeps no agent from starting', () => {
  for (const spoil of [
    (file: string) => writeFileSync(file, 'x'.repeat(5000)),
    (file: string) => {
      rmSync(file, { force: true });
      mkdirSync(file);
    },
  ]) {
    const dataDir = copyOf(filledFolder());
    spoil(path.join(dataDir, 'lock.db'));
    const store = temporaryStore({ dataDir, keepGoing: true });
    expect(store.condition().state).toBe('ok');
    expect(() => openStore({ dataDir, clock: standingClock(), busyMs: 1, keepGoing: true })).toThrow(
      /in use/,
    );
  }
});

test('of databases that were set aside a few are kept, the newest', () => {
  const dataDir = copyOf(filledFolder());
  for (let round = 0; round < 6; round++) {
    writeFileSync(path.join(dataDir, 'events.db'), `round ${round} `.repeat(1000));
    writeFileSync(path.join(dataDir, 'events.db-wal'), `log ${round}`);
    const clock = standingClock();
    clock.time += round;
    openStore({ dataDir, clock, keepGoing: true }).close();
  }
  const aside = temporaryStore({ dataDir, keepGoing: true })
    .condition()
    .set_aside.map(({ file }) => file);
  expect(aside).toEqual([5, 4, 3].map((round) => `events.db.damaged-${start + round}`));
  expect(readFileSync(path.join(dataDir, aside[0]!), 'latin1')).toContain('round 5');
  expect(
    readdirSync(dataDir).filter((name) => name.includes('.damaged-') && name.endsWith('-wal')),
  ).toHaveLength(3);
});

test('a file that is damaged again and again is left alone for a while: memory serves', () => {
  const dataDir = copyOf(filledFolder());
  const clock = standingClock();
  const store = temporaryStore({ dataDir, clock, keepGoing: true });
  const file = path.join(dataDir, 'events.db');
  for (let round = 0; round < 5; round++) {
    store.events.append([fileEvent(`r${round}`)]);
    const other = new Driver(file);
    other.pragma('wal_checkpoint(TRUNCATE)');
    other.exec('DROP TABLE terms');
    other.close();
    store.termHistory.seen('rule', `r${round}`, start);
    clock.time += 1_000_000;
    store.tend();
    if (store.condition().state !== 'ok') break;
  }
  expect(store.condition()).toMatchObject({ state: 'refused', files: { 'events.db': { state: 'refused' } } });
  expect(store.events.get('r3')).toBeDefined();
  expect(store.condition().set_aside).toHaveLength(3);
});

test('rows with damaged texts keep nobody from reading the others', () => {
  const dataDir = copyOf(filledFolder());
  const ids = [detection('a3').id, detection('a5').id, detection('a7').id];
  const quoted = ids.map((id) => `'${id}'`).join(', ');
  change(
    path.join(dataDir, 'launchwarden.db'),
    `UPDATE documents SET body = substr(body, 1, 200) || '"' WHERE id IN (${quoted});
    UPDATE documents SET body = 'null' WHERE id = '${ids[1]}';
    UPDATE documents SET body = '{"launchwarden":{"alert":7}}' WHERE id = '${ids[2]}';
    UPDATE alerts SET severity = 'hiRh', status = 'oqen', time = 'x', created = 1.5 WHERE id = '${ids[0]}';
    UPDATE evidence SET meta = substr(meta, 3) WHERE sha256 = 'hash-4';`,
  );
  change(
    path.join(dataDir, 'events.db'),
    `UPDATE events SET body = substr(body, 9) WHERE id = 'e4'; UPDATE events SET body = '7' WHERE id = 'e5';
    UPDATE items SET ctime_nanos = '1q' WHERE path LIKE '%/i3';
    UPDATE items SET type = 'fjle' WHERE path LIKE '%/i4'`,
  );
  for (const how of [{ readOnly: true }, { keepGoing: true }]) {
    const store = temporaryStore({ dataDir, ...how });
    const listed = store.alerts.list();
    expect(listed).toHaveLength(alertCount);
    const damaged = listed.filter((one) => ids.includes(one.id));
    expect(damaged.map(({ doc }) => doc.launchwarden?.['alert'])).toEqual(
      ids.map(() => expect.objectContaining({ damaged: true })),
    );
    expect(store.alerts.get(ids[0]!)).toMatchObject({
      severity: 'high',
      status: 'open',
      time: 0,
      created: 0,
    });
    expect(store.alerts.changesSince(0).alerts).toHaveLength(alertCount);
    expect([...store.events.scan()]).toHaveLength(118);
    expect(store.events.get('e4')).toBeUndefined();
    expect(store.items.load()).toHaveLength(58);
    expect(store.evidence.get('hash-4')?.content.size).toBeGreaterThan(0);
    expect(store.outbox.depth('siem', 'alert').rows).toBe(alertCount);
    store.close();
  }
  // An alert that comes again is whole again.
  const store = temporaryStore({ dataDir, keepGoing: true });
  const again = { ...detection('a3'), repeats: 1 };
  expect(store.alerts.upsert(again, context, ['siem'])).toMatchObject({
    change: 'grown',
    alert: { revision: 2 },
  });
  expect(store.alerts.get(ids[0]!)?.doc.launchwarden?.['alert']).not.toHaveProperty('damaged');
  useAll(store, 'then');
  expect(store.takeNotices()).toEqual([]);
});

test('numbers that were given already, and a document that is missing, are mended and no alert is lost', () => {
  const dataDir = copyOf(filledFolder());
  change(
    path.join(dataDir, 'launchwarden.db'),
    `UPDATE ledger SET doc = 3; DELETE FROM documents WHERE id = '${detection('a9').id}'`,
  );
  const store = temporaryStore({ dataDir, keepGoing: true });
  expect(store.alerts.upsert(detection('next'), context, ['siem']).change).toBe('new');
  expect(store.takeNotices()).toMatchObject([{ reason: 'store-damaged' }]);
  expect(store.alerts.list()).toHaveLength(alertCount + 1);
  expect(store.alerts.get(detection('a9').id)?.doc.launchwarden?.['alert']).toMatchObject({ damaged: true });
});

test.each(['-wal', '-shm'])('a %s that somebody removes under the agent takes nothing along', (tail) => {
  for (const file of files) {
    const dataDir = copyOf(filledFolder());
    const store = temporaryStore({ dataDir, keepGoing: true });
    useAll(store, 'before');
    rmSync(path.join(dataDir, file + tail));
    useAll(store, 'between');
    expect(existsSync(path.join(dataDir, file + tail))).toBe(true);
    useAll(store, 'after');
    expect(store.takeNotices()).toMatchObject([{ detail: expect.stringContaining(file + tail) }]);
    const reader = temporaryStore({ dataDir, readOnly: true });
    for (const name of ['before', 'between', 'after']) {
      expect(reader.alerts.get(detection(`new-${name}`).id)).toBeDefined();
      expect(reader.items.load().some((one) => one.path.endsWith(`new-${name}`))).toBe(true);
    }
  }
});

test('one file can be read whatever became of the other', () => {
  const dataDir = copyOf(filledFolder());
  for (const spoil of [
    (file: string) => writeFileSync(file, 'x'.repeat(9000)),
    (file: string) => rmSync(file),
  ]) {
    spoil(path.join(dataDir, 'events.db'));
    const store = temporaryStore({ dataDir, readOnly: true });
    expect(store.alerts.list()).toHaveLength(alertCount);
    expect(() => store.events.get('e1')).toThrow(/events\.db/);
  }
});
