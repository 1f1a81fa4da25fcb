import { isValue } from './values.js';

// These two map to an ASCII letter in only one direction; Unicode's simple folding leaves them alone.
const dotlessI = 0x131;
const dottedCapitalI = 0x130;

/** The representative of a code point under Unicode simple case folding: one code point stays one. */
export function foldPoint(point: number): number {
  if (point < 0x80) return point >= 0x41 && point <= 0x5a ? point + 32 : point;
  if (point === dotlessI || point === dottedCapitalI) return point;
  const character = String.fromCodePoint(point);
  const upper = character.toUpperCase();
  const lower = (isOne(upper) ? upper : character).toLowerCase();
  return isOne(lower) ? (lower.codePointAt(0) as number) : point;
}

function isOne(text: string): boolean {
  return text.length === 1 || (text.length === 2 && (text.codePointAt(0) as number) > 0xffff);
}

const beyondAscii = /[^\u0000-\u007f]/;

/** Text for comparison without regard to case: each code point folded by itself (`ß` is not `ss`, `İ` stays). */
export function foldText(text: string): string {
  return beyondAscii.test(text) ? foldPoints(text) : text.toLowerCase();
}

function foldPoints(text: string): string {
  let folded = '';
  for (let at = 0; at < text.length; ) {
    const point = text.codePointAt(at) as number;
    folded += String.fromCodePoint(foldPoint(point));
    at += point > 0xffff ? 2 : 1;
  }
  return folded;
}

/** The values of a field with text folded, in the same shape; numbers and booleans as text. */
export function foldValue(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return foldText(value);
  if (isValue(value)) return String(value);
  if (!Array.isArray(value) || depth > 32) return undefined;
  return value.map((item) => foldValue(item, depth + 1));
}
