import { UserError } from '../base/errors.js';
import { quote } from '../base/escape.js';
import { didYouMean } from '../base/nearest.js';
import { formatDuration, type Micros, parseDuration, parseTime } from '../base/time.js';

function bad(option: string, written: string, expected: string, hint?: string): UserError {
  return new UserError('cli/invalid-value', `${option} is ${quote(written, 100)}; expected ${expected}`, {
    ...(hint === undefined ? {} : { hint }),
  });
}

/** A point in time that may be relative: the number of microseconds since 1970 once it is known what time it is. */
export type TimePoint = (now: Micros) => Micros;

/** Reads `2h` (that long ago) or an ISO 8601 time. */
export function timePoint(option: string): (text: string) => TimePoint {
  return (text) => {
    const ago = parseDuration(text);
    if (ago !== undefined) return (now) => now - ago;
    const point = parseTime(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);
    if (point !== undefined) return () => point.time;
    throw bad(option, text, 'a time ago such as 2h, or a time such as 2026-01-31T12:00:00Z');
  };
}

/** The stretch of time between two options. Throws a UserError when it ends before it begins. */
export function timeRange(
  { since, until }: { readonly since?: TimePoint | undefined; readonly until?: TimePoint | undefined },
  now: Micros,
): { readonly since?: Micros; readonly until?: Micros } {
  const from = since?.(now);
  const to = until?.(now);
  if (from !== undefined && to !== undefined && from >= to)
    throw new UserError('cli/invalid-value', '--until is not later than --since: nothing lies between', {
      hint: 'Times without a date count back from now: --since 2d --until 1d.',
    });
  return { ...(from === undefined ? {} : { since: from }), ...(to === undefined ? {} : { until: to }) };
}

/** A file or folder as it was written. Empty is what a shell leaves of an unset variable, never the working folder. */
export function filePath(option: string): (text: string) => string {
  return (text) => {
    if (text !== '') return text;
    throw bad(option, text, 'a path', 'Is a variable of the shell not set?');
  };
}

export function oneOf<const T extends string>(option: string, known: readonly T[]): (text: string) => T {
  return (text) => {
    const found = known.find((word) => word === text);
    if (found !== undefined) return found;
    throw bad(option, text, known.join(', '), didYouMean(text, known));
  };
}

export function wholeNumber(option: string, least: number, most = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw bad(option, text, `a whole number of at least ${least}`);
  };
}

/** `3m 10s ago`; `just now` within a second. */
export function ago(time: Micros, now: Micros): string {
  const past = now - time;
  if (Math.abs(past) < 1e6) return 'just now';
  return past > 0 ? `${formatDuration(past)} ago` : `in ${formatDuration(-past)}`;
}
