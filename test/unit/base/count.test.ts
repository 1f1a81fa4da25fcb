import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { allOf, things } from '../../../src/base/count.js';
import { messageOf } from '../../../src/base/errors.js';

test.each([
  [0, '0 alerts wait'],
  [1, '1 alert waits'],
  [2, '2 alerts wait'],
  [10_006, '10,006 alerts wait'],
])('%d is told with its own word', (number, said) => {
  expect(things(number, 'alert waits', 'alerts wait')).toBe(said);
});

test('a plural is the word with an s', () => {
  expect([things(1, 'file'), things(2, 'file')]).toEqual(['1 file', '2 files']);
});

test('an error of the file system is told without its code and call', () => {
  let said = '';
  try {
    readdirSync('/nowhere/at/all');
  } catch (error) {
    said = messageOf(error);
  }
  expect(said).toBe("no such file or directory: '/nowhere/at/all'");
});

test('several things are listed as people do', () => {
  expect([allOf([]), allOf(['a']), allOf(['a', 'b']), allOf(['a', 'b', 'c'])]).toEqual([
    '',
    'a',
    'a and b',
    'a, b and c',
  ]);
});
