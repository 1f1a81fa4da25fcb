import type { OutboxItem } from '../destination.js';
import { cefPayload, jsonPayload, leefPayload, type Subject, subjectOf } from './payload.js';

export interface MessageOptions {
  readonly format: 'json' | 'cef' | 'leef';
  readonly facility: number;
  readonly appName: string;
  readonly hostname: string;
  readonly processId: number;
  readonly version: string;
  /** Of the whole message, header included, without framing. */
  readonly maxBytes: number;
}

const payloads = { json: jsonPayload, cef: cefPayload, leef: leefPayload };
/** RFC 5424 section 6.2.1: critical 2, error 3, warning 4, notice 5, informational 6. */
const severities = { critical: 2, high: 3, medium: 4, low: 5 } as const;

/** PRINTUSASCII of at most `limit` characters, or the NILVALUE (RFC 5424 section 6). */
function headerText(value: string, limit: number): string {
  return value.replaceAll(/[^!-~]/g, '_').slice(0, limit) || '-';
}

function timestamp(subject: Subject): string {
  return subject.time === 0 ? '-' : new Date(subject.time).toISOString();
}

function hostName({ doc }: Subject): string | undefined {
  const name: unknown = doc.host?.name;
  return typeof name === 'string' ? name : undefined;
}

/** An RFC 5424 message without byte order mark and without raw control characters. */
export function encodeMessage(item: OutboxItem, options: MessageOptions): Buffer {
  const subject = subjectOf(item, options.version);
  const priority = options.facility * 8 + (subject.severity === undefined ? 6 : severities[subject.severity]);
  const header = [
    `<${priority}>1`,
    timestamp(subject),
    headerText(hostName(subject) ?? options.hostname, 255),
    headerText(options.appName, 48),
    headerText(String(options.processId), 128),
    item.lane,
    '-',
    '',
  ].join(' ');
  const payload = payloads[options.format](subject, options.maxBytes - header.length);
  return Buffer.from(header + payload);
}

/** Octet counting (RFC 5425 section 4.3, RFC 6587 section 3.4.1): the length in bytes, a space, the message. */
export function frame(message: Buffer, framing: 'octet-counting' | 'line'): Buffer {
  return framing === 'line'
    ? Buffer.concat([message, Buffer.from('\n')])
    : Buffer.concat([Buffer.from(`${message.length} `), message]);
}
