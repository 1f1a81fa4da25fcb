import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Micros } from '../base/time.js';
import type { Store } from '../store/index.js';

/** A time so far beyond the clock is a damaged one, microseconds. */
const farBeyond = 366 * 86_400 * 1e6;

export interface ProgressOptions {
  readonly store: Pick<Store, 'progress' | 'events'>;
  readonly log: Logger;
  readonly boot: string;
  /** When this run began. */
  readonly started: Micros;
}

/** How far the agent has seen, written down so that the next run goes on there, after a crash too. */
export class Progress {
  readonly #options: ProgressOptions;
  /** Up to when the run before had seen everything; 0 before the first. */
  readonly before: Micros;
  #fileEvents: string | undefined;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.before = completeBefore(options.store, options.started);
  }

  /** What launchd had loaded: after another start of the machine it has loaded everything anew. */
  get loadedBefore(): string | undefined {
    const { store, boot } = this.#options;
    const [of, text] = (store.progress.get('launchd_loaded') ?? '').split('\n', 2);
    return of === boot ? text : undefined;
  }

  /** The mark of the run before in the machine's own record of file events. */
  get fileEventsBefore(): string | undefined {
    return this.#options.store.progress.get('file_events');
  }

  loaded(text: string): void {
    this.#remember('launchd_loaded', `${this.#options.boot}\n${text}`);
  }

  /** `judgedThrough`: 0 before anything was judged. */
  save(judgedThrough: Micros, fileEvents: string | undefined): void {
    // Before anything was judged: what the sensors found at their start is all there is.
    this.#remember('complete_through', String(judgedThrough || this.#options.started));
    if (fileEvents !== undefined && fileEvents !== this.#fileEvents)
      this.#remember('file_events', fileEvents);
    this.#fileEvents = fileEvents;
  }

  #remember(key: string, value: string): void {
    try {
      this.#options.store.progress.set(key, value);
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, 'progress could not be stored');
    }
  }
}

/** Where what was written down is damaged, the newest event tells. */
function completeBefore(store: ProgressOptions['store'], now: Micros): Micros {
  const text = store.progress.get('complete_through');
  const time = Number(text);
  if (text === undefined) return 0;
  if (Number.isSafeInteger(time) && time < now + farBeyond) return time;
  return Math.min(store.events.extent().last ?? 0, now);
}
