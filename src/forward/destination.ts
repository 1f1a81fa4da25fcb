import type { OutboxItem } from '../store/outbox.js';

export type { Lane, OutboxItem } from '../store/outbox.js';

/**
 * What a receiver said about one item of a batch. It is a statement about the reply, not about what becomes of the row:
 * the drain decides that (src/forward/stream.ts). No verdict kills a document by itself.
 * - `delivered`, `duplicate`: acknowledged (a duplicate was already there from an earlier try); the row goes.
 * - `retry`: the receiver or the way to it is in trouble (429, every 5xx, no reply). The stream waits for its back-off, or
 *   `afterMs` when the receiver named a time. Never charged to a row. `reopen`: keys or certificates may be out of date;
 *   the destination is opened again, with what its files hold then, before the next try.
 * - `split`: the request was refused, and nothing says that it was this item (413, a plain 400): sent again in halves, or
 *   one by one at once with `singly`. Alone, it is a suspicion.
 * - `poison`: the receiver names this very item as bad. A dead letter at once when the same reply accepted another one,
 *   else a suspicion.
 * - `pause`: the receiver refuses this stream (credentials, rights, configuration): its rows stay and other streams go on.
 *   `certain` says that the reply cannot be about an item (401, an unknown topic); else, right after another document of
 *   the stream was accepted, it is a suspicion as well (a filter that refuses one document with 403).
 */
export type Verdict =
  | { readonly kind: 'delivered'; readonly warning?: string }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs?: number; readonly reopen?: boolean }
  | { readonly kind: 'split'; readonly reason: string; readonly singly?: boolean }
  | { readonly kind: 'poison'; readonly reason: string }
  | {
      readonly kind: 'pause';
      readonly reason: string;
      readonly cause: 'auth' | 'config';
      readonly certain?: boolean;
    };

/**
 * A receiver of alerts. One request is in flight at a time; `send` never throws for what a receiver does (that is a
 * verdict) and answers with exactly one verdict an item, in order. `signal` ends a wait at shutdown.
 *
 * What cannot be set up (a missing secret, certificate, module, a proxy) throws a UserError when it is opened: it is
 * parked with that reason and opened again later, and whenever a file that its options name changed.
 */
export interface Destination {
  readonly name: string;
  readonly type: string;
  /** True when items leave this machine: simulated events are kept back then unless the config says otherwise. */
  readonly network: boolean;
  readonly limits: { readonly maxItems: number; readonly maxBytes: number };
  /** By how many milliseconds our clock is ahead of the receiver's, as its last answer said. Absent: it did not say. */
  readonly clockSkewMs?: number | undefined;
  /**
   * The part of the receiver that an item goes to: a data stream, an index, a topic. Pauses, back-off and rejections
   * belong to it; one request carries items of one lane and one stream. Absent: the lane is the stream.
   */
  readonly stream?: ((item: OutboxItem) => string) | undefined;
  /** Sets it up where that is still to be done; resolves to why it cannot be, and when to ask again. Absent: it is. */
  setUp?(): Promise<{ readonly reason: string; readonly retryInMs: number } | undefined>;
  /** The next `setUp` tries at once. */
  retrySetUp?(): void;
  /** Resolves to true when a file that its options name changed: `setUp` is to be called. */
  changed?(): Promise<boolean>;
  send(items: readonly OutboxItem[], signal: AbortSignal): Promise<readonly Verdict[]>;
  /** Asks the receiver whether it would take something, without sending an alert. */
  probe(signal: AbortSignal): Promise<{ readonly ok: boolean; readonly detail: string }>;
  /** Asks whether the credentials allow to write, once `probe` was ok; null: the receiver does not tell. Absent: unknown. */
  mayWrite?(signal: AbortSignal): Promise<{ readonly ok: boolean | null; readonly detail: string }>;
  close(): Promise<void>;
}
