import { expect, test } from 'vitest';
import { silentLogger } from '../../../src/base/log.js';
import { formatMicros } from '../../../src/base/time.js';
import type { EcsDocument } from '../../../src/event/document.js';
import type { Event } from '../../../src/event/event.js';
import { Forwarder, RawEvents, Reporter } from '../../../src/forward/index.js';
import type { Store } from '../../../src/store/index.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import {
  context,
  detection,
  fileEvent,
  processEvent,
  sampleRule,
  start,
  temporaryStore,
} from '../store/samples.js';
import { ScriptedDestination, target, wideCaps } from './fakes.js';

const limits = { maxItems: 1000, maxBytes: 1e9, now: 0 };

function statuses(store: Store): EcsDocument[] {
  return store.outbox.take('siem', 'status', limits).map(({ body }) => JSON.parse(body) as EcsDocument);
}

const detailsOf = (doc: EcsDocument | undefined) => doc?.launchwarden?.['status'] as Record<string, unknown>;

function reporterOn(store: Store) {
  const clock = new ManualClock();
  const reporter = new Reporter({
    outbox: store.outbox,
    clock,
    log: silentLogger,
    destinations: ['siem'],
    heartbeatMs: 300_000,
    context: { version: '0.1.0', agentId: 'agent-1', simulated: false },
    chain: () => store.alerts.chain(),
    health: () => ({ rules: 2 }),
    added: () => undefined,
  });
  return { clock, reporter };
}

test('heartbeats tell how long the chain of alerts is, so that a kept-back alert is missed', () => {
  const store = temporaryStore();
  const { clock, reporter } = reporterOn(store);
  reporter.start();
  const { alert } = store.alerts.upsert(detection('a'), context, ['siem']);
  clock.pass(300_000);
  const [first, second] = statuses(store);
  expect(detailsOf(first)['chain']).toMatchObject({ length: 0 });
  const chain = alert.doc.launchwarden?.['chain'] as { digest: string };
  expect(detailsOf(second)).toMatchObject({
    action: 'heartbeat',
    chain: { length: 1, digest: chain.digest },
    health: { rules: 2 },
  });
  expect(detailsOf(second)['next']).toBe(formatMicros(clock.now() + 300_000_000));
  reporter.stop();
  reporter.farewell();
  clock.pass(600_000);
  // The last word of an agent that ends.
  expect(statuses(store).slice(2).map(detailsOf)).toMatchObject([
    { action: 'stopping', not_seen: expect.any(String), chain: { length: 1, digest: chain.digest } },
  ]);
});

test('a gap is told at once, with what is known of it', () => {
  const store = temporaryStore();
  const { reporter } = reporterOn(store);
  reporter.gap({
    sensor: 'file-watch',
    reason: 'dropped',
    from: start,
    to: start + 5e6,
    lost: 7,
    detail: 'queue full',
  });
  const [doc] = statuses(store);
  expect(doc?.event).toMatchObject({
    action: 'gap',
    start: '2026-11-22T05:40:00.000000Z',
    end: '2026-11-22T05:40:05.000000Z',
  });
  expect(detailsOf(doc)).toMatchObject({ sensor: 'file-watch', reason: 'dropped', lost: 7 });
});

test('dead letters and evictions are told once a minute, in one document a destination, never about themselves', async () => {
  const store = temporaryStore();
  const { clock, reporter } = reporterOn(store);
  reporter.start();
  const siem = new ScriptedDestination('siem');
  siem.answer = (items) =>
    items.map(({ lane, id }) =>
      lane === 'alert' && id !== ids[4] ? { kind: 'poison', reason: 'mapping' } : { kind: 'delivered' },
    );
  const forwarder = new Forwarder({
    outbox: store.outbox,
    targets: [target(siem, { caps: { ...wideCaps, alertRows: 4 } })],
    clock,
    log: silentLogger,
    onSettled: (name, settled) => reporter.settled(name, settled),
    onEvicted: (name, evicted) => reporter.evicted(name, evicted),
  });
  const ids = ['a', 'b', 'c', 'd', 'e'].map(
    (name, n) =>
      store.alerts.upsert(detection(name, { rule: sampleRule(n < 2 ? 'low' : 'high') }), context, ['siem'])
        .alert.id,
  );
  forwarder.start();
  await forwarder.flush();
  await forwarder.stop(0);
  clock.pass(60_000);
  const [doc, ...more] = statuses(store);
  expect(more).toEqual([]);
  // The heartbeat of the start went first, then one of the two low alerts.
  expect(detailsOf(doc)).toMatchObject({
    action: 'delivery-loss',
    destination: 'siem',
    dead_letters: 3,
    evicted_alerts: 2,
  });
  expect(detailsOf(doc)['document_ids']).toEqual(ids.slice(1, 4));
  clock.pass(120_000);
  expect(statuses(store)).toHaveLength(1);
});

function rawEvents(
  store: Store,
  options: { everything?: string[]; context?: string[]; maxPerSecond?: number },
) {
  return new RawEvents({
    outbox: store.outbox,
    events: store.events,
    everything: [],
    context: [],
    ...options,
  });
}

const queued = (store: Store, name: string) => store.outbox.take(name, 'event', limits).map(({ id }) => id);

function withProcess(id: string, time: number, entity: string, parent?: string): Event {
  const event = processEvent(id, time);
  event.doc.process = {
    ...event.doc.process,
    entity_id: entity,
    ...(parent === undefined ? {} : { parent: { entity_id: parent } }),
  };
  return event;
}

test('everything goes to who wants everything, up to a rate; off gets nothing', () => {
  const store = temporaryStore();
  const raw = rawEvents(store, { everything: ['siem'], maxPerSecond: 1 });
  const burst = Array.from({ length: 100 }, (_, n) => fileEvent(`e${n}`, {}, start));
  raw.stored(store.events.append(burst));
  expect(queued(store, 'siem')).toHaveLength(60);
  expect(raw.counters).toEqual({ queued: 60, over_rate: 40 });
  raw.stored(store.events.append([fileEvent('later', {}, start + 2e6)]));
  expect(queued(store, 'siem').at(-1)).toBe('later');
  expect(rawEvents(store, {}).wanted).toBe(false);
});

test('around an alert its processes and files go out, before and after it, and nothing else', () => {
  const store = temporaryStore();
  const raw = rawEvents(store, { context: ['siem'] });
  const minute = 60e6;
  const before = [
    withProcess('too-early', start - 6 * minute, 'shell'),
    withProcess('shell', start - minute, 'shell'),
    withProcess('stranger', start - minute, 'other'),
    fileEvent('same-file', { path: '/Users/alice/Library/LaunchAgents/f-a.plist' }, start - minute),
    fileEvent('other-file', { path: '/Users/alice/x' }, start - minute),
  ];
  const load = withProcess('p-a', start + 1000, 'load', 'shell');
  raw.stored(store.events.append([...before, fileEvent('f-a'), load]));
  expect(queued(store, 'siem')).toEqual([]);
  const { alert } = store.alerts.upsert(detection('a', { events: [fileEvent('f-a'), load] }), context, []);
  raw.alerted(alert.doc, alert.time);
  const led = ['shell', 'same-file', 'f-a', 'p-a'];
  expect(new Set(queued(store, 'siem'))).toEqual(new Set(led));
  raw.stored(
    store.events.append([
      withProcess('child', start + minute, 'child', 'load'),
      withProcess('x', start + minute, 'other'),
    ]),
  );
  raw.stored(store.events.append([withProcess('too-late', start + 7 * minute, 'child2', 'load')]));
  expect(new Set(queued(store, 'siem'))).toEqual(new Set([...led, 'child']));
});
