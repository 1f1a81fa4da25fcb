import { expect, test } from 'vitest';
import { Automaton } from '../../../src/rules/regex/automaton.js';
import { Matcher } from '../../../src/rules/regex/matcher.js';
import { parseRegex } from '../../../src/rules/regex/parse.js';
import { compileRegex, validateRegex } from '../../../src/rules/regex.js';

const matcher = (pattern: string) => new Matcher(new Automaton(parseRegex(pattern, false)));

/** The same letters in the same order every time. */
function letters(alphabet: string, length: number, start = 1): string {
  let seed = start;
  let text = '';
  for (let index = 0; index < length; index++) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    text += alphabet[(seed >> 8) % alphabet.length];
  }
  return text;
}

// Expressions whose deterministic states are many more than their characters, and texts that need ever new ones.
const hostile: readonly (readonly [pattern: string, alphabet: string])[] = [
  ['.*a.{500}', 'ab'],
  ['.*a.{900}b', 'aab'],
  ['(a|b)*a(a|b){600}', 'ab'],
  ['.*(a|b|ab){300}', 'ab'],
  ['(.*[0-9]){40}x', 'a0b1'],
  ['(a?){400}a{400}', 'a'],
  ['(.*a.{3}){30}', 'ab'],
  ['(a|b)*(a.{20}|b.{30})(c|d)*.{40}', 'abcd'],
];

for (const [pattern, alphabet] of hostile) {
  test(`twice the text is at most twice the work: ${pattern.slice(0, 40)}`, () => {
    const work = [4_096, 8_192, 16_384, 32_768].map((length) => {
      const one = matcher(pattern);
      one.matches(letters(alphabet, length));
      return one.visits;
    });
    for (const [index, visits] of work.entries()) {
      // What making states may cost at most comes on top of it.
      if (index > 0) expect(visits).toBeLessThanOrEqual((work[index - 1] as number) * 2.2 + 50_000);
      expect(visits).toBeLessThanOrEqual(50_000 + 4_096 * 2 ** index * 1_100);
    }
  });
}

test('a text that is walked with all states at once matches as it does without', () => {
  // None over which an engine that backtracks, such as the one it is compared with, would take for ever.
  const patterns = [
    ...[
      '.*a.{12}b.*',
      '(a|b)*a(a|b){14}',
      '(ab|ba|a){0,200}',
      '.*(aab|b.{15}a)',
      '.*a.{17}',
      '(ab?)*.*ab.{13}',
    ],
    ...['a?.*b.{12}[ab]', '.*[^a].{13}', '(a|b.{20})*'],
  ];
  for (const pattern of patterns) {
    const whole = new RegExp(`^(?:${pattern})$`, 'su');
    expect(validateRegex(pattern)).toBeUndefined();
    const ours = compileRegex(pattern, false);
    for (let round = 0; round < 12; round++) {
      const text = letters('ab', 600 * round + round, round + 1);
      expect(ours(text), `${pattern} on ${text.length}`).toBe(whole.test(text));
    }
  }
});

test('characters beyond the basic plane are one character, however the text is walked', () => {
  const ours = compileRegex('.*\u{1f600}.{13}', false);
  const text = `${letters('ab', 3_000)}${'\u{1f600}a'.repeat(2_000)}`;
  expect(ours(`${text}\u{1f600}${'\u{1f601}'.repeat(13)}`)).toBe(true);
  expect(ours(`${text}\u{1f600}${'\u{1f601}'.repeat(15)}a`)).toBe(false);
});

test('an expression that would cost much to be read is refused or read at once', () => {
  for (const pattern of [
    '((((){1000}){1000}){1000}){1000}',
    '((a{0,30}){0,30}){0,30}',
    '(a{1000}){1000}',
    '~(.*a.{20})',
    '~(~(~(.*a.{12})b)c)',
    '@a.{300}&@b.{300}',
    'a?'.repeat(499),
    '(a|b)*'.repeat(160),
    '[^\\W\\S]'.repeat(120),
  ]) {
    const problem = validateRegex(pattern);
    if (problem !== undefined) expect(problem).toMatch(/too (?:large|complex)/);
  }
});
