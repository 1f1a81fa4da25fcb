import { describe, expect, test } from 'vitest';
import {
  compileQuery,
  type Diagnostic,
  formatDiagnostic,
  printQuery,
  readRuleFile,
} from '../../../src/rules/index.js';
import { fc } from '../../helpers/property.js';
import { eqlQuery, kqlExpression } from './trees.js';

/** Characters, as documented. */
const queryLimit = 262_144;
const fileLimit = 524_288;
const languages = ['eql', 'kuery'] as const;

/** Every diagnostic points into its text and can be printed on a terminal. */
function expectSound(text: string, diagnostics: readonly Diagnostic[]): void {
  const lines = text.split('\n');
  for (const diagnostic of diagnostics) {
    expect(diagnostic.line).toBeGreaterThanOrEqual(1);
    expect(diagnostic.line).toBeLessThanOrEqual(lines.length);
    expect(diagnostic.column).toBeGreaterThanOrEqual(1);
    expect(diagnostic.column).toBeLessThanOrEqual((lines[diagnostic.line - 1] ?? '').length + 1);
    expect(diagnostic.excerpt.split('\n')).toHaveLength(2);
    expect(formatDiagnostic(diagnostic)).not.toMatch(
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e]/,
    );
  }
}

function expectAnswer(language: 'eql' | 'kuery', text: string): void {
  const result = compileQuery(language, text);
  if ('query' in result) {
    expectSound(text, result.warnings);
    expect(typeof printQuery(result.query)).toBe('string');
  } else {
    expect(result.diagnostics.some(({ severity }) => severity === 'error')).toBe(true);
    expectSound(text, result.diagnostics);
  }
}

/** Text that looks like a query: its words and symbols in any order. */
const soup = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...'process where any and or not in in~ like like~ regex~ : == != < > ( ) [ ] ![ , . ? + - * / % | " """ ` \\ { }'.split(
          ' ',
        ),
        ...'sequence sample by with maxspan=1m runs=3 until as event0 event0.file.path descendant of head 5 null true'.split(
          ' ',
        ),
        ...'process.name "a*" 1.5 // /* */ \n \t length( stringContains~( cidrMatch( "10.0.0.0/8" 30s'.split(
          ' ',
        ),
      ),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    { maxLength: 40 },
  )
  .map((words) => words.join(' '));

/** A valid query with one piece taken out, doubled or replaced. */
const mutated = (valid: fc.Arbitrary<string>) =>
  fc
    .tuple(
      valid,
      fc.nat(),
      fc.nat(12),
      fc.oneof(fc.constant(''), fc.string({ unit: 'binary', maxLength: 3 }), soup),
    )
    .map(([text, at, length, put]) => {
      const start = text.length === 0 ? 0 : at % text.length;
      return text.slice(0, start) + put + text.slice(start + length);
    });
const valid = {
  eql: eqlQuery.map(printQuery),
  kuery: kqlExpression.map((condition) => printQuery({ kind: 'kql', condition, span: { start: 0, end: 0 } })),
};

describe.each(languages)('%s', (language) => {
  test('any text ends in a tree or a diagnostic', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), soup, valid[language], mutated(valid[language]));
    fc.assert(
      fc.property(text, (query) => expectAnswer(language, query)),
      { numRuns: 3000 },
    );
  });

  test.each([
    ['parentheses', (n: number) => `any where ${'('.repeat(n)}true${')'.repeat(n)}`],
    ['not', (n: number) => `any where ${'not '.repeat(n)}true`],
    ['signs', (n: number) => `any where 1 == ${'-'.repeat(n)}(1)`],
    ['sums', (n: number) => `any where 1 == 1${' + 1'.repeat(n)}`],
    ['products', (n: number) => `any where 1 == 1${' * 1'.repeat(n)}`],
    ['calls', (n: number) => `any where ${'length('.repeat(n)}a${')'.repeat(n)}`],
    ['ancestors', (n: number) => `any where ${'descendant of [any where '.repeat(n)}true${']'.repeat(n)}`],
    ['comments', (n: number) => `any where true ${'/*'.repeat(n)}`],
    ['groups', (n: number) => `${'('.repeat(n)}a:b${')'.repeat(n)}`],
    ['value lists', (n: number) => `a:${'('.repeat(n)}b${')'.repeat(n)}`],
    ['nested', (n: number) => `${'a:{'.repeat(n)}b:c${'}'.repeat(n)}`],
    ['conjunctions', (n: number) => `any where a == 1${' and a == 1'.repeat(n)}`],
    ['values', (n: number) => `a:(b${' or b'.repeat(n)})`],
    ['wildcards', (n: number) => `a:${'*x'.repeat(n)}`],
    ['backslashes', (n: number) => `a:"${'\\'.repeat(n)}`],
    ['slips', (n: number) => `any where true${' and process.name == "a*b"'.repeat(n)}`],
    ['question marks', (n: number) => `process.name:(a?b${' or a?b'.repeat(n)})`],
    ['unknown fields', (n: number) => Array.from({ length: n }, (_, at) => `a${at}:b`).join(' or ')],
    ['wildcard fields', (n: number) => `a${'*x'.repeat(n)}*:b`],
    ['spaces', (n: number) => `a: b${' '.repeat(n)}and`],
  ])('a bomb of %s is answered', (_name, bomb) => {
    // Up to the longest that is read: what is worse than linear does not end within the time of a test.
    const longest = Math.floor(queryLimit / (bomb(1_001).length - bomb(1).length)) * 1_000 - 100;
    for (const size of [20, 200, 2_000, longest]) expectAnswer(language, bomb(size));
  });

  test('a text beyond the limit is refused unread', () => {
    const result = compileQuery(language, 'a'.repeat(queryLimit + 1));
    expect('diagnostics' in result && result.diagnostics[0]?.code).toMatch(/too-long$/);
  });
});

test('a depth below the limit compiles, one above is told', () => {
  const nested = (n: number) => compileQuery('eql', `any where ${'('.repeat(n)}true${')'.repeat(n)}`);
  expect('query' in nested(100)).toBe(true);
  const refused = nested(130);
  expect('diagnostics' in refused && refused.diagnostics[0]?.code).toBe('eql/too-deep');
});

const tomlSoup = fc
  .array(
    fc.constantFrom(
      ...[
        '[rule]',
        '[[rule.threat]]',
        '[rule.launchwarden]',
        '[[rule.launchwarden.test]]',
        '[metadata]',
        '\n',
        '=',
      ],
      ...[
        'rule_id = "x"',
        'name = "n"',
        'type = "eql"',
        'severity = "low"',
        "query = 'any where true'",
        'events = [{',
      ],
      ...[
        '}]',
        '"""',
        "'''",
        '\\',
        '#',
        '[rule.threshold]',
        'value = 3',
        'field = []',
        '1979-05-27',
        '{',
        ',',
        '"',
      ],
    ),
    { maxLength: 30 },
  )
  .map((lines) => lines.join('\n'));
const ruleFile = fc.tuple(valid.eql, fc.constantFrom('"""', "'''", '"')).map(([query, quotes]) => {
  const text = quotes[0] === '"' ? JSON.stringify(query).slice(1, -1) : query;
  return `[rule]\nrule_id = "x"\nname = "n"\ntype = "eql"\nseverity = "low"\nquery = ${quotes}\n${text}${quotes}\n`;
});

test('any text as a rule file ends in a rule or a diagnostic', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), tomlSoup, ruleFile, mutated(ruleFile));
  fc.assert(
    fc.property(text, (file) => {
      const result = readRuleFile(file, 'hostile.toml');
      if ('rule' in result) expectSound(file, result.rule.warnings ?? []);
      else {
        expect(result.diagnostics.length).toBeGreaterThan(0);
        expectSound(file, result.diagnostics);
      }
    }),
    { numRuns: 3000 },
  );
});

test.each([
  ['keys', (n: number) => `[rule]\n${Array.from({ length: n }, (_, at) => `nam${at} = 1`).join('\n')}`],
  [
    'own keys',
    (n: number) =>
      `[rule]\n[rule.launchwarden]\n${Array.from({ length: n }, (_, at) => `a${at} = 1`).join('\n')}`,
  ],
  ['tables', (n: number) => `[rule]\n${'[[rule.threat]]\n'.repeat(n)}`],
  ['empty lines', (n: number) => `${'\n'.repeat(n)}[rule]\n`],
  ['comments', (n: number) => `${'#\n'.repeat(n)}[rule]\n`],
  ['arrays', (n: number) => `[rule]\na = ${'['.repeat(n)}`],
  ['dots', (n: number) => `[rule]\n${'a.'.repeat(n)}a = 1`],
  ['quotes', (n: number) => `[rule]\nquery = ${'"'.repeat(n)}`],
  ['continued lines', (n: number) => `[rule]\nquery = """${'\\\n'.repeat(n)}"""`],
])('a rule file that is a bomb of %s is answered', (_name, bomb) => {
  const longest = Math.floor((fileLimit - 100) / (bomb(1_001).length - bomb(1).length)) * 1_000;
  for (const size of [20, 2_000, longest]) {
    const result = readRuleFile(bomb(size), 'bomb.toml');
    expect('diagnostics' in result && result.diagnostics.length).toBeGreaterThan(0);
  }
});

test('a rule file beyond the limit is refused', () => {
  const result = readRuleFile(`# ${'x'.repeat(fileLimit)}`, 'long.toml');
  expect('diagnostics' in result && result.diagnostics[0]?.code).toBe('rule/too-large');
});

test('keys of the language itself are keys like others', () => {
  const file =
    '[rule]\n__proto__ = "x"\nconstructor = 1\nhasOwnProperty = 2\ntoString = 3\n[__proto__]\npolluted = true\n';
  const result = readRuleFile(file, 'x.toml');
  expect('diagnostics' in result).toBe(true);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});
