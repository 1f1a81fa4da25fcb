import { type FieldType, lookupField } from '../../event/fields.js';
import type { Compare } from '../ast.js';
import { type Address, inBlock, parseAddress, parseBlock } from './cidr.js';
import { instantOf, looksLikeDate, parseDateLiteral } from './dates.js';
import { compareNumbers, compareText, compareValues, numberOf, sameValue, type Value } from './values.js';

/**
 * Comparisons by the type of the field, as its mapping makes them: dates are moments, addresses are addresses, numbers
 * are numbers however they are written.
 */
export type Order = Compare['op'];

/** Tests a value of the field. */
export type ValueTest = (value: Value) => boolean;

/** What `now` is, milliseconds: set before each event that is judged by a comparison that counts from it. */
export interface Now {
  millis: number;
  /** Set once something was compiled that counts from it. */
  used: boolean;
}

/** As FieldType; undefined for a field that nobody knows. */
export type KnownType = FieldType | undefined;

export const knownTypes: readonly KnownType[] = [
  'keyword',
  'long',
  'boolean',
  'date',
  'ip',
  'text',
  undefined,
];

/** The type of a field by its dotted name. */
export function typeOfField(name: string): KnownType {
  return lookupField(name)?.type;
}

/**
 * True when a value may equal the literal without being the same text, so that an index of texts would miss it: dates
 * in other spellings, addresses in a block, numbers.
 */
export function equalsOtherTexts(name: string, literal: string): boolean {
  const type = typeOfField(name);
  if (type === undefined) return looksLikeDate(literal);
  return type === 'date' || type === 'ip' || type === 'long';
}

/** A comparison with a literal that the type of the field decides; undefined when the values alone decide it. */
export function typedTest(
  op: Order,
  literal: Value,
  { type, now }: { readonly type: KnownType; readonly now: Now },
): ValueTest | undefined {
  if (type === 'date') return dateTest(op, literal, now) ?? (() => op === '!=');
  if (type === 'ip') return addressTest(op, literal);
  if (type === 'long') return numberTest(op, literal);
  if (type !== undefined || !looksLikeDate(literal)) return undefined;
  // A field of unknown type: what is a date on both sides is compared as such (Elasticsearch's date detection).
  const date = dateTest(op, literal, now);
  if (date === undefined) return undefined;
  return (value) =>
    looksLikeDate(value) && instantOf(value) !== undefined ? date(value) : compare(op, value, literal);
}

/** A comparison of two values that are there, by themselves. */
export function compare(op: Order, a: Value, b: Value): boolean {
  if (op === '==') return sameValue(a, b);
  if (op === '!=') return !sameValue(a, b);
  return ordered(op, compareValues(a, b));
}

/** A comparison of the values of two fields, of which one has this type. */
export function compareByType(op: Order, type: KnownType, [a, b]: readonly [Value, Value]): boolean {
  if (type === 'date') {
    const [left, right] = [instantOf(a), instantOf(b)];
    if (left !== undefined && right !== undefined) return byOrder(op, left - right);
  } else if (type === 'ip') {
    const [left, right] = [parseAddress(String(a)), parseAddress(String(b))];
    if (left !== undefined && right !== undefined) return byOrder(op, compareAddresses(left, right));
  }
  return compare(op, a, b);
}

/** A KQL range, whose literal is text: numeric where a number is meant, also beside the text of a number. */
export function rangeTest(op: Order, literal: string, type: KnownType): ValueTest {
  if (type === 'keyword' || type === 'text') return (one) => ordered(op, compareText(String(one), literal));
  const number = numberOf(literal);
  if (number === undefined) return (one) => compare(op, one, literal);
  return (one) => {
    const other = numberOf(one);
    return other === undefined ? compare(op, one, literal) : ordered(op, compareNumbers(other, number));
  };
}

function ordered(op: Order, order: number | undefined): boolean {
  return order !== undefined && byOrder(op, order);
}

function byOrder(op: Order, order: number): boolean {
  switch (op) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

/** What is left open in the literal is rounded: `>` and `<=` to its last millisecond, `<` and `>=` to its first. */
function dateTest(op: Order, literal: Value, now: Now): ValueTest | undefined {
  const date = parseDateLiteral(literal);
  if (date === undefined) return undefined;
  if (date.relative) now.used = true;
  return (value) => {
    const instant = instantOf(value);
    if (instant === undefined) return false;
    switch (op) {
      case '==':
        return instant >= date.first(now.millis) && instant <= date.last(now.millis);
      case '!=':
        return !(instant >= date.first(now.millis) && instant <= date.last(now.millis));
      case '<':
        return instant < date.first(now.millis);
      case '<=':
        return instant <= date.last(now.millis);
      case '>':
        return instant > date.last(now.millis);
      case '>=':
        return instant >= date.first(now.millis);
    }
  };
}

/** Equality with an address or with any address of a block; order by the bytes of addresses. */
function addressTest(op: Order, literal: Value): ValueTest {
  const block = parseBlock(String(literal));
  if (block === undefined) return (value) => compare(op, value, literal);
  const equality = op === '==' || op === '!=';
  return (value) => {
    const address = parseAddress(String(value));
    if (address === undefined) return compare(op, value, literal);
    if (equality) return inBlock(address, block) === (op === '==');
    return block.bits === 128 && byOrder(op, compareAddresses(address, block.address));
  };
}

function compareAddresses(a: Address, b: Address): number {
  for (let index = 0; index < 8; index++) {
    const order = (a[index] as number) - (b[index] as number);
    if (order !== 0) return order;
  }
  return 0;
}

function numberTest(op: Order, literal: Value): ValueTest | undefined {
  const number = numberOf(literal);
  if (number === undefined) return undefined;
  return (value) => {
    const other = numberOf(value);
    return other === undefined ? op === '!=' : byOrder(op, compareNumbers(other, number));
  };
}
