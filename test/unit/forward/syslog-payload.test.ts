import { describe, expect, test } from 'vitest';
import { encodeMessage, frame, type MessageOptions } from '../../../src/forward/syslog/message.js';
import { alertItem, eventItem, hostile, statusItem } from '../../contract/receivers/items.js';
import { readMessage, unframe } from '../../contract/receivers/syslog.js';

const options: MessageOptions = {
  format: 'json',
  facility: 10,
  appName: 'launchwarden',
  hostname: 'mac 0001.examplé',
  processId: 42,
  version: '0.1.0',
  maxBytes: 8192,
};

describe('a message', () => {
  test('has an RFC 5424 header and, as JSON, only printable ASCII', () => {
    const message = encodeMessage(alertItem('a', { text: hostile }), options);
    expect(message.every((byte) => byte >= 0x20 && byte < 0x7f)).toBe(true);
    const { priority, header, text } = readMessage(message);
    // authpriv and notice, since the rule's severity is low.
    expect(priority).toBe(10 * 8 + 5);
    expect(header).toEqual([
      '2026-11-22T05:40:00.001Z',
      'mac_0001.exampl_',
      'launchwarden',
      '42',
      'alert',
      '-',
    ]);
    expect(JSON.parse(text).file.name).toBe(hostile);
  });

  test.each([
    ['status', statusItem('s')],
    ['event', eventItem('e')],
  ])('of lane %s is informational', (lane, item) => {
    const { priority, header } = readMessage(encodeMessage(item, options));
    expect([priority, header[4]]).toEqual([86, lane]);
  });

  test.each(['json', 'cef', 'leef'] as const)('as %s stays within its size, header included', (format) => {
    const item = alertItem('a', { text: 'é"\\=|\u0007'.repeat(20_000) });
    for (const maxBytes of [2048, 8192]) {
      const message = encodeMessage(item, { ...options, format, maxBytes });
      expect(message.length).toBeLessThanOrEqual(maxBytes);
      expect(message.length).toBeGreaterThan(500);
      expect(message.toString()).toContain(item.id);
    }
  });

  test('is framed by its length in bytes, or by a line feed that it cannot hold itself', () => {
    const messages = ['é', 'plain'].map((text) =>
      encodeMessage(alertItem(text, { text }), { ...options, format: 'cef' }),
    );
    const stream = Buffer.concat(messages.map((message) => frame(message, 'octet-counting')));
    expect(unframe(stream)).toEqual({ messages, rest: Buffer.alloc(0) });
    const hostileMessage = encodeMessage(alertItem('a', { text: hostile }), { ...options, format: 'leef' });
    expect(frame(hostileMessage, 'line').indexOf('\n')).toBe(hostileMessage.length);
  });
});

const fieldsOf = (line: string): [string, Record<string, string>] => {
  const parts = line.split(/(?<!\\)\|/);
  const extension = parts.slice(7).join('|');
  const pairs = [...extension.matchAll(/(?:^| )([A-Za-z0-9]+)=((?:\\.|[^=\\])*?)(?= [A-Za-z0-9]+=|$)/g)];
  const plain = (text: string) =>
    text.replaceAll(/\\(.)/g, (_, one: string) => ({ n: '\n', r: '\r' })[one] ?? one);
  return [
    parts.slice(0, 7).join('|'),
    Object.fromEntries(pairs.map(([, key, value]) => [key, plain(value ?? '')])),
  ];
};

test('CEF escapes what its reader unescapes', () => {
  const text = 'a\\b|c=d\nline two\r= end';
  const line = readMessage(encodeMessage(alertItem('a', { text }), { ...options, format: 'cef' })).text;
  const [header, fields] = fieldsOf(line);
  expect(header).toBe('CEF:0|launchwarden|launchwarden|0.1.0|rule-low|A low rule|3');
  expect(fields).toMatchObject({
    rt: '1795326000001',
    externalId: alertItem('a', { text }).id,
    fname: text,
    filePath: `/Users/alice/${text}`,
    dproc: '/bin/launchctl',
    cs1Label: 'commandLine',
    cs1: text,
  });
});

test('LEEF, which has no escapes, loses what would break it', () => {
  const line = readMessage(
    encodeMessage(alertItem('a', { text: 'a\tb|c\nd' }), { ...options, format: 'leef' }),
  ).text;
  expect(
    line.startsWith(
      'LEEF:2.0|launchwarden|launchwarden|0.1.0|rule-low|x09|devTime=2026-11-22T05:40:00.001Z\t',
    ),
  ).toBe(true);
  const fields = Object.fromEntries(
    line
      .slice(line.indexOf('|x09|') + 5)
      .split('\t')
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
  expect(fields).toMatchObject({
    sev: '3',
    resource: '/Users/alice/a b|c d',
    commandLine: 'a b|c d',
    ruleName: 'A low rule',
  });
});

describe('a document with anything in any field', () => {
  const odd: [what: string, value: unknown][] = [
    ['an own toString', { toString: 'x' }],
    ['an own toString and valueOf', { toString: null, valueOf: 1, toJSON: 'no' }],
    ['a list of such', [{ toString: {} }, 'b']],
    ['a nested list', [[['deep']], [{ toString: 1 }]]],
    ['null', null],
    ['a number', 7],
    ['a name of every object', 'toString'],
    ['another', '__proto__'],
  ];
  test.each(odd)('%s', (_what, value) => {
    const fields = {
      message: value,
      rule: { name: value, id: value, uuid: value },
      event: { action: value, reason: value, id: 'a' },
      host: { name: value, ip: [value] },
      user: { name: value, id: value },
      file: { path: value, name: value, hash: { sha256: value } },
      process: {
        executable: value,
        pid: value,
        command_line: value,
        parent: { executable: value, pid: value },
      },
      threat: { tactic: { name: value }, technique: { id: value } },
      launchwarden: { alert: { severity: value } },
    };
    const { seq, lane, revision } = alertItem('a');
    const item = { seq, lane, revision, id: 'a', body: JSON.stringify(fields) };
    for (const format of ['cef', 'leef', 'json'] as const) {
      const { text } = readMessage(
        encodeMessage(item as typeof item & ReturnType<typeof alertItem>, { ...options, format }),
      );
      expect(text).not.toContain('[object Object]');
      expect(text).not.toContain('[native code]');
      expect(text).toMatch(/^(?:CEF:0\||LEEF:2\.0\||\{)/);
    }
  });
});
