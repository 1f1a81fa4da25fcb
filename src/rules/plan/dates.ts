import type { Value } from './values.js';

/**
 * Dates as Elasticsearch's type `date` reads and compares them (`strict_date_optional_time||epoch_millis`): whole
 * milliseconds, no zone means UTC, and what a literal leaves open is rounded: a day is all of its milliseconds.
 */
export interface DateLiteral {
  /** True when it counts from `now`. */
  readonly relative: boolean;
  /** The first and the last millisecond that it stands for; NaN beyond what a date can hold. `now`: milliseconds. */
  first(now: number): number;
  last(now: number): number;
}

// Longer than any date with a sensible amount of date math behind it.
const maxLength = 128;
const iso =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(?:(\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?(Z|[+-]\d\d(?::?\d\d)?)?)?)?)?)?$/;
const epochMillis = /^-?\d{1,16}(?:\.\d{1,6})?$/;
const maxMillis = 8.64e15;
const minute = 60_000;

interface Span {
  readonly first: number;
  readonly last: number;
}

/** The moment that a value of a document is, milliseconds since 1970; undefined when it is no date. */
export function instantOf(value: Value): number | undefined {
  return typeof value === 'boolean' ? undefined : spanOf(String(value))?.first;
}

/** Undefined for a text that is no date, neither as such nor as date math (`now-1h`, `2026-11-22||/d`). */
export function parseDateLiteral(value: Value): DateLiteral | undefined {
  if (typeof value === 'boolean') return undefined;
  const text = String(value);
  if (text.length > maxLength) return undefined;
  if (text.startsWith('now')) return dateMath(undefined, text.slice(3));
  const bars = text.indexOf('||');
  if (bars >= 0) {
    const anchor = spanOf(text.slice(0, bars));
    return anchor && dateMath(anchor.first, text.slice(bars + 2));
  }
  const span = spanOf(text);
  return span && { relative: false, first: () => span.first, last: () => span.last };
}

/** True for a text that says a day at least: what a field of unknown type would be mapped as a date for. */
export function looksLikeDate(value: Value): boolean {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\d|^now[-+/]/.test(value);
}

function spanOf(text: string): Span | undefined {
  if (text.length > maxLength) return undefined;
  const match = iso.exec(text);
  if (match !== null) return isoSpan(match);
  if (!epochMillis.test(text)) return undefined;
  const millis = Math.floor(Number(text));
  return Math.abs(millis) <= maxMillis ? { first: millis, last: millis } : undefined;
}

function isoSpan(match: RegExpExecArray): Span | undefined {
  const [, year, month, day, hour, minutes, seconds, fraction, zone] = match;
  const start = Date.UTC(
    2000,
    Number(month ?? 1) - 1,
    Number(day ?? 1),
    Number(hour ?? 0),
    Number(minutes ?? 0),
  );
  // Date.UTC takes a year below 100 for one of the last century.
  const date = new Date(start + Number(seconds ?? 0) * 1000);
  date.setUTCFullYear(Number(year), Number(month ?? 1) - 1, Number(day ?? 1));
  const fits =
    (month === undefined || date.getUTCMonth() === Number(month) - 1) &&
    (day === undefined || date.getUTCDate() === Number(day)) &&
    Number(hour ?? 0) < 24 &&
    Number(minutes ?? 0) < 60 &&
    Number(seconds ?? 0) < 60;
  const offset = offsetOf(zone);
  if (!fits || offset === undefined) return undefined;
  const whole = date.getTime();
  const millis = fraction === undefined ? 0 : Number(fraction.padEnd(3, '0').slice(0, 3));
  const first = whole + millis - offset;
  if (fraction !== undefined) return { first, last: first };
  const unit = unitOf({ month, day, hour, minutes, seconds });
  return { first, last: add(whole, 1, unit) - 1 - offset };
}

function unitOf(given: Record<'month' | 'day' | 'hour' | 'minutes' | 'seconds', string | undefined>): Unit {
  if (given.seconds !== undefined) return 's';
  if (given.minutes !== undefined) return 'm';
  if (given.hour !== undefined) return 'h';
  if (given.day !== undefined) return 'd';
  return given.month === undefined ? 'y' : 'M';
}

function offsetOf(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(':', '') || 0)];
  if (hours > 18 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * minute;
}

type Unit = 'y' | 'M' | 'w' | 'd' | 'h' | 'm' | 's';

interface Step {
  readonly kind: 'add' | 'round';
  readonly count: number;
  readonly unit: Unit;
}

/** `+1h`, `-2d`, `/d` one after the other; `anchor` undefined stands for now. */
function dateMath(anchor: number | undefined, text: string): DateLiteral | undefined {
  const steps: Step[] = [];
  const step = /([-+/])(\d{0,9})([yMwdhHms])/y;
  for (let at = 0; at < text.length; at = step.lastIndex) {
    step.lastIndex = at;
    const match = step.exec(text);
    if (match === null) return undefined;
    const [, sign, digits, letter] = match;
    const count = digits === '' ? 1 : Number(digits);
    // Rounding takes one unit alone.
    if (sign === '/' && count !== 1) return undefined;
    const unit = (letter === 'H' ? 'h' : letter) as Unit;
    steps.push({ kind: sign === '/' ? 'round' : 'add', count: sign === '-' ? -count : count, unit });
  }
  const compute = (now: number, up: boolean): number => {
    let millis = anchor ?? now;
    for (const { kind, count, unit } of steps) {
      if (kind === 'add') millis = add(millis, count, unit);
      else millis = up ? add(floor(millis, unit), 1, unit) - 1 : floor(millis, unit);
    }
    return millis;
  };
  return {
    relative: anchor === undefined,
    first: (now) => compute(now, false),
    last: (now) => compute(now, true),
  };
}

const fixed: Partial<Record<Unit, number>> = {
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: minute,
  s: 1000,
};

function add(millis: number, count: number, unit: Unit): number {
  const length = fixed[unit];
  if (length !== undefined) return inRange(millis + count * length);
  const date = new Date(millis);
  const months = date.getUTCMonth() + count * (unit === 'y' ? 12 : 1);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(months);
  // A month has no 31st: its last day then, as in Java.
  const last = new Date(date.getTime());
  last.setUTCMonth(last.getUTCMonth() + 1, 0);
  date.setUTCDate(Math.min(day, last.getUTCDate()));
  return date.getTime();
}

function inRange(millis: number): number {
  return Math.abs(millis) <= maxMillis ? millis : Number.NaN;
}

// 1970 began on a Thursday; weeks begin on Mondays.
const firstMonday = -3 * 86_400_000;

function floor(millis: number, unit: Unit): number {
  if (unit === 'y' || unit === 'M') {
    const date = new Date(millis);
    date.setUTCHours(0, 0, 0, 0);
    if (unit === 'y') date.setUTCMonth(0, 1);
    else date.setUTCDate(1);
    return date.getTime();
  }
  const length = fixed[unit] as number;
  const origin = unit === 'w' ? firstMonday : 0;
  return millis - ((((millis - origin) % length) + length) % length);
}
