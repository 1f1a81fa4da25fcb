/**
 * A single value of an event or a literal. Undefined is EQL's null: a missing field, JSON null, `[]`, an object. A whole
 * number that a `number` cannot hold exactly is a bigint in a query and the text of its digits in an event.
 */
export type Value = string | number | bigint | boolean;

// A document nests arrays no deeper than a person would; what is below is not looked at.
const maxDepth = 32;

export function isValue(value: unknown): value is Value {
  return (
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean' ||
    typeof value === 'bigint'
  );
}

/** True when the test holds for a value or, of an array, for any of its values. */
export function anyValue(value: unknown, test: (value: Value) => boolean, depth = 0): boolean {
  if (typeof value !== 'object') return isValue(value) && test(value);
  if (!Array.isArray(value) || depth > maxDepth) return false;
  for (const item of value) if (anyValue(item, test, depth + 1)) return true;
  return false;
}

/** More values than any document that is read has room for. */
const allValues = 10_000_000;

/** All values of a field, arrays flattened, nulls and objects left out; at most `limit`. */
export function valuesOf(value: unknown, limit = allValues): Value[] {
  const found: Value[] = [];
  anyValue(value, (one) => found.push(one) >= limit);
  return found;
}

/** As valuesOf, each value once. */
export function distinctValues(value: unknown, limit: number): Value[] {
  if (isValue(value)) return [value];
  return [...new Set(valuesOf(value, limit))];
}

/** False for a missing field, null, `[]`, `[null]` and objects without any value. */
export function hasValue(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object') return isValue(value);
  if (value === null || depth > maxDepth) return false;
  for (const item of Array.isArray(value) ? value : Object.values(value))
    if (hasValue(item, depth + 1)) return true;
  return false;
}

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const whole = /^[+-]?\d+$/;

/**
 * The number that a text is, as a numeric mapping would read it: exact, so a bigint where a `number` would round.
 * Undefined for anything else, hexadecimal included.
 */
export function numberOf(value: Value): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (typeof value !== 'string' || value.length === 0 || value.length > 64) return undefined;
  if (!decimal.test(value)) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) || !whole.test(value) ? number : BigInt(value.replace(/^\+/, ''));
}

/** Below zero, zero or above; exact also for a bigint beside a number. */
export function compareNumbers(a: number | bigint, b: number | bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Equality as a mapping gives it: `0` equals `"0"`, `true` equals `"true"`; two strings are equal when identical. */
export function sameValue(a: Value, b: Value): boolean {
  if (typeof a === typeof b) return a === b;
  if (typeof a === 'boolean' || typeof b === 'boolean') {
    return (typeof a === 'string' || typeof b === 'string') && String(a) === String(b);
  }
  if (String(a) === String(b)) return true;
  const [left, right] = [numberOf(a), numberOf(b)];
  return left !== undefined && right !== undefined && compareNumbers(left, right) === 0;
}

/** Below zero, zero or above: order by code points, as Lucene compares UTF-8 (JavaScript's `<` goes by UTF-16 units). */
export function compareText(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left === right) continue;
    // Only where one is a surrogate the two orders differ: surrogates stand for what is above every single unit.
    const leftHigh = left >= 0xd800 && left <= 0xdfff;
    return leftHigh !== (right >= 0xd800 && right <= 0xdfff) ? (leftHigh ? 1 : -1) : left - right;
  }
  return a.length - b.length;
}

/** Order of two values; undefined when they cannot be ordered (text beside a number that it does not spell, booleans). */
export function compareValues(a: Value, b: Value): number | undefined {
  if (typeof a === 'boolean' || typeof b === 'boolean') return undefined;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  const left = numberOf(a);
  const right = numberOf(b);
  return left === undefined || right === undefined ? undefined : compareNumbers(left, right);
}
