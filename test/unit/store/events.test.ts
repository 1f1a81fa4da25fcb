import { expect, test } from 'vitest';
import { compareEvents, type Event } from '../../../src/event/event.js';
import { fileEvent, standingClock, start, temporaryStore } from './samples.js';

const at = (id: string, time: number, nanos = 0, sequence = 1): Event => ({
  ...fileEvent(id, {}, time),
  nanos,
  sequence,
});

test('a batch is stored once, whatever is sent again', () => {
  const { events } = temporaryStore();
  const [a, b] = [fileEvent('a'), fileEvent('b')];
  expect(events.append([a, b, a])).toEqual([a, b]);
  expect(events.append([b, fileEvent('c')]).map(({ id }) => id)).toEqual(['c']);
  expect(events.get('b')).toEqual(b);
  expect(events.get('z')).toBeUndefined();
});

test('events come in the order of detection, whatever the order of arrival, page by page', () => {
  const { events } = temporaryStore();
  const made: Event[] = [];
  for (let n = 0; n < 1300; n++)
    made.push(at(`t${n}`, start + Math.floor(n / 3), n % 2, n % 3 === 0 ? Infinity : n % 3));
  events.append([...made].reverse());
  const read = [...events.scan()];
  expect(read).toEqual([...made].reverse().sort(compareEvents));
  const some = [...events.between(start + 100, start + 200)];
  expect(some).toEqual(read.filter(({ time }) => time >= start + 100 && time < start + 200));
});

test('other statements may run while events are read', () => {
  const { events } = temporaryStore();
  events.append(Array.from({ length: 10 }, (_, n) => at(`e${n}`, start + n)));
  let seen = 0;
  for (const event of events.scan()) {
    seen++;
    events.append([at(`late-${event.id}`, start - 1)]);
  }
  expect(seen).toBe(10);
});

test('an amended event takes the place of the first one', () => {
  const { events } = temporaryStore();
  events.append([fileEvent('a')]);
  const amended = fileEvent('a', { size: 7 });
  events.replace(amended);
  expect(events.get('a')).toEqual(amended);
  events.replace(fileEvent('new'));
  expect(events.extent().rows).toBe(2);
});

test('what passes by is found by its id, or the beginning of it, like everything else', () => {
  const { events, outbox } = temporaryStore();
  const passing = at('0a1', start + 1);
  const kept = at('0a2', start);
  const shifted = { ...at('0b3', start + 2), shift: 7 };
  const isPassing = (event: Event) => event !== kept;
  expect(events.append([passing, kept, shifted, passing], isPassing)).toEqual([passing, kept, shifted]);
  expect(events.append([passing], isPassing)).toEqual([]);
  expect(events.find('0a1')).toEqual(passing);
  expect(events.find('0a2')).toEqual(kept);
  expect(events.get('0a1')).toBeUndefined();
  for (const id of ['0a', '~', '']) expect(events.find(id)).toBeUndefined();
  // Told again by who needs it now.
  expect(events.append([passing])).toEqual([]);
  const ids = (beginning: string, limit = 10) => events.beginningWith(beginning, limit).map(({ id }) => id);
  expect(ids('0a').sort()).toEqual(['0a1', '0a2']);
  expect(ids('0a', 1)).toHaveLength(1);
  expect(ids('0b')).toEqual(['0b3']);
  expect(ids('~')).toEqual([]);
  expect(ids('').sort()).toEqual(['0a1', '0a2', '0b3']);
  expect([...events.scan()].map(({ id }) => id)).toEqual(['0a2', '0a1', '0b3']);

  events.replace({ ...passing, doc: { ...passing.doc, message: 'newer' } });
  expect(events.find('0a1')?.doc.message).toBe('newer');
  expect(events.extent().rows).toBe(3);

  expect(outbox.addEvents([passing, kept, shifted], ['siem'])).toBe(3);
  const rows = outbox.take('siem', 'event', { maxItems: 10, maxBytes: 1e6, now: start });
  expect(rows.map(({ id }) => id)).toEqual(['0a1', '0a2', '0b3']);
});

test('pruning takes the oldest, spares what detection needs, and gives the space back', () => {
  const { events } = temporaryStore();
  const bulk = 'x'.repeat(2000);
  events.append(
    Array.from({ length: 3000 }, (_, n) => at(`e${n}`, start + n)).map((event) => ({
      ...event,
      doc: { ...event.doc, message: bulk },
    })),
  );
  const before = events.bytes();
  const { deleted, bytes } = events.prune(before / 2, start + 2900);
  expect(deleted).toBeGreaterThan(1000);
  expect(bytes).toBeLessThanOrEqual(before / 2);
  expect(events.extent()).toMatchObject({ rows: 3000 - deleted, first: start + deleted, last: start + 2999 });
  const kept = events.prune(bytes * 0.6, start);
  expect(kept.deleted).toBe(0);
  // Past twice the cap the disk comes first.
  expect(events.prune(bytes / 4, start).deleted).toBeGreaterThan(0);
});

test('an event and what the watcher remembers of it stand or fall together', () => {
  const { events, items } = temporaryStore();
  const item = {
    path: '/Library/LaunchAgents/a.plist',
    inode: '9007199254740993',
    ctimeNanos: 1_795_326_829_391_123_456n,
    size: 3,
    mode: 0o644,
    uid: 0,
    gid: 0,
    type: 'file' as const,
  };
  expect(() =>
    events.transaction(() => {
      events.append([fileEvent('a')]);
      items.put(item);
      throw new Error('crash');
    }),
  ).toThrow('crash');
  expect([events.extent().rows, items.load()]).toEqual([0, []]);
  items.apply([
    item,
    { ...item, path: '/b', sha256: 'ab' },
    { path: '/gone', gone: true },
    { path: '/b', gone: true },
  ]);
  expect(items.load()).toEqual([item]);
});

test('terms answer the same when events are fed again after a crash', () => {
  const { termHistory } = temporaryStore({ maxTerms: 10 });
  const ask = () => [100, 200, 300].map((time) => termHistory.seen('rule', 'key', start + time));
  const first = ask();
  expect(first).toEqual([undefined, start + 100, start + 200]);
  expect(ask().slice(1)).toEqual([start + 100, start + 200]);
  expect(termHistory.seen('rule', 'key', start + 100)).toBeUndefined();
  expect(termHistory.seen('other', 'key', start + 400)).toBeUndefined();
  for (let n = 0; n < 50; n++) termHistory.seen('rule', `k${n}`, start + 1000 + n);
  expect(termHistory.seen('rule', 'key', start + 2000)).toBeUndefined();
  expect(termHistory.seen('rule', 'k49', start + 2000)).toBe(start + 1049);
});

test('evidence is kept by content, bounded, and that of alerts the longest', () => {
  const clock = standingClock();
  const { evidence } = temporaryStore({ clock, evidenceBytes: 5000 });
  const content = (size: number) => ({ bytes: new Uint8Array(size).fill(7), size, truncated: false });
  const put = (name: string) => {
    clock.time += 1000;
    return evidence.put(name, content(1000), { path: `/${name}` });
  };
  expect(put('alerted')).toBe(0);
  evidence.pin('alerted');
  for (let n = 0; n < 4; n++) put(`e${n}`);
  expect(put('e4')).toBe(1);
  expect(put('e4')).toBe(0);
  expect(evidence.get('e0')).toBeUndefined();
  expect(evidence.get('alerted')).toMatchObject({
    pinned: true,
    meta: { path: '/alerted' },
    content: { size: 1000, truncated: false },
  });
  expect(Buffer.from(evidence.get('e4')!.content.bytes)).toEqual(Buffer.alloc(1000, 7));
});

test('gaps are kept with what is known of them, the newest first', () => {
  const { gaps } = temporaryStore();
  gaps.add({
    sensor: 'file-watch',
    reason: 'dropped',
    from: start,
    to: start + 5,
    lost: 3,
    detail: 'queue full',
  });
  gaps.add({ sensor: 'agent', reason: 'sleep', from: start + 10, to: start + 20, detail: '' });
  expect(gaps.list().map(({ reason }) => reason)).toEqual(['sleep', 'dropped']);
  expect(gaps.list({ until: start + 10 })).toMatchObject([
    { sensor: 'file-watch', lost: 3, detail: 'queue full' },
  ]);
});

/** Evidence of one user's file; the hash is its name. */
function evidenceRig(evidenceBytes: number) {
  const clock = standingClock();
  const store = temporaryStore({ clock, evidenceBytes });
  const { evidence } = store;
  const add = (name: string, how: { size?: number; owner?: string; item?: string; score?: number } = {}) => {
    const { size = 1000, owner, item = name, score } = how;
    clock.time += 1000;
    const content = { bytes: new Uint8Array(size).fill(7), size, truncated: false };
    evidence.put(name, content, { path: `/${item}`, ...(owner === undefined ? {} : { owner }) });
    if (score !== undefined) evidence.pin(name, score);
  };
  const kept = (names: readonly string[]) => names.filter((name) => evidence.get(name) !== undefined);
  return { store, add, kept };
}

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

test('who floods with alerts about large files keeps the evidence of the first ones, and is named', () => {
  const { store, add, kept } = evidenceRig(20_000);
  add('first', { owner: 'mallory', score: 21 });
  for (const name of names('bob', 3)) add(name, { owner: 'bob', score: 21 });
  for (const name of names('system', 3)) add(name, { score: 21 });
  for (const name of names('large', 15)) {
    add(name, { owner: 'mallory', size: 4000, score: 21 });
    store.tend();
  }
  add('bob too', { owner: 'bob', score: 21 });
  store.tend();
  expect(kept(['first', ...names('bob', 3), 'bob too', ...names('system', 3)])).toHaveLength(8);
  expect(kept(names('large', 15)).length).toBeLessThan(3);
  expect(store.takeNotices()).toEqual([
    expect.objectContaining({ reason: 'overflow', lost: 15 - kept(names('large', 15)).length }),
  ]);
  expect(store.takeNotices()).toEqual([]);
});

test('of one user severe evidence and the first content of each file are given up last', () => {
  const { store, add, kept } = evidenceRig(10_000);
  add('severe', { owner: 'mallory', item: 'b', score: 99 });
  for (const name of names('a', 6)) add(name, { owner: 'mallory', item: 'a', score: 21 });
  for (const name of names('other', 3)) add(name, { owner: 'mallory', score: 21 });
  add('severe late', { owner: 'mallory', item: 'b', score: 99 });
  store.tend();
  expect(kept(['severe', 'severe late', 'a0', ...names('other', 3)])).toHaveLength(6);
  expect(kept(names('a', 6))).toEqual(['a0', 'a1']);
});

test('what no alert speaks of goes before what one speaks of, from the user who has most, and has few versions', () => {
  const { add, kept } = evidenceRig(10_000);
  add('alerted', { owner: 'mallory', score: 21 });
  for (const name of names('bob', 3)) add(name, { owner: 'bob' });
  for (const name of names('flood', 200)) add(name, { owner: 'mallory' });
  expect(kept(['alerted', ...names('bob', 3)])).toHaveLength(4);
  expect(kept(names('flood', 200))).toHaveLength(6);
  const versions = evidenceRig(1_000_000);
  for (const name of names('v', 100)) versions.add(name, { item: 'one', owner: 'mallory' });
  expect(versions.kept(names('v', 100))).toEqual(names('v', 100).slice(-16));
});

test('less room for evidence than before: the oldest that no alert speaks of goes, bit by bit', () => {
  const { store, add, kept } = evidenceRig(1_000_000);
  add('alerted', { owner: 'bob', score: 99 });
  const all = names('loose', 500);
  for (const name of all) add(name, { owner: 'bob' });
  store.evidence.resize(101_000);
  store.tend();
  const left = kept(all).length;
  expect(left).toBeGreaterThan(100);
  expect(left).toBeLessThan(500);
  for (let round = 0; round < 5; round++) store.tend();
  expect(kept(all)).toEqual(all.slice(-100));
  expect(kept(['alerted'])).toHaveLength(1);
  store.evidence.resize(1_000_000);
  for (const name of names('more', 300)) add(name, { owner: 'bob' });
  expect(kept(names('more', 300))).toHaveLength(300);
});
