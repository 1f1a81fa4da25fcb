import type { Micros } from '../base/time.js';
import { compareEvents, type Event } from '../event/event.js';

/** An event and the conditions of one sequence that it met. */
export interface Logged {
  readonly event: Event;
  readonly hits: readonly number[];
}

/** The entries of one user, in order, in a ring: nothing is allocated for an event. */
class Shelf {
  readonly user: string;
  #events: (Event | undefined)[] = new Array(16);
  #hits: (readonly number[])[] = new Array(16);
  #head = 0;
  size = 0;

  constructor(user: string) {
    this.user = user;
  }

  get oldest(): Event | undefined {
    return this.#events[this.#head];
  }

  push(event: Event, hits: readonly number[]): void {
    if (this.size === this.#events.length) this.#grow();
    let at = this.size++;
    for (; at > 0; at--) {
      const before = this.#at(at - 1);
      if (compareEvents(this.#events[before] as Event, event) <= 0) break;
      this.#set(at, this.#events[before], this.#hits[before] as readonly number[]);
    }
    this.#set(at, event, hits);
  }

  shift(): void {
    this.#events[this.#head] = undefined;
    this.#head = this.#at(1);
    this.size--;
  }

  /** Gives an event other hits. False when it is not there. */
  replace(event: Event, hits: readonly number[]): boolean {
    for (let index = this.size - 1; index >= 0; index--) {
      if (this.#events[this.#at(index)] !== event) continue;
      this.#set(index, event, hits);
      return true;
    }
    return false;
  }

  from(time: Micros): Logged[] {
    let first = this.size;
    while (first > 0 && (this.#events[this.#at(first - 1)] as Event).time >= time) first--;
    const found: Logged[] = [];
    for (let index = first; index < this.size; index++) {
      const at = this.#at(index);
      found.push({ event: this.#events[at] as Event, hits: this.#hits[at] as readonly number[] });
    }
    return found;
  }

  /** Whether an entry of that stretch of time, both ends included, met a condition. */
  has(condition: number, from: Micros, to: Micros): boolean {
    for (let index = this.size - 1; index >= 0; index--) {
      const at = this.#at(index);
      const { time } = this.#events[at] as Event;
      if (time < from) return false;
      if (time <= to && (this.#hits[at] as readonly number[]).includes(condition)) return true;
    }
    return false;
  }

  #at(index: number): number {
    return (this.#head + index) & (this.#events.length - 1);
  }

  #set(index: number, event: Event | undefined, hits: readonly number[]): void {
    const at = this.#at(index);
    this.#events[at] = event;
    this.#hits[at] = hits;
  }

  /** The length stays a power of two. */
  #grow(): void {
    const all = this.from(Number.NEGATIVE_INFINITY);
    this.#head = 0;
    this.#events = new Array(all.length * 2);
    this.#hits = new Array(all.length * 2);
    for (const [index, { event, hits }] of all.entries()) this.#set(index, event, hits);
  }
}

/**
 * The latest hits of a sequence in the order of events: what an event that comes behind them could still make a match
 * with. Bounded; when it is full, the user with the most entries gives up the oldest.
 */
export class EventLog {
  readonly #capacity: number;
  /** One for each user. There are few. */
  #shelves: Shelf[] = [];
  /** Lists of one condition, which nearly all are, by the condition. */
  readonly #single: (readonly number[])[] = [];
  #size = 0;
  #newest: Event | undefined;
  /** No entry is older. */
  #oldest: Micros = Number.POSITIVE_INFINITY;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The last event in order; a little longer than its entry. */
  get newest(): Event | undefined {
    return this.#newest;
  }

  /** Returns the user that had to give up an entry for it. */
  add(user: string, event: Event, hits: readonly number[]): string | undefined {
    if (this.#newest === undefined || compareEvents(this.#newest, event) < 0) this.#newest = event;
    if (event.time < this.#oldest) this.#oldest = event.time;
    let largest: Shelf | undefined;
    if (++this.#size > this.#capacity) {
      largest = this.#largest();
      largest?.shift();
      this.#size--;
    }
    this.#shelfOf(user).push(event, this.#shared(hits));
    return largest?.user;
  }

  /** Gives an event other hits. False when it is no longer there. */
  replace(user: string, event: Event, hits: readonly number[]): boolean {
    return this.#shelves.find((shelf) => shelf.user === user)?.replace(event, this.#shared(hits)) === true;
  }

  /** All entries from a time on, in order. */
  from(time: Micros): readonly Logged[] {
    const parts = this.#shelves.map((shelf) => shelf.from(time)).filter(({ length }) => length > 0);
    const [only = []] = parts;
    return parts.length < 2 ? only : parts.flat().sort((a, b) => compareEvents(a.event, b.event));
  }

  /** Whether an entry of that stretch of time, both ends included, met a condition. */
  has(condition: number, from: Micros, to: Micros): boolean {
    return this.#shelves.some((shelf) => shelf.has(condition, from, to));
  }

  /** Forgets what is older. */
  expire(before: Micros): void {
    if (this.#oldest >= before) return;
    this.#oldest = Number.POSITIVE_INFINITY;
    for (const shelf of this.#shelves) {
      for (; shelf.size > 0 && (shelf.oldest as Event).time < before; this.#size--) shelf.shift();
      if (shelf.size > 0) this.#oldest = Math.min(this.#oldest, (shelf.oldest as Event).time);
    }
    if (this.#shelves.some(({ size }) => size === 0))
      this.#shelves = this.#shelves.filter(({ size }) => size > 0);
  }

  #shared(hits: readonly number[]): readonly number[] {
    if (hits.length !== 1) return hits;
    const hit = hits[0] as number;
    this.#single[hit] ??= [hit];
    return this.#single[hit] as readonly number[];
  }

  #shelfOf(user: string): Shelf {
    for (const shelf of this.#shelves) if (shelf.user === user) return shelf;
    const made = new Shelf(user);
    this.#shelves.push(made);
    return made;
  }

  #largest(): Shelf | undefined {
    let largest = this.#shelves[0];
    for (const shelf of this.#shelves) if (shelf.size > (largest?.size ?? 0)) largest = shelf;
    return largest;
  }
}
