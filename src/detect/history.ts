import type { Micros } from '../base/time.js';

/** What new_terms rules have seen before. The store keeps one across restarts. */
export interface TermHistory {
  /**
   * Notes that a rule saw the key at `time`. Returns when it had seen it last before that time, or undefined when it never
   * had. The same call again gives the same answer, so that events may be judged again.
   */
  seen(ruleId: string, key: string, time: Micros): Micros | undefined;
}

interface Times {
  first: Micros;
  previous: Micros | undefined;
  last: Micros;
}

/** A history in memory: for one replay, one hunt, one test. At most `limit` terms, the longest unseen go first. */
export class MemoryTermHistory implements TermHistory {
  readonly #limit: number;
  readonly #terms = new Map<string, Times>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  seen(ruleId: string, key: string, time: Micros): Micros | undefined {
    const id = JSON.stringify([ruleId, key]);
    const known = this.#terms.get(id);
    if (known === undefined) {
      this.#terms.set(id, { first: time, previous: undefined, last: time });
      if (this.#terms.size > this.#limit) this.#terms.delete(this.#terms.keys().next().value as string);
      return undefined;
    }
    this.#terms.delete(id);
    this.#terms.set(id, known);
    const { first, previous, last } = known;
    if (time > last) {
      known.previous = last;
      known.last = time;
    } else if (time < first) known.first = time;
    const earlier = [first, previous, last].filter((one) => one !== undefined && one < time) as Micros[];
    return earlier.length === 0 ? undefined : Math.max(...earlier);
  }
}
