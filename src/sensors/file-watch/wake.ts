import { FSWatcher } from 'chokidar';
import { errnoOf } from '../../base/errors.js';

export interface WakeHandlers {
  /** Something happened in the folder; `name` is absent when the kernel did not say to which entry. */
  readonly onWake: (name: string | undefined) => void;
  /** The folder is not watched, or no longer: an errno code, or `GONE`. Nothing is called afterwards. */
  readonly onFailure: (code: string) => void;
}

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
  /** Resolves once the folder is watched or `onFailure` was called. */
  readonly ready: Promise<void>;
  readonly #watcher: WakeUpWatcher;

  constructor(hostFolder: string, { onWake, onFailure }: WakeHandlers) {
    this.#watcher = new WakeUpWatcher({
      depth: 0,
      followSymlinks: false,
      ignoreInitial: true,
      ignorePermissionErrors: true,
      atomic: false,
      persistent: true,
    });
    let failure: string | undefined;
    let ready = false;
    this.#watcher.on('error', (error) => {
      failure ??= errnoOf(error) ?? 'UNKNOWN';
      if (ready) onFailure(failure);
    });
    this.#watcher.on('raw', (_kind: string, name: unknown, details: unknown) => {
      // A folder that vanished before it was watched makes chokidar watch the one above: not ours.
      if ((details as { watchedPath?: unknown } | undefined)?.watchedPath !== hostFolder) return;
      onWake(typeof name === 'string' ? name : undefined);
    });
    this.ready = new Promise((resolve) => {
      this.#watcher.on('ready', () => {
        ready = true;
        if (failure !== undefined || !this.#watcher.watches(hostFolder)) onFailure(failure ?? 'GONE');
        resolve();
      });
    });
    this.#watcher.add(hostFolder);
  }

  close(): void {
    // Resolves at once: what has to be closed is closed before the promise is made.
    void this.#watcher.close();
  }
}
