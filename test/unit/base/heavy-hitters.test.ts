import { expect, test } from 'vitest';
import { HeavyHitters } from '../../../src/base/heavy-hitters.js';
import { fc } from '../../helpers/property.js';

test('counts are exact while there are few keys', () => {
  const top = new HeavyHitters(8);
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) top.add(key);
  expect(top.list(2)).toEqual([
    { key: 'a', count: 3, error: 0 },
    { key: 'b', count: 2, error: 0 },
  ]);
});

test('a flood of keys that come once does not hide what comes often, and memory stays bounded', () => {
  const top = new HeavyHitters(64);
  for (let round = 0; round < 20_000; round++) {
    top.add(`once-${round}`);
    if (round % 10 === 0) top.add('often');
  }
  const list = top.list(1_000);
  expect(list.length).toBeLessThanOrEqual(64);
  const [first] = list;
  expect(first?.key).toBe('often');
});

test('the true count lies between the count and the count without its error', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 60 }), { maxLength: 2_000 }), (stream) => {
      const top = new HeavyHitters(16);
      const real = new Map<string, number>();
      for (const one of stream) {
        top.add(String(one));
        real.set(String(one), (real.get(String(one)) ?? 0) + 1);
      }
      for (const { key, count, error } of top.list(100)) {
        expect(count).toBeGreaterThanOrEqual(real.get(key) ?? 0);
        expect(count - error).toBeLessThanOrEqual(real.get(key) ?? 0);
      }
    }),
  );
});

test('long keys are cut', () => {
  const top = new HeavyHitters();
  top.add('x'.repeat(100_000));
  expect(top.list(1)[0]?.key.length).toBe(1024);
});
