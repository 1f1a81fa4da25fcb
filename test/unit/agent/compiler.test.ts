import { expect, test } from 'vitest';
import { Compiler } from '../../../src/agent/compiler.js';
import { ManualClock } from '../../helpers/manual-clock.js';

const clock = new ManualClock();
let used = 0;
const flags: string[] = [];
const compiler = new Compiler({ clock, used: () => used, setFlag: (flag) => flags.push(flag) });

/** Seconds in which so many percent of a processor are used. */
function pass(seconds: number, percent: number): string[] {
  flags.length = 0;
  for (let second = 0; second < seconds; second++) {
    clock.pass(1_000);
    used += percent * 10_000;
    compiler.tick();
  }
  return [...flags];
}

test('V8 compiles eagerly while the agent works, and again late once it has rested for a minute', () => {
  expect(flags).toEqual(['--interrupt-budget=1320000']);
  expect(pass(120, 1)).toEqual([]);
  expect(pass(1, 9)).toEqual([]);
  expect(pass(1, 12)).toEqual(['--interrupt-budget=132000']);
  expect(pass(30, 30)).toEqual([]);
  expect(pass(59, 2)).toEqual([]);
  // Still at work: the minute begins anew.
  expect(pass(1, 6)).toEqual([]);
  expect(pass(59, 2)).toEqual([]);
  expect(pass(1, 2)).toEqual(['--interrupt-budget=1320000']);
  expect(pass(1, 12)).toEqual(['--interrupt-budget=132000']);
});
