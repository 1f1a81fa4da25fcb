import type { Clock, Timer } from './clock.js';

export interface PaceOptions {
  readonly clock: Clock;
  /** So many turns may come without a pause, */
  readonly burst: number;
  /** and then one in so many milliseconds. */
  readonly pauseMs: number;
  /** Called when a turn may be taken that had to wait. */
  readonly run: () => void;
}

/** When work that can wait a little is done: at once while there is little of it, many pieces at a time in a flood. */
export class Pace {
  readonly #options: PaceOptions;
  #free: number;
  #at: number;
  #timer: Timer | undefined;

  constructor(options: PaceOptions) {
    this.#options = options;
    this.#free = options.burst;
    this.#at = options.clock.monotonic();
  }

  /** Whether a turn may be taken now. When not, `run` is called as soon as it may. */
  free(): boolean {
    this.#refill();
    if (this.#free >= 1) return true;
    const { clock, pauseMs, run } = this.#options;
    this.#timer ??= clock.after(Math.ceil((1 - this.#free) * pauseMs), () => {
      this.#timer = undefined;
      run();
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
    const { clock, burst, pauseMs } = this.#options;
    const now = clock.monotonic();
    this.#free = Math.min(burst, this.#free + (now - this.#at) / pauseMs);
    this.#at = now;
  }
}
