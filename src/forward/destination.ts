import type { OutboxItem } from '../store/outbox.js';

export type { Lane, OutboxItem } from '../store/outbox.js';

/**
 * What happens to one item of a batch.
 * - `delivered`, `duplicate`: acknowledged (a duplicate was already there from an earlier try); the row goes.
 * - `retry`: later, after the destination's back-off, or not before `afterMs` when the receiver named a time.
 * - `split`: the batch was too large or one of it is bad: sent again in halves.
 * - `poison`: this item will never be taken; it becomes a dead letter with `reason`.
 * - `pause`: the destination refuses everything (credentials, configuration): rows stay, nothing burns an attempt.
 */
export type Verdict =
  | { readonly kind: 'delivered'; readonly warning?: string }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs?: number }
  | { readonly kind: 'split'; readonly reason: string }
  | { readonly kind: 'poison'; readonly reason: string }
  | { readonly kind: 'pause'; readonly reason: string; readonly cause: 'auth' | 'config' };

/**
 * A receiver of alerts. One request is in flight at a time; `send` never throws for what a receiver does (that is a
 * verdict) and answers with exactly one verdict an item, in order. `signal` ends a wait at shutdown.
 */
export interface Destination {
  readonly name: string;
  readonly type: string;
  /** True when items leave this machine: simulated events are kept back then unless the config says otherwise. */
  readonly network: boolean;
  readonly limits: { readonly maxItems: number; readonly maxBytes: number };
  send(items: readonly OutboxItem[], signal: AbortSignal): Promise<readonly Verdict[]>;
  /** Asks the receiver whether it would take something, without sending an alert. */
  probe(signal: AbortSignal): Promise<{ readonly ok: boolean; readonly detail: string }>;
  close(): Promise<void>;
}
