import { parseTime } from '../../base/time.js';
import type { EcsDocument } from '../../event/document.js';
import type { OutboxItem, Verdict } from '../destination.js';

export interface HecMeta {
  readonly source: string;
  readonly index?: string | undefined;
}

/** One HEC event: objects stand one after the other in a request, without a list around them. */
export function encodeHec(item: OutboxItem, meta: HecMeta): string {
  const doc = JSON.parse(item.body) as EcsDocument;
  const time = parseTime(doc['@timestamp']);
  const alert = doc.launchwarden?.['alert'] as
    | { severity?: string; priority?: { level?: string } }
    | undefined;
  return JSON.stringify({
    ...(time === undefined ? {} : { time: Math.round(time.time / 1000) / 1000 }),
    ...(doc.host?.name === undefined ? {} : { host: doc.host.name }),
    source: meta.source,
    sourcetype: `launchwarden:${item.lane}`,
    ...(meta.index === undefined ? {} : { index: meta.index }),
    event: doc,
    // Splunk knows no idempotence: a search with `dedup event_id` does, and shows the newest revision of an alert.
    fields: {
      event_id: item.id,
      revision: String(item.revision),
      ...(item.update === true ? { event: 'updated' } : {}),
      ...(alert?.severity === undefined ? {} : { severity: alert.severity }),
      ...(alert?.priority?.level === undefined ? {} : { priority: alert.priority.level }),
    },
  });
}

export interface HecReply {
  readonly code?: number;
  readonly ackId?: number;
  readonly invalidEvent?: number;
  readonly text: string;
}

export function readHecReply(text: string): HecReply {
  try {
    const body = JSON.parse(text) as Record<string, unknown> | null;
    const number = (key: string) => (Number.isSafeInteger(body?.[key]) ? (body?.[key] as number) : undefined);
    const [code, ackId, invalidEvent] = [number('code'), number('ackId'), number('invalid-event-number')];
    return {
      text: typeof body?.['text'] === 'string' ? body['text'].slice(0, 300) : '',
      ...(code === undefined ? {} : { code }),
      ...(ackId === undefined ? {} : { ackId }),
      ...(invalidEvent === undefined ? {} : { invalidEvent }),
    };
  } catch {
    return { text: '' };
  }
}

/** What to do about a refusal besides the verdicts: how we talk was wrong, not what we said. */
export type HecAdvice = 'none' | 'use-channel' | 'no-ack';

/**
 * Verdicts on a reply that is not 2xx, by HEC's own code first (Splunk, "Troubleshoot HTTP Event Collector"); undefined
 * where the status alone decides.
 */
export function judgeHecCode(
  items: readonly OutboxItem[],
  reply: HecReply,
  reason: string,
): { readonly verdicts: Verdict[]; readonly advice: HecAdvice } | undefined {
  const all = (verdict: Verdict, advice: HecAdvice = 'none') => ({
    verdicts: items.map(() => verdict),
    advice,
  });
  switch (reply.code) {
    case 1:
    case 2:
    case 3:
    case 4:
    case 21:
    case 22:
      return all({ kind: 'pause', reason, cause: 'auth', certain: true });
    case 7:
    case 16:
      return all({ kind: 'pause', reason, cause: 'config', certain: true });
    case 6:
    case 12:
    case 13:
    case 15: {
      const bad = reply.invalidEvent;
      if (bad === undefined || bad < 0 || bad >= items.length) return all({ kind: 'split', reason });
      // What stood before the bad one may or may not be indexed; it goes again, with the same event_id.
      return {
        verdicts: items.map((_, index) =>
          index === bad ? { kind: 'poison', reason } : { kind: 'split', reason },
        ),
        advice: 'none',
      };
    }
    case 8:
    case 9:
    case 18:
    case 19:
    case 20:
    case 23:
    case 24:
    case 25:
    case 26:
    case 27:
      return all({ kind: 'retry', reason });
    case 10:
    case 11:
      return all({ kind: 'retry', reason, afterMs: 1 }, 'use-channel');
    case 14:
      return all({ kind: 'retry', reason, afterMs: 1 }, 'no-ack');
    default:
      return undefined;
  }
}
