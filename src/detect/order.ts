import type { Micros } from '../base/time.js';
import { compareEvents, type Event } from '../event/event.js';

const defaultCapacity = 200_000;

/** Puts events of several sensors into one order of event time, as far as they come before the watermark passes them. */
export class Orderer {
  readonly #capacity: number;
  /** Sorted; what stands before `#head` is released. */
  #waiting: Event[] = [];
  #head = 0;
  /** Handed out at the next release, whatever the watermark: what came too late, and what there was no room for. */
  #ready: Event[] = [];
  #mark: Micros = Number.NEGATIVE_INFINITY;
  #late = 0;
  #forced = 0;

  constructor(capacity = defaultCapacity) {
    this.#capacity = capacity;
  }

  /** How many events came below a point that was already released. */
  get late(): number {
    return this.#late;
  }

  /** How many events left early because the buffer was full. */
  get forced(): number {
    return this.#forced;
  }

  get size(): number {
    return this.#waiting.length - this.#head + this.#ready.length;
  }

  /** Time of the first event that waits for the watermark, and of the last one. */
  get waiting(): { readonly from: Micros; readonly to: Micros } | undefined {
    const [first, last] = [this.#waiting[this.#head], this.#waiting.at(-1)];
    return first === undefined || last === undefined ? undefined : { from: first.time, to: last.time };
  }

  /** Ids of the events that were not handed out yet. */
  ids(): ReadonlySet<string> {
    return new Set([...this.#waiting.slice(this.#head), ...this.#ready].map(({ id }) => id));
  }

  /** `revises`: a revision of an event that was pushed before; it follows that, and is not late when that is released. */
  push(given: Event, revises = false): void {
    const event = revises ? { ...given, sequence: Number.POSITIVE_INFINITY } : given;
    if (event.time < this.#mark) {
      if (!revises) this.#late++;
      this.#ready.push(event);
      return;
    }
    const waiting = this.#waiting;
    const last = waiting.at(-1);
    if (last === undefined || compareEvents(last, event) <= 0) waiting.push(event);
    else waiting.splice(this.#placeOf(event), 0, event);
    if (waiting.length - this.#head > this.#capacity) {
      this.#forced++;
      this.#ready.push(this.#shift());
    }
  }

  /** Takes out all events up to and including `watermark`, in order; equal ones in the order of their arrival. */
  release(watermark: Micros): Event[] {
    const released = this.#ready;
    this.#ready = [];
    while (this.#head < this.#waiting.length && (this.#waiting[this.#head] as Event).time <= watermark) {
      released.push(this.#shift());
    }
    if (this.#head > 0) {
      this.#waiting.splice(0, this.#head);
      this.#head = 0;
    }
    if (Number.isFinite(watermark)) this.#mark = Math.max(this.#mark, watermark);
    return released;
  }

  #shift(): Event {
    const event = this.#waiting[this.#head++] as Event;
    this.#mark = Math.max(this.#mark, event.time);
    return event;
  }

  /** Behind everything that is not later. */
  #placeOf(event: Event): number {
    let low = this.#head;
    let high = this.#waiting.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareEvents(this.#waiting[middle] as Event, event) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
