import type { Clock, Timer } from '../base/clock.js';
import type { Micros } from '../base/time.js';
import type { Gap } from '../event/event.js';

/** How often the clocks are compared, and by how much they may part before it is a gap. */
const periodMs = 1_000;
const toleranceMs = 2_000;
/** A sleeping Mac wakes for seconds now and then: sleeps that so little lies between are one, milliseconds. */
const darkWakeMs = 120_000;

/** Whether this process went on after it had been stopped (SIGCONT). */
export class Continued {
  #since = false;

  /** Listener of the signal. */
  readonly note = (): void => {
    this.#since = true;
  };

  /** Whether that happened since the last call. */
  take(): boolean {
    const since = this.#since;
    this.#since = false;
    return since;
  }
}

/**
 * Watches the two clocks: when the machine slept, or was stopped, a look comes late by both; when somebody set the
 * clock, the wall time jumps and the steady one does not. Either way events may be missing or out of place. A sleep is
 * reported at once; those that follow it closely are reported as one, when they are over. A process that somebody stopped
 * hears a signal when it goes on: that is no sleep, and reported each time.
 */
export class ClockWatch {
  readonly #timer: Timer;
  readonly #onGap: (gap: Gap) => void;
  /** Sleeps that follow one that was reported. */
  #more: { readonly from: Micros; to: Micros; sleeps: number; sleptMs: number } | undefined;
  /** Steady time of the last waking. */
  #awakeSince = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, onGap: (gap: Gap) => void, continued?: Continued) {
    this.#onGap = onGap;
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
        const slept = () => this.#slept(from, to, steadyMs, nextSteady);
        const stopped = () => {
          const detail = `the agent was stopped by a signal (SIGSTOP) for ${Math.round(steadyMs)} ms`;
          onGap({ sensor: 'agent', reason: 'stopped', from, to, detail, blinded: true });
        };
        // Signals are delivered after the timers that are due.
        if (continued === undefined) slept();
        else setImmediate(() => (continued.take() ? stopped() : slept()));
      } else if (nextSteady - this.#awakeSince > darkWakeMs) {
        this.#tellMore();
      }
      wall = nextWall;
      steady = nextSteady;
    });
  }

  stop(): void {
    this.#timer.cancel();
    this.#tellMore();
  }

  #slept(from: Micros, to: Micros, sleptMs: number, steady: number): void {
    const follows = steady - sleptMs - this.#awakeSince <= darkWakeMs;
    this.#awakeSince = steady;
    if (!follows) {
      this.#tellMore();
      this.#tell(from, to, `nothing ran for ${Math.round(sleptMs)} ms`);
    } else if (this.#more === undefined) {
      this.#more = { from, to, sleeps: 1, sleptMs };
    } else {
      this.#more.to = Math.max(this.#more.to, to);
      this.#more.sleeps++;
      this.#more.sleptMs += sleptMs;
    }
  }

  #tellMore(): void {
    const more = this.#more;
    this.#more = undefined;
    if (more === undefined) return;
    const { from, to, sleeps, sleptMs } = more;
    const times = sleeps === 1 ? '' : ` in ${sleeps} sleeps that followed each other closely`;
    this.#tell(from, to, `nothing ran for ${Math.round(sleptMs)} ms${times}`);
  }

  #tell(from: Micros, to: Micros, detail: string): void {
    this.#onGap({ sensor: 'agent', reason: 'sleep', from, to, detail });
  }
}
