import type { Micros } from '../base/time.js';

/** An entry of a Recency list. */
export interface Entry<K> {
  readonly id: K;
  /** Whose it is, for lists that are kept by user. */
  readonly user?: string;
  /** Event time of the last touch. */
  touched: Micros;
  /** `touched` as it was when the entry took its place in the queue; it may have been touched since. */
  queued: Micros;
  gone: boolean;
}

/** The entries of one user. */
class Queue<E extends Entry<unknown>> {
  readonly user: string;
  size = 0;
  #queue: E[] = [];
  #head = 0;

  constructor(user: string) {
    this.user = user;
  }

  push(entry: E): void {
    this.size++;
    this.#queue.push(entry);
  }

  untouchedSince(time: Micros): E | undefined {
    const first = this.#queue[this.#head];
    // Whoever stands in front has been there longest: nobody was queued earlier.
    if (first === undefined || first.queued >= time) return undefined;
    const oldest = this.oldest();
    return oldest !== undefined && oldest.touched < time ? oldest : undefined;
  }

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

/**
 * Entries by id, and which of them was not touched for longest. A touch only notes the time; an entry moves back in the
 * queue when its turn comes. So a touch costs the same whether there are ten entries or a hundred thousand.
 */
export class Recency<K, E extends Entry<K>> {
  readonly #entries = new Map<K, E>();
  /** One for each user. There are few. */
  #queues: Queue<E>[] = [];

  get size(): number {
    return this.#entries.size;
  }

  get(id: K): E | undefined {
    return this.#entries.get(id);
  }

  /** The entry is new to the list; `queued` equals `touched`. */
  add(entry: E): void {
    this.#entries.set(entry.id, entry);
    this.#queueOf(entry).push(entry);
  }

  touch(entry: E, time: Micros): void {
    if (time > entry.touched) entry.touched = time;
  }

  remove(entry: E): void {
    this.#entries.delete(entry.id);
    entry.gone = true;
    const queue = this.#queueOf(entry);
    if (--queue.size === 0) this.#queues = this.#queues.filter((one) => one !== queue);
  }

  /** An entry that was last touched before `time`, or undefined when there is none. */
  untouchedSince(time: Micros): E | undefined {
    for (const queue of this.#queues) {
      const entry = queue.untouchedSince(time);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  /** Of the user with the most entries the one that was not touched for longest. */
  oldest(): E | undefined {
    let most: Queue<E> | undefined;
    for (const queue of this.#queues) if (most === undefined || queue.size > most.size) most = queue;
    return most?.oldest();
  }

  #queueOf({ user = '' }: E): Queue<E> {
    for (const queue of this.#queues) if (queue.user === user) return queue;
    const made = new Queue<E>(user);
    this.#queues.push(made);
    return made;
  }
}
