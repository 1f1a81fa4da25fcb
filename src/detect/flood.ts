import { type Micros, parseDuration } from '../base/time.js';
import type { Detection } from '../event/alert.js';
import { summaryAlertId } from '../event/ids.js';
import type { RuleMeta } from '../event/rule-meta.js';

const defaultInterval: Micros = 300_000_000;

/**
 * `max_signals` of one rule: so many alerts in one interval of event time, which begins at its first alert; then one
 * summary that counts the rest. The summary comes again when its count has doubled and when the interval ends.
 */
export class Flood {
  readonly #rule: RuleMeta;
  readonly #interval: Micros;
  #start: Micros = Number.NEGATIVE_INFINITY;
  #passed = 0;
  #suppressed = 0;
  #told = 0;
  #latest: Micros = 0;

  constructor(rule: RuleMeta) {
    this.#rule = rule;
    this.#interval = parseDuration(rule.interval) ?? defaultInterval;
  }

  get interval(): Micros {
    return this.#interval;
  }

  /** The last moment of the interval when its summary is not up to date, else Infinity. */
  get due(): Micros {
    return this.#suppressed > this.#told ? this.#start + this.#interval - 1 : Number.POSITIVE_INFINITY;
  }

  /** True when an alert of this time may pass. */
  admit(time: Micros): boolean {
    if (time >= this.#start + this.#interval) {
      this.#start = time;
      this.#passed = 0;
      this.#suppressed = 0;
      this.#told = 0;
    }
    if (this.#passed < this.#rule.maxSignals) {
      this.#passed++;
      return true;
    }
    this.#suppressed++;
    this.#latest = Math.max(this.#latest, time);
    return false;
  }

  /** The summary when there is something new to tell: at 1, 2, 4, 8, ... and, with `final`, the exact count. */
  summary(final: boolean): Detection | undefined {
    if (this.#suppressed <= this.#told || (!final && this.#suppressed < this.#told * 2)) return undefined;
    this.#told = this.#suppressed;
    return {
      id: summaryAlertId(this.#rule.id, this.#start),
      rule: this.#rule,
      kind: 'summary',
      time: this.#latest,
      events: [],
      joinKeys: [],
      candidates: [],
      repeats: 0,
      suppressed: this.#suppressed,
    };
  }
}
