import { type Micros, parseTime } from '../../base/time.js';

/**
 * Numbers below these are seconds, milliseconds, microseconds; what is larger are nanoseconds. Each holds until the year 5138.
 * As seconds, numbers below `least` were before 2001: they are milliseconds, of examples that begin at 0.
 */
const lessThan = { least: 1e9, seconds: 1e11, millis: 1e14, micros: 1e17 } as const;

const [dash, blank] = [0x2d, 0x20] as const;

/**
 * The time that a captured document gives: ISO 8601 (also with a blank for the `T`), or a number since 1970 whose size tells
 * seconds from milliseconds, microseconds and nanoseconds. Undefined when it cannot be read.
 */
export function captureTime(value: unknown): { time: Micros; nanos: number } | undefined {
  // The form that nearly every event has is told by its first dash.
  if (typeof value === 'string' && value.charCodeAt(4) === dash && value.charCodeAt(10) !== blank)
    return parseTime(value);
  const one: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  if (typeof one === 'number') return ofNumber(one);
  if (typeof one !== 'string' || one.length > 40) return undefined;
  if (/^\d+(?:\.\d+)?$/.test(one)) return ofNumber(Number(one), one);
  return parseTime(one[10] === ' ' ? `${one.slice(0, 10)}T${one.slice(11)}` : one);
}

/** Whether a time is written as a number. */
export function isNumericTime(value: unknown): boolean {
  if (typeof value !== 'string') return typeof value === 'number';
  return value.charCodeAt(4) !== dash && /^\d+(?:\.\d+)?$/.test(value);
}

function ofNumber(number: number, digits?: string): { time: Micros; nanos: number } | undefined {
  if (!Number.isFinite(number) || number < 0) return undefined;
  if (number < lessThan.least) return { time: Math.floor(number * 1e3), nanos: 0 };
  if (number < lessThan.seconds) return { time: Math.round(number * 1e6), nanos: 0 };
  if (number < lessThan.millis) return { time: Math.round(number * 1e3), nanos: 0 };
  if (number < lessThan.micros) return { time: Math.floor(number), nanos: 0 };
  // More digits than a number holds.
  const exact = BigInt(digits?.replace(/\..*$/, '') ?? Math.floor(number));
  const time = Number(exact / 1000n);
  return Number.isSafeInteger(time) ? { time, nanos: Number(exact % 1000n) } : undefined;
}
