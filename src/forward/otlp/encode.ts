import { things } from '../../base/count.js';
import { escapeText } from '../../base/escape.js';
import { parseTime } from '../../base/time.js';
import type { EcsDocument } from '../../event/document.js';
import type { OutboxItem, Verdict } from '../destination.js';
import { documentId } from '../updates.js';

/** OTLP severity numbers (opentelemetry-proto logs.proto): INFO2, WARN, ERROR, FATAL. */
const severityNumbers: Record<string, number> = { low: 10, medium: 13, high: 17, critical: 21 };

type Attribute = {
  key: string;
  value: { stringValue: string } | { intValue: string } | { boolValue: boolean };
};

function attribute(key: string, value: string | number | boolean | undefined): Attribute[] {
  if (value === undefined) return [];
  if (typeof value === 'boolean') return [{ key, value: { boolValue: value } }];
  return typeof value === 'number'
    ? [{ key, value: { intValue: String(value) } }]
    : [{ key, value: { stringValue: value } }];
}

function logRecord(item: OutboxItem): object {
  const doc = JSON.parse(item.body) as EcsDocument;
  const alert = doc.launchwarden?.['alert'] as { severity?: string } | undefined;
  const rule = doc['rule'] as { id?: string; name?: string } | undefined;
  const time = parseTime(doc['@timestamp']);
  const observed = parseTime(doc.event?.created) ?? time;
  const nanos = (at: { time: number; nanos: number } | undefined) =>
    at === undefined ? '0' : String(BigInt(at.time) * 1000n + BigInt(at.nanos));
  return {
    timeUnixNano: nanos(time),
    observedTimeUnixNano: nanos(observed),
    severityNumber: severityNumbers[alert?.severity ?? ''] ?? 9,
    severityText: alert?.severity ?? 'info',
    eventName: `launchwarden.${item.lane}`,
    body: { stringValue: item.body },
    attributes: [
      ...attribute('event.id', documentId(item)),
      ...attribute('event.dataset', doc.event?.dataset),
      ...attribute('rule.id', rule?.id),
      ...attribute('rule.name', rule?.name),
      ...attribute('file.path', doc.file?.path),
      ...attribute('process.executable', doc.process?.executable),
      ...attribute('process.pid', doc.process?.pid),
      ...attribute('user.name', doc.user?.name),
      ...attribute('launchwarden.revision', item.revision),
    ],
  };
}

/** An ExportLogsServiceRequest in JSON: one resource, since every document is about this machine. */
export function encodeOtlp(items: readonly OutboxItem[], version: string): string {
  const first = items[0] === undefined ? {} : (JSON.parse(items[0].body) as EcsDocument);
  return JSON.stringify({
    resourceLogs: [
      {
        resource: {
          attributes: [
            ...attribute('service.name', 'launchwarden'),
            ...attribute('service.version', version),
            ...attribute('service.instance.id', first.agent?.id),
            ...attribute('host.id', first.host?.id),
            ...attribute('host.name', first.host?.name),
            ...attribute('os.type', 'darwin'),
          ],
        },
        scopeLogs: [{ scope: { name: 'launchwarden', version }, logRecords: items.map(logRecord) }],
      },
    ],
  });
}

/**
 * Verdicts on a 2xx. A partial success (opentelemetry-proto specification.md, "Partial Success") counts the rejected
 * records and names none: all are sent again one by one, since none may be lost; alone, the answer is about one record.
 */
export function judgeOtlp(items: readonly OutboxItem[], text: string): Verdict[] {
  let partial: { rejectedLogRecords?: unknown; errorMessage?: unknown } | null | undefined;
  try {
    partial = (JSON.parse(text) as { partialSuccess?: typeof partial } | null)?.partialSuccess;
  } catch {
    return items.map(() => ({
      kind: 'retry',
      reason: text.trim() === '' ? "the reply is empty, and no collector's" : 'the reply is no JSON',
    }));
  }
  const rejected = Number(partial?.rejectedLogRecords ?? 0);
  const message = escapeText(String(partial?.errorMessage ?? '').slice(0, 300));
  if (!(rejected > 0)) {
    return items.map(() =>
      message === '' ? { kind: 'delivered' } : { kind: 'delivered', warning: message },
    );
  }
  const reason = `${rejected} of ${things(items.length, 'record')} rejected: ${message}`;
  return items.map(() => ({ kind: 'split', reason, singly: true }));
}
