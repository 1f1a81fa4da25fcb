import type { Clock } from '../../base/clock.js';
import type { Micros } from '../../base/time.js';

/** Work done in one go, milliseconds. */
const sliceMs = 4;

/** What has to be looked at again and again, each once a round, in slices of time. */
export class Rounds<T> {
  readonly members = new Set<T>();
  readonly #clock: Clock;
  #left: T[] | undefined;
  #begun: Micros = 0;
  #through: Micros = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When the last round that is over began. */
  get through(): Micros {
    return this.#through;
  }

  /** Goes on with the round, or begins the next one. A member that leaves meanwhile is passed over. */
  go(look: (member: T) => void): void {
    if (this.#left === undefined) {
      this.#begun = this.#clock.now();
      this.#left = [...this.members];
    }
    const end = this.#clock.monotonic() + sliceMs;
    for (let next = this.#left.pop(); next !== undefined; next = this.#left.pop()) {
      if (this.members.has(next)) look(next);
      if (this.#left.length > 0 && this.#clock.monotonic() > end) return;
    }
    this.#left = undefined;
    this.#through = this.#begun;
  }
}
