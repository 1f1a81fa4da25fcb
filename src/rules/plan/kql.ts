import type { Expr, KqlExists, KqlField, KqlIs, KqlNested, KqlRange } from '../ast.js';
import { inBlock, parseAddress, parseBlock } from './cidr.js';
import { compare } from './evaluate.js';
import { patternTest, textPattern } from './like.js';
import type { FieldTest, Predicate } from './predicate.js';
import { eachLeaf, fieldReader } from './read.js';
import { anyValue, hasValue, numberOf, type Value } from './values.js';

/** Tests one value: KQL has no more. */
type ValueTest = (value: Value) => boolean;

/** Compiles a KQL node that is no `and`, `or`, `not`; `nested` compiles the condition inside `field: { ... }`. */
export function kqlPredicate(
  expr: KqlIs | KqlExists | KqlRange | KqlNested,
  nested: (condition: Expr) => (doc: unknown) => boolean,
): Predicate {
  if (expr.kind === 'kql-nested') return nestedPredicate(expr, nested(expr.condition));
  if (expr.kind === 'kql-exists') {
    return onField(expr.field, { raw: (raw) => hasValue(raw), value: () => true });
  }
  const value = expr.kind === 'kql-is' ? isTest(expr.value) : rangeTest(expr);
  const text =
    expr.kind === 'kql-is' && expr.value.kind === 'exact' && parseBlock(expr.value.text) === undefined
      ? expr.value.text
      : undefined;
  return onField(expr.field, { raw: (raw) => anyValue(raw, value), value, text });
}

interface FieldTests {
  readonly raw: FieldTest;
  readonly value: ValueTest;
  readonly text?: string | undefined;
}

/** Of a field by name, of all fields whose names match, or of every field. */
function onField(field: KqlField | null, { raw, value, text }: FieldTests): Predicate {
  if (field !== null && !field.wildcard) {
    const parts = field.name.split('.');
    return { kind: 'field', parts, test: raw, ...(text === undefined ? {} : { text }) };
  }
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
  const number = numberOf(text);
  const block = parseBlock(text);
  return (one) => {
    if (one === text || String(one) === text) return true;
    if (typeof one === 'number') return one === number;
    if (block === undefined || typeof one !== 'string') return false;
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
