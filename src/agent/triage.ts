import { hashParts } from '../base/digest.js';
import { UserError } from '../base/errors.js';
import type { Micros } from '../base/time.js';
import { type Alert, type AlertStatus, closeReasons } from '../event/alert.js';
import type { Receivers, Store, TriageChange, TriageOutcome } from '../store/index.js';

/** Name of the request on the control socket. */
export const triageOp = 'alerts.triage';

/** What a person does to alerts. */
export interface TriageRequest extends TriageChange {
  /** Whole ids, at most `mostIds`. */
  readonly ids: readonly string[];
}

export interface TriageResult {
  readonly id: string;
  /** `unknown`: there is no such alert. */
  readonly outcome: TriageOutcome | 'unknown';
  readonly status?: AlertStatus;
  readonly updated?: Micros;
}

const actions: readonly unknown[] = [
  'open',
  'acknowledged',
  'closed',
  'assigned',
  'tagged',
  'untagged',
  'note',
  'response',
] satisfies TriageRequest['action'][];
const maxText = 64 * 1024;
/** Characters of one step of a story. */
const maxStep = 300;
/** Of one request. */
export const mostIds = 500;
/** Also of a name. */
export const mostOfTag = 50;
export const tagForm = /^[\p{L}\p{N}][\p{L}\p{N}._:/@-]*$/u;

function isRequest(args: unknown): args is TriageRequest {
  const { ids, action, author, text, value = '' } = (args ?? {}) as Record<string, unknown>;
  const list = Array.isArray(ids) ? (ids as unknown[]) : [];
  return (
    list.length > 0 &&
    list.length <= mostIds &&
    [...list, author, text, value].every((one) => typeof one === 'string' && one.length <= maxText) &&
    actions.includes(action) &&
    isValue(action as TriageRequest['action'], value as string)
  );
}

function isValue(action: TriageRequest['action'], value: string): boolean {
  if (action === 'closed') return value === '' || closeReasons.some((reason) => reason === value);
  if (action === 'assigned') return value.length <= 200;
  if (action === 'tagged' || action === 'untagged') return value.length <= mostOfTag && tagForm.test(value);
  if (action === 'response') return value === '' || value === 'quarantined' || value === 'back';
  return value === '';
}

/**
 * Carries a request out on a writable store: the daemon's answer on its socket, and the command line's own way when no
 * daemon runs. `destinations`: who is told. Throws a UserError when the request is none.
 */
export function applyTriage(
  store: Store,
  args: unknown,
  destinations: Receivers,
): { readonly results: readonly TriageResult[] } {
  if (!isRequest(args)) throw new UserError('alerts/bad-request', 'not a triage request');
  const { ids, ...change } = args;
  const results = store.alerts.changeAll(ids, change, destinations);
  for (const done of results) if (done !== undefined) tellStory(store, done.alert, change);
  return {
    results: results.map((done, index): TriageResult => {
      const id = ids[index] ?? '';
      if (done === undefined) return { id, outcome: 'unknown' };
      return { id, outcome: done.outcome, status: done.alert.status, updated: done.alert.updated };
    }),
  };
}

/** What a response made of an item is a step of the item's story. */
export function tellStory(
  { stories }: Pick<Store, 'stories'>,
  { item, updated }: Pick<Alert, 'item' | 'updated'>,
  { action, value, text }: Pick<TriageChange, 'action' | 'value' | 'text'>,
): void {
  if (action !== 'response' || item === undefined || (value !== 'quarantined' && value !== 'back')) return;
  const says = `${text.slice(0, maxStep)}.`;
  stories.responded(item, { time: updated, stage: value, event: `response:${hashParts([text])}`, says });
}
