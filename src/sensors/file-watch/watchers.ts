import { accessSync, constants } from 'node:fs';
import type { Clock } from '../../base/clock.js';
import { errnoOf } from '../../base/errors.js';
import type { Folder } from './tree.js';
import { Wake } from './wake.js';

export interface WatchersOptions {
  readonly clock: Clock;
  /** The kernel named an entry of a folder, or just the folder. */
  readonly onWake: (folder: Folder, name: string | undefined) => void;
  /** From now on the folder is watched, or will have to do without. */
  readonly onReady: (folder: Folder) => void;
  /** The kernel refuses to watch a folder: an errno code. */
  readonly onRefused: (folder: Folder, code: string) => void;
}

/** What says that something happened in the entered folders. */
export interface WakeUps {
  /** Folders for which nothing says so: they are polled. */
  readonly blind: ReadonlySet<Folder>;
  /** Steady milliseconds since when some folder waits for its watcher that the first scan did not find. */
  readonly openingSince: number | undefined;
  /** Some folder that leads to an observed tree, or where one begins, waits for its watcher. */
  readonly opensWays: boolean;
  /** `onReady` or `onRefused` follows, unless the folder is closed before. */
  open(folder: Folder): void;
  close(folder: Folder): Promise<void>;
  /**
   * Does without the wake-ups of a folder until it is opened again: somebody makes more of them than can be answered. Left out
   * where they cannot hold up the process.
   */
  rest?(folder: Folder): void;
}

/** The code of `onRefused` for a folder that rests. */
export const resting = 'FLOOD';

/** chokidar's watchers, one for each entered folder. */
export class Watchers implements WakeUps {
  /** The system has none left, refuses, or has given it to the same place already. */
  readonly blind = new Set<Folder>();
  readonly #options: WatchersOptions;
  /** Which folder has the watcher of a place; two may lead there when one of them is a link. */
  readonly #places = new Map<string, Folder>();
  #opening = 0;
  #openingSince = 0;
  #ways = 0;

  constructor(options: WatchersOptions) {
    this.#options = options;
  }

  get openingSince(): number | undefined {
    return this.#opening === 0 ? undefined : this.#openingSince;
  }

  get opensWays(): boolean {
    return this.#ways > 0;
  }

  open(folder: Folder): void {
    this.blind.delete(folder);
    // Nothing on a real Mac creates entries of `/`, and to watch it there means to be told of every file of the volume.
    if (folder.host === '/') return;
    // chokidar shares one watcher of the kernel's between all who watch the same place, and would hand a dead one on.
    const other = this.#places.get(folder.host);
    if (other !== undefined && other !== folder) {
      this.blind.add(folder);
      return;
    }
    this.#places.set(folder.host, folder);
    const held = !folder.first;
    const way = (folder.level ?? 0) === 0;
    if (held && this.#opening++ === 0) this.#openingSince = this.#options.clock.monotonic();
    if (way) this.#ways++;
    const wake = new Wake(folder.host, {
      onWake: (name) => this.#options.onWake(folder, name),
      onFailure: (code) => this.#failed(folder, code),
    });
    folder.wake = wake;
    void wake.ready.then(() => {
      if (held) this.#opening--;
      if (way) this.#ways--;
      if (folder.closed) wake.close();
      else this.#options.onReady(folder);
    });
  }

  async close(folder: Folder): Promise<void> {
    this.blind.delete(folder);
    if (this.#places.get(folder.host) === folder) this.#places.delete(folder.host);
    // One that is still being put up is closed when it is ready: chokidar would leave it behind otherwise.
    await folder.wake?.ready;
    folder.wake?.close();
  }

  rest(folder: Folder): void {
    this.#failed(folder, resting);
  }

  #failed(folder: Folder, code: string): void {
    if (folder.closed) return;
    folder.wake?.close();
    folder.wake = undefined;
    this.#places.delete(folder.host);
    this.blind.add(folder);
    // chokidar keeps a refusal to itself; what vanished meanwhile is told by the watcher of its own folder.
    const reason = code === 'GONE' ? refusal(folder.host) : code;
    if (reason !== undefined) this.#options.onRefused(folder, reason);
  }
}

function refusal(host: string): string | undefined {
  try {
    accessSync(host, constants.R_OK);
    return undefined;
  } catch (error) {
    const code = errnoOf(error);
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : code;
  }
}
