import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';

/** A failure that goes on (a full disk) is tried again many times a second, and is said once in so long. */
const quietMs = 10_000;

/** Counts what fails, and says it without filling the log. */
export class Failures {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #said = new Map<string, { at: number; unsaid: number }>();

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** `message`: one of a few fixed sentences. */
  say(error: unknown, message: string): void {
    const now = this.#clock.monotonic();
    const said = this.#said.get(message);
    if (said !== undefined && now - said.at < quietMs) {
      said.unsaid++;
      return;
    }
    const times = (said?.unsaid ?? 0) + 1;
    this.#said.set(message, { at: now, unsaid: 0 });
    this.#log.error({ error: messageOf(error), ...(times === 1 ? {} : { times }) }, message);
  }
}
