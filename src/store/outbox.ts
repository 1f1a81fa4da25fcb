/** The outbox as forward/ sees it: types only, nothing of SQLite. */

/** Sent in this order: status documents are few and tell about the rest, raw events come last. */
export const lanes = ['status', 'alert', 'event'] as const;
export type Lane = (typeof lanes)[number];

/** One document on its way. `id` and `revision` together name it at the receiver, the same at every try. */
export interface OutboxItem {
  /** Row number in its lane: the order of commit. */
  readonly seq: number;
  readonly lane: Lane;
  readonly id: string;
  readonly revision: number;
  /** The document as JSON text, in our canonical form; a destination encodes it its own way. */
  readonly body: string;
}

/** A ready row with what is known of earlier tries. */
export interface OutboxRow extends OutboxItem {
  /** Tries that failed because of this row itself, not because of its receiver. */
  readonly attempts: number;
}

/** What became of one row. Times are milliseconds since 1970. */
export type Settlement =
  | { readonly seq: number; readonly outcome: 'delivered'; readonly warning?: string }
  | { readonly seq: number; readonly outcome: 'duplicate' }
  | { readonly seq: number; readonly outcome: 'retry'; readonly notBefore: number }
  | { readonly seq: number; readonly outcome: 'dead'; readonly reason: string };

export interface TakeLimits {
  readonly maxItems: number;
  readonly maxBytes: number;
  /** Milliseconds since 1970. A row that is to wait longer than two hours from now waits for a clock that was wrong. */
  readonly now: number;
  /** Only rows after this number. */
  readonly after?: number;
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
  /** Failures in a row of the destination as a whole. */
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

/** What waits to be sent, to whom. Every method is one short transaction. */
export interface Outbox {
  /**
   * Says which destinations the configuration has. Rows of others are parked; a destination that comes back takes up
   * where it left. Returns how many rows of destinations parked before `dropParkedBefore` were given up (evicted).
   */
  configure(names: readonly string[], now: number, dropParkedBefore: number): number;
  /** Ready rows in order of commit: at least one when there is one, else within the limits. */
  take(destination: string, lane: Lane, limits: TakeLimits): OutboxRow[];
  /** When the first row of the lane becomes ready, milliseconds since 1970; undefined when there is none. */
  nextReady(destination: string, lane: Lane): number | undefined;
  settle(destination: string, lane: Lane, what: Settled): void;
  state(destination: string): DestinationState;
  patch(destination: string, patch: DestinationStatePatch): void;
  states(): DestinationState[];
  depth(destination: string, lane: Lane): LaneDepth;
  /** Adds one document of our own to the status lane of every destination named; the caller gives it a fresh id. */
  add(document: { readonly id: string; readonly body: string }, destinations: readonly string[]): void;
  /** Names stored raw events for the event lane of every destination named; those already named are left alone. */
  addEvents(eventIds: readonly string[], destinations: readonly string[]): number;
  /** Holds a destination's lanes to their caps. Returns how many rows went. */
  enforce(destination: string, caps: OutboxCaps): { readonly events: number; readonly alerts: number };
  readonly dead: DeadLetters;
}
