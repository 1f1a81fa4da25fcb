import { UserError } from '../base/errors.js';
import { type Micros, parseDuration } from '../base/time.js';
import { compareEvents, type Event } from '../event/event.js';
import { fieldReader, type Rule } from '../rules/index.js';
import { type JoinKey, joinKeysOf, type KeyReader, keyIdentity } from './join-keys.js';
import type { Match, QueryMatcher, Revision } from './match.js';
import type { DetectorLimits } from './options.js';
import { type Entry, Recency } from './recency.js';
import type { Told } from './told.js';

const defaultLookBack: Micros = 540_000_000;
const defaultInterval: Micros = 300_000_000;

interface Count extends Entry<unknown> {
  readonly key: JoinKey;
  /** The counted events of the window, oldest first, at most as many as the threshold. */
  events: Event[];
  /** Set while an alert stands for the bucket: what follows is counted in it. */
  alerted: Alerted | undefined;
}

interface Alerted {
  readonly told: Told | undefined;
  /** The end of the interval in which it was given; the count begins anew there. */
  readonly until: Micros;
  /** Events that followed, and how many of them the alert says. */
  more: number;
  said: number;
}

export interface ThresholdOptions {
  readonly rule: Rule;
  readonly limits: DetectorLimits;
  readonly room: { free: number };
  onMatch(match: Match): Told | undefined;
  /** So many more events belong to the bucket of an alert. */
  onMore(told: Told, more: number): void;
}

/**
 * A rule of type threshold: matches when so many events share the values of its fields within the look-back (`from`). A
 * bucket gives one alert in an interval of the rule, which counts what follows in it; then the count begins anew, as that
 * of Kibana does with the events after those of the alert.
 */
export class ThresholdMatcher implements QueryMatcher {
  readonly #options: ThresholdOptions;
  readonly #keys: readonly KeyReader[];
  readonly #value: number;
  readonly #lookBack: Micros;
  readonly #interval: Micros;
  /** Buckets whose alert says fewer events than there were, and when the first of them ends. */
  readonly #growing = new Set<Count>();
  #due: Micros = Number.POSITIVE_INFINITY;
  readonly #counts = new Recency<unknown, Count>();
  evicted = 0;

  /** Throws UserError when so many events could never be held. */
  constructor(options: ThresholdOptions) {
    this.#options = options;
    const { meta, threshold } = options.rule;
    this.#value = Math.max(1, threshold?.value ?? 1);
    if (this.#value > options.limits.counted) {
      throw new UserError(
        'detect/threshold-too-large',
        `the rule "${meta.name}" counts to ${this.#value}, more than the ${options.limits.counted} events that are held`,
        { at: { file: meta.file } },
      );
    }
    this.#keys = (threshold?.fields ?? []).map((name) => ({ read: fieldReader([name]), optional: false }));
    this.#lookBack = lookBack(meta.from) ?? defaultLookBack;
    this.#interval = parseDuration(meta.interval) ?? defaultInterval;
  }

  /** When an alert is to say for the last time how many events its bucket has. */
  get due(): Micros {
    return this.#due;
  }

  /** Counts an event once: under the keys that it has now. */
  revise(event: Event, { before, fresh }: Revision): void {
    if (fresh.length > 0) {
      this.process(event);
      return;
    }
    const keysOf = (doc: unknown) => joinKeysOf(this.#keys, doc, this.#options.limits.keysPerEvent);
    const [old, now] = [keysOf(before), keysOf(event.doc)];
    const ids = new Set(now.map(keyIdentity));
    const known = new Set(old.map(keyIdentity));
    for (const key of old) if (!ids.has(keyIdentity(key))) this.#takeBack(key, event);
    for (const [index, key] of now.entries())
      if (!known.has(keyIdentity(key))) this.#count(key, event, index);
  }

  #takeBack(key: JoinKey, event: Event): void {
    const count = this.#counts.get(keyIdentity(key));
    const at = count?.events.indexOf(event) ?? -1;
    if (count === undefined || at < 0) return;
    count.events.splice(at, 1);
    this.#options.room.free++;
  }

  /** How far back events count: those of a window, behind those of an interval that an alert stands for. */
  get lookBack(): Micros {
    return this.#lookBack + this.#interval;
  }

  process(event: Event): void {
    for (const [index, key] of joinKeysOf(this.#keys, event.doc, this.#options.limits.keysPerEvent).entries())
      this.#count(key, event, index);
    this.advance(event.time);
  }

  advance(time: Micros): void {
    if (this.#due <= time) this.#sayAll(time);
    for (;;) {
      const count = this.#counts.untouchedSince(time - this.lookBack);
      if (count === undefined) return;
      this.#drop(count);
    }
  }

  finish(): void {
    this.#sayAll(Number.POSITIVE_INFINITY);
  }

  #sayAll(until: Micros): void {
    this.#due = Number.POSITIVE_INFINITY;
    for (const count of this.#growing) {
      const { alerted } = count;
      if (alerted !== undefined && alerted.until > until) this.#due = Math.min(this.#due, alerted.until);
      else this.#say(count);
    }
  }

  #say(count: Count): void {
    this.#growing.delete(count);
    const { alerted } = count;
    if (alerted?.told === undefined || alerted.more === alerted.said) return;
    this.#options.onMore(alerted.told, alerted.more - alerted.said);
    alerted.said = alerted.more;
  }

  /** At 1, 2, 4, 8, ... and at the end of the interval: an alert does not change with every event. */
  #grow(count: Count, alerted: Alerted): void {
    alerted.more++;
    if (alerted.more >= alerted.said * 2) {
      this.#say(count);
      return;
    }
    this.#growing.add(count);
    this.#due = Math.min(this.#due, alerted.until);
  }

  /** `index`: of the key among those of the event. */
  #count(key: JoinKey, event: Event, index: number): void {
    const count = this.#countOf(key, event.time);
    const { room, onMatch } = this.#options;
    if (count.alerted !== undefined) {
      if (event.time < count.alerted.until) {
        this.#grow(count, count.alerted);
        return;
      }
      this.#say(count);
      count.alerted = undefined;
      room.free++;
    }
    // One that comes late, or met the condition late, stands where it would have stood: the alert's id depends on it.
    let at = count.events.length;
    while (at > 0 && compareEvents(count.events[at - 1] as Event, event) > 0) at--;
    count.events.splice(at, 0, event);
    room.free--;
    const newest = (count.events.at(-1) as Event).time;
    const old = count.events.findIndex(({ time }) => newest - time <= this.#lookBack);
    if (old > 0) {
      count.events.splice(0, old);
      room.free += old;
    }
    if (count.events.length >= this.#value) {
      const { events } = count;
      const last = events.at(-1) as Event;
      room.free += events.length - 1;
      count.events = [];
      // Several buckets may be made of the same events.
      const part = index === 0 ? {} : { part: JSON.stringify(key) };
      const told = onMatch({ events, joinKeys: key, window: [], ...part });
      count.alerted = { told, until: last.time + this.#interval, more: 0, said: 0 };
    }
    while (room.free < 0) {
      const oldest = this.#counts.oldest();
      if (oldest === undefined) return;
      this.#drop(oldest);
      this.evicted++;
    }
  }

  #countOf(key: JoinKey, time: Micros): Count {
    const id = keyIdentity(key);
    const known = this.#counts.get(id);
    if (known !== undefined) {
      this.#counts.touch(known, time);
      return known;
    }
    const made: Count = { id, key, touched: time, queued: time, gone: false, events: [], alerted: undefined };
    this.#counts.add(made);
    return made;
  }

  #drop(count: Count): void {
    this.#say(count);
    this.#counts.remove(count);
    this.#options.room.free += count.events.length + (count.alerted === undefined ? 0 : 1);
  }
}

/** `now-9m` in microseconds. */
export function lookBack(from: string): Micros | undefined {
  const match = /^now-(.+)$/.exec(from.trim());
  return match?.[1] === undefined ? undefined : parseDuration(match[1]);
}
