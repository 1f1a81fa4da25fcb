import type { Micros } from '../base/time.js';

/** How long detection waits for a sensor that lags behind the others, microseconds (DESIGN: at most about 250 ms). */
export const maxHold = 250_000;
/** A longer pause between two looks is a stall of our own: it must not count against the sensors. */
const stall = 60_000;
/** Stalls longer than this are a sleep: nobody is waited for. */
const longestStall = 5_000_000;

/** The point in event time up to which every running sensor has told what it saw. */
export class Watermark {
  readonly #complete = new Map<string, Micros>();
  #last: Micros = 0;
  #asked: Micros | undefined;
  #limit: Micros = 0;

  /** A sensor that has started; until its first `advance` it holds everything back (for `maxHold`). */
  add(sensor: string): void {
    this.#complete.set(sensor, 0);
  }

  /** A sensor that ended: nobody waits for it. */
  remove(sensor: string): void {
    this.#complete.delete(sensor);
  }

  advance(sensor: string, time: Micros): void {
    const before = this.#complete.get(sensor);
    if (before !== undefined && time > before) this.#complete.set(sensor, time);
  }

  /** The slowest sensor's point, but never further behind `now` than `maxHold`; never goes back. */
  at(now: Micros): Micros {
    let slowest = Number.POSITIVE_INFINITY;
    for (const time of this.#complete.values()) slowest = Math.min(slowest, time);
    const point = Math.min(Math.max(slowest, this.#holdLimit(now)), now);
    if (point > this.#last) this.#last = point;
    return this.#last;
  }

  /**
   * What nobody waits for any more. On a machine without processor time to spare the whole agent may stand still for
   * longer than `maxHold`; when it goes on, one sensor speaks first, and the others must get their turn. So a stall moves
   * the limit by little, and it catches up at twice the speed of time.
   */
  #holdLimit(now: Micros): Micros {
    const passed = this.#asked === undefined ? 0 : Math.min(Math.max(now - this.#asked, 0), stall);
    this.#asked = now;
    const target = now - maxHold;
    const late = this.#limit === 0 || target - this.#limit > longestStall;
    this.#limit = late ? target : Math.min(target, this.#limit + 2 * passed);
    return this.#limit;
  }
}
