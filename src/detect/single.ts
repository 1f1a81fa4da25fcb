import type { Event } from '../event/event.js';
import type { OnMatch, QueryMatcher, Revision } from './match.js';

/** A query of one event: every hit is a match. */
export class SingleMatcher implements QueryMatcher {
  readonly due = Number.POSITIVE_INFINITY;
  readonly #onMatch: OnMatch;

  constructor(onMatch: OnMatch) {
    this.#onMatch = onMatch;
  }

  process(event: Event): void {
    this.#onMatch({ events: [event], joinKeys: [], window: [] });
  }

  revise(event: Event, { fresh }: Revision): void {
    if (fresh.length > 0) this.process(event);
  }

  advance(): void {}

  finish(): void {}
}
