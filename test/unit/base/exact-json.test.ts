import { expect, test } from 'vitest';
import { parseExactJson } from '../../../src/base/exact-json.js';
import { captureEvent } from '../../../src/sensors/capture/index.js';

test('whole numbers that a double would round become their digits', () => {
  const text =
    '{"ino":1152921500312810881,"least":-9223372036854775808,"list":[9007199254740993,[18446744073709551615]]}';
  expect(parseExactJson(text)).toEqual({
    ino: '1152921500312810881',
    least: '-9223372036854775808',
    list: ['9007199254740993', ['18446744073709551615']],
  });
});

test('every other number and every text stays what it is', () => {
  for (const text of [
    '{"a":9007199254740991,"b":-9007199254740991,"c":1234567890123456}',
    '{"a":1e20,"b":1152921500312810881.5,"c":0.12345678901234567,"d":1.7976931348623157e308}',
    '{"a":"1152921500312810881","b":"x\\\\","c":"\\"1152921500312810881","1152921500312810881":1}',
    '["\\u005c", "a\\\\\\"9007199254740993", 10000000000000000000e0]',
    '1234567890',
  ])
    expect(parseExactJson(text)).toEqual(JSON.parse(text));
});

test('what is no JSON throws as with JSON.parse', () => {
  for (const text of ['{"a":11529215003128108811', '"1152921500312810881', '{1152921500312810881}', ''])
    expect(() => parseExactJson(text)).toThrow(SyntaxError);
});

test('a document of random numbers keeps each of them', () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  for (let round = 0; round < 500; round++) {
    const digits = Array.from({ length: 1 + random(24) }, () => String(1 + random(9))).join('');
    const gap = ' '.repeat(random(20));
    const value = (parseExactJson(`{"t":"${'x'.repeat(random(20))}",${gap}"n":${digits}}`) as { n: unknown })
      .n;
    expect(String(value)).toBe(digits);
  }
});

test('a captured event keeps its inode', () => {
  const event = captureEvent('{"@timestamp":"2026-11-22T09:00:00Z","file":{"inode":1152921500312810881}}', 0);
  expect(event?.doc.file?.inode).toBe('1152921500312810881');
});
