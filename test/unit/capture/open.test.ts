import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { parseExactJson } from '../../../src/base/exact-json.js';
import { captureEvent, captureTime, openCapture, readLines } from '../../../src/sensors/capture/index.js';
import { fc } from '../../helpers/property.js';
import { tempFolder } from '../../helpers/run-cli.js';

function fileOf(content: string | Uint8Array): string {
  const file = path.join(tempFolder(), 'capture');
  writeFileSync(file, content);
  return file;
}

const docs = ['a', 'b', 'c'].map((id, index) => ({
  '@timestamp': `2026-11-22T09:00:0${index}.000Z`,
  event: { id, category: ['file'] },
  file: { path: `/x/${id} {"[,\\` },
}));

/** Ids of the events, as they are read in the end. */
async function ids(content: string | Uint8Array): Promise<{ ids: string[]; form: string; skipped: number }> {
  const opened = await openCapture(fileOf(content));
  try {
    const events = [...readLines(opened.file)].map(({ text, number }) => captureEvent(text ?? '', number));
    return {
      ids: events.map((event) => (event?.untimed ? 'untimed' : (event?.id ?? 'none'))),
      form: opened.form,
      skipped: opened.skipped,
    };
  } finally {
    opened.close();
  }
}

const json = (value: unknown) => JSON.stringify(value);
const lines = (values: readonly unknown[]) => values.map(json).join('\n');
const hits = docs.map((doc) => ({ _index: 'logs', _id: 'x', _source: doc }));
const fields = docs.map(({ '@timestamp': time, event, file }) => ({
  _index: 'logs',
  fields: {
    '@timestamp': [time],
    'event.id': [event.id],
    'event.category': ['file'],
    'file.path': [file.path],
  },
}));
const utf16 = (text: string, mark: boolean) => Buffer.from(`${mark ? '\ufeff' : ''}${text}`, 'utf16le');

test.each<[string, string | Uint8Array]>([
  ['one document a line', lines(docs)],
  ['with a byte order mark and CRLF', `\ufeff${docs.map(json).join('\r\n')}\r\n`],
  ['over several lines', docs.map((doc) => JSON.stringify(doc, undefined, 2)).join('\n')],
  ['one after the other without a break', docs.map(json).join('')],
  ['an array', json(docs)],
  ['an array over several lines', JSON.stringify(docs, undefined, 2)],
  ['arrays, one a line', `${json(docs.slice(0, 2))}\n${json(docs.slice(2))}`],
  ['hits, one a line', lines(hits)],
  ['an answer of Elasticsearch', json({ took: 1, hits: { total: { value: 3 }, hits } })],
  ['an answer over several lines', JSON.stringify({ took: 1, hits: { total: 3, hits } }, undefined, 2)],
  ['answers, one a line', lines([{ hits: { hits: hits.slice(0, 1) } }, { hits: { hits: hits.slice(1) } }])],
  ['an answer as Kibana shows it', json({ isRunning: false, rawResponse: { hits: { hits } } })],
  ['answers of several searches', json({ responses: [{ hits: { hits } }] })],
  ['hits with fields alone', json({ hits: { hits: fields } })],
  ["EQL's events", json({ is_partial: false, hits: { events: hits } })],
  [
    "EQL's sequences",
    json({ hits: { sequences: [{ join_keys: [1], events: hits.slice(0, 2) }, { events: hits.slice(2) }] } }),
  ],
  [
    "Filebeat's message",
    lines(
      docs.map((doc) => ({
        '@timestamp': '2027-01-01T00:00:00Z',
        agent: { type: 'filebeat' },
        message: json(doc),
      })),
    ),
  ],
  [
    "Splunk's export",
    lines(docs.map((doc) => ({ preview: false, result: { _raw: json(doc), _time: 'x' } }))),
  ],
  ["Splunk's results", json({ preview: false, results: docs.map((doc) => ({ _raw: json(doc) })) })],
  ["HEC's events", lines(docs.map((doc) => ({ time: 1, sourcetype: 'x', event: doc })))],
  ['alerts of launchwarden', json({ schema: 'launchwarden.alert/1', doc: { Events: docs } })],
  ['gzip', gzipSync(lines(docs))],
  ['gzip of an answer, twice', gzipSync(gzipSync(json({ hits: { hits } })))],
  ['UTF-16 with a mark', utf16(lines(docs), true)],
  ['UTF-16 without a mark', utf16(json(docs), false)],
  ['UTF-16, big endian', utf16(lines(docs), true).swap16()],
])('%s is recognised', async (_name, content) => {
  expect(await ids(content)).toEqual({ ids: ['a', 'b', 'c'], form: 'ecs', skipped: 0 });
});

const eslogger = { schema_version: 1, event_type: 9, process: { audit_token: {} }, event: { exec: {} } };

test.each<[string, string]>([
  ['lines', lines([eslogger, eslogger])],
  ['pretty', JSON.stringify([eslogger, eslogger], undefined, 1)],
  ["in Filebeat's message", lines([{ message: json(eslogger) }, { message: json(eslogger) }])],
])("eslogger's messages are recognised: %s", async (_name, content) => {
  const opened = await openCapture(fileOf(content));
  expect(opened.form).toBe('eslogger');
  expect([...readLines(opened.file)].map(({ text }) => JSON.parse(text ?? '') as object)).toEqual([
    eslogger,
    eslogger,
  ]);
  opened.close();
});

describe('what is no capture is named', () => {
  test.each<[string | Uint8Array, string]>([
    [
      '<?xml version="1.0"?>\n<!DOCTYPE plist PUBLIC "x" "y">\n<plist><dict/></plist>',
      'an XML property list',
    ],
    ['bplist00\x00\x01', 'a binary property list'],
    ['<!DOCTYPE html><html><body>Sign in</body></html>', 'an HTML page'],
    ['a,b,c\n1,2,3\n', 'CSV'],
    ['<134>1 2026-01-01T00:00:00Z host app - - - text', 'syslog'],
    ['CEF:0|x|y|1|2|3|4|', 'CEF'],
    ['SQLite format 3\0', 'an SQLite database'],
    ['PK\x03\x04xx', 'a zip archive'],
    ['hello world', 'text that is no JSON'],
    [Buffer.from([1, 2, 3, 0, 9]), 'binary data'],
    ['[rule]\nname = "x"\n', 'TOML'],
    ['{"@timestamp":"2026-11-22T09:00:00Z","ev', 'JSON that is cut off'],
    ['{this: is, no: json}\n{either}', 'begins like JSON'],
  ])('%j', async (content, named) => {
    await expect(openCapture(fileOf(content))).rejects.toThrow(named);
  });

  test('gzip that is cut off', async () => {
    const packed = gzipSync(lines(docs));
    await expect(openCapture(fileOf(packed.subarray(0, packed.length - 12)))).rejects.toThrow(
      'cannot be unpacked',
    );
  });

  test('white space alone is empty', async () => {
    const opened = await openCapture(fileOf(' \n\n'));
    expect(opened.isEmpty).toBe(true);
    opened.close();
  });
});

test('documents that are no JSON among others are counted', async () => {
  expect(await ids(`[${json(docs[0])}, {bad}, ${json(docs[1])}]`)).toMatchObject({
    ids: ['a', 'b'],
    skipped: 1,
  });
});

test('what stands between documents, and a document that is cut off, are counted', async () => {
  expect(await ids(`[${json(docs[0])} junk, ${json(docs[1])}, {"@timestamp":`)).toMatchObject({
    ids: ['a', 'b'],
    skipped: 2,
  });
});

test('any documents come back, however they are split over lines and chunks', async () => {
  const document = fc.record({
    '@timestamp': fc.constant('2026-11-22T09:00:00Z'),
    any: fc.jsonValue({ maxDepth: 3 }),
    text: fc.string({ unit: 'grapheme' }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(document, { minLength: 1, maxLength: 8 }),
      fc.boolean(),
      async (all, pretty) => {
        const opened = await openCapture(fileOf(JSON.stringify(all, undefined, pretty ? 2 : 0)));
        const back = readFileOf(opened.file);
        opened.close();
        expect(back).toEqual(parseExactJson(JSON.stringify(all)));
      },
    ),
    { numRuns: 30 },
  );
});

function readFileOf(file: string | number): unknown[] {
  return [...readLines(file)].map(({ text }) => JSON.parse(text ?? '') as unknown);
}

test('an answer larger than a chunk is taken apart without being held', async () => {
  const large = Array.from({ length: 150 }, (_, index) => ({
    _source: { '@timestamp': index * 1000, event: { id: String(index) }, text: 'ä{"'.repeat(3_000) },
  }));
  const { ids: found } = await ids(json({ hits: { hits: large } }));
  expect(found).toEqual(large.map((_, index) => String(index)));
});

test.each<[unknown, number | undefined]>([
  [1764412345, 1764412345e6],
  ['1764412345.25', 1764412345.25e6],
  [1764412345678, 1764412345678e3],
  ['1764412345678', 1764412345678e3],
  [1764412345678901, 1764412345678901],
  ['1764412345678901234', 1764412345678901],
  ['2025-11-29T10:32:25Z', 1764412345e6],
  ['2025-11-29 10:32:25+00:00', 1764412345e6],
  [['2025-11-29T10:32:25Z'], 1764412345e6],
  [2000, 2_000_000],
  ['yesterday', undefined],
  [-5, undefined],
  [null, undefined],
  [Number.NaN, undefined],
])('the time %j', (written, micros) => {
  expect(captureTime(written)?.time).toBe(micros);
});

test('an event without a time says so, and one with a number gets a time that rules can compare', () => {
  expect(captureEvent('{"event":{"id":"a"}}', 0)?.untimed).toBe(true);
  const event = captureEvent('{"@timestamp":1764412345}', 0);
  expect(event?.untimed).toBeUndefined();
  expect(event?.doc['@timestamp']).toBe('2025-11-29T10:32:25.000000Z');
});

test('a capture that is plain already is read where it stands', async () => {
  const file = fileOf(lines(docs));
  const opened = await openCapture(file);
  expect(opened.file).toBe(file);
  expect(readFileSync(file, 'utf8')).toBe(lines(docs));
  opened.close();
});
