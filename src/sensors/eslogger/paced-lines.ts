import type { Clock } from '../../base/clock.js';
import { Pace } from '../../base/pace.js';
import { isOfProcess } from './read-line.js';

/** In a flood lines wait a little for each other: a turn of the whole agent for each costs more than the line. */
const turns = { burst: 64, pauseMs: 32 } as const;
/** Characters that do not wait any more. */
const full = 256 * 1024;

/** Passes on lines in their order: at once while there are few, many at a time in a flood of those that may wait. */
export class PacedLines {
  readonly #onLine: (line: string) => void;
  readonly #pace: Pace;
  #held: string[] = [];
  #length = 0;

  constructor(clock: Clock, onLine: (line: string) => void) {
    this.#onLine = onLine;
    this.#pace = new Pace({ clock, ...turns, run: () => this.pass() });
  }

  write(line: string): void {
    this.#held.push(line);
    this.#length += line.length;
    if (!mayWait(line) || this.#length >= full || this.#pace.free()) this.pass();
  }

  /** Passes on what waits. */
  pass(): void {
    const lines = this.#held;
    if (lines.length === 0) return;
    this.#pace.take();
    this.#held = [];
    this.#length = 0;
    for (const line of lines) this.#onLine(line);
  }
}

/** Starts and ends of processes name no file that may be gone before it is read, but for those that speak of launch items. */
function mayWait(line: string): boolean {
  return isOfProcess(line) && !line.includes('launchctl') && !line.includes('Launch');
}
