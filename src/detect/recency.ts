import type { Micros } from '../base/time.js';

/** An entry of a Recency list. */
export interface Entry<K> {
  readonly id: K;
  /** Event time of the last touch. */
  touched: Micros;
  /** `touched` as it was when the entry took its place in the queue; it may have been touched since. */
  queued: Micros;
  gone: boolean;
}

/**
 * Entries by id, and which of them was not touched for longest. A touch only notes the time; an entry moves back in the
 * queue when its turn comes. So a touch costs the same whether there are ten entries or a hundred thousand.
 */
export class Recency<K, E extends Entry<K>> {
  readonly #entries = new Map<K, E>();
  #queue: E[] = [];
  #head = 0;

  get size(): number {
    return this.#entries.size;
  }

  get(id: K): E | undefined {
    return this.#entries.get(id);
  }

  /** The entry is new to the list; `queued` equals `touched`. */
  add(entry: E): void {
    this.#entries.set(entry.id, entry);
    this.#queue.push(entry);
  }

  touch(entry: E, time: Micros): void {
    if (time > entry.touched) entry.touched = time;
  }

  remove(entry: E): void {
    this.#entries.delete(entry.id);
    entry.gone = true;
  }

  /** An entry that was last touched before `time`, or undefined when there is none. */
  untouchedSince(time: Micros): E | undefined {
    const first = this.#queue[this.#head];
    // Whoever stands in front has been there longest: nobody was queued earlier.
    if (first === undefined || first.queued >= time) return undefined;
    const oldest = this.oldest();
    return oldest !== undefined && oldest.touched < time ? oldest : undefined;
  }

  /** The entry that was not touched for longest. */
  oldest(): E | undefined {
    let entry = this.#queue[this.#head];
    while (entry !== undefined && (entry.gone || entry.touched > entry.queued)) {
      this.#head++;
      if (!entry.gone) {
        entry.queued = entry.touched;
        this.#queue.push(entry);
      }
      entry = this.#queue[this.#head];
    }
    // What was passed is cut off once it is the larger part.
    if (this.#head > 1000 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return entry;
  }
}
