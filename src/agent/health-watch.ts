import type { Clock, Timer } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Micros } from '../base/time.js';
import type { HealthChange } from '../forward/index.js';
import type { Judgement } from './verdict.js';

/** How often the verdict is asked for: a change of it is told within that time, milliseconds. */
const periodMs = 10_000;

export interface HealthWatchOptions {
  readonly clock: Clock;
  readonly log: Logger;
  judge(): Judgement;
  /** Called when a reason came or went. */
  changed(change: HealthChange): void;
}

/** Tells when something begins, or ceases, to speak against the agent; `status` says the same to whoever asks. */
export class HealthWatch {
  readonly #options: HealthWatchOptions;
  readonly #timer: Timer;
  /** By the reason without its numbers: of a queue that grows only the beginning is news. */
  #known = new Map<string, { readonly text: string; readonly since: Micros }>();
  #verdict: string | undefined;

  constructor(options: HealthWatchOptions) {
    this.#options = options;
    this.#timer = options.clock.every(periodMs, () => this.look());
  }

  stop(): void {
    this.#timer.cancel();
  }

  /** Asks now. */
  look(): void {
    const { clock, log, judge, changed } = this.#options;
    try {
      const { verdict, reasons } = judge();
      const now = clock.now();
      const found = new Map(
        reasons.map((text) => {
          const key = keyOf(text);
          return [key, { text, since: this.#known.get(key)?.since ?? now }] as const;
        }),
      );
      const begun = [...found].flatMap(([key, { text }]) => (this.#known.has(key) ? [] : [text]));
      const ended = [...this.#known].flatMap(([key, { text }]) => (found.has(key) ? [] : [text]));
      const before = this.#verdict;
      this.#known = found;
      this.#verdict = verdict;
      if (begun.length + ended.length === 0) return;
      changed({
        ...{ verdict, before, begun, ended },
        reasons: [...found.values()].map(({ text, since }) => ({ text, since })),
      });
    } catch (error) {
      log.error({ error: messageOf(error) }, 'how well the agent works could not be judged');
    }
  }
}

function keyOf(reason: string): string {
  return reason.replace(/\d+/g, '#');
}
