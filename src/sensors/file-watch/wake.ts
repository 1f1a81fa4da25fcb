import { FSWatcher } from 'chokidar';
import { errnoOf } from '../../base/errors.js';

/** Something happened in the folder; `name` is absent when the kernel did not say to which entry. */
export type WakeHandler = (name: string | undefined) => void;

/**
 * chokidar on one folder, for its wake-up call alone. After each call chokidar would list the folder and look at all
 * of its entries, from which it misses much (reference/evasions.md section 0) and takes five times our CPU; every such
 * listing asks `_throttle` first, and a refusal leaves the call and skips the listing.
 */
class WakeUpWatcher extends FSWatcher {
  override _throttle(): false {
    return false;
  }

  /** True when the kernel really watches the folder. */
  watches(folder: string): boolean {
    return (this._closers.get(folder)?.length ?? 0) > 0;
  }
}

/** The watcher of one folder, not of what is below it. */
export class Wake {
  /** Undefined once the folder is watched; otherwise why it is not: an errno code, or `GONE`. */
  readonly ready: Promise<string | undefined>;
  readonly #watcher: WakeUpWatcher;

  constructor(hostFolder: string, onWake: WakeHandler) {
    this.#watcher = new WakeUpWatcher({
      depth: 0,
      followSymlinks: false,
      ignoreInitial: true,
      ignorePermissionErrors: true,
      atomic: false,
      persistent: true,
    });
    let failure: string | undefined;
    this.#watcher.on('error', (error) => {
      failure = errnoOf(error) ?? 'UNKNOWN';
      onWake(undefined);
    });
    this.#watcher.on('raw', (_kind: string, name: unknown, details: unknown) => {
      // A folder that vanished before it was watched makes chokidar watch the one above: not ours.
      if ((details as { watchedPath?: unknown } | undefined)?.watchedPath !== hostFolder) return;
      onWake(typeof name === 'string' ? name : undefined);
    });
    this.ready = new Promise((resolve) => {
      this.#watcher.on('ready', () => {
        const watched = this.#watcher.watches(hostFolder);
        resolve(watched ? undefined : (failure ?? 'GONE'));
      });
    });
    this.#watcher.add(hostFolder);
  }

  close(): void {
    // Resolves at once: what has to be closed is closed before the promise is made.
    void this.#watcher.close();
  }
}
