import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import type { Clock } from '../base/clock.js';

/** How much code runs before V8 compiles it for speed: V8's own amount, and ten times that. */
const eagerly = '--interrupt-budget=132000';
const late = '--interrupt-budget=1320000';
/** By how many percent of what lives the heap grows between two collections of all of it. */
const slowly = '--heap-growing-percent=30';
const fast = '--heap-growing-percent=100';
/** A heap of more bytes than this holds what is large, and grows slowly. */
const largeHeap = 72 * 1024 * 1024;
/** Shares of one processor: from the first on the agent works, below the second for so long, milliseconds, it rests. */
const workShare = 0.1;
const restShare = 0.05;
const restMs = 60_000;
/** What a start costs says nothing of what comes after it, milliseconds. */
const startMs = 5_000;

export interface V8TuningOptions {
  readonly clock: Clock;
  /** For tests: microseconds of a processor that this process has used, bytes of its heap, and what sets a flag of V8. */
  readonly used?: () => number;
  readonly heap?: () => number;
  readonly setFlag?: (flag: string) => void;
}

/**
 * How eagerly V8 compiles, and how far the heap grows before it is collected. A V8 without a flag says so and goes on.
 *
 * An agent that mostly rests keeps the memory that the compiler and its code would take (some 4 MB), and what really runs
 * hot is compiled within milliseconds all the same; in a flood of events a quarter of the processor time would go to code
 * that is never hot enough.
 *
 * The heap grows by 30 % of what lives, not by up to four times: a flood of large files leaves garbage that nobody else
 * could use (3,000 lists of 0.6 MB at once: a peak of 288 MB in place of 406, in the same time). In a flood of small events
 * that would be a collection for every few megabytes; there it may double, as long as it is small.
 */
export class V8Tuning {
  readonly #clock: Clock;
  readonly #used: () => number;
  readonly #heap: () => number;
  readonly #setFlag: (flag: string) => void;
  readonly #set = new Set<string>();
  #isWorking = false;
  #busyAt = 0;
  readonly #startedAt: number;
  #last: { readonly at: number; readonly used: number };

  constructor({
    clock,
    used = usedByThis,
    heap = heapOfThis,
    setFlag = setFlagsFromString,
  }: V8TuningOptions) {
    this.#clock = clock;
    this.#used = used;
    this.#heap = heap;
    this.#setFlag = setFlag;
    this.#startedAt = clock.monotonic();
    this.#last = { at: this.#startedAt, used: used() };
    this.#choose(late, eagerly);
    // A start is work: a collection in the midst of it would hold up the first alerts.
    this.#choose(fast, slowly);
  }

  /** To be called about once a second. */
  tick(): void {
    const { at, used } = this.#last;
    this.#last = { at: this.#clock.monotonic(), used: this.#used() };
    const share = (this.#last.used - used) / 1000 / Math.max(this.#last.at - at, 1);
    if (share >= restShare) this.#busyAt = this.#last.at;
    const starts = this.#last.at - this.#startedAt < startMs;
    this.#isWorking = this.#isWorking ? this.#last.at - this.#busyAt < restMs : !starts && share >= workShare;
    if (this.#isWorking) this.#choose(eagerly, late);
    else this.#choose(late, eagerly);
    if ((starts || this.#isWorking) && this.#heap() < largeHeap) this.#choose(fast, slowly);
    else this.#choose(slowly, fast);
  }

  #choose(flag: string, other: string): void {
    if (this.#set.has(flag)) return;
    this.#set.add(flag).delete(other);
    this.#setFlag(flag);
  }
}

function usedByThis(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function heapOfThis(): number {
  return getHeapStatistics().used_heap_size;
}
