import { expect, test } from 'vitest';
import { Detector, Orderer } from '../../../src/detect/index.js';
import { compareEvents, type Event } from '../../../src/event/event.js';
import { fc } from '../../helpers/property.js';
import { sourceRules } from '../../helpers/source-rules.js';
import { event, fileEvent, launchctl, rule, second, start } from './events.js';

const ids = (events: readonly Event[]) => events.map(({ id }) => id);

test('events leave in the order of time, sequence and arrival, as far as the watermark is', () => {
  const orderer = new Orderer();
  for (const one of [
    event('c', 3),
    event('a', 1),
    { ...event('b2', 2), sequence: 2 },
    { ...event('b1', 2), sequence: 1 },
  ])
    orderer.push(one);
  expect(ids(orderer.release(start + 2 * second))).toEqual(['a', 'b1', 'b2']);
  orderer.push(event('d', 3));
  expect(ids(orderer.release(start + 2 * second))).toEqual([]);
  expect(ids(orderer.release(Number.POSITIVE_INFINITY))).toEqual(['c', 'd']);
  expect(orderer.late).toBe(0);
});

test('what comes below a released point is passed on at once, and counted', () => {
  const orderer = new Orderer();
  orderer.release(start + 5 * second);
  orderer.push(event('late', 4.9));
  orderer.push(event('punctual', 5));
  orderer.push(event('early', 6));
  expect(orderer.late).toBe(1);
  expect(ids(orderer.release(start + 5 * second))).toEqual(['late', 'punctual']);
});

test('a full buffer lets the oldest go early, and counts it', () => {
  const orderer = new Orderer(2);
  for (const one of [event('b', 2), event('a', 1), event('c', 3)]) orderer.push(one);
  expect([orderer.forced, orderer.size]).toEqual([1, 3]);
  expect(ids(orderer.release(start))).toEqual(['a']);
  orderer.push(event('late', 0.5));
  expect(orderer.late).toBe(1);
});

test('a revision follows the event that it revises, and is not late when that has left', () => {
  const orderer = new Orderer();
  orderer.push({ ...event('a', 1), sequence: 1 });
  orderer.push({ ...event('b', 1), sequence: 2 });
  orderer.push({ ...event('a', 1, { message: 'more' }), sequence: 3 }, true);
  const released = orderer.release(start + second);
  expect(released.map(({ id, doc }) => [id, doc.message])).toEqual([
    ['a', undefined],
    ['b', undefined],
    ['a', 'more'],
  ]);
  orderer.push({ ...event('b', 1, { message: 'more' }), sequence: 4 }, true);
  expect(ids(orderer.release(start + second))).toEqual(['b']);
  expect(orderer.late).toBe(0);
});

test('any order of arrival within the window gives the same order', () => {
  const times = fc.array(fc.nat(20), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(times, fc.infiniteStream(fc.nat(5)), (list, shuffle) => {
      const events = list.map((time, index) => ({ ...event(String(index), time), sequence: index }));
      const arrival = events
        .map((one) => ({ one, at: one.time + (shuffle.next().value as number) * second }))
        .sort((a, b) => a.at - b.at);
      const orderer = new Orderer();
      const released: Event[] = [];
      for (const { one, at } of arrival) {
        orderer.push(one);
        released.push(...orderer.release(at - 6 * second));
      }
      released.push(...orderer.release(Number.POSITIVE_INFINITY));
      expect(ids(released)).toEqual(ids([...events].sort(compareEvents)));
      expect(orderer.late).toBe(0);
    }),
  );
});

const folder = '/Users/alice/Library/LaunchAgents';
const rules = [
  ...sourceRules(),
  rule('eql', 'sequence by host.id with maxspan=5s [file where true] ![process where true]', {
    id: 'unloaded',
    maxSignals: 4,
    interval: '20s',
  }),
  rule('kuery', 'event.category:file', {
    id: 'many',
    type: 'threshold',
    from: 'now-10s',
    threshold: { fields: ['host.id'], value: 4 },
  }),
  rule('kuery', 'event.category:process', {
    id: 'new',
    type: 'new_terms',
    newTerms: { fields: ['process.args'], historyWindow: 60 * second },
  }),
];

/** All alerts as text, judged with a watermark that stays six seconds behind the arrival of events. */
function replay(arrival: readonly { one: Event; at: number }[], tick: number): string {
  const told: string[] = [];
  const detector = new Detector({ rules, onDetection: (detection) => told.push(JSON.stringify(detection)) });
  const orderer = new Orderer();
  let next = 0;
  for (const { one, at } of arrival) {
    orderer.push(one);
    const watermark = at - 6 * second;
    for (const ready of orderer.release(watermark)) detector.process(ready);
    if (watermark >= next) {
      detector.advance(watermark);
      next = watermark + tick;
    }
  }
  for (const ready of orderer.release(Number.POSITIVE_INFINITY)) detector.process(ready);
  detector.finish();
  return told.join('\n');
}

test('events shuffled within the window give byte-equal alerts, whenever the watermark ticks', () => {
  const steps = fc.array(fc.tuple(fc.nat(6), fc.nat(3), fc.boolean()), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(steps, fc.infiniteStream(fc.nat(5)), fc.nat(9), (list, shuffle, tick) => {
      let at = 0;
      const events = list.map(([gap, file, write], index): Event => {
        at += gap;
        const path = `${folder}/${file}.plist`;
        const one = write
          ? fileEvent(`e${index}`, at, path, { inode: String(file) })
          : launchctl(`e${index}`, at, ['load', path]);
        return { ...one, sequence: index };
      });
      const straight = events.map((one) => ({ one, at: one.time }));
      const shuffled = events
        .map((one) => ({ one, at: one.time + (shuffle.next().value as number) * second }))
        .sort((a, b) => a.at - b.at);
      expect(replay(shuffled, tick * second)).toBe(replay(straight, 0));
    }),
    { numRuns: 300 },
  );
});
