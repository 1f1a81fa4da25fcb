import type { Call, Compare, Expr, Field, In, Like, Literal, Regex } from '../ast.js';
import { functionNamed } from '../functions/index.js';
import { isPathField } from '../path-spellings.js';
import { compileRegex } from '../regex.js';
import { compileEvaluate, eachCombination, flipped, isNull } from './evaluate.js';
import { distinctFields, fieldKey } from './fields-of.js';
import { foldPoint, foldText, foldValue } from './fold.js';
import { GramIndex, leastNeedle } from './grams.js';
import { eqlPattern, hasWildcard, type Pattern, patternTest, type TextTest, textPattern } from './like.js';
import { fieldReader, pathParts, type Reader } from './read.js';
import { PrefixTrie } from './trie.js';
import { compare, type Now, typedTest, typeOfField } from './typed.js';
import { anyValue, hasValue, sameValue, type Value, valuesOf } from './values.js';

/** Documents that earlier steps of a sequence bound with `as`, by name. */
export type Bindings = ReadonlyMap<string, unknown>;

/** What a test of one field gets: what stands there, and the same with text folded (made when first asked for). */
export type FieldTest = (raw: unknown, folded: () => unknown) => boolean;

/** A test of one field. */
export interface FieldPredicate {
  readonly kind: 'field';
  readonly parts: readonly string[];
  readonly read: Reader;
  readonly test: FieldTest;
  /** The same test for a single text; undefined when there is no quicker way than `test`. */
  readonly quick?: Quick | undefined;
}

export interface Quick {
  /** Which form of the text it takes: as it is, or folded. */
  readonly input: 'raw' | 'folded';
  /** Set when the test is equality with this text and nothing else. */
  readonly equal?: string;
  /** `folded` gives the same text folded. */
  one(text: string, folded: () => unknown): boolean;
}

/** A test of whatever field it is put on. */
export type Test = Pick<FieldPredicate, 'test' | 'quick'>;

export function fieldPredicate(parts: readonly string[], test: Test): FieldPredicate {
  return { kind: 'field', parts, read: fieldReader(parts), ...test };
}

/** The smallest part of a condition: a yes or no of its own. */
export type Predicate =
  | FieldPredicate
  | { readonly kind: 'document'; test(doc: unknown): boolean }
  | { readonly kind: 'bound'; test(doc: unknown, bindings: Bindings): boolean };

/** A field test made of the test of a single text, and of what other values need (by default the same on their text). */
export function quickTest(quick: Quick, other?: (value: Value) => boolean): Test {
  const one = (value: Value): boolean => {
    if (typeof value === 'string') return quick.one(value, () => foldText(value));
    return other === undefined ? quick.one(String(value), () => String(value)) : other(value);
  };
  const { input } = quick;
  return { quick, test: (raw, folded) => anyValue(input === 'raw' ? raw : folded(), one) };
}

/** What `now` is for a document, milliseconds since 1970. */
export type NowOf = (doc: unknown) => number;

/** Compiles an EQL expression that stands where a condition stands and is no `and`, `or`, `not`. */
export function eqlPredicate(expr: Expr, nowOf: NowOf): Predicate {
  const fields = distinctFields(expr);
  const [only] = fields;
  const now: Now = { millis: 0, used: false };
  if (fields.length === 1 && only !== undefined && only.alias === null) {
    const test = literalTest(expr, now) ?? { test: generalTest(expr, now) };
    return timed(fieldPredicate(pathParts(only.path), test), now, nowOf);
  }
  const test = combined(expr, fields, now);
  const judge: typeof test = (doc, bindings) => {
    if (now.used) now.millis = nowOf(doc);
    return test(doc, bindings);
  };
  return fields.some(({ alias }) => alias !== null)
    ? { kind: 'bound', test: judge }
    : { kind: 'document', test: (doc) => judge(doc, unbound) };
}

/** A test of a field that counts from `now` needs the whole document: its time. */
export function timed(predicate: FieldPredicate, now: Now, nowOf: NowOf): Predicate {
  if (!now.used) return predicate;
  const { read, test } = predicate;
  return {
    kind: 'document',
    test: (doc) => {
      now.millis = nowOf(doc);
      const raw = read(doc);
      return test(raw, () => foldValue(raw));
    },
  };
}

const unbound: Bindings = new Map();

const isTrue = (value: Value | undefined) => value === true || value === 'true';

/** Any expression over one field: true when it is for any of the field's values. */
function generalTest(expr: Expr, now: Now): FieldTest {
  const evaluate = compileEvaluate(expr, () => 0, now);
  return (raw) => {
    let some = false;
    const found = anyValue(raw, (value) => {
      some = true;
      return isTrue(evaluate([value]));
    });
    return found || (!some && isTrue(evaluate([undefined])));
  };
}

/** Any expression over several fields: true when it is for any combination of their values. */
function combined(
  expr: Expr,
  fields: readonly Field[],
  now: Now,
): (doc: unknown, bindings: Bindings) => boolean {
  const slots = new Map(fields.map((field, index) => [fieldKey(field), index]));
  const evaluate = compileEvaluate(expr, (field) => slots.get(fieldKey(field)) as number, now);
  const readers = fields.map(({ alias, path }) => ({ alias, read: fieldReader(path) }));
  const nullsMeet = isOptionalEquality(expr);
  return (doc, bindings) => {
    const values = readers.map(({ alias, read }) =>
      valuesOf(read(alias === null ? doc : bindings.get(alias))),
    );
    if (nullsMeet && values.every((list) => list.length === 0)) return true;
    return eachCombination(values, (combination) => isTrue(evaluate(combination)));
  };
}

/** `?a == ?b`: both unmapped are both null, and equal (QA:sequenceOptionalFieldAsQueryKeysOnly). */
function isOptionalEquality(expr: Expr): boolean {
  if (expr.kind !== 'compare' || expr.op !== '==') return false;
  return [expr.left, expr.right].every((side) => side.kind === 'field' && side.optional);
}

/** A comparison of a field with literals, made quick. Undefined when the expression is something else. */
function literalTest(expr: Expr, now: Now): Test | undefined {
  switch (expr.kind) {
    case 'field':
      return { test: (raw) => anyValue(raw, isTrue) };
    case 'compare':
      return compareTest(expr, now);
    case 'in':
      return inTest(expr, now);
    case 'like':
      return likeLiterals(expr);
    case 'regex':
      return regexTest(expr);
    case 'call':
      return callTest(expr);
    default:
      return undefined;
  }
}

function compareTest({ op, left, right }: Compare, now: Now): Test | undefined {
  if (right.kind === 'field' && left.kind !== 'field') return against(flipped[op], right, left, now);
  return left.kind === 'field' ? against(op, left, right, now) : undefined;
}

function against(op: Compare['op'], field: Field, other: Expr, now: Now): Test | undefined {
  if (isNull(other)) return { test: op === '==' ? (raw) => !hasValue(raw) : () => false };
  if (other.kind !== 'literal' || other.value === null) return undefined;
  const { value } = other;
  const test = typedTest(op, value, { type: typeOfField(field.path.join('.')), now });
  if (test !== undefined) return { test: (raw) => anyValue(raw, test) };
  if (op !== '==') return { test: (raw) => anyValue(raw, (one) => compare(op, one, value)) };
  if (typeof value !== 'string') return { test: (raw) => anyValue(raw, (one) => sameValue(one, value)) };
  const quick: Quick = { input: 'raw', equal: value, one: (text) => text === value };
  return quickTest(quick, (other) => sameValue(other, value));
}

function literalValues(exprs: readonly Expr[]): readonly Value[] | undefined {
  if (!exprs.every((one): one is Literal => one.kind === 'literal')) return undefined;
  return exprs.map((one) => one.value).filter((value) => value !== null);
}

function inTest({ value, items, insensitive }: In, now: Now): Test | undefined {
  const values = literalValues(items);
  if (value.kind !== 'field' || values === undefined) return undefined;
  const type = typeOfField(value.path.join('.'));
  const typed = values.map((one) => typedTest('==', one, { type, now }));
  if (typed.some((test) => test !== undefined)) {
    const tests = typed.map(
      (test, index) => test ?? ((one: Value) => sameValue(one, values[index] as Value)),
    );
    return { test: (raw) => anyValue(raw, (one) => tests.some((test) => test(one))) };
  }
  if (insensitive) {
    const folded = new Set(values.map((one) => foldText(String(one))));
    return quickTest({ input: 'folded', one: (text) => folded.has(text) });
  }
  const texts = new Set(values.filter((one) => typeof one === 'string'));
  // A number equals every text that spells it, and the other way round.
  const numbers = values.filter((one) => typeof one !== 'string');
  const loose = (one: Value) => values.some((other) => sameValue(one, other));
  const one =
    numbers.length === 0
      ? (text: string) => texts.has(text)
      : (text: string) => texts.has(text) || numbers.some((other) => sameValue(text, other));
  return quickTest({ input: 'raw', one }, loose);
}

function likeLiterals({ op, value, patterns }: Like): Test | undefined {
  const values = literalValues(patterns);
  if (value.kind !== 'field' || values === undefined) return undefined;
  const insensitive = op !== 'like';
  const texts = values.map((one) => (insensitive ? foldText(String(one)) : String(one)));
  const exact = texts.filter((text) => !hasWildcard(text));
  return patternsTest(exact, texts.filter(hasWildcard).map(eqlPattern), insensitive);
}

const ascii = /^[\u0000-\u007f]+$/;

// So few patterns are tried one by one sooner than they are looked up.
const fewPatterns = 4;

/** Any of the texts or patterns; folded already when `insensitive`. */
function patternsTest(exact: readonly string[], wild: readonly Pattern[], insensitive: boolean): Test {
  const prefixes = wild.map((pattern) => pattern.parts[0]?.text ?? '');
  const few = exact.length === 0 && wild.length <= fewPatterns;
  if (insensitive && few && prefixes.every((prefix) => ascii.test(prefix))) {
    return quickTest({ input: 'raw', one: rooted(prefixes, wild.map(patternTest)) });
  }
  return quickTest({ input: insensitive ? 'folded' : 'raw', one: anyOf(exact, wild) });
}

function anyOf(exact: readonly string[], wild: readonly Pattern[]): TextTest {
  const [text] = exact;
  if (wild.length === 0 && exact.length === 1) return (value) => value === text;
  const texts = new Set(exact);
  if (wild.length === 0) return (value) => texts.has(value);
  const tests = textTests(wild);
  const test = tests.length === 1 && tests[0] !== undefined ? tests[0] : anyTest(tests);
  return exact.length === 0 ? test : (value) => texts.has(value) || test(value);
}

function anyTest(tests: readonly TextTest[]): TextTest {
  return (value) => {
    for (const test of tests) if (test(value)) return true;
    return false;
  };
}

/** One test a pattern; many that share a way to be looked up become one test. */
function textTests(patterns: readonly Pattern[]): TextTest[] {
  const begun: Pattern[] = [];
  const holding: Pattern[] = [];
  const others: Pattern[] = [];
  for (const pattern of patterns) {
    if ((pattern.parts[0]?.text ?? '') !== '') begun.push(pattern);
    else if (longestPart(pattern).length >= leastNeedle) holding.push(pattern);
    else others.push(pattern);
  }
  return [...manyTests(begun, byBeginning), ...manyTests(holding, byPart), ...others.map(patternTest)];
}

function manyTests(
  patterns: readonly Pattern[],
  many: (patterns: readonly Pattern[]) => TextTest,
): TextTest[] {
  return patterns.length <= fewPatterns ? patterns.map(patternTest) : [many(patterns)];
}

function byBeginning(patterns: readonly Pattern[]): TextTest {
  const trie = new PrefixTrie();
  const tests = patterns.map(patternTest);
  for (const [index, { parts }] of patterns.entries()) trie.add(parts[0]?.text as string, index);
  return (value) => trie.some(value, (index) => (tests[index] as TextTest)(value));
}

function byPart(patterns: readonly Pattern[]): TextTest {
  const grams = new GramIndex(patterns.map((pattern, index) => ({ text: longestPart(pattern), index })));
  const tests = patterns.map(patternTest);
  const tried = new Uint8Array(patterns.length);
  return (value) => {
    const found: number[] = [];
    grams.collect(value, found);
    if (found.length === 0) return false;
    tried.fill(0);
    for (const index of found) {
      // A part that a value holds a thousand times is no reason to try the pattern as often.
      if (tried[index] === 1) continue;
      tried[index] = 1;
      if ((tests[index] as TextTest)(value)) return true;
    }
    return false;
  };
}

function longestPart({ parts }: Pattern): string {
  return parts.reduce((best, { longest }) => (longest.length > best.length ? longest : best), '');
}

/**
 * Patterns that all begin with plain ASCII are first compared at the beginning of the text as it is: nearly every path
 * fails there, and folding it would cost more than that.
 */
function rooted(prefixes: readonly string[], tests: readonly TextTest[]): Quick['one'] {
  return (text, folded) => {
    for (let index = 0; index < prefixes.length; index++) {
      if (startsFolded(text, prefixes[index] as string) && (tests[index] as TextTest)(folded() as string))
        return true;
    }
    return false;
  };
}

/** `prefix` is ASCII in lower case. */
function startsFolded(text: string, prefix: string): boolean {
  if (text.length < prefix.length) return false;
  for (let at = 0; at < prefix.length; at++) {
    const found = text.charCodeAt(at);
    const wanted = prefix.charCodeAt(at);
    if (found === wanted) continue;
    // Two letters beyond ASCII fold to one of ASCII: the long s and the Kelvin sign.
    const folded = found < 0x80 ? foldPoint(found) : foldText(text.charAt(at)).charCodeAt(0);
    if (folded !== wanted) return false;
  }
  return true;
}

function regexTest({ value, patterns, insensitive }: Regex): Test | undefined {
  const values = literalValues(patterns);
  if (value.kind !== 'field' || values === undefined) return undefined;
  const isPath = isPathField(value.path.join('.'));
  const tests = values.map((pattern) => compileRegex(String(pattern), insensitive, isPath));
  return quickTest({ input: 'raw', one: anyTest(tests) });
}

function callTest({ name, args, insensitive }: Call): Test | undefined {
  const [first, ...rest] = args;
  const values = literalValues(rest);
  const found = functionNamed(name);
  if (first?.kind !== 'field' || values?.length !== rest.length || found === undefined) return undefined;
  const [wanted] = values;
  if (values.length === 1 && typeof wanted === 'string') {
    const pattern = asPattern(found.name, insensitive ? foldText(wanted) : wanted);
    if (pattern === 'never') return { test: () => false };
    if (pattern !== undefined) return patternsTest([], [pattern], insensitive);
  }
  const test = found.prepare?.(values, insensitive);
  return test === undefined ? undefined : quickTest({ input: 'raw', one: test }, test);
}

/** The functions that are patterns in other words. */
function asPattern(name: string, text: string): Pattern | 'never' | undefined {
  if (name === 'startsWith') return textPattern([text, '']);
  if (name === 'endsWith') return textPattern(['', text]);
  if (name === 'stringContains') return text === '' ? 'never' : textPattern(['', text, '']);
  return undefined;
}
