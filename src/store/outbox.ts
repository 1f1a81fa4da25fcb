/** The outbox as forward/ sees it: types only, nothing of SQLite. */
import type { Identified } from './event-key.js';

/** Sent in this order: alerts wait for nobody, raw events come last. */
export const lanes = ['alert', 'status', 'event'] as const;
export type Lane = (typeof lanes)[number];

/** One document on its way. `id` and `revision` together name it at the receiver, the same at every try. */
export interface OutboxItem {
  /** Row number in its lane: the order of commit. An alert keeps the number of its first document as it grows. */
  readonly seq: number;
  readonly lane: Lane;
  readonly id: string;
  readonly revision: number;
  /** True of a later revision of an alert that this destination has got before. Absent: it is new to the destination. */
  readonly update?: boolean;
  /** The document as JSON text, in our canonical form; a destination encodes it its own way. */
  readonly body: string;
}

/** A ready row with what is known of earlier tries. */
export interface OutboxRow extends OutboxItem {
  /** Tries that ended in a rejection of this row, not in a failure of its receiver. */
  readonly attempts: number;
}

/**
 * What became of one row at the revision that was sent. When its document has grown since, the row stays for the newer
 * revision, whatever the outcome. Times are milliseconds since 1970.
 * - `duplicate`: the receiver has a document of this id from an earlier try. A first document that had grown before it
 *   was acknowledged is sent once more, as an update: the earlier try may have been an older revision.
 * - `retry`: not before that time. `charged` says that the row itself was rejected; an outage charges no row.
 */
export type Settlement = { readonly seq: number; readonly revision: number } & (
  | { readonly outcome: 'delivered'; readonly warning?: string }
  | { readonly outcome: 'duplicate' }
  | { readonly outcome: 'retry'; readonly notBefore: number; readonly charged?: boolean }
  | { readonly outcome: 'dead'; readonly reason: string }
);

export interface TakeLimits {
  readonly maxItems: number;
  readonly maxBytes: number;
  /** Milliseconds since 1970. A row that is to wait longer than two hours from now waits for a clock that was wrong. */
  readonly now: number;
  /** This row alone, whether it is ready or not; nothing when it no longer waits. */
  readonly only?: number;
}

/** The outcomes of one batch, and the time, milliseconds since 1970. */
export interface Settled {
  readonly settlements: readonly Settlement[];
  readonly now: number;
}

export interface LaneDepth {
  readonly rows: number;
  readonly bytes: number;
  /** When the document of the oldest row was made, milliseconds since 1970; absent when the lane is empty. */
  readonly oldest?: number;
}

export interface DestinationState {
  readonly name: string;
  /** Set while the destination is not in the configuration; its rows wait for it to come back. */
  readonly parkedSince?: number;
  readonly pausedUntil?: number;
  readonly pauseReason?: string;
  /** Failures in a row: of its lanes, the most. */
  readonly fails: number;
  readonly lastOk?: number;
  readonly lastError?: string;
  readonly lastErrorAt?: number;
  readonly delivered: number;
  readonly duplicates: number;
  /** Delivered, but the receiver had something to say (a failure store, a rejected field). */
  readonly warnings: number;
  /** Rows that became dead letters, since the database was made. */
  readonly dead: number;
  /** Rows that a cap, a removed destination or a purge took before they were delivered. */
  readonly evicted: number;
}

export interface DestinationStatePatch {
  readonly pausedUntil?: number | null;
  readonly pauseReason?: string | null;
  readonly fails?: number;
  readonly lastOk?: number;
  readonly lastError?: string;
  readonly lastErrorAt?: number;
}

/** Caps of one destination, in rows and bytes of documents. Alerts and status have a reserve that events never touch. */
export interface OutboxCaps {
  readonly eventRows: number;
  readonly eventBytes: number;
  readonly alertRows: number;
  readonly alertBytes: number;
  /** Which events go when their lane is full. */
  readonly policy: 'drop_oldest_events' | 'drop_newest_events';
}

export interface DeadLetter {
  readonly destination: string;
  readonly lane: Lane;
  readonly seq: number;
  readonly id: string;
  readonly revision: number;
  readonly attempts: number;
  /** Milliseconds since 1970. */
  readonly died: number;
  readonly reason: string;
}

/** Which dead letters: all, those of a destination, or of one document id (or its unambiguous beginning). */
export interface DeadFilter {
  readonly destination?: string;
  readonly id?: string;
  readonly limit?: number;
}

export interface DeadLetters {
  list(filter?: DeadFilter): DeadLetter[];
  /** The document of a dead letter as JSON text. */
  body(letter: DeadLetter): string | undefined;
  /** Puts them back at their old place in the queue, as never tried. Returns how many. */
  retry(filter?: DeadFilter): number;
  /** Forgets them; counted as evicted nowhere, since they were counted when they died. Returns how many. */
  purge(filter?: DeadFilter & { readonly diedBefore?: number }): number;
  /** Keeps the newest `rows` of all. Returns how many went. */
  cap(rows: number): number;
}

/**
 * What a drain needs of an outbox: rows to send, and a place to say what became of them. Every method is synchronous and
 * short, and may throw: what was sent and not settled is sent again.
 */
export interface Source {
  /** Ready rows in order of commit: at least one when there is one, else within the limits. */
  take(destination: string, lane: Lane, limits: TakeLimits): OutboxRow[];
  /** When the first row of the lane becomes ready, milliseconds since 1970; undefined when there is none. */
  nextReady(destination: string, lane: Lane): number | undefined;
  settle(destination: string, lane: Lane, what: Settled): void;
  /** Every row of the destination is ready now, whatever it was to wait for. */
  release(destination: string): void;
  state(destination: string): DestinationState;
  patch(destination: string, patch: DestinationStatePatch): void;
}

/** What waits to be sent, to whom. Every method is one short transaction. */
export interface Outbox extends Source {
  /**
   * Says which destinations the configuration has. Rows of others are parked; a destination that comes back takes up
   * where it left. Returns how many rows of destinations parked before `dropParkedBefore` were given up (evicted).
   */
  configure(names: readonly string[], now: number, dropParkedBefore: number): number;
  states(): DestinationState[];
  depth(destination: string, lane: Lane): LaneDepth;
  /** Adds one document of our own to the status lane of every destination named; the caller gives it a fresh id. */
  add(document: { readonly id: string; readonly body: string }, destinations: readonly string[]): void;
  /** Names stored raw events for the event lane of every destination named; those already named are left alone. */
  addEvents(events: readonly Identified[], destinations: readonly string[]): number;
  /** Holds a destination's lanes to their caps. Returns how many rows went. */
  enforce(destination: string, caps: OutboxCaps): { readonly events: number; readonly alerts: number };
  readonly dead: DeadLetters;
}
