import path from 'node:path';
import { launchItemKind } from '../../base/launch-paths.js';
import type { Micros } from '../../base/time.js';
import type { Event } from '../../event/event.js';
import type { Before } from './loaded-before.js';

/** A launch item that changed, and what is known of its job in each domain. */
export interface WatchedItem {
  readonly path: string;
  readonly label: string;
  /** True when the label is the file's name for want of a better one. */
  readonly guessed: boolean;
  readonly changed: Micros;
  readonly before: Map<string, Before>;
  /** Monotonic milliseconds. */
  until: number;
  due: number;
  pause: number;
  asking: boolean;
  unknown: number;
}

/** launchd takes labels for names of its own: what cannot stand in a service target is not asked about. */
const maxLabel = 256;
const askable = /^[^\p{Cc}\p{Cs}\u2028\u2029/]+$/u;

export interface ItemChange {
  readonly path: string;
  readonly label: string;
  readonly guessed: boolean;
}

/** The launch item that an event is about; undefined when it is about none, or about its deletion. */
export function changedItem({ doc }: Event): ItemChange | undefined {
  if (doc.event?.category?.includes('file') !== true || doc.event.type?.includes('deletion') === true)
    return undefined;
  const macPath = doc.file?.path ?? doc.Persistence?.path;
  if (macPath === undefined || doc.file?.type === 'dir' || launchItemKind(macPath) === undefined)
    return undefined;
  const written = doc.launchwarden?.plist?.label;
  return {
    path: macPath,
    label: written ?? path.posix.basename(macPath).replace(/\.plist$/i, ''),
    guessed: written === undefined,
  };
}

export interface Schedule {
  readonly windowMs: number;
  readonly firstMs: number;
  readonly largestMs: number;
  readonly mostItems: number;
}

/** Items that are asked about, each for a while after its latest change, at ever longer pauses. */
export class WatchedItems {
  readonly #schedule: Schedule;
  readonly #items = new Map<string, WatchedItem>();
  /** Thrown out for newer ones; and labels that launchctl cannot be asked about. */
  readonly counters = { evicted: 0, odd_labels: 0 };

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }

  get size(): number {
    return this.#items.size;
  }

  /** Begins to watch it, or goes on. The new item, or undefined when it is one that was watched already. */
  add({ path: macPath, label, guessed }: ItemChange, changed: Micros, now: number): WatchedItem | undefined {
    if (label.length > maxLabel || !askable.test(label)) {
      this.counters.odd_labels++;
      return undefined;
    }
    const { windowMs, firstMs, mostItems } = this.#schedule;
    if (!guessed) this.#forgetGuess(macPath, label);
    const key = keyOf(macPath, label);
    const known = this.#items.get(key);
    if (known !== undefined) {
      known.until = now + windowMs;
      known.pause = firstMs;
      known.due = Math.min(known.due, now + firstMs);
      return undefined;
    }
    const item: WatchedItem = {
      path: macPath,
      label,
      guessed,
      changed,
      before: new Map(),
      until: now + windowMs,
      due: now + firstMs,
      pause: firstMs,
      asking: false,
      unknown: 0,
    };
    this.#items.set(key, item);
    for (const oldest of this.#items.keys()) {
      if (this.#items.size <= mostItems) break;
      this.#items.delete(oldest);
      this.counters.evicted++;
    }
    return item;
  }

  has(item: WatchedItem): boolean {
    return this.#items.get(keyOf(item.path, item.label)) === item;
  }

  remove(item: WatchedItem): void {
    if (this.has(item)) this.#items.delete(keyOf(item.path, item.label));
  }

  /** The one that has waited longest, marked as being asked about; forgets those whose time is over. */
  next(now: number): WatchedItem | undefined {
    let next: WatchedItem | undefined;
    for (const item of this.#items.values()) {
      if (item.asking) continue;
      if (now > item.until) this.remove(item);
      else if (item.due <= now && (next === undefined || item.due < next.due)) next = item;
    }
    if (next !== undefined) next.asking = true;
    return next;
  }

  answered(item: WatchedItem, now: number): void {
    item.asking = false;
    item.pause = Math.min(item.pause * 1.6, this.#schedule.largestMs);
    item.due = now + item.pause;
  }

  /** The content has been read by now: its label counts, not the file's name. */
  #forgetGuess(macPath: string, label: string): void {
    for (const item of this.#items.values())
      if (item.guessed && item.path === macPath && item.label !== label) this.remove(item);
  }
}

function keyOf(macPath: string, label: string): string {
  return `${label}\0${macPath}`;
}
