import type { Micros } from '../base/time.js';
import type { Event } from '../event/event.js';

/** An event that met conditions of rules. */
export interface Judged {
  /** The object that matchers hold: a revision replaces its document. */
  event: Event;
  /** The conditions that it, or an earlier document of it, met; ascending. */
  hits: readonly number[];
}

/**
 * The judged events that a revision may still come for, by id. Bounded by time and number; an event that is forgotten early
 * is judged like a new one when its revision comes.
 */
export class JudgedEvents {
  readonly #capacity: number;
  /** In the order in which they were judged. */
  #queue: Judged[] = [];
  #head = 0;
  /** Up to where the queue is in the index: it is made when somebody looks, since most events are never revised. */
  #indexed = 0;
  /** Up to where the entries have given up their documents. */
  #slim = 0;
  readonly #byId = new Map<string, Judged>();
  evicted = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#queue.length - this.#head;
  }

  add(judged: Judged): void {
    this.#queue.push(judged);
    if (this.size > this.#capacity) {
      this.evicted++;
      this.#shift();
    }
  }

  find(id: string): Judged | undefined {
    for (; this.#indexed < this.#queue.length; this.#indexed++) {
      const judged = this.#queue[this.#indexed] as Judged;
      this.#byId.set(judged.event.id, judged);
    }
    return this.#byId.get(id);
  }

  /** Forgets events older than `before`, and the documents of those older than `held`: no matcher has these any more. */
  expire(before: Micros, held: Micros): void {
    while (this.#head < this.#queue.length && (this.#queue[this.#head] as Judged).event.time < before)
      this.#shift();
    this.#slim = Math.max(this.#slim, this.#head);
    for (; this.#slim < this.#queue.length; this.#slim++) {
      const judged = this.#queue[this.#slim] as Judged;
      if (judged.event.time >= held) return;
      judged.event = { ...judged.event, doc: {} };
    }
  }

  #shift(): void {
    const judged = this.#queue[this.#head] as Judged;
    if (this.#head < this.#indexed && this.#byId.get(judged.event.id) === judged)
      this.#byId.delete(judged.event.id);
    this.#head++;
    this.#indexed = Math.max(this.#indexed, this.#head);
    if (this.#head < 1_000 || this.#head * 2 < this.#queue.length) return;
    this.#queue = this.#queue.slice(this.#head);
    this.#indexed -= this.#head;
    this.#slim = Math.max(0, this.#slim - this.#head);
    this.#head = 0;
  }
}
