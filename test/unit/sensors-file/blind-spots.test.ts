import { expect, test } from 'vitest';
import type { Gap } from '../../../src/event/event.js';
import { BlindSpots } from '../../../src/sensors/file-watch/blind-spots.js';
import { ManualClock } from '../../helpers/manual-clock.js';

function rig() {
  const clock = new ManualClock();
  const gaps: Gap[] = [];
  return { clock, gaps, spots: new BlindSpots({ clock, report: (gap) => gaps.push(gap) }) };
}

test('a place that is not seen is a gap at once, and again with its length when it is seen; every time', () => {
  const { clock, gaps, spots } = rig();
  for (let round = 0; round < 2; round++) {
    const from = clock.now();
    spots.open('/a', 'permission', 'cannot be listed (EACCES)');
    spots.open('/a', 'permission', 'cannot be listed (EACCES)');
    expect(spots.list()).toEqual([{ place: '/a', since: from, reason: 'cannot be listed (EACCES)' }]);
    clock.pass(7_000);
    spots.close('/a', 'permission');
    expect(spots.list()).toEqual([]);
    expect(gaps.splice(0)).toMatchObject([
      { reason: 'permission', from, to: from, detail: '/a: cannot be listed (EACCES)' },
      { reason: 'permission', from, to: from + 7_000_000, detail: '/a: cannot be listed (EACCES) (over)' },
    ]);
    clock.pass(7_000);
  }
});

test('of a thousand places at once some have a record of their own, and the others are counted in one', () => {
  const { clock, gaps, spots } = rig();
  for (let n = 0; n < 1_000; n++) spots.open(`/d${n}`, 'overflow', 'is not watched');
  clock.pass(6_000);
  spots.tick();
  expect(gaps.length).toBeLessThan(30);
  expect(gaps.at(-1)?.detail).toMatch(/\(and \d{3} more\)$/);
  expect(spots.list()).toHaveLength(100);
  expect(spots.size).toBe(1_000);
});

test('what is open when the watcher stops ends there', () => {
  const { clock, gaps, spots } = rig();
  spots.open('/a', 'permission', 'x');
  const from = clock.now();
  clock.pass(100);
  spots.end();
  expect(gaps.at(-1)).toMatchObject({ from, to: from + 100_000 });
  expect(spots.size).toBe(0);
});
