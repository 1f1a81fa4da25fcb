import { expect, test } from 'vitest';
import { parseHashList } from '../../../src/scan/index.js';

const hash = 'a'.repeat(64);

test('a hash list takes bare hashes, names behind them, and what sha256sum writes', () => {
  const text = [
    '# ours',
    '',
    hash,
    `${'b'.repeat(64)}  /tmp/x`,
    `${'c'.repeat(64)} *bin`,
    `${'D'.repeat(64)},evil, really`,
    `${'e'.repeat(64)} # a comment`,
  ].join('\r\n');
  const { hashes, refused } = parseHashList(text, 'l.txt');
  expect(refused).toEqual([]);
  expect([...hashes].map(([key, { name, line }]) => [key[0], name, line])).toEqual([
    ['a', '', 3],
    ['b', '/tmp/x', 4],
    ['c', 'bin', 5],
    ['d', 'evil, really', 6],
    ['e', 'a comment', 7],
  ]);
});

test('what is no SHA-256 is told by its line, and the rest is used', () => {
  const { hashes, refused } = parseHashList(`${'a'.repeat(32)}\n${hash}f\n${hash}\n`, 'l.txt');
  expect(hashes.size).toBe(1);
  expect(refused.map(({ line }) => line)).toEqual([1, 2]);
  expect(refused[0]?.message).toContain('MD5');
});
