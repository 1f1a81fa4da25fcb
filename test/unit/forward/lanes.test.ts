import { expect, onTestFinished, test } from 'vitest';
import { silentLogger } from '../../../src/base/log.js';
import { Drain } from '../../../src/forward/drain.js';
import type { Lane, OutboxItem, Verdict } from '../../../src/forward/index.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { MemorySource } from '../../helpers/memory-source.js';
import { delivered, ScriptedDestination } from './fakes.js';

function drainOf(destination: ScriptedDestination) {
  const [source, clock] = [new MemorySource(), new ManualClock()];
  const drain = new Drain({ destination, outbox: source, clock, log: silentLogger, random: () => 0 });
  onTestFinished(() => drain.stop(0));
  return { source, clock, drain };
}

const refused: Verdict = { kind: 'pause', reason: '403 no rights', cause: 'auth', certain: true };
const lanesOf = (siem: ScriptedDestination) => siem.requests.map(([item]) => item?.lane);

test.each<[string, Verdict]>([
  ['refused', refused],
  ['missing', { kind: 'pause', reason: '404 no such index', cause: 'config' }],
  ['full', { kind: 'retry', reason: '429', afterMs: 3_600_000 }],
  ['failing', { kind: 'retry', reason: 'HTTP 500' }],
  ['rejecting', { kind: 'split', reason: 'HTTP 400' }],
])('a status or event stream that is %s delays no alert by more than a request', async (_, verdict) => {
  const siem = new ScriptedDestination('siem');
  siem.answer = (items) => items.map(({ lane }) => (lane === 'alert' ? delivered : verdict));
  const { source, clock, drain } = drainOf(siem);
  for (let n = 0; n < 30; n++) {
    source.add('status', `s${n}`);
    source.add('event', `e${n}`);
  }
  drain.start();
  await drain.flush();
  for (let n = 0; n < 20; n++) {
    const before = siem.requests.length;
    source.add('alert', `a${n}`);
    drain.wake();
    await drain.flush();
    expect(lanesOf(siem).slice(before)[0]).toBe('alert');
    expect(source.waiting('alert')).toEqual([]);
    clock.pass(60_000);
    await drain.flush();
  }
  expect(source.dead.size).toBe(0);
  expect([source.waiting('status').length, source.waiting('event').length]).toEqual([30, 30]);
  const reports = drain.reports();
  expect(reports.find(({ lane }) => lane === 'alert')).toMatchObject({
    standing: 'open',
    trouble: undefined,
  });
  expect(reports.find(({ lane }) => lane === 'status')).toMatchObject({
    trouble: { reason: (verdict as { reason: string }).reason },
  });
  // The destination is not paused: its alerts go.
  expect(source.state().pausedUntil ?? null).toBeNull();
});

test('an alert that is committed during another request is the next one', async () => {
  const siem = new ScriptedDestination('siem');
  let answer = (_: readonly Verdict[]) => {};
  siem.answer = (items) =>
    items[0]?.lane === 'alert'
      ? [delivered]
      : new Promise((resolve) => {
          answer = resolve;
        });
  const { source, drain } = drainOf(siem);
  source.add('status', 's1');
  source.add('status', 's2');
  source.add('event', 'e1');
  drain.start();
  const done = drain.flush();
  await new Promise((resolve) => setImmediate(resolve));
  source.add('alert', 'a1');
  answer([delivered, delivered]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(lanesOf(siem)).toEqual(['status', 'alert', 'event']);
  answer([delivered]);
  await done;
});

test('with everything waiting alerts go first, raw events last', async () => {
  const siem = new ScriptedDestination('siem', { maxItems: 1, maxBytes: 1e6 });
  const { source, drain } = drainOf(siem);
  for (const lane of ['event', 'status', 'alert', 'status', 'alert'] as Lane[]) source.add(lane, lane);
  drain.start();
  await drain.flush();
  expect(lanesOf(siem)).toEqual(['alert', 'alert', 'status', 'status', 'event']);
});

test('one index of a lane that refuses us holds up neither the other indices nor, once it is mended, its own rows', async () => {
  const siem = new ScriptedDestination('siem', { maxItems: 4, maxBytes: 1e6 });
  const streamOf = (item: OutboxItem) => item.id.split('-')[0]!;
  Object.assign(siem, { stream: streamOf });
  let mended = false;
  siem.answer = (items) => {
    // One request never mixes streams.
    expect(new Set(items.map(streamOf)).size).toBe(1);
    return items.map((item) => (streamOf(item) === 'file' && !mended ? refused : delivered));
  };
  const { source, clock, drain } = drainOf(siem);
  for (let n = 0; n < 20; n++) source.add('event', `file-${n}`);
  for (let n = 0; n < 10; n++) source.add('event', `process-${n}`);
  drain.start();
  for (let n = 0; n < 5; n++) {
    await drain.flush();
    clock.pass(5_000);
  }
  expect(source.waiting('event').map(streamOf)).toEqual(Array.from({ length: 20 }, () => 'file'));
  expect(drain.reports().map(({ stream, standing }) => [stream, standing])).toEqual([
    ['file', 'refused'],
    ['process', 'open'],
  ]);
  mended = true;
  clock.pass(3_600_000);
  for (let n = 0; n < 20; n++) {
    await drain.flush();
    clock.pass(5_000);
  }
  expect(source.left).toBe(0);
});
