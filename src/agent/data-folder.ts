import { lstatSync } from 'node:fs';
import path from 'node:path';
import type { Clock, Timer } from '../base/clock.js';
import { errnoOf } from '../base/errors.js';

const periodMs = 1_000;
const names = ['.', 'launchwarden.db', 'events.db'];

/**
 * Watches whether the data folder is still the one that was opened. SQLite goes on writing to files that were removed,
 * renamed or replaced: alerts would be stored where nobody finds them, and the CLI would say that there are none.
 */
export class DataFolderWatch {
  readonly #timer: Timer;

  /**
   * `onLost`: called once, with what is wrong. `generation`: changes when the agent itself has put another file in the
   * place of one.
   */
  constructor(dataDir: string, clock: Clock, onLost: (detail: string) => void, generation = () => 0) {
    const look = () => names.map((name) => identity(path.join(dataDir, name)));
    let opened = look();
    let known = generation();
    this.#timer = clock.every(periodMs, () => {
      if (known !== generation()) {
        known = generation();
        opened = look();
        return;
      }
      const lost = names.find((name, index) => {
        const now = identity(path.join(dataDir, name));
        return now !== 'unknown' && now !== opened[index];
      });
      if (lost === undefined) return;
      this.#timer.cancel();
      const what = path.join(dataDir, lost);
      onLost(`${what} ${identity(what) === 'none' ? 'is gone' : 'was replaced'}`);
    });
  }

  stop(): void {
    this.#timer.cancel();
  }
}

function identity(file: string): string {
  try {
    const { dev, ino } = lstatSync(file);
    return `${dev}:${ino}`;
  } catch (error) {
    const code = errnoOf(error);
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'none' : 'unknown';
  }
}
