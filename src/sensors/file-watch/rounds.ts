import type { Clock } from '../../base/clock.js';

/** Work done in one go, milliseconds. */
const sliceMs = 4;

/** What has to be looked at again and again, each once a round, in slices of time. */
export class Rounds<T> {
  readonly members = new Set<T>();
  readonly #clock: Clock;
  #left: T[] | undefined;
  #begun = 0;
  #through = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Steady milliseconds at which the last round that is over began. */
  get through(): number {
    return this.#through;
  }

  /** Goes on with the round, or begins the next one. A member that leaves meanwhile is passed over. */
  go(look: (member: T) => void): void {
    if (this.#left === undefined) {
      this.#begun = this.#clock.monotonic();
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
