import type { Clock, Timer } from '../base/clock.js';

/** So many turns may come without a pause, */
const burst = 32;
/** and then one in so many milliseconds: less than the watermark takes for a stall of our own. */
const pauseMs = 50;

/** When work that can wait is done: at once while there is little of it, in turns of a twentieth of a second in a flood. */
export class Pace {
  readonly #clock: Clock;
  readonly #run: () => void;
  #free = burst;
  #at: number;
  #timer: Timer | undefined;

  /** `run`: takes a turn that had to wait. */
  constructor(clock: Clock, run: () => void) {
    this.#clock = clock;
    this.#run = run;
    this.#at = clock.monotonic();
  }

  /** Whether a turn may be taken now. When not, `run` is called as soon as it may. */
  free(): boolean {
    this.#refill();
    if (this.#free >= 1) return true;
    this.#timer ??= this.#clock.after(Math.ceil((1 - this.#free) * pauseMs), () => {
      this.#timer = undefined;
      this.#run();
    });
    return false;
  }

  /** A turn is taken, allowed or not. */
  take(): void {
    this.#refill();
    this.#free = Math.max(0, this.#free - 1);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #refill(): void {
    const now = this.#clock.monotonic();
    this.#free = Math.min(burst, this.#free + (now - this.#at) / pauseMs);
    this.#at = now;
  }
}
