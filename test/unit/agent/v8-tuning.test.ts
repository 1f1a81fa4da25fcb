import { expect, test } from 'vitest';
import { V8Tuning } from '../../../src/agent/v8-tuning.js';
import { ManualClock } from '../../helpers/manual-clock.js';

const late = '--interrupt-budget=1320000';
const eagerly = '--interrupt-budget=132000';
const slowly = '--heap-growing-percent=30';
const fast = '--heap-growing-percent=100';

function rig() {
  const clock = new ManualClock();
  const state = { used: 0, heap: 30e6 };
  const flags: string[] = [];
  const tuning = new V8Tuning({
    clock,
    used: () => state.used,
    heap: () => state.heap,
    setFlag: (flag) => flags.push(flag),
  });
  /** Seconds in which so many percent of a processor are used. Returns the flags that were set. */
  const pass = (seconds: number, percent: number): string[] => {
    flags.length = 0;
    for (let second = 0; second < seconds; second++) {
      clock.pass(1_000);
      state.used += percent * 10_000;
      tuning.tick();
    }
    return [...flags];
  };
  const first = [...flags];
  return { state, first, pass };
}

test('V8 compiles eagerly while the agent works, and again late once it has rested for a minute', () => {
  const { first, pass } = rig();
  expect(first).toEqual([late, fast]);
  // A start.
  expect(pass(4, 90)).toEqual([]);
  expect(pass(1, 3)).toEqual([slowly]);
  expect(pass(120, 1)).toEqual([]);
  expect(pass(1, 9)).toEqual([]);
  expect(pass(1, 12)).toEqual([eagerly, fast]);
  expect(pass(30, 30)).toEqual([]);
  expect(pass(59, 2)).toEqual([]);
  // Still at work: the minute begins anew.
  expect(pass(1, 6)).toEqual([]);
  expect(pass(59, 2)).toEqual([]);
  expect(pass(1, 2)).toEqual([late, slowly]);
  expect(pass(1, 12)).toEqual([eagerly, fast]);
});

test('a heap that is large grows slowly, whatever the agent does', () => {
  const { state, pass } = rig();
  state.heap = 100e6;
  // In a start as well.
  expect(pass(1, 50)).toEqual([slowly]);
  expect(pass(5, 50)).toEqual([eagerly]);
  state.heap = 30e6;
  expect(pass(2, 50)).toEqual([fast]);
  state.heap = 100e6;
  expect(pass(2, 50)).toEqual([slowly]);
  expect(pass(61, 1)).toEqual([late]);
});
