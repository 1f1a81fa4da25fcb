/** A point in time: whole microseconds since 1970-01-01T00:00:00Z (a safe integer until the year 2255). */
export type Micros = number;

// What a Date can hold, ECMA-262.
const maxMillis = 8.64e15;

/**
 * `2026-11-22T05:40:13.290123Z`; `nanos` (0 to 999) adds three digits when it is not zero. A time beyond what a Date can
 * hold is written as the last one that it can, so that no message with an impossible time ends in an exception.
 */
export function formatMicros(time: Micros, nanos = 0): string {
  const second = Math.floor(time / 1e6);
  if (second !== lastSecond) {
    if (!(Math.abs(second * 1000) < maxMillis))
      return new Date(second < 0 ? -maxMillis : maxMillis).toISOString();
    lastSecond = second;
    lastText = new Date(second * 1000).toISOString().slice(0, -4);
  }
  const rest = 1e6 + Math.floor(time - second * 1e6);
  const tail = nanos === 0 ? 'Z' : `${String(nanos).padStart(3, '0')}Z`;
  return lastText + String(rest).slice(1) + tail;
}

// Nearly all times that are written are of the second before.
let lastSecond = Number.NaN;
let lastText = '';

/** As formatMicros, of nanoseconds since 1970. */
export function nanosText(nanos: bigint): string {
  const rest = ((nanos % 1_000n) + 1_000n) % 1_000n;
  return formatMicros(Number((nanos - rest) / 1_000n), Number(rest));
}

const iso = /^(\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d{1,9})\d*)?(Z|[+-]\d\d:?\d\d)?$/;

/**
 * Reads an ISO 8601 date-time (no zone means UTC) or a number of milliseconds since 1970 (Elasticsearch's
 * `strict_date_optional_time||epoch_millis`). Undefined when it is neither.
 */
export function parseTime(value: unknown): { time: Micros; nanos: number } | undefined {
  if (typeof value === 'number') {
    return Number.isFinite(value) && Math.abs(value) < 8.64e15
      ? { time: Math.floor(value * 1000), nanos: 0 }
      : undefined;
  }
  if (typeof value !== 'string' || value.length > 40) return undefined;
  // The form that nearly every event has is read without a regular expression: replay parses one per event.
  if (value.length === 24 && value.charCodeAt(23) === 90) {
    const millis = Date.parse(value);
    if (!Number.isNaN(millis)) return { time: millis * 1000, nanos: 0 };
  }
  const match = iso.exec(value);
  if (match === null) return /^\d{10,14}$/.test(value) ? parseTime(Number(value)) : undefined;
  const seconds = Date.parse(`${match[1]}${match[3] ?? 'Z'}`);
  if (Number.isNaN(seconds)) return undefined;
  const fraction = (match[2] ?? '').padEnd(9, '0');
  return { time: seconds * 1000 + Number(fraction.slice(0, 6)), nanos: Number(fraction.slice(6)) };
}

const unitMicros: Record<string, number> = {
  us: 1,
  micros: 1,
  ms: 1e3,
  s: 1e6,
  sec: 1e6,
  m: 6e7,
  min: 6e7,
  h: 3.6e9,
  hour: 3.6e9,
  d: 8.64e10,
  day: 8.64e10,
  w: 6.048e11,
};

/** Reads `90s`, `2h`, `1.5d`, `500ms` as microseconds. Undefined when it is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,6})?)\s*([a-z]{1,6})$/.exec(text.trim());
  const unit = match === null ? undefined : unitMicros[match[2]!];
  return match === null || unit === undefined ? undefined : Math.round(Number(match[1]) * unit);
}

/** `1m`, `90s`, `1h 30m`, `250ms`: the largest two units. */
export function formatDuration(micros: number): string {
  if (micros < 1000) return `${micros}us`;
  if (micros < 1e6) return `${Math.round(micros / 1000)}ms`;
  const parts: string[] = [];
  let rest = Math.round(micros / 1e6);
  for (const [name, size] of [
    ['d', 86400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0 && parts.length < 2) parts.push(`${count}${name}`);
  }
  return parts.join(' ');
}
