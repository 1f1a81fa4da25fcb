import { expect, test } from 'vitest';
import { ClockWatch, Continued } from '../../../src/agent/health.js';
import type { Gap } from '../../../src/event/event.js';
import { ManualClock } from '../../helpers/manual-clock.js';

function watched(): { clock: ManualClock; gaps: Gap[]; watch: ClockWatch } {
  const clock = new ManualClock();
  const gaps: Gap[] = [];
  return { clock, gaps, watch: new ClockWatch(clock, (gap) => gaps.push(gap)) };
}

test('an ordinary hour gives no gap', () => {
  const { clock, gaps } = watched();
  clock.pass(3_600_000);
  expect(gaps).toEqual([]);
});

test.each([3_600_000, -3_600_000])('a clock set by %i ms is a gap over the whole stretch', (step) => {
  const { clock, gaps } = watched();
  clock.pass(5_000);
  const before = clock.now();
  clock.step(step);
  clock.pass(1_000);
  expect(gaps).toHaveLength(1);
  expect(gaps[0]).toMatchObject({ sensor: 'agent', reason: 'clock-step' });
  expect(gaps[0]?.from).toBeLessThanOrEqual(Math.min(before, before + step * 1000) + 1_000_000);
});

test('a sleep is a gap as long as the sleep', () => {
  const { clock, gaps } = watched();
  clock.pass(5_000);
  const before = clock.now();
  clock.sleep(600_000);
  clock.pass(0);
  expect(gaps[0]).toMatchObject({ reason: 'sleep', from: before });
  expect((gaps[0]?.to ?? 0) - before).toBe(600_000_000);
});

test('sleeps with short wakings between them are told as one, when they are over', () => {
  const { clock, gaps } = watched();
  clock.pass(5_000);
  const before = clock.now();
  clock.sleep(900_000);
  clock.pass(0);
  expect(gaps).toHaveLength(1);
  const first = clock.now();
  for (let wake = 0; wake < 30; wake++) {
    clock.pass(45_000);
    clock.sleep(900_000);
    clock.pass(0);
  }
  const last = clock.now();
  expect(gaps).toHaveLength(1);
  clock.pass(125_000);
  expect(gaps).toHaveLength(2);
  expect(gaps[0]).toMatchObject({ reason: 'sleep', from: before, to: first });
  expect(gaps[1]).toMatchObject({ reason: 'sleep', to: last, detail: expect.stringContaining('30 sleeps') });
  expect((gaps[1]?.from ?? 0) - first).toBeLessThanOrEqual(45_000_000);
  clock.pass(3_600_000);
  expect(gaps).toHaveLength(2);
  clock.sleep(600_000);
  clock.pass(0);
  expect(gaps).toHaveLength(3);
});

test('what is still to be told of sleeps is told at the end', () => {
  const { clock, gaps, watch } = watched();
  for (let wake = 0; wake < 3; wake++) {
    clock.sleep(900_000);
    clock.pass(10_000);
  }
  watch.stop();
  expect(gaps).toHaveLength(2);
  expect(gaps[1]?.detail).toContain('2 sleeps');
});

test('a stopped watch says nothing', () => {
  const { clock, gaps, watch } = watched();
  watch.stop();
  clock.step(3_600_000);
  clock.pass(10_000);
  expect(gaps).toEqual([]);
});

test('a process that goes on after a signal was stopped, and did not sleep', async () => {
  const clock = new ManualClock();
  const gaps: Gap[] = [];
  const continued = new Continued();
  new ClockWatch(clock, (gap) => gaps.push(gap), continued);
  clock.pass(5_000);
  clock.sleep(60_000);
  clock.pass(0);
  // As the signal comes: after the timer.
  continued.note();
  await expect.poll(() => gaps).toHaveLength(1);
  expect(gaps).toMatchObject([{ reason: 'stopped', blinded: true }]);
  clock.pass(5_000);
  clock.sleep(60_000);
  clock.pass(0);
  await expect.poll(() => gaps).toHaveLength(2);
  expect(gaps[1]).toMatchObject({ reason: 'sleep' });
});
