import type { OutboxRow, Settlement } from '../store/outbox.js';
import { backoffMs, failureBackoff } from './backoff.js';
import type { Verdict } from './destination.js';

/** A row that failed so often while others went through is given up. */
const maxAttempts = 20;

/** What the destination as a whole does next. */
export type Next =
  | { readonly kind: 'go' }
  | { readonly kind: 'split'; readonly reason: string }
  | { readonly kind: 'wait'; readonly reason: string; readonly afterMs?: number }
  | { readonly kind: 'pause'; readonly reason: string; readonly cause: 'auth' | 'config' };

export interface Judged {
  readonly settlements: readonly Settlement[];
  readonly next: Next;
}

const unanswered: Verdict = { kind: 'retry', reason: 'the receiver said nothing about it' };

const kinds = ['delivered', 'duplicate', 'retry', 'split', 'poison', 'pause'];

/** A destination that others wrote may answer anything. */
function known(verdict: Verdict | undefined): Verdict {
  return verdict !== undefined && verdict !== null && kinds.includes(verdict.kind) ? verdict : unanswered;
}

/**
 * Turns the verdicts on a batch into what becomes of each row and of the destination. A row's own attempts count only
 * when another row of the batch went through, or when it was alone: an outage kills nothing.
 */
export function judge(
  rows: readonly OutboxRow[],
  verdicts: readonly Verdict[],
  at: { readonly now: number; readonly random: () => number },
): Judged {
  const pairs = rows.map((row, index) => ({ row, verdict: known(verdicts[index]) }));
  const settlements: Settlement[] = [];
  let next: Next = { kind: 'go' };
  for (const { row, verdict } of pairs) {
    const { seq } = row;
    if (verdict.kind === 'delivered') {
      const { warning } = verdict;
      settlements.push({ seq, outcome: 'delivered', ...(warning === undefined ? {} : { warning }) });
    } else if (verdict.kind === 'duplicate') settlements.push({ seq, outcome: 'duplicate' });
    else if (verdict.kind === 'poison') settlements.push({ seq, outcome: 'dead', reason: verdict.reason });
  }
  const progress = settlements.some(({ outcome }) => outcome !== 'dead');
  for (const { row, verdict } of pairs) {
    if (verdict.kind === 'pause') {
      next = { kind: 'pause', reason: verdict.reason, cause: verdict.cause };
    } else if (verdict.kind === 'split') {
      if (rows.length === 1) settlements.push(again(row, verdict, { ...at, tries: 2 }));
      else if (next.kind !== 'pause') next = { kind: 'split', reason: verdict.reason };
    } else if (verdict.kind === 'retry') {
      if (progress) settlements.push(again(row, verdict, { ...at, tries: maxAttempts }));
      else if (next.kind === 'go' || next.kind === 'wait') next = longer(next, verdict);
    }
  }
  return { settlements, next };
}

function longer(next: Next, verdict: Extract<Verdict, { kind: 'retry' }>): Next {
  const before = next.kind === 'wait' ? next.afterMs : undefined;
  const afterMs = Math.max(before ?? 0, verdict.afterMs ?? 0);
  return { kind: 'wait', reason: verdict.reason, ...(afterMs > 0 ? { afterMs } : {}) };
}

/** One more try of this row, or none when it has had `tries`. */
export function again(
  row: OutboxRow,
  verdict: { readonly reason: string; readonly afterMs?: number },
  how: { readonly now: number; readonly random: () => number; readonly tries: number },
): Settlement {
  const { seq } = row;
  const attempts = row.attempts + 1;
  if (attempts >= how.tries)
    return { seq, outcome: 'dead', reason: `given up after ${attempts} tries: ${verdict.reason}` };
  const wait = verdict.afterMs ?? backoffMs(attempts, failureBackoff, how.random);
  return { seq, outcome: 'retry', notBefore: how.now + wait };
}
