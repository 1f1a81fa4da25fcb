import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { AlertContext, Detection } from '../../../src/event/alert.js';
import type { Connection } from '../../../src/store/database.js';
import { openStore, type Store } from '../../../src/store/index.js';
import { Keeper } from '../../../src/store/keeper.js';
import { openReadable } from '../../../src/store/readable.js';
import { Driver, lockOf } from '../../helpers/lock.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import {
  candidate,
  context,
  detection,
  fileEvent,
  start,
  temporaryFolder,
  temporaryStore,
} from './samples.js';

function keptStore(dataDir = path.join(temporaryFolder(), 'data')) {
  const clock = new ManualClock(start);
  const store = temporaryStore({ dataDir, clock, keepGoing: true });
  const pass = (milliseconds: number) => {
    for (let left = milliseconds; left > 0; left -= 500) {
      clock.pass(500);
      store.tend();
    }
  };
  return { store, clock, pass, dataDir };
}

const upsert = (store: Store, found: Detection, made: AlertContext = context) =>
  store.transaction(() => store.alerts.upsert(found, made, ['siem']));
const take = (store: Store, lane: 'alert' | 'event' = 'alert') =>
  store.outbox.take('siem', lane, { maxItems: 100, maxBytes: 1e9, now: start });
const deliver = (store: Store, seqs: readonly number[], lane: 'alert' | 'event' = 'alert') =>
  store.outbox.settle('siem', lane, {
    settlements: seqs.map((seq) => ({ seq, revision: 1, outcome: 'delivered' })),
    now: start,
  });

test('while another program holds a lock alerts grow and are delivered, and all of it is stored afterwards', () => {
  const { store, pass, dataDir } = keptStore();
  store.outbox.configure(['siem'], 1, 0);
  const old = detection('old');
  upsert(store, old);
  upsert(store, detection('waits'));
  const free = lockOf(dataDir, 'launchwarden.db');
  const grown = upsert(store, { ...old, candidates: [candidate(fileEvent('c'))] });
  expect([grown.change, grown.alert.revision]).toEqual(['grown', 2]);
  upsert(store, detection('new'));
  upsert(store, detection('delivered'));
  store.alerts.addNote(detection('new').id, { author: 'x', text: 'a note' });
  store.evidence.put('hash', { bytes: new Uint8Array(9), size: 9, truncated: false }, { path: '/p' });
  store.gaps.add({ sensor: 'agent', reason: 'sleep', from: 1, to: 2, detail: '' });
  const waiting = take(store);
  // The note is a revision, too.
  expect(waiting.map(({ revision }) => revision).sort()).toEqual([1, 1, 2, 2]);
  // One that the file knew, and one that memory alone knows.
  const done = waiting.filter(({ id }) => [detection('waits').id, detection('delivered').id].includes(id));
  deliver(
    store,
    done.map(({ seq }) => seq),
  );
  expect(store.condition()).toMatchObject({ state: 'busy', held_alerts: 3 });
  pass(5_000);
  expect(store.takeNotices()).toEqual([expect.objectContaining({ reason: 'store-refused' })]);
  free();
  pass(10_000);
  expect(store.condition()).toMatchObject({ state: 'ok', held_alerts: 0, reason: null });
  expect(store.takeNotices()).toEqual([
    expect.objectContaining({ detail: expect.stringContaining('nothing is missing') }),
  ]);
  const reader = temporaryStore({ dataDir, readOnly: true });
  expect(new Map(reader.alerts.list().map(({ id, revision }) => [id, revision]))).toEqual(
    new Map([
      [old.id, 2],
      [detection('new').id, 2],
      ...['waits', 'delivered'].map((name) => [detection(name).id, 1] as const),
    ]),
  );
  expect(reader.alerts.get(detection('new').id)?.notes).toMatchObject([{ text: 'a note' }]);
  expect(reader.evidence.get('hash')?.content.size).toBe(9);
  expect(reader.gaps.list()).toHaveLength(1);
  expect(
    take(reader)
      .map(({ id }) => id)
      .sort(),
  ).toEqual([old.id, detection('new').id].sort());
  expect(take(reader).find(({ id }) => id === old.id)).toMatchObject({ revision: 2 });
  expect(reader.outbox.state('siem').delivered).toBe(2);
  // The chain goes on where it was.
  expect(reader.alerts.chain().length).toBe(4);
  expect(upsert(store, detection('later')).alert.doc.launchwarden?.['chain']).toMatchObject({ index: 5 });
  expect(store.check()).toEqual([]);
});

test('what memory tells of an older event takes the place of the stored one, in whichever form that is', () => {
  for (const isPassing of [false, true]) {
    const { store, pass, dataDir } = keptStore();
    const old = fileEvent('old');
    store.events.append([old], () => isPassing);
    // More than memory takes along.
    store.events.append(Array.from({ length: 600 }, (_, n) => fileEvent(`e${n}`, {}, start + n + 1)));
    const free = lockOf(dataDir, 'events.db');
    store.events.append([fileEvent('during', {}, start + 9_999)]);
    store.events.replace({ ...old, doc: { ...old.doc, message: 'newer' } });
    expect(store.outbox.addEvents([old], ['siem'])).toBe(1);
    free();
    pass(10_000);
    const reader = temporaryStore({ dataDir, readOnly: true });
    const found = [...reader.events.scan()].filter(({ id }) => id === 'old');
    expect(found.map(({ doc }) => doc.message)).toEqual(['newer']);
    expect(take(reader, 'event').map(({ id }) => id)).toEqual(['old']);
  }
});

test('while another program holds a lock events and items are kept, and are stored afterwards', () => {
  const { store, pass, dataDir } = keptStore();
  const item = (name: string) => ({
    ...{ path: `/${name}`, inode: '1', ctimeNanos: 1n, size: 1, mode: 0, uid: 0, gid: 0 },
    type: 'file' as const,
  });
  store.events.append([fileEvent('before')]);
  store.items.apply([item('stays'), item('goes')]);
  store.termHistory.seen('rule', 'term', start);
  const free = lockOf(dataDir, 'events.db');
  store.events.transaction(() => {
    expect(store.events.append([fileEvent('during'), fileEvent('before')])).toHaveLength(1);
    store.items.apply([item('comes'), { path: '/goes', gone: true }]);
  });
  store.events.replace(fileEvent('before', { size: 7 }));
  store.progress.set('complete_through', '77');
  expect(store.termHistory.seen('rule', 'term', start + 1)).toBe(start);
  expect(store.outbox.addEvents([fileEvent('during')], ['siem'])).toBe(1);
  expect(store.condition()).toMatchObject({ state: 'busy', held_events: 1, held_alerts: 0 });
  free();
  pass(10_000);
  const reader = temporaryStore({ dataDir, readOnly: true });
  expect([...reader.events.scan()].map(({ id }) => id).sort()).toEqual(['before', 'during']);
  expect(reader.events.get('before')?.doc.file?.size).toBe(7);
  expect(reader.items.load().map(({ path: name }) => name)).toEqual(['/comes', '/stays']);
  expect(reader.progress.get('complete_through')).toBe('77');
  expect(take(reader, 'event').map(({ id }) => id)).toEqual(['during']);
});

test('stories that go on while another program holds a lock are kept; what memory began anew overwrites nothing', () => {
  const { store, pass, dataDir } = keptStore();
  const observe = (name: string, seconds: number) => {
    const path = `/Library/LaunchDaemons/${name}.plist`;
    const persistence = { item_id: name, mechanism: 'launch-daemon', path, label: [name] };
    const event = fileEvent(`${name}-${seconds}`, { path });
    const doc = { ...event.doc, launchwarden: { ...event.doc.launchwarden, persistence } };
    store.stories.observe([{ ...event, time: start + seconds * 1e6, doc }]);
  };
  observe('old', 1);
  observe('lost', 1);
  const free = lockOf(dataDir, 'events.db');
  observe('old', 2);
  observe('new', 2);
  expect(store.condition().state).toBe('busy');
  free();
  pass(10_000);
  expect(store.condition().state).toBe('ok');
  const { stories } = temporaryStore({ dataDir, readOnly: true });
  expect(stories.get('old')).toMatchObject({ first: start + 1e6, last: start + 2e6 });
  expect(stories.get('new')).toMatchObject({ first: start + 2e6 });
  expect(stories.get('lost')).toMatchObject({ last: start + 1e6 });
});

test('watches are armed, hit and disarmed while another program holds a lock, and answers are kept', () => {
  const { store, pass, dataDir } = keptStore();
  const watch = (response: string) => ({ response, kind: 'path', value: '/x', alert: '' }) as const;
  upsert(store, detection('a'));
  store.reinfection.arm([watch('stays'), watch('goes')], start);
  const free = lockOf(dataDir, 'launchwarden.db');
  expect(store.reinfection.list()).toHaveLength(2);
  store.reinfection.disarm('goes');
  store.reinfection.arm([watch('comes')], start);
  store.reinfection.hit(watch('stays'), start + 1);
  const { id } = detection('a');
  expect(store.investigations.put({ alert: id, time: start, author: 'x', answers: [] })).toBe(true);
  expect(store.condition().state).toBe('busy');
  free();
  pass(10_000);
  expect(store.condition().state).toBe('ok');
  const reader = temporaryStore({ dataDir, readOnly: true });
  const kept = reader.reinfection.list().map(({ response, hits }) => [response, hits]);
  expect(kept.sort()).toEqual([
    ['comes', 0],
    ['stays', 1],
  ]);
  expect(reader.investigations.get(id)).toMatchObject({ author: 'x' });
});

test('a lock that is over at once is told to nobody', () => {
  const { store, pass, dataDir } = keptStore();
  const free = lockOf(dataDir, 'launchwarden.db');
  upsert(store, detection('a'));
  free();
  pass(1_500);
  expect(store.condition().state).toBe('ok');
  expect(store.takeNotices()).toEqual([]);
});

/** A store whose files refuse whatever `refuse` says. */
function keeper(dataDir: string, refuse: { main?: (connection: Connection) => void }) {
  mkdirSync(dataDir, { mode: 0o700, recursive: true });
  const clock = new ManualClock(start);
  // Made by the store itself: the same schema and the same folder.
  openStore({ dataDir, clock }).close();
  const open = (name: string) => () => {
    const connection = new Driver(path.join(dataDir, name));
    connection.pragma('journal_mode = WAL');
    if (name === 'launchwarden.db') refuse.main?.(connection);
    return connection;
  };
  const made = new Keeper({
    dataDir,
    clock,
    openMain: open('launchwarden.db'),
    openEvents: open('events.db'),
  });
  onTestFinished(() => made.close());
  return { made, clock };
}

const refused = (code: string) => () => {
  throw Object.assign(new Error('unable to open database file'), { code });
};

test.each([
  'SQLITE_CANTOPEN',
  'EMFILE',
  'SQLITE_READONLY',
  'SQLITE_IOERR_READ',
  'SQLITE_FULL',
  'SQLITE_BUSY',
])('a file that fails with %s at the start keeps nobody from starting, and is tried again', (code) => {
  const dataDir = path.join(temporaryFolder(), 'data');
  const refuse: { main?: (connection: Connection) => void } = { main: refused(code) };
  const { made, clock } = keeper(dataDir, refuse);
  made.main.db.prepare("INSERT INTO meta (key, value) VALUES ('x', 'y')").run();
  expect(made.main.inMemory).toBe(true);
  expect(made.condition(0).reason).toMatch(/^launchwarden\.db: /);
  clock.pass(10_000);
  made.tend();
  expect(made.main.inMemory).toBe(true);
  expect(made.takeNotices()).toMatchObject([{ reason: 'store-refused' }]);
  delete refuse.main;
  clock.pass(10_000);
  made.tend();
  expect(made.condition(0).state).toBe('ok');
  expect(made.main.db.prepare("SELECT value FROM meta WHERE key = 'x'").get()).toEqual({ value: 'y' });
  expect(made.main.db.inMemory).toBe(false);
});

test('on a full disk the reserve gives alerts room, then memory serves, until there is room again', () => {
  const dataDir = path.join(temporaryFolder(), 'data');
  let connection: Connection | undefined;
  const { made, clock } = keeper(dataDir, {
    main: (opened) => {
      connection = opened;
    },
  });
  made.tend();
  expect(existsSync(path.join(dataDir, 'reserve'))).toBe(true);
  const pages = () => Number(connection?.pragma('page_count', { simple: true }));
  const put = made.main.db.prepare(
    'INSERT INTO gaps (sensor, reason, from_time, to_time, detail) VALUES (?, ?, 1, 2, ?)',
  );
  const fill = (rows: number) => {
    for (let n = 0; n < rows; n++) put.run('agent', 'x', 'x'.repeat(1_800));
  };
  const file = connection!;
  file.pragma(`max_page_count = ${pages()}`);
  // The room that the reserve gives back.
  let given = false;
  const release = () => {
    if (!given && !existsSync(path.join(dataDir, 'reserve'))) file.pragma(`max_page_count = ${pages() + 20}`);
    given = !existsSync(path.join(dataDir, 'reserve'));
  };
  const checkpoint = file.pragma.bind(file);
  file.pragma = ((source: string, how?: { simple?: boolean }) => {
    if (source.startsWith('wal_checkpoint')) release();
    return checkpoint(source, how);
  }) as typeof file.pragma;
  fill(4);
  expect([made.main.state, made.main.inMemory, made.scarce]).toEqual(['reserve', false, true]);
  fill(100);
  expect([made.main.state, made.main.inMemory]).toEqual(['full', true]);
  clock.pass(10_000);
  made.tend();
  expect(made.main.state).toBe('full');
  checkpoint('max_page_count = 100000');
  clock.pass(10_000);
  made.tend();
  expect(made.main.inMemory).toBe(false);
  expect(file.prepare('SELECT count(*) AS rows FROM gaps').get()).toEqual({ rows: 104 });
});

test('alerts that are in memory alone at the end, or at a crash, are stored by the next start', () => {
  const dataDir = path.join(temporaryFolder(), 'data');
  const left = path.join(dataDir, 'held.db.gz');
  const first = keptStore(dataDir);
  first.store.outbox.configure(['siem'], 1, 0);
  upsert(first.store, detection('before'));
  const free = lockOf(dataDir, 'launchwarden.db');
  upsert(first.store, detection('held'));
  // What a crash would leave.
  first.pass(1_000);
  const crash = readFileSync(left);
  upsert(first.store, detection('held too'));
  first.store.close();
  expect(existsSync(left)).toBe(true);
  expect(readFileSync(left).equals(crash)).toBe(false);
  free();
  const second = keptStore(dataDir);
  expect(second.store.alerts.list()).toHaveLength(3);
  expect(take(second.store).map(({ id }) => id)).toEqual(
    ['before', 'held', 'held too'].map((name) => detection(name).id),
  );
  expect(second.store.warnings).toEqual([expect.stringContaining('2 alerts')]);
  expect(existsSync(left)).toBe(false);
  expect(upsert(second.store, detection('held')).change).toBe('same');
});

test('a file of held alerts that cannot be read is told, and keeps nobody from starting', () => {
  const dataDir = path.join(temporaryFolder(), 'data');
  const first = keptStore(dataDir);
  const free = lockOf(dataDir, 'launchwarden.db');
  upsert(first.store, detection('held'));
  first.store.close();
  free();
  rmSync(path.join(dataDir, 'held.db.gz'));
  mkdirSync(path.join(dataDir, 'held.db.gz'));
  const { store } = keptStore(dataDir);
  expect(store.takeNotices()).toEqual([expect.objectContaining({ reason: 'store-lost' })]);
  expect(upsert(store, detection('next')).change).toBe('new');
});

test('what reads a place where nothing can be written reads a private copy, and leaves none behind', () => {
  const dataDir = path.join(temporaryFolder(), 'data');
  const { store } = keptStore(dataDir);
  upsert(store, detection('in the -wal'));
  const file = path.join(dataDir, 'launchwarden.db');
  let opened = '';
  const { connection, remove } = openReadable(file, (place) => {
    if (place === file)
      throw Object.assign(new Error('unable to open database file'), { code: 'SQLITE_CANTOPEN' });
    opened = place;
    return new Driver(place);
  });
  expect(connection.prepare('SELECT id FROM alerts').all()).toEqual([{ id: detection('in the -wal').id }]);
  expect(statSync(path.dirname(opened)).mode & 0o777).toBe(0o700);
  connection.close();
  remove();
  expect(existsSync(path.dirname(opened))).toBe(false);
});

test('a database of an older version is read as it is', () => {
  const { store, dataDir } = keptStore();
  upsert(store, detection('a'));
  store.close();
  const old = new Driver(path.join(dataDir, 'launchwarden.db'));
  old.exec(
    'DROP INDEX alerts_story; DROP INDEX alerts_waiting; DROP INDEX alerts_urgent; DROP INDEX alerts_closed; ALTER TABLE alerts DROP COLUMN closed_as; ALTER TABLE alerts DROP COLUMN closed_at; ALTER TABLE alerts DROP COLUMN assignee; ALTER TABLE alerts DROP COLUMN tags; ALTER TABLE alerts DROP COLUMN user; ALTER TABLE notes DROP COLUMN value; DROP INDEX evidence_owner; DROP INDEX evidence_item; ALTER TABLE evidence DROP COLUMN owner; ALTER TABLE evidence DROP COLUMN item; ALTER TABLE outbox DROP COLUMN update_of; ALTER TABLE destinations DROP COLUMN first_doc; ALTER TABLE alerts DROP COLUMN priority; DROP TABLE exception_hits; DROP TABLE inventory; DROP TABLE investigations; DROP INDEX alerts_item; ALTER TABLE alerts DROP COLUMN item; DROP TABLE baselines; DROP TABLE baseline_entries; DROP TABLE versions; DROP TABLE version_paths; DROP TABLE alert_hashes; DROP TABLE evidence_holds; DROP TABLE reinfection; ALTER TABLE ledger DROP COLUMN chain_before; PRAGMA user_version = 1',
  );
  old.close();
  const before = readFileSync(path.join(dataDir, 'launchwarden.db'));
  expect(temporaryStore({ dataDir, readOnly: true }).alerts.list()).toHaveLength(1);
  expect(readFileSync(path.join(dataDir, 'launchwarden.db')).equals(before)).toBe(true);
  expect(temporaryStore({ dataDir, keepGoing: true }).alerts.list()).toHaveLength(1);
});
