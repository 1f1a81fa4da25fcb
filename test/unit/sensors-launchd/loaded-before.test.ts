import { expect, test } from 'vitest';
import { type DomainList, LoadedBefore } from '../../../src/sensors/launchd-state/loaded-before.js';
import { fc } from '../../helpers/property.js';

const list = (asked: number, jobs: Record<string, number>, more: Partial<DomainList> = {}): DomainList => ({
  asked,
  answered: asked + 1,
  labels: new Map(Object.entries(jobs)),
  complete: true,
  ...more,
});

test('a job that came a while ago was not there before, however many lists have it since', () => {
  const before = new LoadedBefore();
  before.add('gui/501', list(10, { old: 1 }));
  for (let at = 100; at < 200; at += 10) before.add('gui/501', list(at, { old: 1, evil: at }));
  expect(before.at('gui/501', 'evil', 50)).toEqual({ loaded: false, known: 10 });
  expect(before.at('gui/501', 'evil', 105)).toEqual({ loaded: true, known: 100, pid: 100 });
  expect(before.at('gui/501', 'old', 50)).toEqual({ loaded: true, known: 10, pid: 1 });
  expect(before.at('gui/501', 'evil', 5)).toBeUndefined();
});

test('what was cut short says nothing about a job that it lacks', () => {
  const before = new LoadedBefore();
  before.add('system', list(10, { old: 1 }, { complete: false }));
  before.add('system', list(20, { old: 1, evil: 2 }));
  expect(before.at('system', 'evil', 15)).toBeUndefined();
  expect(before.at('system', 'old', 15)).toEqual({ loaded: true, known: 10, pid: 1 });
});

test('a later run knows the same, and the newest list where all is too much', () => {
  const before = new LoadedBefore();
  before.add('system', list(10, { old: 0 }));
  before.add('system', list(20, { old: 0 }));
  before.add('system', list(30, { evil: 7 }));
  const saved = before.saved(10_000) ?? '';
  const after = new LoadedBefore();
  after.restore(saved);
  after.add('system', list(40, { evil: 8 }));
  for (const time of [15, 25, 35, 45])
    for (const label of ['old', 'evil'])
      expect(after.at('system', label, Math.min(time, 35))).toEqual(
        before.at('system', label, Math.min(time, 35)),
      );
  const newest = new LoadedBefore();
  newest.restore(before.saved(saved.length - 1) ?? '');
  expect(newest.at('system', 'evil', 35)).toEqual({ loaded: true, known: 30, pid: 7 });
  expect(newest.at('system', 'old', 15)).toBeUndefined();
  expect(before.saved(10)).toBeUndefined();
});

test('a flood of jobs that come and go is bounded, and forgets the oldest first', () => {
  const before = new LoadedBefore();
  before.add('system', list(0, { evil: 1 }));
  for (let at = 10; at <= 100_000; at += 10) before.add('system', list(at, { [`d${at}`]: at }));
  expect(before.at('system', 'evil', 5)).toBeUndefined();
  expect(before.at('system', 'd99990', 99_995)).toMatchObject({ loaded: true });
  expect((before.saved(10_000_000) ?? '').length).toBeLessThan(100_000);
});

test('any list in the past is known as it was', () => {
  const jobs = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.nat(2));
  fc.assert(
    fc.property(fc.array(jobs, { minLength: 1, maxLength: 20 }), fc.boolean(), (lists, restarts) => {
      let before = new LoadedBefore();
      lists.forEach((one, index) => {
        before.add('system', list(index * 10, one));
        if (!restarts) return;
        const next = new LoadedBefore();
        next.restore(before.saved(1_000_000) ?? '');
        before = next;
      });
      lists.forEach((one, index) => {
        for (const label of ['a', 'b', 'c']) {
          const { [label]: pid } = one;
          expect(before.at('system', label, index * 10 + 5)).toMatchObject({
            loaded: pid !== undefined,
            ...(pid === undefined || pid === 0 ? {} : { pid }),
          });
        }
      });
    }),
  );
});
