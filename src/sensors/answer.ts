import type { Clock, Timer } from '../base/clock.js';
import type { Micros } from '../base/time.js';

/** Answers `Sensor.ask` for a sensor that knows all up to a time once the clock is `lagMs` beyond it. */
export class LaggingAnswer {
  readonly #clock: Clock;
  readonly #lagMs: number;
  readonly #answer: () => void;
  #asked: Micros = 0;
  #timer: Timer | undefined;

  /** `answer`: says how far the sensor is. */
  constructor(clock: Clock, lagMs: number, answer: () => void) {
    this.#clock = clock;
    this.#lagMs = lagMs;
    this.#answer = answer;
  }

  ask(time: Micros): void {
    const now = this.#clock.now();
    // Nobody can know the future: the clock was set back.
    this.#asked = Math.min(Math.max(time, this.#asked), now);
    if (this.#timer !== undefined) return;
    const waitMs = (this.#asked - now) / 1000 + this.#lagMs;
    if (waitMs <= 0) {
      this.#answer();
      return;
    }
    // A wait is cut to whole milliseconds; what was asked for meanwhile makes another one.
    this.#timer = this.#clock.after(Math.ceil(waitMs) + 1, () => {
      this.#timer = undefined;
      this.#answer();
      if (this.#clock.now() - this.#lagMs * 1000 < this.#asked) this.ask(this.#asked);
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
