import { expect, test } from 'vitest';
import { updateIntervalMs } from '../../../src/store/document-outbox.js';
import type { OutboxRow } from '../../../src/store/index.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { context, detection, sampleRule, temporaryStore } from './samples.js';

const caps = {
  ...{ eventRows: 10, eventBytes: 1e6, alertRows: 1000, alertBytes: 1024 * 1024 },
  policy: 'drop_oldest_events',
} as const;

function storeWith(clock = new ManualClock()) {
  const store = temporaryStore({ clock });
  const nowMs = () => clock.now() / 1000;
  const take = (name = 'siem') =>
    store.outbox.take(name, 'alert', { maxItems: 1e4, maxBytes: 1e9, now: nowMs() });
  const settle = (rows: readonly OutboxRow[], outcome: 'delivered' | 'duplicate' = 'delivered') =>
    store.outbox.settle('siem', 'alert', {
      settlements: rows.map(({ seq, revision }) => ({ seq, revision, outcome })),
      now: nowMs(),
    });
  const grow = (name: string, repeats: number) =>
    store.alerts.upsert(detection(name, { repeats }), context, ['siem']).alert;
  return { store, clock, take, settle, grow };
}

const shown = (rows: readonly OutboxRow[]) => rows.map(({ id, revision, update }) => [id, revision, update]);

test('a file that is rewritten for an hour while the SIEM is away is one row, and evicts nothing', () => {
  const { store, clock, take, grow } = storeWith();
  const others = ['a', 'b', 'c'].map((name) => grow(name, 0).id);
  const { id } = grow('rewritten', 0);
  for (let n = 0; n < 60; n++) {
    store.transaction(() => {
      for (let k = 1; k <= 100; k++) {
        grow('rewritten', n * 100 + k);
        clock.pass(600);
      }
    });
    store.outbox.enforce('siem', caps);
  }
  expect(store.outbox.depth('siem', 'alert').bytes).toBeLessThan(1024 * 1024);
  expect(store.outbox.state('siem').evicted).toBe(0);
  // Nobody has got it: its newest revision is a new alert, in the place of the first.
  expect(shown(take())).toEqual([...others.map((one) => [one, 1, undefined]), [id, 6001, undefined]]);
});

test('what was delivered and grows is an update, once in the interval, of what it has grown to by then', () => {
  const { clock, take, settle, grow } = storeWith();
  const { id } = grow('a', 0);
  settle(take());
  for (let n = 1; n <= 50; n++) grow('a', n);
  expect(take()).toEqual([]);
  clock.pass(updateIntervalMs - 1);
  expect(take()).toEqual([]);
  clock.pass(1);
  const rows = take();
  expect(shown(rows)).toEqual([[id, 51, true]]);
  expect(JSON.parse(rows[0]!.body).launchwarden.alert).toMatchObject({ revision: 51, repeats: 50 });
  settle(rows);
  clock.pass(updateIntervalMs);
  expect(take()).toEqual([]);
});

test('what grows while it is under way is sent once more, as an update', () => {
  const { clock, take, settle, grow, store } = storeWith();
  const { id } = grow('a', 0);
  const sent = take();
  grow('a', 1);
  settle(sent);
  expect(take()).toEqual([]);
  clock.pass(updateIntervalMs);
  expect(shown(take())).toEqual([[id, 2, true]]);
  // A rejection of the old revision says nothing about the new one.
  grow('b', 0);
  const [b] = take().filter(({ update }) => update !== true);
  grow('b', 1);
  store.outbox.settle('siem', 'alert', {
    settlements: [{ seq: b!.seq, revision: 1, outcome: 'dead', reason: 'mapping' }],
    now: 1,
  });
  expect(store.outbox.dead.list()).toEqual([]);
  expect(shown(take()).at(-1)).toEqual([b!.id, 2, undefined]);
});

test('a conflict with an earlier try may be one with an older revision: the newer one goes as an update', () => {
  const { clock, take, settle, grow } = storeWith();
  const { id } = grow('a', 0);
  // Sent, stored there, and never acknowledged; it grows and is sent under the same id.
  grow('a', 1);
  settle(take(), 'duplicate');
  clock.pass(updateIntervalMs);
  const rows = take();
  expect(shown(rows)).toEqual([[id, 2, true]]);
  settle(rows, 'duplicate');
  clock.pass(updateIntervalMs);
  expect(take()).toEqual([]);
});

test('a destination that never got the alert gets a new alert, not an update of nothing', () => {
  const { store, take, settle, grow, clock } = storeWith();
  const { id } = grow('a', 0);
  settle(take());
  // One that is configured later, and one at which it became a dead letter.
  const upsert = (repeats: number, names: string[]) =>
    store.alerts.upsert(detection('a', { repeats }), context, names);
  upsert(1, ['siem', 'later']);
  store.alerts.upsert(detection('b'), context, ['strict']);
  const [b] = take('strict');
  store.outbox.settle('strict', 'alert', {
    settlements: [{ seq: b!.seq, revision: 1, outcome: 'dead', reason: 'mapping' }],
    now: 1,
  });
  store.alerts.upsert(detection('b', { repeats: 1 }), context, ['strict']);
  clock.pass(updateIntervalMs);
  expect(shown(take('later'))).toEqual([[id, 2, undefined]]);
  expect(shown(take('strict'))).toEqual([[b!.id, 2, undefined]]);
  expect(shown(take())).toEqual([[id, 2, true]]);
});

test('a full queue gives up the oldest alerts of the least severity, however often another one grew', () => {
  const { store, take, grow } = storeWith();
  const ids = ['first', 'second', 'third'].map((name) => grow(name, 0).id);
  for (let n = 1; n <= 200; n++) grow('first', n);
  expect(store.outbox.enforce('siem', { ...caps, alertRows: 3 }).alerts).toBe(0);
  // The one that grew is the oldest still.
  expect(store.outbox.enforce('siem', { ...caps, alertRows: 2 }).alerts).toBe(1);
  expect(take().map(({ id }) => id)).toEqual(ids.slice(1));
  const rule = sampleRule('critical');
  const grave = store.alerts.upsert(detection('grave', { rule }), context, ['siem']).alert.id;
  expect(store.outbox.enforce('siem', { ...caps, alertRows: 1 }).alerts).toBe(2);
  expect(take().map(({ id }) => id)).toEqual([grave]);
});
