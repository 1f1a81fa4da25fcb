import type { Answer, Received } from './http.js';

interface AnyValue {
  readonly stringValue?: string;
  readonly intValue?: string | number;
  readonly boolValue?: boolean;
}
interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}
export interface LogRecord {
  readonly timeUnixNano?: string;
  readonly observedTimeUnixNano?: string;
  readonly severityNumber?: number;
  readonly severityText?: string;
  readonly eventName?: string;
  readonly body?: AnyValue;
  readonly attributes?: KeyValue[];
}
interface ScopeLogs {
  readonly scope?: { readonly name?: string };
  readonly logRecords?: LogRecord[];
}
interface Export {
  readonly resourceLogs?: {
    readonly resource?: { readonly attributes?: KeyValue[] };
    readonly scopeLogs?: ScopeLogs[];
  }[];
}

const problems = (record: LogRecord): string[] => {
  const found: string[] = [];
  for (const name of ['timeUnixNano', 'observedTimeUnixNano'] as const) {
    const value = record[name];
    if (value !== undefined && !/^\d+$/.test(String(value))) found.push(name);
  }
  if (record.severityNumber !== undefined && !(record.severityNumber >= 0 && record.severityNumber <= 24))
    found.push('severityNumber');
  for (const { key, value } of record.attributes ?? [])
    if (typeof key !== 'string' || Object.keys(value).length !== 1) found.push(`attribute ${key}`);
  return found;
};

/** A collector's OTLP/HTTP logs endpoint, JSON. */
export class FakeOtlp {
  readonly records: LogRecord[] = [];
  readonly resources: KeyValue[][] = [];

  readonly handler = ({ method, url, headers, body }: Received): Answer => {
    if (method !== 'POST' || url !== '/v1/logs') return { status: 404, body: '' };
    if (!headers['content-type']?.startsWith('application/json')) return { status: 415, body: '' };
    const { resourceLogs = [] } = JSON.parse(body) as Export;
    const records = resourceLogs.flatMap(({ scopeLogs = [] }) =>
      scopeLogs.flatMap(({ logRecords = [] }) => logRecords),
    );
    const wrong = records.flatMap(problems);
    if (wrong.length > 0) return { status: 400, body: JSON.stringify({ code: 3, message: wrong.join() }) };
    this.records.push(...records);
    this.resources.push(...resourceLogs.map(({ resource }) => resource?.attributes ?? []));
    return { status: 200, body: '{"partialSuccess":{}}' };
  };

  stored(): string[] {
    const id = ({ attributes = [] }: LogRecord) =>
      attributes.find(({ key }) => key === 'event.id')?.value.stringValue ?? '';
    return [...new Set(this.records.map(id))];
  }
}
