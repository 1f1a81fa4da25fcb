import { expect, onTestFinished, test } from 'vitest';
import { silentLogger } from '../../../src/base/log.js';
import { Forwarder, type ForwarderOptions, type Verdict } from '../../../src/forward/index.js';
import type { Store } from '../../../src/store/index.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { context, detection, fileEvent, sampleRule, temporaryStore } from '../store/samples.js';
import { delivered, ScriptedDestination, target, until, wideCaps } from './fakes.js';

function forwarder(store: Store, options: Partial<ForwarderOptions> & Pick<ForwarderOptions, 'targets'>) {
  const clock = new ManualClock();
  const made = new Forwarder({ outbox: store.outbox, clock, log: silentLogger, random: () => 0, ...options });
  made.start();
  onTestFinished(() => made.stop(0));
  return { forwarder: made, clock };
}

function commit(store: Store, names: readonly string[], destinations: readonly string[]): string[] {
  return names.map((name) => store.alerts.upsert(detection(name), context, destinations).alert.id);
}

test('what is committed is sent once, in order, and what comes later too', async () => {
  const store = temporaryStore();
  const siem = new ScriptedDestination('siem');
  const early = commit(store, ['a', 'b'], ['siem']);
  const { forwarder: subject } = forwarder(store, { targets: [target(siem)] });
  expect(await subject.flush()).toBe(true);
  const late = commit(store, ['c'], ['siem']);
  subject.wake();
  expect(await subject.flush()).toBe(true);
  expect(siem.ids).toEqual([...early, ...late]);
  expect(subject.status()).toMatchObject([
    { name: 'siem', state: 'idle', delivered: 3, dead: 0, evicted: 0 },
  ]);
});

test('a destination that hangs holds up no other', async () => {
  const store = temporaryStore();
  const [good, hung] = [new ScriptedDestination('good'), new ScriptedDestination('hung')];
  hung.answer = (_, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve([])));
  const { forwarder: subject, clock } = forwarder(store, { targets: [target(good), target(hung)] });
  const ids = commit(store, ['a', 'b'], ['good', 'hung']);
  subject.wake();
  await until(() => good.ids.length === 2, 'the good one');
  const stopped = subject.stop(5_000);
  clock.pass(5_000);
  await stopped;
  expect(good.ids).toEqual(ids);
  expect(store.outbox.depth('hung', 'alert').rows).toBe(2);
  expect([good.closed, hung.closed]).toEqual([true, true]);
});

test('an outage waits longer each time, burns no attempt and ends with everything delivered', async () => {
  const store = temporaryStore();
  const siem = new ScriptedDestination('siem');
  siem.answer = (items) => items.map(() => ({ kind: 'retry', reason: 'connection refused' }));
  const ids = commit(store, ['a', 'b', 'c'], ['siem']);
  const { forwarder: subject, clock } = forwarder(store, { targets: [target(siem)] });
  const waits: number[] = [];
  for (let n = 1; n <= 30; n++) {
    await until(() => siem.requests.length === n && subject.status()[0]?.state === 'waiting', `try ${n}`);
    waits.push(subject.status()[0]!.retryInMs!);
    clock.pass(waits.at(-1)!);
  }
  expect(waits.slice(0, 5)).toEqual([500, 1000, 2000, 4000, 8000]);
  expect(waits.at(-1)).toBe(150_000);
  // After some failures one row at a time is tried, not the same one for ever.
  expect(new Set(siem.requests.slice(5).map((items) => items.map(({ id }) => id).join())).size).toBe(3);
  siem.answer = (items) => items.map(() => delivered);
  subject.resume('siem');
  await until(() => store.outbox.depth('siem', 'alert').rows > 0 || true, 'delivery');
  for (let n = 0; n < 10 && store.outbox.depth('siem', 'alert').rows > 0; n++) {
    clock.pass(60_000);
    await subject.flush();
  }
  expect(store.outbox.depth('siem', 'alert').rows).toBe(0);
  expect(new Set(siem.ids)).toEqual(new Set(ids));
  expect(store.outbox.state('siem')).toMatchObject({ delivered: 3, dead: 0, fails: 0 });
});

test('a time that the receiver names is obeyed', async () => {
  const store = temporaryStore();
  const siem = new ScriptedDestination('siem');
  siem.answer = (items) => items.map(() => ({ kind: 'retry', reason: '429', afterMs: 77_000 }));
  commit(store, ['a'], ['siem']);
  const { forwarder: subject } = forwarder(store, { targets: [target(siem)] });
  await subject.flush();
  expect(subject.status()[0]).toMatchObject({ state: 'waiting', retryInMs: 77_000 });
});

test('a refusal pauses the destination, keeps its rows and probes with one', async () => {
  const store = temporaryStore();
  const siem = new ScriptedDestination('siem');
  siem.answer = (items) => items.map(() => ({ kind: 'pause', reason: '401', cause: 'auth' }));
  commit(store, ['a', 'b', 'c'], ['siem']);
  const { forwarder: subject, clock } = forwarder(store, { targets: [target(siem)] });
  await subject.flush();
  expect(subject.status()[0]).toMatchObject({
    state: 'refused',
    paused: 'by the receiver',
    retryInMs: 150_000,
    lastError: '401',
    reason: expect.stringContaining('refuses our credentials'),
  });
  siem.answer = (items) => items.map(() => delivered);
  clock.pass(150_000);
  await until(() => store.outbox.depth('siem', 'alert').rows === 0, 'delivery');
  expect(siem.requests.map((items) => items.length)).toEqual([3, 1, 2]);
  expect(store.outbox.state('siem').pausedUntil).toBeUndefined();
});

test('a person pauses and resumes, also across a restart', async () => {
  const store = temporaryStore();
  const siem = new ScriptedDestination('siem');
  const { forwarder: first } = forwarder(store, { targets: [target(siem)] });
  expect(first.pause('siem')).toBe(true);
  expect(first.pause('nobody')).toBe(false);
  const ids = commit(store, ['a'], ['siem']);
  first.wake();
  expect(await first.flush()).toBe(false);
  await first.stop(0);
  const { forwarder: second } = forwarder(store, { targets: [target(siem)] });
  expect(await second.flush()).toBe(false);
  expect(siem.requests).toEqual([]);
  second.resume('siem');
  expect(await second.flush()).toBe(true);
  expect(siem.ids).toEqual(ids);
});

test('a bad document among good ones is found by halving and becomes a dead letter', async () => {
  const store = temporaryStore();
  const siem = new ScriptedDestination('siem');
  const ids = commit(
    store,
    Array.from({ length: 40 }, (_, n) => `n${n}`),
    ['siem'],
  );
  siem.answer = (items) =>
    items.map(() =>
      items.some(({ id }) => id === ids[13]) ? { kind: 'split', reason: 'HTTP 400' } : delivered,
    );
  const { forwarder: subject, clock } = forwarder(store, { targets: [target(siem)] });
  await until(() => {
    clock.pass(10_000);
    return store.outbox.depth('siem', 'alert').rows === 0;
  }, 'the end');
  expect(store.outbox.dead.list()).toMatchObject([
    { id: ids[13], destination: 'siem', reason: expect.stringContaining('HTTP 400') },
  ]);
  expect(store.outbox.state('siem')).toMatchObject({ delivered: 39, dead: 1 });
  expect(siem.requests.length).toBeLessThan(25);
  expect(subject.status()[0]?.state).not.toBe('stopped');
});

test('each kind of verdict settles its own row', async () => {
  const store = temporaryStore();
  const siem = new ScriptedDestination('siem');
  const ids = commit(store, ['a', 'b', 'c', 'd'], ['siem']);
  const script: Record<string, Verdict> = {
    [ids[0]!]: { kind: 'delivered', warning: 'failure store' },
    [ids[1]!]: { kind: 'duplicate' },
    [ids[2]!]: { kind: 'poison', reason: 'mapping' },
    [ids[3]!]: { kind: 'retry', reason: '429' },
  };
  siem.answer = (items) => items.map(({ id }) => script[id]!);
  const { forwarder: subject, clock } = forwarder(store, { targets: [target(siem)] });
  await subject.flush();
  expect(store.outbox.state('siem')).toMatchObject({ delivered: 1, warnings: 1, duplicates: 1, dead: 1 });
  expect(store.outbox.depth('siem', 'alert').rows).toBe(1);
  script[ids[3]!] = delivered;
  clock.pass(1_000);
  await until(() => store.outbox.depth('siem', 'alert').rows === 0, 'the retried row');
  expect(siem.requests.at(-1)).toMatchObject([{ id: ids[3] }]);
});

test('a document that a receiver fails on, again and again, is kept, and holds up no other', async () => {
  const store = temporaryStore();
  const siem = new ScriptedDestination('siem', { maxItems: 1, maxBytes: 1e6 });
  const [bad] = commit(store, ['bad'], ['siem']);
  siem.answer = (items) =>
    items.map(({ id }) => (id === bad ? { kind: 'retry', reason: 'HTTP 500' } : delivered));
  const { forwarder: subject, clock } = forwarder(store, { targets: [target(siem)] });
  for (let n = 0; n < 100; n++) {
    commit(store, [`good${n}`], ['siem']);
    subject.wake();
    // At first it is not known which of the two is to blame; then each goes before the bad one.
    for (let k = 0; k < (n < 10 ? 8 : 1); k++) {
      await subject.flush();
      clock.pass(400_000);
    }
    await subject.flush();
    if (n >= 10) expect(store.outbox.state('siem').delivered).toBe(n + 1);
  }
  expect(store.outbox.state('siem').dead).toBe(0);
  expect(store.outbox.take('siem', 'alert', { maxItems: 9, maxBytes: 1e6, now: 9e12 })).toMatchObject([
    { id: bad, attempts: 0 },
  ]);
  siem.answer = (items) => items.map(() => delivered);
  subject.resume('siem');
  await until(() => store.outbox.depth('siem', 'alert').rows === 0, 'the bad one');
});

test('a document that is rejected while others are accepted dies in the end, and can be tried again', async () => {
  const store = temporaryStore();
  const siem = new ScriptedDestination('siem', { maxItems: 1, maxBytes: 1e6 });
  const [bad] = commit(store, ['bad'], ['siem']);
  siem.answer = (items) =>
    items.map(({ id }) => (id === bad ? { kind: 'split', reason: 'HTTP 400' } : delivered));
  const { forwarder: subject, clock } = forwarder(store, { targets: [target(siem)] });
  // Alone it proves nothing.
  for (let n = 0; n < 30; n++) {
    await subject.flush();
    clock.pass(400_000);
  }
  expect(store.outbox.state('siem').dead).toBe(0);
  commit(store, ['one', 'two'], ['siem']);
  subject.resume('siem');
  await until(() => store.outbox.dead.list().length === 1, 'the dead letter');
  expect(store.outbox.dead.list()).toMatchObject([
    { id: bad, reason: expect.stringMatching(/^"siem" rejects this document.*HTTP 400.*outbox dead retry/) },
  ]);
  expect(store.outbox.dead.retry({ id: bad! })).toBe(1);
  siem.answer = (items) => items.map(() => delivered);
  subject.resume('siem');
  await until(() => store.outbox.depth('siem', 'alert').rows === 0, 'the retried dead letter');
  expect(store.outbox.dead.list()).toEqual([]);
});

test.each([
  ['throws', () => Promise.reject(new Error('boom'))],
  ['answers nothing', () => undefined as never],
  ['answers too little', () => []],
  ['answers nonsense', () => [{ kind: 'perhaps' }, 7] as never],
])('a destination that %s loses nothing', async (_, answer) => {
  const store = temporaryStore();
  const siem = new ScriptedDestination('siem');
  siem.answer = answer;
  const ids = commit(store, ['a', 'b'], ['siem']);
  const { forwarder: subject } = forwarder(store, { targets: [target(siem)] });
  expect(await subject.flush()).toBe(false);
  expect(subject.status()[0]?.state).toBe('waiting');
  siem.answer = (items) => items.map(() => delivered);
  subject.resume('siem');
  await subject.flush();
  expect(siem.ids.slice(-2)).toEqual(ids);
});

test('a destination that is taken out and put back takes up where it left', async () => {
  const store = temporaryStore();
  const siem = new ScriptedDestination('siem');
  siem.answer = (items) => items.map(() => ({ kind: 'retry', reason: 'down' }));
  const ids = commit(store, ['a'], ['siem']);
  const week = 7 * 86_400_000;
  const clock = new ManualClock();
  const run = async (targets: ReturnType<typeof target>[]) => {
    const { forwarder: subject } = forwarder(store, { targets, clock, parkedAgeMs: week });
    await subject.flush();
    await subject.stop(0);
  };
  await run([target(siem)]);
  await run([]);
  expect(store.outbox.state('siem').parkedSince).toBe(clock.now() / 1000);
  clock.sleep(week - 1000);
  siem.answer = (items) => items.map(() => delivered);
  await run([target(siem)]);
  expect(siem.ids.slice(-1)).toEqual(ids);
  commit(store, ['b'], ['siem']);
  await run([]);
  clock.sleep(week + 1000);
  await run([]);
  expect(store.outbox.state('siem')).toMatchObject({ delivered: 1, evicted: 1 });
});

test('a full lane gives up the alerts of the least severity first, and counts them', async () => {
  const store = temporaryStore();
  const siem = new ScriptedDestination('siem');
  siem.answer = (items) => items.map(() => ({ kind: 'retry', reason: 'down' }));
  const severities = ['low', 'critical', 'low', 'high'] as const;
  const ids = severities.map(
    (severity, n) =>
      store.alerts.upsert(detection(`n${n}`, { rule: sampleRule(severity) }), context, ['siem']).alert.id,
  );
  const told: unknown[] = [];
  const caps = { ...wideCaps, alertRows: 2 };
  forwarder(store, { targets: [target(siem, { caps })], onEvicted: (...what) => told.push(what) });
  const left = store.outbox.take('siem', 'alert', { maxItems: 10, maxBytes: 1e6, now: 0 });
  expect(left.map(({ id }) => id)).toEqual([ids[1], ids[3]]);
  expect(store.outbox.state('siem').evicted).toBe(2);
  expect(told).toEqual([['siem', { events: 0, alerts: 2 }]]);
});

test('raw events wait for company, never hold up an alert, and are pruned only with a count', async () => {
  const store = temporaryStore();
  const siem = new ScriptedDestination('siem');
  const { forwarder: subject, clock } = forwarder(store, { targets: [target(siem)] });
  const add = (name: string) => {
    store.outbox.addEvents(store.events.append([fileEvent(name)]), ['siem']);
    subject.wake();
  };
  add('e1');
  await until(() => siem.ids.length === 1, 'the first event');
  add('e2');
  add('e3');
  const [alert] = commit(store, ['a'], ['siem']);
  subject.wake();
  await until(() => siem.ids.includes(alert!), 'the alert');
  expect(siem.ids).toEqual(['e1', alert]);
  clock.pass(5_000);
  await until(() => siem.ids.length === 4, 'the other events');
  expect(siem.requests.at(-1)?.map(({ id }) => id)).toEqual(['e2', 'e3']);
  subject.pause('siem');
  add('e4');
  store.events.prune(1, Number.MAX_SAFE_INTEGER);
  expect(store.outbox.state('siem')).toMatchObject({ delivered: 4, evicted: 1 });
});

test('simulated documents leave for no network destination unless it says so', () => {
  const store = temporaryStore();
  const far = (name: string) => new ScriptedDestination(name, undefined, true);
  const targets = [
    target(new ScriptedDestination('file')),
    target(far('siem'), { rawEvents: 'matched-context' }),
    target(far('lab'), { simulated: true, rawEvents: 'endpoint-compatible' }),
  ];
  const { forwarder: subject } = forwarder(store, { targets });
  expect(subject.names({ simulated: false })).toEqual(['file', 'siem', 'lab']);
  expect(subject.names({ simulated: true })).toEqual(['file', 'lab']);
  expect(subject.names({ simulated: false, rawEvents: 'matched-context' })).toEqual(['siem']);
  expect(subject.names({ simulated: true, rawEvents: 'endpoint-compatible' })).toEqual(['lab']);
});

test('a backlog is sent only after a random wait across a network, so that a fleet does not restart in step', async () => {
  const store = temporaryStore();
  const siem = new ScriptedDestination('siem', undefined, true);
  commit(store, ['a'], ['siem']);
  const { forwarder: subject, clock } = forwarder(store, {
    targets: [target(siem)],
    random: () => 0.5,
    splayMs: 30_000,
  });
  await subject.flush();
  expect(siem.requests).toEqual([]);
  clock.pass(15_000);
  await until(() => siem.requests.length === 1, 'the backlog');
});
