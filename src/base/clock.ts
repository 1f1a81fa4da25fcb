import type { Micros } from './time.js';

/** A timer that can be cancelled. */
export interface Timer {
  cancel(): void;
}

/** Time as an argument: the edges of the agent get one, `detect/` gets none. Tests own theirs. */
export interface Clock {
  /** Wall time in whole microseconds since 1970; it follows the system's clock when that is stepped. */
  now(): Micros;
  /** Milliseconds that never go back; for measuring waits. */
  monotonic(): number;
  /** Calls `run` once after `milliseconds`. The timer alone keeps no process alive. */
  after(milliseconds: number, run: () => void): Timer;
  /** Calls `run` every `milliseconds`. The timer alone keeps no process alive. */
  every(milliseconds: number, run: () => void): Timer;
}

// Date.now has milliseconds only; the monotonic clock fills in what is below, re-anchored once the two part by more
// than a millisecond (a stepped or slewed wall clock).
let anchor = 0;
function wallMicros(): Micros {
  const wall = Date.now();
  const steady = performance.now();
  const guess = anchor + steady;
  if (guess < wall || guess >= wall + 1) {
    if (Math.abs(guess - wall) > 2) anchor = wall - steady;
    else return Math.floor((guess < wall ? wall : wall + 0.999) * 1000);
  }
  return Math.floor((anchor + steady) * 1000);
}

export const systemClock: Clock = {
  now: wallMicros,
  monotonic: () => performance.now(),
  after(milliseconds, run) {
    const timer = setTimeout(run, milliseconds);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  every(milliseconds, run) {
    const timer = setInterval(run, milliseconds);
    timer.unref();
    return { cancel: () => clearInterval(timer) };
  },
};
