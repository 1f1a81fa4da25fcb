import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { captureEvent, maxLineBytes, readLines, sortedEvents } from '../../../src/sensors/capture/index.js';
import { fc } from '../../helpers/property.js';
import { tempFolder } from '../../helpers/run-cli.js';

function fileOf(text: string | Uint8Array): string {
  const file = path.join(tempFolder(), 'capture.ndjson');
  writeFileSync(file, text);
  return file;
}

describe('an event of a line', () => {
  test('time, nanoseconds, sequence and id come from the document, nested or dotted', () => {
    const nested = captureEvent(
      '{"@timestamp":"2026-11-22T05:40:13.123456789Z","event":{"id":"a","sequence":7}}',
      3,
    );
    expect(nested).toMatchObject({ id: 'a', nanos: 789, sequence: 7, line: 3 });
    expect(nested?.time).toBe(Date.UTC(2026, 10, 22, 5, 40, 13) * 1000 + 123_456);
    expect(captureEvent('{"event.id":"b","event.sequence":1}', 0)).toMatchObject({ id: 'b', sequence: 1 });
  });

  test('without an id its text names it', () => {
    const [a, b, c] = ['{"x":1}', '{"x":1}', '{"x":2}'].map((text, line) => captureEvent(text, line)?.id);
    expect(a).toBe(b);
    expect(a).not.toBe(c);
  });

  test('whatever is no object is no event, and nothing throws', () => {
    for (const text of ['', '[]', '1', 'null', '"x"', '{', '\u0000'])
      expect(captureEvent(text, 0)).toBeUndefined();
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        captureEvent(JSON.stringify({ '@timestamp': value, event: value, 'event.id': value }), 0);
      }),
    );
  });
});

describe('lines', () => {
  test('a byte order mark belongs to no line', () => {
    expect([...readLines(fileOf('\ufeff{"a":1}\n\ufeff{"b":2}'))].map(({ text }) => text)).toEqual([
      '{"a":1}',
      '\ufeff{"b":2}',
    ]);
    expect([...readLines(fileOf('\ufeff'))]).toEqual([]);
  });

  test('blank lines are counted and left out; the last needs no line feed; CRLF is white space', () => {
    const lines = [...readLines(fileOf('{"a":1}\r\n\n  \n{"b":2}'))];
    expect(lines.map(({ number, text }) => [number, text?.trim()])).toEqual([
      [0, '{"a":1}'],
      [3, '{"b":2}'],
    ]);
  });

  test('any text comes back as it was split', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary' }).map((one) => one.replaceAll('\n', ''))),
        (written) => {
          const file = fileOf(written.join('\n'));
          const back = [...readLines(file)].map(({ number, text }) => [number, text]);
          const expected = written.map((text, number) => [number, text] as const);
          expect(back).toEqual(expected.filter(([, text]) => text.trim() !== ''));
        },
      ),
      { numRuns: 50 },
    );
  });

  test('lines across the chunks of a large file', () => {
    const written = Array.from({ length: 300 }, (_, index) => `${index}-${'ä'.repeat(5000)}`);
    expect([...readLines(fileOf(written.join('\n')))].map(({ text }) => text)).toEqual(written);
  });

  test('a line that is too long is told and skipped', () => {
    const text = Buffer.concat([
      Buffer.from('{"a":1}\n'),
      Buffer.alloc(maxLineBytes + 1, 0x78),
      Buffer.from('\n{"b":2}\n'),
    ]);
    expect([...readLines(fileOf(text))].map(({ number, text: one }) => [number, one])).toEqual([
      [0, '{"a":1}'],
      [1, undefined],
      [2, '{"b":2}'],
    ]);
  });

  test.each(['/nowhere/x', '/', '/dev/null'])('%s is refused', (file) => {
    expect(() => [...readLines(file)]).toThrow(
      expect.objectContaining({ code: 'capture/unreadable', exitCode: 2 }),
    );
  });
});

describe('sorting', () => {
  test.each([64, 100_000])(
    'gives time order with ties as they stood, in parts of %d characters',
    (runCharacters) => {
      const times = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });
      fc.assert(
        fc.property(times, (millis) => {
          const file = fileOf(millis.map((time) => `{"@timestamp":${time}}`).join('\n\n'));
          const got = [...sortedEvents(file, { runCharacters })].map(({ time, line }) => [time / 1000, line]);
          const expected = millis.map((time, index) => [time, index * 2]);
          expected.sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]!);
          expect(got).toEqual(expected);
        }),
        { numRuns: 40 },
      );
    },
  );

  test('what is no event is skipped and told', () => {
    const skipped: number[] = [];
    const file = fileOf('nonsense\n{"@timestamp":2}\n[]\n{"@timestamp":1}\n');
    const onSkipped = (line: number) => skipped.push(line);
    expect([...sortedEvents(file, { onSkipped })].map(({ line }) => line)).toEqual([3, 1]);
    expect(skipped).toEqual([0, 2]);
  });

  test('parts have no name while they are read, so that whatever ends us leaves nothing', () => {
    const base = tempFolder();
    const file = fileOf('{"@timestamp":2}\n{"@timestamp":1}\n');
    vi.stubEnv('TMPDIR', base);
    try {
      const events = sortedEvents(file, { runCharacters: 1 });
      expect(events.next().value).toMatchObject({ line: 1 });
      expect(readdirSync(base)).toEqual([]);
      expect([...events].map(({ line }) => line)).toEqual([0]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('nowhere to put them is a UserError', () => {
    const file = fileOf('{"@timestamp":1}\n{"@timestamp":2}\n');
    vi.stubEnv('TMPDIR', path.join(tempFolder(), 'gone'));
    try {
      expect(() => [...sortedEvents(file, { runCharacters: 1 })]).toThrow(
        expect.objectContaining({ code: 'capture/no-room', exitCode: 2 }),
      );
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('a line that was near the limit and grows when it is written again: bytes that are no UTF-8', () => {
    const bad = Buffer.alloc(Math.floor(maxLineBytes / 2), 0xff);
    const late = Buffer.concat([Buffer.from('{"@timestamp":2,"x":"'), bad, Buffer.from('"}\n')]);
    const file = fileOf(Buffer.concat([late, Buffer.from('{"@timestamp":1}\n')]));
    expect([...sortedEvents(file, { runCharacters: 1 })].map(({ line }) => line)).toEqual([1, 0]);
  });
});
