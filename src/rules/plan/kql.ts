import type { Expr, KqlExists, KqlField, KqlIs, KqlNested, KqlRange } from '../ast.js';
import { inBlock, parseAddress, parseBlock } from './cidr.js';
import { patternTest, textPattern } from './like.js';
import { fieldPredicate, type NowOf, type Predicate, quickTest, timed } from './predicate.js';
import { eachLeaf, fieldReader } from './read.js';
import {
  equalsOtherTexts,
  type KnownType,
  knownTypes,
  type Now,
  rangeTest,
  typedTest,
  typeOfField,
  type ValueTest,
} from './typed.js';
import { hasValue, sameValue, type Value } from './values.js';

/** What a node needs that stands inside others. */
export interface KqlContext {
  /** Compiles the condition inside `field: { ... }`. */
  nested(condition: Expr, inside: Omit<KqlContext, 'nested'>): (doc: unknown) => boolean;
  readonly nowOf: NowOf;
  /** What stands before the names: the field of the braces with a dot at its end, or nothing. */
  readonly prefix: string;
}

/** Compiles a KQL node that is no `and`, `or`, `not`. */
export function kqlPredicate(expr: KqlIs | KqlExists | KqlRange | KqlNested, context: KqlContext): Predicate {
  if (expr.kind === 'kql-nested') return nestedPredicate(expr, context);
  const { field } = expr;
  if (expr.kind === 'kql-exists') {
    if (field === null || field.wildcard) return onFields(field, () => () => true);
    return fieldPredicate(field.name.split('.'), { test: (raw) => hasValue(raw) });
  }
  const { nowOf, prefix } = context;
  const now: Now = { millis: 0, used: false };
  if (field === null || field.wildcard) {
    const { kind, test } = onFields(field, testsByType(expr, now));
    const judge = (doc: unknown): boolean => {
      now.millis = nowOf(doc);
      return test(doc);
    };
    return { kind, test: now.used ? judge : test };
  }
  const value = valueTest(expr, typeOfField(prefix + field.name), now);
  const equal =
    expr.kind === 'kql-is' && isPlainText(expr, prefix) && expr.value.kind === 'exact'
      ? { equal: expr.value.text }
      : {};
  const test = quickTest({ input: 'raw', one: value, ...equal }, value);
  return timed(fieldPredicate(field.name.split('.'), test), now, nowOf);
}

/** The test of a value by the type of the field that holds it. */
function valueTest(expr: KqlIs | KqlRange, type: KnownType, now: Now): ValueTest {
  if (expr.kind === 'kql-range') {
    return typedTest(expr.op, expr.value, { type, now }) ?? rangeTest(expr.op, expr.value, type);
  }
  const { value } = expr;
  const typed = value.kind === 'exact' ? typedTest('==', value.text, { type, now }) : undefined;
  return typed ?? isTest(value);
}

/** Of a field by its name. What is the same text for every type is not asked for by type. */
function testsByType(expr: KqlIs | KqlRange, now: Now): (name: string) => ValueTest {
  if (expr.kind === 'kql-is' && (expr.value.kind === 'pattern' || /^[a-z]*$/i.test(expr.value.text))) {
    const test = isTest(expr.value);
    return () => test;
  }
  const tests = new Map(knownTypes.map((type) => [type, valueTest(expr, type, now)]));
  return (name) => tests.get(typeOfField(name)) as ValueTest;
}

/** True for a field's name and an exact value that is nothing but text: then `field:value` is EQL's `field == "value"`. */
export function isPlainText({ field, value }: KqlIs, prefix = ''): boolean {
  if (field === null || field.wildcard || value.kind !== 'exact') return false;
  return parseBlock(value.text) === undefined && !equalsOtherTexts(prefix + field.name, value.text);
}

/** Of all fields whose names match, or of every field. */
function onFields(
  field: KqlField | null,
  testOf: (name: string) => ValueTest,
): Extract<Predicate, { kind: 'document' }> {
  const named = field === null ? () => true : patternTest(textPattern(field.name.split('*')));
  return {
    kind: 'document',
    test: (doc) => eachLeaf(doc, (name, leaf) => named(name) && testOf(name)(leaf as Value)),
  };
}

/** Exact text, case-sensitive; numbers and booleans match quoted or not; an address matches its CIDR block. */
function isTest(value: KqlIs['value']): ValueTest {
  if (value.kind === 'pattern') {
    const matches = patternTest(textPattern(value.parts));
    return (one) => matches(String(one));
  }
  const { text } = value;
  const block = parseBlock(text);
  if (block === undefined) return (one) => sameValue(one, text);
  return (one) => {
    if (sameValue(one, text)) return true;
    if (typeof one !== 'string') return false;
    const address = parseAddress(one);
    return address !== undefined && inBlock(address, block);
  };
}

/** One and the same object of an array satisfies the whole condition. */
function nestedPredicate({ field, condition }: KqlNested, { nested, nowOf, prefix }: KqlContext): Predicate {
  const read = fieldReader(field.name.split('.'));
  let now = 0;
  const matches = nested(condition, { nowOf: () => now, prefix: `${prefix}${field.name}.` });
  const anyObject = (node: unknown, depth: number): boolean => {
    if (Array.isArray(node)) return depth < 32 && node.some((item) => anyObject(item, depth + 1));
    return typeof node === 'object' && node !== null && matches(node);
  };
  return {
    kind: 'document',
    test: (doc) => {
      now = nowOf(doc);
      return anyObject(read(doc), 0);
    },
  };
}
