import type { Micros } from '../base/time.js';

/** How long detection waits for a sensor that lags behind the others, microseconds (DESIGN: at most about 250 ms). */
export const maxHold = 250_000;
/**
 * How long it waits for one that has much to do and goes on saying so: whoever floods a sensor must not have the load
 * judged before the file that it is about has been told.
 */
export const maxWorkingHold = 1_000_000;
/** A longer pause between two looks is a stall of our own: it must not count against the sensors. */
const stall = 60_000;
/** Stalls longer than this are a sleep: nobody is waited for. */
const longestStall = 5_000_000;
/** While no event waits nobody is hurried, and nobody need speak more often than once a second. */
const idleHold = 3_000_000;

/** The point in event time up to which every running sensor has told what it saw. */
export class Watermark {
  readonly #sensors = new Map<string, { complete: Micros; spoke: boolean; heard: Micros }>();
  #last: Micros = 0;
  /** When it was looked last while events waited. */
  #asked: Micros | undefined;
  #limit: Micros = 0;

  /** A sensor that has started; until its first `advance` it holds everything back (for `maxHold`). */
  add(sensor: string): void {
    this.#sensors.set(sensor, { complete: 0, spoke: false, heard: 0 });
  }

  /** A sensor that ended: nobody waits for it. */
  remove(sensor: string): void {
    this.#sensors.delete(sensor);
  }

  /** The sensors whose word for `time` is still to come. */
  behind(time: Micros): string[] {
    return [...this.#sensors].filter(([, { complete }]) => complete < time).map(([sensor]) => sensor);
  }

  /** A sensor's word; the same time again means that it is still at work. */
  advance(sensor: string, time: Micros): void {
    const known = this.#sensors.get(sensor);
    if (known === undefined) return;
    known.spoke = true;
    if (time > known.complete) known.complete = time;
  }

  /**
   * The slowest sensor's point, but never further behind `now` than `maxHold`, or `maxWorkingHold` when that sensor goes
   * on speaking. It goes back only when the clock was set back. `waiting`: time of the first event that waits to be
   * judged; without one nobody is hurried.
   */
  at(now: Micros, waiting?: Micros): Micros {
    const limit = this.#holdLimit(now, waiting);
    let point = now;
    for (const sensor of this.#sensors.values()) {
      if (sensor.spoke) sensor.heard = now;
      sensor.spoke = false;
      const working = now - sensor.heard < maxHold;
      const floor = working ? Math.min(limit, now - maxWorkingHold) : limit;
      point = Math.min(point, Math.max(sensor.complete, floor));
    }
    if (point > this.#last) this.#last = point;
    return this.#last;
  }

  /**
   * What nobody waits for any more. On a machine without processor time to spare the whole agent may stand still for
   * longer than `maxHold`; when it goes on, one sensor speaks first, and the others must get their turn. So the limit
   * starts well below the first event that waits, a stall moves it by little, and it catches up at twice the speed of time.
   */
  #holdLimit(now: Micros, waiting: Micros | undefined): Micros {
    if (waiting === undefined) {
      this.#asked = undefined;
      return now - idleHold;
    }
    const target = now - maxHold;
    const from = this.#asked === undefined ? Math.min(target, waiting - maxHold) : this.#limit;
    const passed = Math.min(Math.max(now - (this.#asked ?? now), 0), stall);
    this.#asked = now;
    const late = target - from > longestStall;
    this.#limit = late ? target : Math.min(target, from + 2 * passed);
    return this.#limit;
  }
}
