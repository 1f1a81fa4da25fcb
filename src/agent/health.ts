import type { Clock, Timer } from '../base/clock.js';
import type { Micros } from '../base/time.js';
import type { Gap } from '../event/event.js';

/** How often the clocks are compared, and by how much they may part before it is a gap. */
const periodMs = 1_000;
const toleranceMs = 2_000;

/**
 * Watches the two clocks: when the machine slept, or was stopped, a look comes late by both; when somebody set the
 * clock, the wall time jumps and the steady one does not. Either way events may be missing or out of place.
 */
export class ClockWatch {
  readonly #timer: Timer;

  constructor(clock: Clock, onGap: (gap: Gap) => void) {
    let wall: Micros = clock.now();
    let steady = clock.monotonic();
    this.#timer = clock.every(periodMs, () => {
      const nextWall = clock.now();
      const nextSteady = clock.monotonic();
      const wallMs = (nextWall - wall) / 1000;
      const steadyMs = nextSteady - steady;
      const [from, to] = [Math.min(wall, nextWall), Math.max(wall, nextWall)];
      if (Math.abs(wallMs - steadyMs) > toleranceMs) {
        const detail = `wall clock moved by ${Math.round(wallMs)} ms in ${Math.round(steadyMs)} ms`;
        onGap({ sensor: 'agent', reason: 'clock-step', from, to, detail });
      } else if (steadyMs > periodMs + toleranceMs) {
        onGap({
          sensor: 'agent',
          reason: 'sleep',
          from,
          to,
          detail: `nothing ran for ${Math.round(steadyMs)} ms`,
        });
      }
      wall = nextWall;
      steady = nextSteady;
    });
  }

  stop(): void {
    this.#timer.cancel();
  }
}
