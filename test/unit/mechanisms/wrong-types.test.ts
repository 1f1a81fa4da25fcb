import { describe, expect, test } from 'vitest';
import { mechanisms } from '../../../src/mechanisms/index.js';
import { plistValueOf } from '../../../src/mechanisms/read.js';
import { binaryPlistOf, Uid, type Written, xmlPlist } from '../../helpers/plist-writer.js';
import { fileOf, samples } from './samples.js';

const wrong: readonly Written[] = [7, true, 'x', [], [[1]], {}, { a: [{}] }, Buffer.from([1, 2]), new Uid(0)];

/** The value as data that the writer takes, each part of it replaced once by each wrong value. */
function* variants(value: Written): Generator<Written> {
  yield* wrong;
  if (Array.isArray(value))
    for (const [index, one] of value.entries())
      for (const other of variants(one)) yield value.map((old, at) => (at === index ? other : old));
  else if (isDictionary(value))
    for (const [key, one] of Object.entries(value))
      for (const other of variants(one)) yield { ...value, [key]: other };
}

function isDictionary(value: Written): value is { readonly [key: string]: Written } {
  return typeof value === 'object' && !(value instanceof Uint8Array) && !(value instanceof Uid);
}

function written(value: unknown): Written {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, one]) => [key, written(one)]));
  if (Array.isArray(value)) return value.map(written);
  if (value instanceof Uint8Array || typeof value !== 'object') return value as Written;
  return value !== null && 'uid' in value ? new Uid(Number(value.uid)) : '';
}

const lists = samples.flatMap((sample) => {
  const list = plistValueOf(fileOf(sample));
  const mechanism = mechanisms.find(({ id }) => id === sample.mechanism);
  return list?.value === undefined || typeof list.value !== 'object' || mechanism === undefined
    ? []
    : [[sample.mechanism, sample, mechanism, written(list.value)] as const];
});

test('most mechanisms read property lists', () => {
  expect(new Set(lists.map(([id]) => id)).size).toBeGreaterThan(20);
});

describe.each(lists)('%s', (_, sample, mechanism, value) => {
  test('a wrong type in any place is read without an exception', () => {
    let count = 0;
    for (const variant of variants(value)) {
      if (++count > 400) break;
      const bytes = count % 2 === 0 ? binaryPlistOf(variant) : Buffer.from(xmlPlist(variant));
      const file = { ...fileOf(sample), content: { bytes, size: bytes.length, truncated: false } };
      for (const item of mechanism.read(file)) {
        expect(typeof item.key).toBe('string');
        expect(mechanism.removal(item, file)).toMatch(/\.$/);
      }
    }
    expect(count).toBeGreaterThan(wrong.length);
  });
});

/** What costs a reader most: long lines of what it looks for. */
const costly = [
  'curl x|sh;'.repeat(400),
  'system'.padEnd(4_000, ' '),
  `a,${'a,'.repeat(2_000)} `,
  `command="${'\\"'.repeat(1_500)}`,
  '"'.repeat(4_000),
  'BEGIN:VALARM\nACTION:PROCEDURE',
  `[a "${'x'.repeat(3_000)}"] core = !${'$('.repeat(300)}`,
];

test.each(mechanisms.map((one) => [one.id, one] as const))(
  '%s: a megabyte of anything is read to its end',
  (_, mechanism) => {
    const [place] = mechanism.places;
    const path = `${place?.scope === 'home' ? '/Users/mara/' : ''}${place?.path}${place?.what === 'file' ? '' : '/x'}`;
    for (const line of costly) {
      const bytes = Buffer.from(`${line}\n`.repeat(Math.ceil(1_000_000 / line.length)));
      // An expression that backtracks without end would outlast the test.
      const items = mechanism.read({
        path,
        type: 'file',
        content: { bytes, size: bytes.length, truncated: false },
      });
      expect(items.length).toBeLessThanOrEqual(256);
    }
  },
);
