import { exactInteger, type Oddities, type PlistValue } from './value.js';

/** Characters that are kept of a number or date that is none. */
const maxOdd = 200;

/** Texts of the scalar elements of an XML property list; one that is not what its element says stays a text. */
export function scalarOf(name: string, text: string, oddities: Oddities): PlistValue {
  switch (name) {
    case 'true':
    case 'false':
      if (/\S/.test(text)) oddities.note('plist-odd-value', `<${name}> with a content`);
      return name === 'true';
    case 'integer':
      return withinRange(integerOf(text), oddities) ?? odd(text, 'an integer that is none', oddities);
    case 'real':
      return realOf(text.trim().toLowerCase()) ?? odd(text, 'a real that is none', oddities);
    case 'date':
      return dateOf(text.trim()) ?? odd(text, 'a date that is none', oddities);
    case 'data':
      if (/[^A-Za-z0-9+/=\s\0]/.test(text))
        oddities.note('plist-odd-value', 'data with other characters than base64');
      return dataOf(text);
  }
  return text;
}

function odd(text: string, detail: string, oddities: Oddities): string {
  oddities.note('plist-odd-value', detail);
  return text.trim().slice(0, maxOdd);
}

/** As CFPropertyList.c takes it: blanks may stand before and after the sign. */
function integerOf(text: string): number | bigint | undefined {
  const match = /^\s*([+-]?)\s*(0[xX][0-9a-fA-F]{1,32}|\d{1,400})\s*$/.exec(text.slice(0, 1_000));
  if (match === null || text.length > 1_000) return undefined;
  const value = BigInt(match[2] as string);
  return exactInteger(match[1] === '-' ? -value : value);
}

function withinRange<T extends number | bigint | undefined>(value: T, oddities: Oddities): T {
  if (typeof value === 'bigint' && (value >= 2n ** 64n || value < -(2n ** 63n)))
    oddities.note('plist-odd-value', 'an integer beyond 64 bits');
  return value;
}

function realOf(text: string): number | undefined {
  if (text === 'nan') return Number.NaN;
  const infinite = /^([+-]?)inf(?:inity)?$/.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /^[+-]?(?:\d{1,400}\.?\d{0,400}|\.\d{1,400})(?:e[+-]?\d{1,5})?$/.test(text)
    ? Number(text)
    : undefined;
}

/** Years of any number of digits, also before our era; undefined beyond JavaScript's calendar. */
function dateOf(text: string): Date | undefined {
  const match = /^(-?\d{1,9})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const date = new Date(0);
  // Date.UTC takes years below 100 for those of the 20th century.
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** CFPropertyList.c passes over whatever is no base64. */
function dataOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replace(/[^A-Za-z0-9+/=]+/g, ''), 'base64'));
}
