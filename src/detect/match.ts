import type { Micros } from '../base/time.js';
import type { Event } from '../event/event.js';
import type { JoinKey } from './join-keys.js';

/** What a query matched. */
export interface Match {
  /** In sequence order; a missing-event step stands as null. */
  readonly events: readonly (Event | null)[];
  readonly joinKeys: JoinKey;
  /** File events of the same join key that stood in the window when the match was complete, oldest first. */
  readonly window: readonly Event[];
  /** Tells it from other matches of the same events: a part of the alert's id. */
  readonly part?: string;
}

export type OnMatch = (match: Match) => void;

/** What became of an event whose newer document came after it was judged. Matchers that hold it see the newer one. */
export interface Revision {
  /** The document before. */
  readonly before: unknown;
  /** Conditions of the matcher that hold for the first time, ascending. */
  readonly fresh: readonly number[];
  /** Those that hold now or held before, ascending. */
  readonly hits: readonly number[];
}

/** What judges the events of one rule or query. It learns from the caller which of its conditions hold. */
export interface QueryMatcher {
  /** `hits`: which of the matcher's own conditions hold, ascending. */
  process(event: Event, hits: readonly number[]): void;
  /** An event came to hold another document; it keeps its place in the order. */
  revise(event: Event, revision: Revision): void;
  /** The event time at which something is due without an event; Infinity when nothing is. */
  readonly due: Micros;
  /** Everything up to `time` has been processed. */
  advance(time: Micros): void;
  /** The input ends: what waited for an event that did not come is decided. */
  finish(): void;
}

/** The matched events that are there. */
export function presentEvents({ events }: Pick<Match, 'events'>): Event[] {
  return events.filter((event) => event !== null);
}
