import { numberOf } from '../plan/values.js';
import { type EqlFunction, textOf, wholeOf } from './function.js';

const literal = /^([+-]?)(0[xX])?([0-9a-zA-Z]{1,60})$/;

/** A text as a number of base 10, or of `base`; `0x` in front means 16. Null when it is none. */
export const number: EqlFunction = {
  name: 'number',
  nullable: (index) => index === 1,
  evaluate([source, base]) {
    if (typeof source === 'number' || typeof source === 'bigint') return source;
    const text = textOf(source)?.trim();
    if (text === undefined) return undefined;
    const [, sign, prefix, digits] = literal.exec(text) ?? [];
    const radix = base === undefined ? (prefix === undefined ? 10 : 16) : wholeOf(base);
    if (radix === undefined || radix < 2 || radix > 36) return undefined;
    if (radix === 10) return numberOf(text);
    if (digits === undefined || (prefix !== undefined && radix !== 16)) return undefined;
    const value = whole(digits, radix);
    return value !== undefined && sign === '-' ? -value : value;
  },
};

function whole(digits: string, radix: number): number | bigint | undefined {
  let value = 0n;
  for (const digit of digits) {
    const one = Number.parseInt(digit, radix);
    if (Number.isNaN(one)) return undefined;
    value = value * BigInt(radix) + BigInt(one);
  }
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}
