import { expect, test } from 'vitest';
import { ClockWatch } from '../../../src/agent/health.js';
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

test('a stopped watch says nothing', () => {
  const { clock, gaps, watch } = watched();
  watch.stop();
  clock.step(3_600_000);
  clock.pass(10_000);
  expect(gaps).toEqual([]);
});
