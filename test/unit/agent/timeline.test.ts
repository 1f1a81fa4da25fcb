import { expect, test } from 'vitest';
import { Timeline } from '../../../src/agent/timeline.js';
import { formatMicros } from '../../../src/base/time.js';
import type { Event } from '../../../src/event/event.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { fc } from '../../helpers/property.js';
import { event, second } from '../detect/events.js';

const at = (time: number): Event => ({ ...event('e', 0), time });

function timeline(clock: ManualClock, state?: string, boot = 'boot', sinceBoot = 5_000): Timeline {
  return new Timeline({ clock, boot, sinceBoot, ...(state === undefined ? {} : { state }) });
}

test('on a clock that nobody sets, events stay as they are', () => {
  const clock = new ManualClock();
  const line = timeline(clock);
  for (let turn = 0; turn < 100; turn++) {
    clock.pass(1_000);
    // NTP corrects it bit by bit.
    clock.step(0.4);
    expect(line.sample()).toBe(false);
  }
  const one = at(clock.now() - second);
  expect(line.place(one)).toBe(one);
  expect(line.now).toBe(clock.now());
});

for (const step of [120_000, -120_000, 3_600_000, -3_600_000, 1_000, -300])
  test(`the distance of two events is the time that passed, when the clock is set by ${step} ms between them`, () => {
    const clock = new ManualClock();
    const line = timeline(clock);
    clock.pass(10_000);
    line.sample();
    clock.pass(500);
    const before = line.place(at(clock.now()));
    clock.step(step);
    line.sample();
    clock.pass(500);
    const written = at(clock.now());
    const after = line.place(written);
    expect(after.time - before.time).toBe(second / 2);
    expect(after.shift).toBe(step * 1000);
    expect(after.doc['@timestamp']).toBe(written.doc['@timestamp']);
    expect(after.doc.launchwarden?.clock).toEqual({ shift: step * 1000 });
    // What a sensor dates after the step although it happened before.
    clock.pass(1_000);
    if (Math.abs(step) > 2_000) expect(line.place(at(before.time)).time).toBe(before.time);
    expect(line.wallOf(line.now)).toBe(clock.now());
  });

test('a step is placed right although it is noticed later', () => {
  for (const step of [7_200_000, -7_200_000]) {
    const clock = new ManualClock();
    const line = timeline(clock);
    line.sample();
    const begin = clock.now();
    clock.step(step);
    clock.pass(700);
    const unnoticed = clock.now();
    clock.pass(300);
    line.sample();
    expect(line.place(at(unnoticed)).time - begin).toBe(700_000);
  }
});

test('an interval keeps its length when the clock is set within it', () => {
  const clock = new ManualClock();
  const line = timeline(clock);
  line.sample();
  const not_before = formatMicros(clock.now());
  clock.pass(100);
  clock.step(60_000);
  line.sample();
  clock.pass(100);
  const one = at(clock.now());
  const placed = line.place({
    ...one,
    doc: { ...one.doc, launchwarden: { sensor: { precision: 'interval', not_before } } },
  });
  expect(placed.doc.launchwarden?.clock).toEqual({ shift: 60_000_000, not_before_shift: 0 });
});

test('an interval that begins at a time which a step forward passed over does not begin after its end', () => {
  const clock = new ManualClock();
  const line = timeline(clock);
  clock.pass(10_000);
  line.sample();
  clock.step(120_000);
  clock.pass(1);
  line.sample();
  const written = clock.now();
  clock.step(-7_200_000);
  clock.pass(5);
  line.sample();
  const sensor = { precision: 'interval', not_before: formatMicros(written - 20 * second) } as const;
  const one = line.place({ ...at(written), doc: { ...at(written).doc, launchwarden: { sensor } } });
  expect(one.time).toBe(written - 120 * second);
  expect(line.timeOf(written - 20 * second)).toBeLessThanOrEqual(one.time);
});

test('the next run of the same boot goes on, and learns of a step while nobody ran', () => {
  const clock = new ManualClock();
  const first = timeline(clock);
  clock.pass(1_000);
  clock.step(-50_000);
  first.sample();
  const before = first.place(at(clock.now()));
  // Another process counts its monotonic time from another zero.
  const later = new ManualClock(clock.now());
  later.pass(2_000);
  const sinceBoot = 5_000 + clock.monotonic();
  const next = timeline(later, first.state, 'boot', sinceBoot);
  expect(next.continues).toBe(true);
  expect(next.place(at(later.now())).time - before.time).toBe(2 * second);
  const set = new ManualClock(clock.now() + 90 * second);
  set.pass(2_000);
  const learnt = timeline(set, first.state, 'boot', sinceBoot);
  expect(learnt.place(at(set.now())).time - before.time).toBe(2 * second);
  const rebooted = timeline(set, first.state, 'another boot', 10);
  expect([rebooted.continues, rebooted.stepped]).toEqual([false, false]);
  for (const odd of [
    '',
    '{}',
    'null',
    '{"boot":"boot","stretches":[{"offset":"x"}]}',
    '{"boot":"boot","at":1,"stretches":[]}',
    '{"boot":"boot","stretches":[{"offset":1,"shift":1}]}',
  ])
    expect(timeline(set, odd).stepped, odd).toBe(false);
});

test('a step that could not be stored counts for the events since the last time that it could', () => {
  const clock = new ManualClock();
  const first = timeline(clock);
  const { state } = first;
  clock.pass(4_000);
  const before = first.place(at(clock.now()));
  clock.pass(1_000);
  clock.step(-7_200_000);
  first.sample();
  clock.pass(1_000);
  const stored = first.place(at(clock.now()));
  clock.pass(40_000);
  const next = timeline(clock, state);
  for (const one of [before, stored]) {
    const wall = one.time + (one.shift ?? 0);
    const found = next
      .wallsSince(next.now - 60 * second)
      .filter((stretch) => wall >= stretch.from && wall < stretch.to && next.belongs(one, stretch));
    expect(found).toHaveLength(1);
  }
  expect(next.now - stored.time).toBe(40 * second);
});

test('a reading that took long says nothing, and steps without end fill no memory', () => {
  const clock = new ManualClock();
  const slow = new Timeline({
    clock: {
      ...clock,
      now: () => {
        clock.pass(5);
        return clock.now() + 60_000_000;
      },
      monotonic: () => clock.monotonic(),
      after: clock.after.bind(clock),
      every: clock.every.bind(clock),
    },
    boot: 'boot',
    sinceBoot: 0,
  });
  clock.step(60_000);
  expect(slow.sample()).toBe(false);
  const line = timeline(clock);
  for (let turn = 0; turn < 1_000; turn++) {
    clock.pass(10);
    clock.step(turn % 2 === 0 ? 5_000 : -5_000);
    line.sample();
  }
  expect(line.state.length).toBeLessThan(10_000);
});

test('where stored events are found, each once and in the order of detection', () => {
  const moves = fc.array(
    fc.record({ pass: fc.integer({ min: 3_000, max: 20_000 }), step: fc.integer({ min: -9, max: 9 }) }),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(moves, (list) => {
      const clock = new ManualClock();
      const line = timeline(clock);
      const stored: Event[] = [];
      let steady = 0;
      const note = () => {
        const one = line.place(at(clock.now()));
        stored.push({ ...one, id: String(steady) });
      };
      for (const { pass, step } of list) {
        note();
        clock.pass(pass);
        steady += pass;
        note();
        clock.step(step * 3_600_000);
        line.sample();
      }
      note();
      const found = line.wallsSince(Number.MIN_SAFE_INTEGER / 2).flatMap((stretch) =>
        stored
          .filter((one) => {
            const wall = one.time + (one.shift ?? 0);
            return wall >= stretch.from && wall < stretch.to && line.belongs(one, stretch);
          })
          .sort((a, b) => a.time - b.time),
      );
      expect(found.map(({ time }) => time)).toEqual(stored.map(({ time }) => time));
    }),
  );
});
