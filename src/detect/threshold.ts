import { UserError } from '../base/errors.js';
import { type Micros, parseDuration } from '../base/time.js';
import { compareEvents, type Event } from '../event/event.js';
import { fieldReader, type Rule } from '../rules/index.js';
import { type JoinKey, joinKeysOf, type KeyReader, keyIdentity } from './join-keys.js';
import type { OnMatch, QueryMatcher, Revision } from './match.js';
import type { DetectorLimits } from './options.js';
import { type Entry, Recency } from './recency.js';

const defaultLookBack: Micros = 540_000_000;

interface Count extends Entry<unknown> {
  readonly key: JoinKey;
  /** The counted events of the window, oldest first, at most as many as the threshold. */
  events: Event[];
}

export interface ThresholdOptions {
  readonly rule: Rule;
  readonly limits: DetectorLimits;
  readonly room: { free: number };
  readonly onMatch: OnMatch;
}

/**
 * A rule of type threshold: matches when so many events share the values of its fields within the look-back (`from`).
 * Events that made a match are not counted again.
 */
export class ThresholdMatcher implements QueryMatcher {
  readonly due = Number.POSITIVE_INFINITY;
  readonly #options: ThresholdOptions;
  readonly #keys: readonly KeyReader[];
  readonly #value: number;
  readonly #lookBack: Micros;
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
    for (const key of now) if (!known.has(keyIdentity(key))) this.#count(key, event);
  }

  #takeBack(key: JoinKey, event: Event): void {
    const count = this.#counts.get(keyIdentity(key));
    const at = count?.events.indexOf(event) ?? -1;
    if (count === undefined || at < 0) return;
    count.events.splice(at, 1);
    this.#options.room.free++;
  }

  get lookBack(): Micros {
    return this.#lookBack;
  }

  process(event: Event): void {
    for (const key of joinKeysOf(this.#keys, event.doc, this.#options.limits.keysPerEvent))
      this.#count(key, event);
    this.advance(event.time);
  }

  advance(time: Micros): void {
    for (;;) {
      const count = this.#counts.untouchedSince(time - this.#lookBack);
      if (count === undefined) return;
      this.#drop(count);
    }
  }

  finish(): void {}

  #count(key: JoinKey, event: Event): void {
    const count = this.#countOf(key, event.time);
    const { room, onMatch } = this.#options;
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
      this.#drop(count);
      onMatch({ events, joinKeys: key, window: [] });
      return;
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
    const made: Count = { id, key, touched: time, queued: time, gone: false, events: [] };
    this.#counts.add(made);
    return made;
  }

  #drop(count: Count): void {
    this.#counts.remove(count);
    this.#options.room.free += count.events.length;
  }
}

/** `now-9m` in microseconds. */
export function lookBack(from: string): Micros | undefined {
  const match = /^now-(.+)$/.exec(from.trim());
  return match?.[1] === undefined ? undefined : parseDuration(match[1]);
}
