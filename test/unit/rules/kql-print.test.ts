import { describe, expect, test } from 'vitest';
import { parseKqlText } from '../../../src/rules/kql/parser.js';
import { printKql } from '../../../src/rules/kql/print.js';

/** The tree of a query without the places where its parts stand. */
function tree(text: string): unknown {
  return JSON.parse(JSON.stringify(parseKqlText(text), (key, value) => (key === 'span' ? undefined : value)));
}

const same = (text: string) => expect(tree(printKql(parseKqlText(text)))).toEqual(tree(text));

test.each([1, 2, 3, 64, 100, 120])('%d times not, as deep as it was written', (times) => {
  const written = `${'not '.repeat(times)}a: b`;
  const printed = `not ${'(not '.repeat(times - 1)}a: b${')'.repeat(times - 1)}`;
  expect(printKql(parseKqlText(written))).toBe(printed);
  expect(printKql(parseKqlText(printed))).toBe(printed);
  same(written);
});

test.each([
  'not (not a: b or c: d) and not not (e: f and not g: h)',
  'a: (b or not not c)',
  'a: { not not b: c }',
  'not not (a: b or c: d)',
])('%s', same);

describe('escapes', () => {
  test('every character, alone, between others, in quotes, in a name and as a bound', () => {
    for (let code = 1; code < 0x3100; code++) {
      const written = `\\u${code.toString(16).padStart(4, '0')}`;
      same(`a: ${written}`);
      same(`a: x${written}y`);
      same(`a: "x${written}y"`);
      same(`a${written}b: c`);
      same(`a > "${written}"`);
    }
  });

  test.each([
    'a: \\and',
    'a: x \\or y',
    'a: \\not',
    'a: \\u006eot',
    'a: *\\**',
    'a: "\\\\u0041"',
    'a: "\\\\\\""',
    'a: \\\\\\*',
    'a: "\\*"',
  ])('%s', same);
});
