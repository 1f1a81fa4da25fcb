import { type Micros, parseDuration } from '../base/time.js';
import type { Candidate, Detection } from '../event/alert.js';
import { summaryAlertId } from '../event/ids.js';
import type { RuleMeta } from '../event/rule-meta.js';
import { compareLinks } from './candidates.js';

const defaultInterval: Micros = 300_000_000;
/** One item gets this part of a user's alerts at most: its contents may change without end. */
const itemShare = 1 / 4;
/** This part of a user's alerts is kept for items that had none yet, as many more for odd ones, and as many for severe ones. */
const reserveShare = 1 / 10;
/** Findings that weigh so much together are severe: they alone take an alert of low severity to a medium priority or above. */
const severeWeight = 40;
/** A summary names so many odd items in its reason. */
const mostNamed = 3;
/** What is not told yet waits so long at first, and no longer than that: each time it is told for this reason, twice as long. */
const firstWait: Micros = 2_000_000;
const longestWait: Micros = 30_000_000;
/** In one interval so many odd items bring the summary up to date at once. */
const mostOddNews = 16;

/** What an alert is about, as far as `max_signals` asks. */
export interface FloodSubject {
  readonly user: string;
  /** Path of its file; undefined when it is about none. */
  readonly item: string | undefined;
  /** The findings about its file as one text; undefined when there are none. */
  readonly oddity: string | undefined;
  /** What the findings weigh together. */
  readonly weight: number;
}

/** An alert that was held back: what it is about, and in which interval. */
export interface Held {
  candidate: Candidate;
  readonly user: string;
  readonly start: Micros;
  /** Event time of the alert. */
  readonly at: Micros;
  /** The first of its kind of findings in the interval. */
  readonly odd: boolean;
  readonly weight: number;
}

/**
 * `max_signals` of one rule, kept by user: so many alerts of a user in one interval of event time, which begins at the first
 * one; then one summary that counts the rest of that user's. Nobody's alerts use up those of another, or of the system.
 */
export class Flood {
  readonly #rule: RuleMeta;
  readonly #capacity: number;
  readonly #users = new Map<string, UserFlood>();
  readonly interval: Micros;

  /** `capacity`: how many the summary of a user lists. */
  constructor(rule: RuleMeta, capacity: number) {
    this.#rule = rule;
    this.#capacity = capacity;
    this.interval = parseDuration(rule.interval) ?? defaultInterval;
  }

  /** The first moment at which the summary of a user is to be brought up to date, else Infinity. */
  get due(): Micros {
    let due = Number.POSITIVE_INFINITY;
    for (const flood of this.#users.values()) due = Math.min(due, flood.due);
    return due;
  }

  /** True when an alert of this time may pass; else it is to be held. */
  admit(time: Micros, subject: FloodSubject): boolean {
    return this.#of(subject.user).admit(time, subject);
  }

  /** Lists an alert that may not pass by what it is about. */
  hold(candidate: Candidate, time: Micros, subject: FloodSubject): Held {
    return this.#of(subject.user).hold(candidate, time, subject);
  }

  /** What is now known of one that was held back. */
  amend(held: Held, candidate: Candidate): void {
    this.#of(held.user).amend(held, candidate);
  }

  /** The summary of a user when it has enough new to tell. */
  summary(user: string, wall: Micros): Detection | undefined {
    return this.#of(user).summary(false, wall);
  }

  /** The exact summaries of those that are due by `until`. */
  finals(until: Micros): Detection[] {
    const due = [...this.#users.values()].filter((flood) => flood.due <= until);
    return due.map((flood) => flood.summary(true)).filter((summary) => summary !== undefined);
  }

  #of(user: string): UserFlood {
    let flood = this.#users.get(user);
    if (flood === undefined) {
      flood = new UserFlood(user, this.#rule, this.interval, this.#capacity);
      this.#users.set(user, flood);
    }
    return flood;
  }
}

/**
 * The alerts of one rule about one user's items. The summary lists first what is severe, then what a process names, of equally
 * good ones first what is odd, then the newest. It comes again when its count has doubled, at once for what is odd in a new way, a few seconds
 * after whatever else it does not tell of yet, and when the interval ends.
 */
class UserFlood {
  readonly #user: string;
  readonly #rule: RuleMeta;
  readonly #interval: Micros;
  readonly #capacity: number;
  #start: Micros = Number.NEGATIVE_INFINITY;
  #passed = 0;
  /** Odd ones that passed beyond the limit. */
  #odd = 0;
  /** Severe ones that did. */
  #severe = 0;
  /** How many alerts each item had. */
  #items = new Map<string, number>();
  #oddities = new Set<string>();
  #suppressed = 0;
  #told = 0;
  /** Whether the list says more than it was told with. */
  #changed = false;
  /** Event time of the first thing that it does not tell of yet. */
  #untold: Micros = Number.POSITIVE_INFINITY;
  #wait = firstWait;
  /** Whether something is odd in a way of which it does not tell yet, and how often that was so in the interval. */
  #isOddNews = false;
  #oddNews = 0;
  /** Time of the newest alert that was held back, as people call it. */
  #latest: Micros = 0;
  /** The best first. */
  #held: Held[] = [];
  #newest: Held | undefined;

  constructor(user: string, rule: RuleMeta, interval: Micros, capacity: number) {
    this.#user = user;
    this.#rule = rule;
    this.#interval = interval;
    this.#capacity = capacity;
  }

  /** When its summary is to be brought up to date, at the latest at the end of the interval; Infinity when it is. */
  get due(): Micros {
    return this.#isNews ? Math.min(this.#end, this.#untold + this.#wait) : Number.POSITIVE_INFINITY;
  }

  /** The last moment of the interval. */
  get #end(): Micros {
    return this.#start + this.#interval - 1;
  }

  get #isNews(): boolean {
    return this.#suppressed > this.#told || this.#changed;
  }

  admit(time: Micros, { item, oddity, weight }: FloodSubject): boolean {
    if (time >= this.#start + this.#interval) this.#begin(time);
    const isNewKind = oddity !== undefined && !this.#oddities.has(oddity);
    if (!this.#hasSlot(item, { isNewKind, weight })) {
      this.#suppressed++;
      return false;
    }
    if (item !== undefined) this.#items.set(item, (this.#items.get(item) ?? 0) + 1);
    if (oddity !== undefined) this.#oddities.add(oddity);
    return true;
  }

  hold(candidate: Candidate, at: Micros, { oddity, weight }: FloodSubject): Held {
    const odd = oddity !== undefined && !this.#oddities.has(oddity);
    if (odd && this.#oddities.size < this.#capacity) this.#oddities.add(oddity);
    const held: Held = { candidate, user: this.#user, start: this.#start, at, odd, weight };
    if (this.#newest === undefined || at >= this.#newest.at) this.#newest = held;
    if ((odd || isSevere(held)) && this.#oddNews++ < mostOddNews) this.#isOddNews = true;
    this.#untold = Math.min(this.#untold, at);
    this.#insert(held);
    return held;
  }

  amend(held: Held, candidate: Candidate): void {
    if (held.start !== this.#start) return;
    const at = this.#held.indexOf(held);
    if (at >= 0) this.#held.splice(at, 1);
    held.candidate = candidate;
    this.#insert(held);
    this.#changed = true;
    this.#untold = Math.min(this.#untold, held.at);
  }

  /** The summary when there is something new to tell: at 1, 2, 4, 8, ... or for an odd item; with `final` whatever is new. */
  summary(final: boolean, wall?: Micros): Detection | undefined {
    if (wall !== undefined) this.#latest = Math.max(this.#latest, wall);
    if (!this.#isNews) return undefined;
    if (!final && !this.#isOddNews && this.#suppressed < this.#told * 2) return undefined;
    if (final) this.#wait = Math.min(this.#wait * 2, longestWait);
    this.#told = this.#suppressed;
    this.#changed = false;
    this.#untold = Number.POSITIVE_INFINITY;
    this.#isOddNews = false;
    return {
      id: summaryAlertId(this.#rule.id, this.#user, this.#start),
      rule: this.#rule,
      kind: 'summary',
      time: this.#latest,
      events: [],
      joinKeys: [],
      candidates: this.#held.map(({ candidate }) => candidate),
      repeats: 0,
      suppressed: this.#suppressed,
      flood: {
        user: this.#user,
        ...(this.#newest === undefined ? {} : { newest: this.#newest.candidate }),
        odd: this.#held
          .filter((one) => one.odd || isSevere(one))
          .slice(0, mostNamed)
          .map(({ candidate }) => candidate),
      },
    };
  }

  #begin(time: Micros): void {
    this.#start = time;
    this.#passed = 0;
    this.#odd = 0;
    this.#severe = 0;
    this.#items = new Map();
    this.#oddities = new Set();
    this.#suppressed = 0;
    this.#told = 0;
    this.#changed = false;
    this.#untold = Number.POSITIVE_INFINITY;
    this.#wait = firstWait;
    this.#isOddNews = false;
    this.#oddNews = 0;
    this.#latest = 0;
    this.#held = [];
    this.#newest = undefined;
  }

  #hasSlot(
    item: string | undefined,
    { isNewKind, weight }: { readonly isNewKind: boolean; readonly weight: number },
  ): boolean {
    const { maxSignals } = this.#rule;
    const reserve = Math.floor(maxSignals * reserveShare);
    const before = item === undefined ? 0 : (this.#items.get(item) ?? 0);
    const limit = before > 0 ? maxSignals - reserve : maxSignals;
    if (this.#passed < limit && before < Math.max(1, Math.ceil(maxSignals * itemShare))) {
      this.#passed++;
      return true;
    }
    if (isNewKind && this.#odd < reserve) {
      this.#odd++;
      return true;
    }
    // Whoever floods with odd items of ever new kinds leaves these.
    if (before > 0 || weight < severeWeight || this.#severe >= reserve) return false;
    this.#severe++;
    return true;
  }

  #insert(held: Held): void {
    let low = 0;
    let high = this.#held.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareHeld(this.#held[middle] as Held, held) < 0) low = middle + 1;
      else high = middle;
    }
    if (low >= this.#capacity) return;
    this.#held.splice(low, 0, held);
    if (this.#held.length > this.#capacity) this.#held.pop();
  }
}

function isSevere({ weight }: Held): boolean {
  return weight >= severeWeight;
}

/** Severe ones first, the worst of them at the top; else by what a process names, by what is odd, and the newest. */
function compareHeld(a: Held, b: Held): number {
  const severe = Number(isSevere(b)) - Number(isSevere(a));
  if (severe !== 0) return severe;
  if (isSevere(a) && a.weight !== b.weight) return b.weight - a.weight;
  return compareLinks(a.candidate, b.candidate) || Number(b.odd) - Number(a.odd) || b.at - a.at;
}
