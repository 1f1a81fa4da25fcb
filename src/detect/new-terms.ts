import type { Micros } from '../base/time.js';
import type { Event } from '../event/event.js';
import { fieldReader, type Reader, type Rule } from '../rules/index.js';
import type { TermHistory } from './history.js';
import { joinKeysOf, type KeyReader } from './join-keys.js';
import type { OnMatch, QueryMatcher } from './match.js';
import type { DetectorLimits } from './options.js';

// A key of the history that no term has, with times that no event has: it says that the rule has learnt. Terms are JSON
// arrays. It is noted at a time in the far future so that it is not the first to be forgotten; the other one also at the
// time at which the rule began to judge.
const learntKey = 'learnt';
const activeKey = 'active';
const farFuture: Micros = Number.MAX_SAFE_INTEGER;

export interface NewTermsOptions {
  readonly rule: Rule;
  readonly history: TermHistory;
  readonly limits: DetectorLimits;
  /** How long a rule only learns from the time at which it began to judge, whether something matched or not. */
  readonly baseline: Micros;
  readonly onMatch: OnMatch;
}

/** A launch_daemon event has no `file.path`: what it is about stands in `Persistence.path`. */
function termReader(name: string): Reader {
  const read = fieldReader([name]);
  if (name !== 'file.path') return read;
  const item = fieldReader(['Persistence.path']);
  return (doc) => read(doc) ?? item(doc);
}

/** A rule of type new_terms: matches when the values of its fields were not seen together within the history window. */
export class NewTermsMatcher implements QueryMatcher {
  readonly due = Number.POSITIVE_INFINITY;
  readonly #options: NewTermsOptions;
  readonly #keys: readonly KeyReader[];
  readonly #window: Micros;
  #learningUntil: Micros | undefined;

  constructor(options: NewTermsOptions) {
    this.#options = options;
    const { fields, historyWindow } = options.rule.newTerms ?? { fields: [], historyWindow: 0 };
    this.#keys = fields.map((name) => ({ read: termReader(name), optional: false }));
    this.#window = historyWindow;
  }

  process(event: Event): void {
    const { rule, history, limits, onMatch } = this.#options;
    const learning = this.#isLearning(event.time);
    // An event without one of the fields has no term; one with several values has one for each combination, and an alert
    // for each that is new.
    const keys = joinKeysOf(this.#keys, event.doc, limits.keysPerEvent);
    for (const [index, key] of keys.entries()) {
      const term = JSON.stringify(key);
      const earlier = history.seen(rule.meta.id, term, event.time);
      if (learning || (earlier !== undefined && event.time - earlier <= this.#window)) continue;
      const part = index === 0 ? {} : { part: term };
      onMatch({ events: [event], joinKeys: key, window: [], ...part });
    }
  }

  /** Its terms may be others now. That an alert has been given for it is known where alerts are made. */
  revise(event: Event): void {
    this.process(event);
  }

  advance(time: Micros): void {
    if (this.#options.baseline > 0 && this.#learningUntil === undefined)
      this.#learningUntil = this.#end(time);
  }

  finish(): void {}

  #isLearning(time: Micros): boolean {
    const { rule, history, baseline } = this.#options;
    if (baseline <= 0) return false;
    this.#learningUntil ??= this.#end(time);
    if (time < this.#learningUntil) return true;
    if (Number.isFinite(this.#learningUntil)) {
      history.seen(rule.meta.id, learntKey, farFuture - 1);
      this.#learningUntil = Number.NEGATIVE_INFINITY;
    }
    return false;
  }

  /** When it has learnt, if it begins to judge at `time` or began earlier. */
  #end(time: Micros): Micros {
    const { rule, history, baseline } = this.#options;
    const { id } = rule.meta;
    if (history.seen(id, learntKey, farFuture) !== undefined) return Number.NEGATIVE_INFINITY;
    const since = history.seen(id, activeKey, farFuture);
    if (since === undefined) history.seen(id, activeKey, time);
    return (since ?? time) + baseline;
  }
}
