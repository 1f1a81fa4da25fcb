import type { Call, Compare, Expr, Field, In, Like, Literal, Regex } from '../ast.js';
import { functionNamed } from '../functions/index.js';
import { compileRegex } from '../regex.js';
import { compare, compileEvaluate, eachCombination } from './evaluate.js';
import { foldText } from './fold.js';
import { eqlPattern, hasWildcard, type Pattern, patternTest, type TextTest, textPattern } from './like.js';
import { fieldReader, pathParts } from './read.js';
import { anyValue, hasValue, numberOf, sameValue, type Value, valuesOf } from './values.js';

/** Documents that earlier steps of a sequence bound with `as`, by name. */
export type Bindings = ReadonlyMap<string, unknown>;

/** What a test of one field gets: what stands there, and the same with text folded (made when first asked for). */
export type FieldTest = (raw: unknown, folded: () => unknown) => boolean;

/** The smallest part of a condition: a yes or no of its own. */
export type Predicate =
  | {
      readonly kind: 'field';
      readonly parts: readonly string[];
      readonly test: FieldTest;
      /** Set when the test is equality with this text and nothing else. */
      readonly text?: string;
    }
  | { readonly kind: 'document'; test(doc: unknown): boolean }
  | { readonly kind: 'bound'; test(doc: unknown, bindings: Bindings): boolean };

/** Compiles an EQL expression that stands where a condition stands and is no `and`, `or`, `not`. */
export function eqlPredicate(expr: Expr): Predicate {
  const fields = distinctFields(expr);
  const [only] = fields;
  if (fields.length === 1 && only !== undefined && only.alias === null) {
    const test = literalTest(expr) ?? generalTest(expr);
    const text = equalText(expr);
    const parts = pathParts(only.path);
    return { kind: 'field', parts, test, ...(text === undefined ? {} : { text }) };
  }
  const test = combined(expr, fields);
  return fields.some(({ alias }) => alias !== null)
    ? { kind: 'bound', test }
    : { kind: 'document', test: (doc) => test(doc, unbound) };
}

const unbound: Bindings = new Map();

function fieldKey({ alias, path }: Field): string {
  return JSON.stringify([alias, path.join('.')]);
}

/** The fields that an expression reads, each once. */
export function distinctFields(expr: Expr): readonly Field[] {
  const found = new Map<string, Field>();
  const walk = (node: Expr): void => {
    if (node.kind === 'field' && !found.has(fieldKey(node))) found.set(fieldKey(node), node);
    for (const child of childrenOf(node)) walk(child);
  };
  walk(expr);
  return [...found.values()];
}

/** The expressions directly inside one. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'compare':
    case 'arithmetic':
      return [expr.left, expr.right];
    case 'in':
      return [expr.value, ...expr.items];
    case 'like':
    case 'regex':
      return [expr.value, ...expr.patterns];
    case 'call':
      return expr.args;
    case 'not':
    case 'negate':
      return [expr.operand];
    case 'and':
    case 'or':
      return expr.operands;
    default:
      return [];
  }
}

const isTrue = (value: Value | undefined) => value === true || value === 'true';

/** Any expression over one field: true when it is for any of the field's values. */
function generalTest(expr: Expr): FieldTest {
  const evaluate = compileEvaluate(expr, () => 0);
  return (raw) => {
    const values = valuesOf(raw);
    if (values.length === 0) return isTrue(evaluate([undefined]));
    return values.some((value) => isTrue(evaluate([value])));
  };
}

/** Any expression over several fields: true when it is for any combination of their values. */
function combined(expr: Expr, fields: readonly Field[]): (doc: unknown, bindings: Bindings) => boolean {
  const slots = new Map(fields.map((field, index) => [fieldKey(field), index]));
  const evaluate = compileEvaluate(expr, (field) => slots.get(fieldKey(field)) as number);
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
function literalTest(expr: Expr): FieldTest | undefined {
  switch (expr.kind) {
    case 'field':
      return (raw) => anyValue(raw, isTrue);
    case 'compare':
      return compareTest(expr);
    case 'in':
      return inTest(expr);
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

const flipped = { '<': '>', '<=': '>=', '>': '<', '>=': '<=', '==': '==', '!=': '!=' } as const;

function compareTest({ op, left, right }: Compare): FieldTest | undefined {
  if (left.kind === 'literal' && right.kind === 'field') return againstLiteral(flipped[op], left);
  return left.kind === 'field' && right.kind === 'literal' ? againstLiteral(op, right) : undefined;
}

function againstLiteral(op: Compare['op'], { value }: Literal): FieldTest {
  if (value === null) return op === '==' ? (raw) => !hasValue(raw) : () => false;
  if (op !== '==') return (raw) => anyValue(raw, (one) => compare(op, one, value));
  return (raw) => anyValue(raw, (one) => one === value || sameValue(one, value));
}

function equalText(expr: Expr): string | undefined {
  if (expr.kind !== 'compare' || expr.op !== '==') return undefined;
  const literal = expr.left.kind === 'literal' ? expr.left : expr.right;
  const other = literal === expr.left ? expr.right : expr.left;
  if (literal.kind !== 'literal' || other.kind !== 'field' || typeof literal.value !== 'string')
    return undefined;
  return literal.value;
}

function literalValues(exprs: readonly Expr[]): readonly Value[] | undefined {
  if (!exprs.every((one): one is Literal => one.kind === 'literal')) return undefined;
  return exprs.map((one) => one.value).filter((value) => value !== null);
}

function inTest({ value, items, insensitive }: In): FieldTest | undefined {
  const values = literalValues(items);
  if (value.kind !== 'field' || values === undefined) return undefined;
  if (insensitive) {
    const texts = new Set(values.map((one) => foldText(String(one))));
    return (_, folded) => anyValue(folded(), (one) => texts.has(one as string));
  }
  const texts = new Set(values.filter((one) => typeof one === 'string'));
  // A text that spells a number equals other spellings of it.
  const others = values.filter((one) => numberOf(one) !== undefined || typeof one === 'boolean');
  const loose = (one: Value) => others.some((other) => sameValue(one, other));
  return (raw) =>
    anyValue(raw, (one) =>
      typeof one === 'string' ? texts.has(one) || (others.length > 0 && loose(one)) : loose(one),
    );
}

function likeLiterals({ op, value, patterns }: Like): FieldTest | undefined {
  const values = literalValues(patterns);
  if (value.kind !== 'field' || values === undefined) return undefined;
  const insensitive = op !== 'like';
  const texts = values.map((one) => (insensitive ? foldText(String(one)) : String(one)));
  const exact = new Set(texts.filter((text) => !hasWildcard(text)));
  const wild = texts.filter(hasWildcard).map(eqlPattern);
  return insensitive ? foldedTest(exact, wild) : plainTest(exact, wild);
}

function plainTest(exact: ReadonlySet<string>, wild: readonly Pattern[]): FieldTest {
  const tests = wild.map(patternTest);
  return (raw) =>
    anyValue(raw, (one) => {
      const text = String(one);
      return exact.has(text) || tests.some((test) => test(text));
    });
}

const ascii = /^[\u0000-\u007f]+$/;

/**
 * Patterns that are folded already. Those that begin with plain ASCII are first compared at the beginning of the text as
 * it is: nearly every path fails there, and folding it would cost more than that.
 */
function foldedTest(exact: ReadonlySet<string>, wild: readonly Pattern[]): FieldTest {
  const rooted: { readonly prefix: string; readonly test: TextTest }[] = [];
  const floating: TextTest[] = [];
  for (const pattern of wild) {
    const prefix = pattern.parts[0]?.text ?? '';
    if (ascii.test(prefix)) rooted.push({ prefix, test: patternTest(pattern) });
    else floating.push(patternTest(pattern));
  }
  const wantsFolded = exact.size > 0 || floating.length > 0;
  const single = exact.size === 1 ? [...exact][0] : undefined;
  const ofFolded = (one: Value) =>
    (single === undefined ? exact.has(one as string) : one === single) ||
    floating.some((test) => test(one as string));
  const ofRaw = (one: Value) => {
    const text = String(one);
    for (const { prefix, test } of rooted)
      if (startsFolded(text, prefix) && test(foldText(text))) return true;
    return false;
  };
  return (raw, folded) =>
    (rooted.length > 0 && anyValue(raw, ofRaw)) || (wantsFolded && anyValue(folded(), ofFolded));
}

/** `prefix` is ASCII in lower case. */
function startsFolded(text: string, prefix: string): boolean {
  if (text.length < prefix.length) return false;
  for (let at = 0; at < prefix.length; at++) {
    const found = text.charCodeAt(at);
    const wanted = prefix.charCodeAt(at);
    if (found === wanted || (found < 0x80 && (found | 0x20) === wanted && wanted >= 0x61 && wanted <= 0x7a))
      continue;
    if (found < 0x80 || foldText(text.charAt(at)).charCodeAt(0) !== wanted) return false;
  }
  return true;
}

function regexTest({ value, patterns, insensitive }: Regex): FieldTest | undefined {
  const values = literalValues(patterns);
  if (value.kind !== 'field' || values === undefined) return undefined;
  const tests = values.map((pattern) => compileRegex(String(pattern), insensitive));
  return (raw) => anyValue(raw, (one) => tests.some((test) => test(String(one))));
}

function callTest({ name, args, insensitive }: Call): FieldTest | undefined {
  const [first, ...rest] = args;
  const values = literalValues(rest);
  const found = functionNamed(name);
  if (first?.kind !== 'field' || values?.length !== rest.length || found === undefined) return undefined;
  const [wanted] = values;
  if (values.length === 1 && typeof wanted === 'string') {
    const pattern = asPattern(found.name, insensitive ? foldText(wanted) : wanted);
    if (pattern === 'never') return () => false;
    if (pattern !== undefined) {
      return insensitive ? foldedTest(new Set(), [pattern]) : plainTest(new Set(), [pattern]);
    }
  }
  const test = found.prepare?.(values, insensitive);
  return test === undefined ? undefined : (raw) => anyValue(raw, test);
}

function asPattern(name: string, text: string): Pattern | 'never' | undefined {
  if (name === 'startsWith') return textPattern([text, '']);
  if (name === 'endsWith') return textPattern(['', text]);
  if (name === 'stringContains') return text === '' ? 'never' : textPattern(['', text, '']);
  return undefined;
}
