import { setFlagsFromString } from 'node:v8';
import type { Clock } from '../base/clock.js';

/** How much code runs before V8 compiles it for speed: V8's own amount, and ten times that. */
const working = '--interrupt-budget=132000';
const resting = '--interrupt-budget=1320000';
/** Shares of one processor: from the first on the agent works, below the second for so long, milliseconds, it rests. */
const workShare = 0.1;
const restShare = 0.05;
const restMs = 60_000;

export interface CompilerOptions {
  readonly clock: Clock;
  /** For tests: microseconds of a processor that this process has used, and what sets a flag of V8. */
  readonly used?: () => number;
  readonly setFlag?: (flag: string) => void;
}

/**
 * How eagerly V8 compiles. An agent that mostly rests keeps the memory that the compiler and its code would take (some 4 MB),
 * and what really runs hot is compiled within milliseconds all the same; in a flood of events a quarter of the processor
 * time would go to code that is never hot enough. A V8 without the flag says so and goes on.
 */
export class Compiler {
  readonly #clock: Clock;
  readonly #used: () => number;
  readonly #setFlag: (flag: string) => void;
  #isWorking = false;
  #busyAt = 0;
  #last: { readonly at: number; readonly used: number };

  constructor({ clock, used = usedByThis, setFlag = setFlagsFromString }: CompilerOptions) {
    this.#clock = clock;
    this.#used = used;
    this.#setFlag = setFlag;
    this.#last = { at: clock.monotonic(), used: used() };
    setFlag(resting);
  }

  /** To be called about once a second. */
  tick(): void {
    const { at, used } = this.#last;
    this.#last = { at: this.#clock.monotonic(), used: this.#used() };
    const share = (this.#last.used - used) / 1000 / Math.max(this.#last.at - at, 1);
    if (share >= restShare) this.#busyAt = this.#last.at;
    if (this.#isWorking ? this.#last.at - this.#busyAt < restMs : share < workShare) return;
    this.#isWorking = !this.#isWorking;
    this.#setFlag(this.#isWorking ? working : resting);
  }
}

function usedByThis(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
