import type { Expr, KqlExists, KqlField, KqlIs, KqlNested, KqlRange } from '../ast.js';
import { inBlock, parseAddress, parseBlock } from './cidr.js';
import { compare } from './evaluate.js';
import { patternTest, textPattern } from './like.js';
import { fieldPredicate, type Predicate, quickTest, type Test } from './predicate.js';
import { eachLeaf, fieldReader } from './read.js';
import { hasValue, sameValue, type Value } from './values.js';

/** Tests one value: KQL has no more. */
type ValueTest = (value: Value) => boolean;

/** Compiles a KQL node that is no `and`, `or`, `not`; `nested` compiles the condition inside `field: { ... }`. */
export function kqlPredicate(
  expr: KqlIs | KqlExists | KqlRange | KqlNested,
  nested: (condition: Expr) => (doc: unknown) => boolean,
): Predicate {
  if (expr.kind === 'kql-nested') return nestedPredicate(expr, nested(expr.condition));
  if (expr.kind === 'kql-exists') {
    return onField(expr.field, { test: (raw) => hasValue(raw) }, () => true);
  }
  const value = expr.kind === 'kql-is' ? isTest(expr.value) : rangeTest(expr);
  const equal =
    expr.kind === 'kql-is' && isPlainText(expr) && expr.value.kind === 'exact'
      ? { equal: expr.value.text }
      : {};
  return onField(expr.field, quickTest({ input: 'raw', one: value, ...equal }, value), value);
}

/** True for a field's name and an exact value that is no address: then `field:value` is EQL's `field == "value"`. */
export function isPlainText({ field, value }: KqlIs): boolean {
  if (field === null || field.wildcard || value.kind !== 'exact') return false;
  return parseBlock(value.text) === undefined;
}

/** Of a field by name, of all fields whose names match, or of every field. */
function onField(field: KqlField | null, test: Test, value: ValueTest): Predicate {
  if (field !== null && !field.wildcard) return fieldPredicate(field.name.split('.'), test);
  const named = field === null ? () => true : patternTest(textPattern(field.name.split('*')));
  return {
    kind: 'document',
    test: (doc) => eachLeaf(doc, (name, leaf) => named(name) && value(leaf as Value)),
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

function rangeTest({ op, value }: KqlRange): ValueTest {
  return (one) => compare(op, one, value);
}

/** One and the same object of an array satisfies the whole condition. */
function nestedPredicate({ field }: KqlNested, matches: (doc: unknown) => boolean): Predicate {
  const read = fieldReader(field.name.split('.'));
  const anyObject = (node: unknown, depth: number): boolean => {
    if (Array.isArray(node)) return depth < 32 && node.some((item) => anyObject(item, depth + 1));
    return typeof node === 'object' && node !== null && matches(node);
  };
  return { kind: 'document', test: (doc) => anyObject(read(doc), 0) };
}
