import type { Micros } from '../base/time.js';
import { compareEvents, type Event } from '../event/event.js';

/** An event and the conditions of one sequence that it met. */
export interface Logged {
  readonly event: Event;
  hits: readonly number[];
}

interface Shelf {
  entries: Logged[];
  head: number;
}

/**
 * The latest hits of a sequence in the order of events: what an event that comes behind them could still make a match
 * with. Bounded; when it is full, the user with the most entries gives up the oldest.
 */
export class EventLog {
  readonly #capacity: number;
  readonly #shelves = new Map<string, Shelf>();
  #size = 0;
  #newest: Event | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The last event in order; a little longer than its entry. */
  get newest(): Event | undefined {
    return this.#newest;
  }

  /** Returns the user that had to give up an entry for it. */
  add(user: string, entry: Logged): string | undefined {
    if (this.#newest === undefined || compareEvents(this.#newest, entry.event) < 0)
      this.#newest = entry.event;
    let shelf = this.#shelves.get(user);
    if (shelf === undefined) {
      shelf = { entries: [], head: 0 };
      this.#shelves.set(user, shelf);
    }
    const { entries } = shelf;
    let at = entries.length;
    while (at > shelf.head && compareEvents((entries[at - 1] as Logged).event, entry.event) > 0) at--;
    if (at === entries.length) entries.push(entry);
    else entries.splice(at, 0, entry);
    if (++this.#size <= this.#capacity) return undefined;
    const [largest, most] = this.#largest();
    this.#shift(most);
    return largest;
  }

  /** The entry of an event, when it is still there. */
  find(user: string, event: Event): Logged | undefined {
    return this.#shelves.get(user)?.entries.findLast((entry) => entry.event === event);
  }

  /** All entries from a time on, in order. */
  from(time: Micros): readonly Logged[] {
    const parts: Logged[][] = [];
    for (const { entries, head } of this.#shelves.values()) {
      let at = entries.length;
      while (at > head && (entries[at - 1] as Logged).event.time >= time) at--;
      if (at < entries.length) parts.push(entries.slice(at));
    }
    const [only = []] = parts;
    return parts.length < 2 ? only : parts.flat().sort((a, b) => compareEvents(a.event, b.event));
  }

  /** Forgets what is older. */
  expire(before: Micros): void {
    for (const [user, shelf] of this.#shelves) {
      while (shelf.head < shelf.entries.length && (shelf.entries[shelf.head] as Logged).event.time < before)
        this.#shift(shelf);
      if (shelf.head === shelf.entries.length) this.#shelves.delete(user);
    }
  }

  #shift(shelf: Shelf): void {
    shelf.head++;
    this.#size--;
    if (shelf.head < 64 || shelf.head * 2 < shelf.entries.length) return;
    shelf.entries = shelf.entries.slice(shelf.head);
    shelf.head = 0;
  }

  #largest(): readonly [string, Shelf] {
    let found: readonly [string, Shelf] | undefined;
    let most = -1;
    for (const [user, shelf] of this.#shelves) {
      const size = shelf.entries.length - shelf.head;
      if (size > most) {
        most = size;
        found = [user, shelf];
      }
    }
    return found as readonly [string, Shelf];
  }
}
