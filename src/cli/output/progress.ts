import type { Clock } from '../../base/clock.js';
import type { TextSink } from '../io.js';

const leastBytes = 8 * 1024 * 1024;
const everyMs = 100;
const cellsOfBar = 30;

/** A bar on standard error while a large file is read, or other long work is done; nothing when that is no terminal. */
export class Progress {
  readonly #sink: TextSink;
  readonly #clock: Clock;
  readonly #least: number;
  #last = Number.NEGATIVE_INFINITY;
  #shown = false;

  /** `least`: of less work no bar is shown; bytes, unless `update` counts something else. */
  constructor(sink: TextSink, clock: Clock, least = leastBytes) {
    this.#sink = sink;
    this.#clock = clock;
    this.#least = least;
  }

  readonly update = (read: number, size: number): void => {
    if (!this.#sink.isTTY || size < this.#least) return;
    const now = this.#clock.monotonic();
    if (now - this.#last < everyMs) return;
    this.#last = now;
    this.#shown = true;
    const share = Math.min(1, read / size);
    const full = Math.round(share * cellsOfBar);
    const bar = '#'.repeat(full) + '.'.repeat(cellsOfBar - full);
    this.#sink.write(`\r[${bar}] ${String(Math.floor(share * 100)).padStart(3)} %`);
  };

  /** Wipes the bar before anything else is written. */
  end(): void {
    if (this.#shown) this.#sink.write(`\r${' '.repeat(cellsOfBar + 8)}\r`);
    this.#shown = false;
  }
}
