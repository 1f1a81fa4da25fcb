import type { Clock } from '../../base/clock.js';
import { Pace } from '../../base/pace.js';

/** In a flood what was read waits a little: a turn of the whole agent for each line costs more than the line. */
const turns = { burst: 64, pauseMs: 8 } as const;
/** So much does not wait. */
const fullBytes = 64 * 1024;

/** Passes on the pieces of a stream in their order: at once while there are few, many at a time in a flood. */
export class PacedChunks {
  readonly #onChunk: (chunk: Buffer) => void;
  readonly #pace: Pace;
  #held: Buffer[] = [];
  #bytes = 0;

  constructor(clock: Clock, onChunk: (chunk: Buffer) => void) {
    this.#onChunk = onChunk;
    this.#pace = new Pace({ clock, ...turns, run: () => this.pass() });
  }

  write(chunk: Buffer): void {
    this.#held.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes >= fullBytes || this.#pace.free()) this.pass();
  }

  /** Passes on what waits. */
  pass(): void {
    this.#pace.take();
    const chunks = this.#held;
    this.#held = [];
    this.#bytes = 0;
    for (const chunk of chunks) this.#onChunk(chunk);
  }
}
