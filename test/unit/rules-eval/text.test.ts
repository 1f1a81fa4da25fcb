import { BlockList, isIP } from 'node:net';
import { expect, test } from 'vitest';
import { functionNamed } from '../../../src/rules/functions/index.js';
import { functionNames } from '../../../src/rules/index.js';
import { inBlock, parseAddress, parseBlock } from '../../../src/rules/plan/cidr.js';
import { foldPoint, foldText } from '../../../src/rules/plan/fold.js';
import { eqlPattern, patternTest, validateWildcard } from '../../../src/rules/plan/like.js';
import { compareText, numberOf } from '../../../src/rules/plan/values.js';
import { compileRegex, validateRegex } from '../../../src/rules/regex.js';
import { fc } from '../../helpers/property.js';

/** By the book: every way to place the stars. */
function likeByTable(text: string, pattern: string): boolean {
  const [points, parts] = [[...text], [...pattern]];
  let row = points.map(() => false);
  row.unshift(true);
  for (const part of parts) {
    const next = [part === '*' && (row[0] as boolean)];
    for (const [index, point] of points.entries()) {
      if (part === '*') next.push((row[index + 1] as boolean) || (next[index] as boolean));
      else next.push((row[index] as boolean) && (part === '?' || part === point));
    }
    row = next;
  }
  return row.at(-1) as boolean;
}

test('patterns match as every placement of their stars does', () => {
  const text = fc
    .array(fc.constantFrom('a', 'b', '😀', '\ud83d', '/'), { maxLength: 12 })
    .map((list) => list.join(''));
  const pattern = fc
    .array(fc.constantFrom('a', 'b', '*', '*', '?', '😀', '/'), { maxLength: 8 })
    .map((list) => list.join(''));
  fc.assert(
    fc.property(text, pattern, (one, other) => {
      expect(patternTest(eqlPattern(other))(one)).toBe(likeByTable(one, other));
    }),
    { numRuns: 5000 },
  );
});

test('long parts with ? are searched across the words of the bit set', () => {
  const part = `${'ab?'.repeat(30)}z`;
  const matches = patternTest(eqlPattern(`*${part}*`));
  const found = 'abx'.repeat(30);
  expect(matches(`${'ab'.repeat(40)}${found}z!`)).toBe(true);
  expect(matches(`${'ab'.repeat(40)}${found}y!`)).toBe(false);
});

test('a part with ? that is too long to search is refused', () => {
  expect(validateWildcard(`*${'a'.repeat(5000)}?*`)).toMatch(/4096/);
  expect(validateWildcard(`${'a'.repeat(5000)}?*`)).toBeUndefined();
});

test('folding is that of Unicode, one code point for one', () => {
  for (let point = 0; point <= 0x1ffff; point++) {
    if (point >= 0xd800 && point <= 0xdfff) continue;
    const folded = foldPoint(point);
    if (folded === point) continue;
    const matches = new RegExp(`^\\u{${point.toString(16)}}$`, 'iu').test(String.fromCodePoint(folded));
    expect(matches, `U+${point.toString(16)}`).toBe(true);
    expect(foldPoint(folded)).toBe(folded);
  }
  expect(foldText('ŞTRASSE ẞ İ K')).toBe('ştrasse ß İ k');
});

test('what differs only in case for Unicode folds to the same', () => {
  for (let point = 0x80; point <= 0x1e943; point++) {
    if (point >= 0xd800 && point <= 0xdfff) continue;
    const text = String.fromCodePoint(point);
    for (const other of [text.toLowerCase(), text.toUpperCase()]) {
      if (!new RegExp(`^\\u{${point.toString(16)}}$`, 'iu').test(other)) continue;
      expect(foldText(other), `U+${point.toString(16)}`).toBe(foldText(text));
    }
  }
});

test('texts are ordered as their UTF-8 bytes', () => {
  const text = fc.string({ unit: 'binary', maxLength: 6 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    { numRuns: 3000 },
  );
});

test('addresses are in blocks as node:net says', () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(address, address, fc.nat(128), (one, base, bits) => {
      const family = isIP(base) === 4 ? 'ipv4' : 'ipv6';
      const length = family === 'ipv4' ? bits % 33 : bits;
      const list = new BlockList();
      list.addSubnet(base, length, family);
      // Elasticsearch keeps an IPv4 address as the IPv6 address that stands for it; node does not mix them here.
      if ((isIP(one) === 4) !== (family === 'ipv4') || base.includes('.') !== one.includes('.')) return;
      const [parsed, block] = [parseAddress(one), parseBlock(`${base}/${length}`)];
      if (parsed === undefined || block === undefined) throw new Error(`${one} ${base}/${length}`);
      expect(inBlock(parsed, block)).toBe(list.check(one, family));
    }),
    { numRuns: 2000 },
  );
});

test('what is no address is none, as node:net says', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc
      .array(fc.constantFrom('0', '1', 'f', '255', ':', '::', '.', '%'), { maxLength: 12 })
      .map((list) => list.join('')),
  );
  fc.assert(
    fc.property(text, (one) => {
      if (one.includes('%') || /(^|[.:])0\d/.test(one)) return;
      expect(parseAddress(one) !== undefined, one).toBe(isIP(one) !== 0);
    }),
    { numRuns: 5000 },
  );
});

test('numbers are those of a decimal mapping', () => {
  const cases: [string, number | undefined][] = [
    ['1', 1],
    ['-1.5e3', -1500],
    ['.5', 0.5],
    ['5.', 5],
    ['', undefined],
    [' 1', undefined],
    ['0x10', undefined],
    ['1_0', undefined],
    ['NaN', undefined],
    ['Infinity', undefined],
  ];
  for (const [text, number] of cases) expect(numberOf(text), text).toBe(number);
});

const { regex } = fc.letrec<{ regex: string }>((tie) => ({
  regex: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', 'ab', '\\.'),
    fc.tuple(tie('regex'), tie('regex')).map(([a, b]) => a + b),
    fc.tuple(tie('regex'), tie('regex')).map(([a, b]) => `(${a}|${b})`),
    fc
      .tuple(tie('regex'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{0,}'))
      .map(([a, op]) => `(${a})${op}`),
  ),
}));

test('plain regular expressions match what those of JavaScript match', () => {
  const text = fc
    .array(fc.constantFrom('a', 'b', '1', '.', '\n', '😀'), { maxLength: 8 })
    .map((list) => list.join(''));
  fc.assert(
    fc.property(regex, fc.array(text, { maxLength: 10 }), (pattern, list) => {
      const oracle = new RegExp(`^(?:${pattern})$`, 'su');
      const matches = compileRegex(pattern, false);
      for (const one of list) expect(matches(one), `${pattern} on ${one}`).toBe(oracle.test(one));
    }),
    { numRuns: 1500 },
  );
});

test('complement and intersection are those of sets', () => {
  const text = fc.array(fc.constantFrom('a', 'b', '1'), { maxLength: 6 }).map((list) => list.join(''));
  fc.assert(
    fc.property(regex, regex, text, (a, b, one) => {
      const [left, right] = [compileRegex(a, false)(one), compileRegex(b, false)(one)];
      expect(compileRegex(`~(${a})`, false)(one)).toBe(!left);
      expect(compileRegex(`(${a})&(${b})`, false)(one)).toBe(left && right);
      expect(compileRegex(`(${a})&~(${b})`, false)(one)).toBe(left && !right);
    }),
    { numRuns: 500 },
  );
});

test('what is no regular expression is said, and matches nothing', () => {
  const wrong: [string, RegExp][] = [
    ['(a', /closed/],
    ['a)', /nothing that this/],
    ['[a', /closed/],
    ['"a', /closed/],
    ['<1-2', /closed/],
    ['<a-b>', /numeric interval/],
    ['a{', /number is missing/],
    ['a{2,1}', /ends before it starts/],
    ['a{1001}', /at most 1000/],
    ['[b-a]', /ends before it starts/],
    ['\\', /too early/],
    ['a'.repeat(1001), /at most 1000/],
    [`${'('.repeat(200)}a${')'.repeat(200)}`, /too deep/],
    ['(((a{99}){99}){99})', /too large/],
    [`~(.*a.{20})`, /too complex/],
  ];
  for (const [pattern, message] of wrong) {
    expect(validateRegex(pattern), pattern).toMatch(message);
    expect(compileRegex(pattern, false)(pattern)).toBe(false);
  }
});

test('any text is a regular expression or none, never an exception', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc
      .array(fc.constantFrom(...'ab()[]{}<>~&@#"\\.*+?|^$-0129,'), { maxLength: 30 })
      .map((list) => list.join('')),
  );
  fc.assert(
    fc.property(text, fc.string({ maxLength: 10 }), (pattern, one) => {
      validateRegex(pattern);
      compileRegex(pattern, true)(one);
    }),
    { numRuns: 3000 },
  );
});

test('expressions that make backtracking explode end, and so do those with very many states', () => {
  const text = 'a'.repeat(100_000);
  expect(compileRegex('(a*)*(a|a)*(aa|a)*b', false)(text)).toBe(false);
  expect(compileRegex('(a|b)*a(a|b){100}', false)(`${text}b${'a'.repeat(99)}`)).toBe(true);
});

test('every function of the checker can be computed', () => {
  for (const name of functionNames()) expect(functionNamed(name.toUpperCase())?.name, name).toBe(name);
});
