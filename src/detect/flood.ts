import { type Micros, parseDuration } from '../base/time.js';
import type { Candidate, Detection } from '../event/alert.js';
import { summaryAlertId } from '../event/ids.js';
import type { RuleMeta } from '../event/rule-meta.js';
import { compareLinks } from './candidates.js';

const defaultInterval: Micros = 300_000_000;

/** An alert that was held back: what it is about, and in which interval. */
export interface Held {
  candidate: Candidate;
  readonly start: Micros;
}

/**
 * `max_signals` of one rule: so many alerts in one interval of event time, which begins at its first alert; then one
 * summary that counts the rest and lists what they are about, first what a process names. The summary comes again when
 * its count has doubled and when the interval ends.
 */
export class Flood {
  readonly #rule: RuleMeta;
  readonly #interval: Micros;
  /** How many the summary lists. */
  readonly #capacity: number;
  #start: Micros = Number.NEGATIVE_INFINITY;
  #passed = 0;
  #suppressed = 0;
  #told = 0;
  /** Whether the list says more than it was told with. */
  #changed = false;
  #latest: Micros = 0;
  /** The best links first, of equal ones what came first. */
  #held: Held[] = [];

  constructor(rule: RuleMeta, capacity: number) {
    this.#rule = rule;
    this.#capacity = capacity;
    this.#interval = parseDuration(rule.interval) ?? defaultInterval;
  }

  get interval(): Micros {
    return this.#interval;
  }

  /** The last moment of the interval when its summary is not up to date, else Infinity. */
  get due(): Micros {
    return this.#isNews ? this.#start + this.#interval - 1 : Number.POSITIVE_INFINITY;
  }

  get #isNews(): boolean {
    return this.#suppressed > this.#told || this.#changed;
  }

  /** True when an alert of this time may pass; else it is to be held. */
  admit(time: Micros): boolean {
    if (time >= this.#start + this.#interval) {
      this.#start = time;
      this.#passed = 0;
      this.#suppressed = 0;
      this.#told = 0;
      this.#changed = false;
      this.#held = [];
    }
    if (this.#passed < this.#rule.maxSignals) {
      this.#passed++;
      return true;
    }
    this.#suppressed++;
    this.#latest = Math.max(this.#latest, time);
    return false;
  }

  /** Lists an alert that may not pass by what it is about. */
  hold(candidate: Candidate): Held {
    const held: Held = { candidate, start: this.#start };
    this.#insert(held);
    return held;
  }

  /** What is now known of one that was held back. */
  amend(held: Held, candidate: Candidate): void {
    if (held.start !== this.#start) return;
    const at = this.#held.indexOf(held);
    if (at >= 0) this.#held.splice(at, 1);
    held.candidate = candidate;
    this.#insert(held);
    this.#changed = true;
  }

  /** The summary when there is something new to tell: at 1, 2, 4, 8, ... and, with `final`, the exact count. */
  summary(final: boolean): Detection | undefined {
    if (!this.#isNews || (!final && this.#suppressed < this.#told * 2)) return undefined;
    this.#told = this.#suppressed;
    this.#changed = false;
    return {
      id: summaryAlertId(this.#rule.id, this.#start),
      rule: this.#rule,
      kind: 'summary',
      time: this.#latest,
      events: [],
      joinKeys: [],
      candidates: this.#held.map(({ candidate }) => candidate),
      repeats: 0,
      suppressed: this.#suppressed,
    };
  }

  #insert(held: Held): void {
    let low = 0;
    let high = this.#held.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareLinks((this.#held[middle] as Held).candidate, held.candidate) <= 0) low = middle + 1;
      else high = middle;
    }
    if (low >= this.#capacity) return;
    this.#held.splice(low, 0, held);
    if (this.#held.length > this.#capacity) this.#held.pop();
  }
}
