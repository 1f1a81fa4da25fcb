import path from 'node:path';
import { launchItemKind } from '../../base/launch-paths.js';
import type { Micros } from '../../base/time.js';
import type { Event } from '../../event/event.js';
import { hasCertainLabel } from '../../event/label-certainty.js';
import { ownerKey } from './domains.js';
import type { Before } from './loaded-before.js';

/** A launch item that changed, and what is known of its jobs in each domain. */
export interface WatchedItem {
  readonly path: string;
  /** Labels that the job may have, the likeliest first: launchd is asked about each. */
  labels: readonly string[];
  /** One of the labels that is no more than the file's name: it counts for a job of this file only. */
  guess: string | undefined;
  /** False when the job may have another label: then whatever appears in the domain is looked at. */
  certain: boolean;
  readonly owner: string;
  readonly changed: Micros;
  /** By service target, `system/com.x`. */
  readonly before: Map<string, Before>;
  /** Monotonic milliseconds. */
  until: number;
  due: number;
  pause: number;
  asking: boolean;
  unknown: number;
  /** Answers that were about it. */
  answers: number;
}

/** A command line takes no more of an argument, and no zero byte. */
const maxTarget = 64 * 1024;
const mostLabels = 4;

export interface ItemChange {
  readonly path: string;
  readonly labels: readonly string[];
  readonly guess: string | undefined;
  readonly certain: boolean;
}

/** The launch item that an event is about; undefined when it is about none, or about its deletion. */
export function changedItem({ doc }: Event): ItemChange | undefined {
  if (doc.event?.category?.includes('file') !== true || doc.event.type?.includes('deletion') === true)
    return undefined;
  const macPath = doc.file?.path ?? doc.Persistence?.path;
  if (macPath === undefined || doc.file?.type === 'dir' || launchItemKind(macPath) === undefined)
    return undefined;
  const { label, other_labels: others = [] } = doc.launchwarden?.plist ?? {};
  const guess = path.posix.basename(macPath).replace(/\.plist$/i, '');
  const written = [...(label === undefined ? [] : [label]), ...others];
  const certain = hasCertainLabel(doc) && others.length === 0;
  const trimmed = written.map((one) => one.trim());
  const all = certain ? written : [...written, ...trimmed, guess];
  const labels = [...new Set(all)].filter(isAskable).slice(0, mostLabels);
  return { path: macPath, labels, guess: written.includes(guess) ? undefined : guess, certain };
}

function isAskable(label: string): boolean {
  return label !== '' && label.length <= maxTarget && !/[\0\p{Cs}]/u.test(label);
}

export interface Schedule {
  readonly windowMs: number;
  readonly firstMs: number;
  readonly largestMs: number;
  readonly mostItems: number;
  readonly mostDirect: number;
}

/**
 * Items whose jobs launchd is asked about, each for a while after its latest change, at ever longer pauses. Room and
 * questions are shared by owner, so that nobody's flood takes those of another; the system's own places count as one.
 */
export class WatchedItems {
  readonly #schedule: Schedule;
  readonly #items = new Map<string, WatchedItem>();
  readonly #served = new Map<string, number>();
  #turn = 0;
  /** Thrown out for newer ones of the same owner; and those whose time went by without an answer. */
  readonly counters = { evicted: 0, unasked: 0, odd_labels: 0 };
  /** The owner whose items were thrown out last. */
  evictedOf: string | undefined;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }

  get size(): number {
    return this.#items.size;
  }

  all(): IterableIterator<WatchedItem> {
    return this.#items.values();
  }

  /** True when some of them are not asked about by name. */
  get needsLists(): boolean {
    if (this.#items.size > this.#schedule.mostDirect) return true;
    for (const item of this.#items.values()) if (!item.certain) return true;
    return false;
  }

  /** Begins to watch it, or goes on: then its labels are those of the newest change. */
  add(
    change: ItemChange,
    changed: Micros,
    now: number,
  ): { readonly item: WatchedItem; readonly fresh: boolean } {
    const { windowMs, firstMs } = this.#schedule;
    if (!change.certain) this.counters.odd_labels++;
    const known = this.#items.get(change.path);
    if (known !== undefined) {
      // Until the content has been read the label is a guess; what an earlier content said may be loaded as well.
      const earlier = known.certain || !change.certain ? known.labels : [];
      known.labels = [...new Set([...change.labels, ...earlier])].slice(0, mostLabels);
      known.certain = change.certain;
      known.guess = change.guess;
      known.until = now + windowMs;
      known.pause = firstMs;
      known.due = Math.min(known.due, now + firstMs);
      return { item: known, fresh: false };
    }
    const item: WatchedItem = {
      ...change,
      owner: ownerKey(change.path),
      changed,
      before: new Map(),
      until: now + windowMs,
      due: now + firstMs,
      pause: firstMs,
      asking: false,
      unknown: 0,
      answers: 0,
    };
    this.#items.set(change.path, item);
    while (this.#items.size > this.#schedule.mostItems) this.#evict();
    return { item, fresh: true };
  }

  has(item: WatchedItem): boolean {
    return this.#items.get(item.path) === item;
  }

  remove(item: WatchedItem): void {
    if (this.has(item)) this.#items.delete(item.path);
  }

  /** The one whose owner was served longest ago, marked as being asked about; forgets those whose time is over. */
  next(now: number): WatchedItem | undefined {
    const share = this.#share();
    const seen = new Map<string, number>();
    let next: WatchedItem | undefined;
    for (const item of [...this.#items.values()].reverse()) {
      const rank = seen.get(item.owner) ?? 0;
      seen.set(item.owner, rank + 1);
      if (item.asking) continue;
      if (now > item.until) this.#expire(item);
      else if (rank < share && item.labels.length > 0 && item.due <= now && this.#isBefore(item, next))
        next = item;
    }
    if (next === undefined) return undefined;
    next.asking = true;
    this.#served.set(next.owner, ++this.#turn);
    return next;
  }

  answered(item: WatchedItem, now: number): void {
    item.asking = false;
    item.pause = Math.min(item.pause * 1.6, this.#schedule.largestMs);
    item.due = now + item.pause;
  }

  #isBefore(item: WatchedItem, other: WatchedItem | undefined): boolean {
    if (other === undefined) return true;
    const [mine, theirs] = [this.#served.get(item.owner) ?? 0, this.#served.get(other.owner) ?? 0];
    return mine === theirs ? item.due < other.due : mine < theirs;
  }

  /** Items of one owner that are asked about by name: the newest ones. */
  #share(): number {
    if (this.#items.size <= this.#schedule.mostDirect) return this.#items.size;
    const owners = new Set([...this.#items.values()].map(({ owner }) => owner)).size;
    return Math.max(1, Math.floor(this.#schedule.mostDirect / owners));
  }

  /** The oldest item of the owner with the most. */
  #evict(): void {
    const counts = new Map<string, number>();
    for (const { owner } of this.#items.values()) counts.set(owner, (counts.get(owner) ?? 0) + 1);
    const [largest] = [...counts].reduce((most, one) => (one[1] > most[1] ? one : most), ['', 0]);
    for (const [key, { owner }] of this.#items) {
      if (owner !== largest) continue;
      this.#items.delete(key);
      this.counters.evicted++;
      this.evictedOf = owner;
      return;
    }
  }

  #expire(item: WatchedItem): void {
    if (item.answers === 0) this.counters.unasked++;
    this.remove(item);
    if (this.#items.size === 0) this.#served.clear();
  }
}
