import { expect, test } from 'vitest';
import type { Owner } from '../../../src/sensors/file-watch/owner.js';
import { Pacer } from '../../../src/sensors/file-watch/pacer.js';

const alice: Owner = { name: 'user alice', system: false };
const bob: Owner = { name: 'user bob', system: false };
const system: Owner = { name: '', system: true };

/** Changes paths every millisecond, polls each when it is due, and gives the times of all reports. */
function rewrite(pacer: Pacer, paths: readonly string[], owner: Owner, milliseconds: number): number[] {
  const times: number[] = [];
  const due = new Map<string, number>();
  for (let now = 0; now < milliseconds; now++) {
    for (const path of paths) {
      if (!due.has(path)) due.set(path, pacer.due(path, owner, now));
      if ((due.get(path) as number) > now) continue;
      due.delete(path);
      pacer.spend(path, now);
      times.push(now);
    }
  }
  return times;
}

test('a path that keeps changing is reported at once, then ten times a second, later once a second', () => {
  const times = rewrite(new Pacer(), ['/x'], system, 60_000);
  const within = (from: number, to: number) => times.filter((time) => time >= from && time < to).length;
  expect(times[0]).toBe(0);
  expect(within(0, 2_000)).toBeLessThanOrEqual(28);
  expect(within(1_000, 2_000)).toBeGreaterThanOrEqual(9);
  const gaps = times.slice(1).map((time, index) => time - (times[index] as number));
  expect(Math.max(...gaps)).toBeLessThanOrEqual(1_001);
  expect(within(50_000, 60_000)).toBeLessThanOrEqual(11);
});

test('all busy paths of one owner have one budget, and each of them its turn', () => {
  const pacer = new Pacer();
  const paths = Array.from({ length: 300 }, (_, n) => `/a${n}`);
  const times = rewrite(pacer, paths, alice, 20_000);
  // The advance, the first reports, and what the budget lets through.
  expect(times.length).toBeLessThan(400 + 300 + 2_000 + 100);
  expect(pacer.isExceeded(alice, 20_000)).toBe(true);
  const fresh = new Pacer();
  const last = new Map<string, number>();
  for (const path of paths) last.set(path, 0);
  expect(rewrite(fresh, paths, alice, 20_000).filter((time) => time > 15_000).length).toBeGreaterThan(300);
});

test('the budget of one owner is not that of another, and a quiet path needs none', () => {
  const pacer = new Pacer();
  rewrite(
    pacer,
    Array.from({ length: 300 }, (_, n) => `/a${n}`),
    alice,
    10_000,
  );
  expect(pacer.due('/b', bob, 10_000)).toBe(10_000);
  pacer.spend('/b', 10_000);
  expect(pacer.due('/b', bob, 10_001)).toBe(10_001);
  expect(pacer.isExceeded(bob, 10_001)).toBe(false);
  expect(pacer.due('/never-seen', alice, 10_000)).toBe(10_000);
});

test('what vanished unread is counted without end for nobody', () => {
  const pacer = new Pacer();
  let allowed = 0;
  for (let n = 0; n < 10_000; n++) if (pacer.mayVanish(alice, 0)) allowed++;
  expect(allowed).toBeLessThan(3_000);
  expect(pacer.mayVanish(alice, 60_000)).toBe(true);
  expect(pacer.mayVanish(bob, 0)).toBe(true);
});
