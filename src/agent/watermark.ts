import type { Micros } from '../base/time.js';

/** How long detection waits for a sensor that lags behind the others, microseconds (DESIGN: at most about 250 ms). */
export const maxHold = 250_000;

/** The point in event time up to which every running sensor has told what it saw. */
export class Watermark {
  readonly #complete = new Map<string, Micros>();
  #last: Micros = 0;

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
    const point = Math.min(Math.max(slowest, now - maxHold), now);
    if (point > this.#last) this.#last = point;
    return this.#last;
  }
}
