import type { Clock, Timer } from '../../src/base/clock.js';

interface Waiting {
  due: number;
  readonly period: number | undefined;
  readonly run: () => void;
}

/** A clock that a test owns: time moves only by `pass`, and what is due then runs at once, in order. */
export class ManualClock implements Clock {
  #steady = 0;
  #wallMicros: number;
  #waiting = new Set<Waiting>();

  constructor(startMicros = Date.UTC(2026, 10, 22) * 1000) {
    this.#wallMicros = startMicros;
  }

  /** Timers that are still to run. */
  get waiting(): number {
    return this.#waiting.size;
  }

  now(): number {
    return this.#wallMicros;
  }

  monotonic(): number {
    return this.#steady;
  }

  after(milliseconds: number, run: () => void): Timer {
    return this.#wait({ due: this.#steady + milliseconds, period: undefined, run });
  }

  every(milliseconds: number, run: () => void): Timer {
    return this.#wait({ due: this.#steady + milliseconds, period: milliseconds, run });
  }

  #wait(waiting: Waiting): Timer {
    this.#waiting.add(waiting);
    return { cancel: () => this.#waiting.delete(waiting) };
  }

  /** Lets so many milliseconds pass on both clocks. */
  pass(milliseconds: number): void {
    const end = this.#steady + milliseconds;
    for (;;) {
      const next = [...this.#waiting].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.#move(Math.max(next.due, this.#steady));
      if (next.period === undefined) this.#waiting.delete(next);
      else next.due = this.#steady + next.period;
      next.run();
    }
    this.#move(end);
  }

  /** Sets the wall clock off by so many milliseconds, as a person or NTP would. */
  step(milliseconds: number): void {
    this.#wallMicros += milliseconds * 1000;
  }

  /** The machine sleeps: both clocks move and nothing runs until it wakes. */
  sleep(milliseconds: number): void {
    this.#move(this.#steady + milliseconds);
  }

  #move(steady: number): void {
    this.#wallMicros += Math.round((steady - this.#steady) * 1000);
    this.#steady = steady;
  }
}
