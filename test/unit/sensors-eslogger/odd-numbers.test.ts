import { expect, test } from 'vitest';
import { RootMap } from '../../../src/base/root.js';
import { formatMicros, parseTime } from '../../../src/base/time.js';
import { EsloggerReader, readEsloggerLine } from '../../../src/sensors/eslogger/index.js';
import { closeLine, execLine } from '../../helpers/eslogger-lines.js';

const plist = '/Users/alice/Library/LaunchAgents/x.plist';
const texts = [
  ...['"2026-10-04T00:00:01.0001.5Z"', '"2026-10-04T00:00:01.0001e-005Z"', '"2026-10-04T00:00:01.000.0001Z"'],
  ...['"2026-10-04T00:00:01.000   Z"', '"2026-13-45T99:99:99.000000Z"', '"+275760-09-13T00:00:00.001Z"'],
  ...[
    '"999999-12-31T23:59:59.999999999Z"',
    '"0000-00-00T00:00:00Z"',
    '"9999-12-31T23:59:60.000000Z"',
    '"1e-5"',
  ],
];
const numbers = [
  ...[
    '0.00001',
    '-0.5',
    '1e300',
    '-1e300',
    '1e400',
    '8.64e15',
    '8.639999999999999e15',
    '-8.639999999999999e15',
  ],
  ...['9e15', '9007199254740993', '18446744073709551616', '-1', 'null', 'true', '[]', '{}'],
];

/** A line with one of its numbers or times replaced, for each of them. */
function variants(line: string): string[] {
  const found = [...line.matchAll(/([:[,])\s*(-?\d+(?:\.\d+)?|"\d{4}-\d\d-\d\dT[^"]*")(?=\s*[,}\]])/g)];
  return found.flatMap((match) => {
    const start = match.index + (match[1] as string).length;
    const rest = line.slice(start).replace(/^\s*(?:-?\d+(?:\.\d+)?|"[^"]*")/, '');
    return [...texts, ...numbers].map((odd) => line.slice(0, start) + odd + rest);
  });
}

test('a message with a number or time that nobody can use is read without it, or skipped and counted', () => {
  const reader = new EsloggerReader({ root: new RootMap(), boot: 'boot' });
  const lines = [closeLine(plist), execLine(['launchctl', 'load', plist])].flatMap(variants);
  for (const line of lines) {
    const read = readEsloggerLine(line);
    if (read.ok) {
      expect(Number.isInteger(read.message.time) && Number.isInteger(read.message.nanos), line).toBe(true);
      expect(() => formatMicros(read.message.time, read.message.nanos)).not.toThrow();
    }
    for (const { event } of reader.read(line)) expect(Number.isInteger(event.time)).toBe(true);
  }
  const { lines: all, observed, malformed, unknown_event, unchanged, denied, oversized } = reader.counters;
  expect(all).toBe(lines.length);
  expect(malformed).toBeGreaterThan(0);
  expect(observed + malformed + unknown_event + unchanged + denied + oversized).toBeGreaterThanOrEqual(
    all / 2,
  );
});

test('every time can be written, also one that no calendar has', () => {
  for (const value of [
    1e-5,
    8.64e15 - 1,
    -8.64e15 + 1,
    0.1,
    1_795_338_000_000.5,
    '9999-12-31T23:59:59.999999999Z',
  ]) {
    const { time, nanos } = parseTime(value) as { time: number; nanos: number };
    expect(() => BigInt(time) * 1000n + BigInt(nanos)).not.toThrow();
    expect(formatMicros(time, nanos)).toMatch(/^[-+]?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
  }
  for (const time of [1e19, -1e19, Number.MAX_VALUE, Number.POSITIVE_INFINITY, Number.NaN, 0.5])
    expect(formatMicros(time)).toMatch(/^[-+]?\d{4,6}-\d\d-\d\dT/);
});
