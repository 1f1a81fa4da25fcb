import { escapeText } from '../../base/escape.js';
import type { OutboxItem, Verdict } from '../destination.js';
import { documentId } from '../updates.js';
import { ecsForElastic } from './streams.js';

/**
 * The body of a `_bulk` request: data streams take `create` alone, so that a retry is answered with 409. An update of an
 * alert is therefore a document of its own, which names the alert in `event.id`.
 */
export function encodeBulk(items: readonly OutboxItem[], namespace: string): string {
  let body = '';
  for (const item of items) {
    const { stream, text } = ecsForElastic(item, namespace);
    body += `${JSON.stringify({ create: { _index: stream, _id: documentId(item) } })}\n${text}\n`;
  }
  return body;
}

interface BulkResult {
  readonly _id?: unknown;
  readonly status?: unknown;
  readonly failure_store?: unknown;
  readonly error?: { readonly type?: unknown; readonly reason?: unknown };
}

const unanswered: Verdict = { kind: 'retry', reason: 'the reply says nothing about this document' };
const refusals =
  /^(?:security_exception|index_not_found_exception|cluster_block_exception|index_closed_exception)$/;
/** What is plainly about a document. A full cluster or a broken template answers 400 as well, under other names. */
const aboutDocument =
  /^(?:document_parsing_exception|mapper_parsing_exception|strict_dynamic_mapping_exception)$/;

function errorText(result: BulkResult): string {
  const { type, reason } = result.error ?? {};
  return escapeText([type, reason].filter((one) => typeof one === 'string').join(': ')).slice(0, 500);
}

function verdictOf(result: BulkResult, item: OutboxItem): Verdict {
  // A reply whose ids are not ours, in our order, is about something else.
  if (typeof result._id === 'string' && result._id !== documentId(item)) return unanswered;
  const { status } = result;
  if (typeof status !== 'number') return unanswered;
  const reason = `${status} ${errorText(result)}`.trim();
  if (status >= 200 && status < 300) {
    return result.failure_store === 'used'
      ? { kind: 'delivered', warning: `stored in the failure store ${errorText(result)}`.trim() }
      : { kind: 'delivered' };
  }
  const type = typeof result.error?.type === 'string' ? result.error.type : undefined;
  // We create: a conflict is with a document of that id, which is ours.
  if (status === 409 && (type === undefined || type === 'version_conflict_engine_exception'))
    return { kind: 'duplicate' };
  if (status === 429 || status >= 500 || status === 408) return { kind: 'retry', reason };
  if (status === 401 || status === 403) return { kind: 'pause', reason, cause: 'auth', certain: true };
  if (status === 404 || refusals.test(type ?? ''))
    return { kind: 'pause', reason, cause: 'config', certain: true };
  return aboutDocument.test(type ?? '') ? { kind: 'poison', reason } : { kind: 'split', reason };
}

/** Verdicts from the text of a 200 reply: positional, and whatever it does not answer was not delivered. */
export function judgeBulk(items: readonly OutboxItem[], text: string): Verdict[] {
  let results: unknown;
  try {
    results = (JSON.parse(text) as { items?: unknown } | null)?.items;
  } catch {
    results = undefined;
  }
  const list = Array.isArray(results) ? results : [];
  return items.map((item, index) => {
    const entry = list[index] as { create?: BulkResult } | null | undefined;
    const result = entry?.create;
    return typeof result === 'object' && result !== null ? verdictOf(result, item) : unanswered;
  });
}
