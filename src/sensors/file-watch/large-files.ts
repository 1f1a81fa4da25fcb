import type { Clock } from '../../base/clock.js';
import { hashLarge } from './reader.js';
import type { Passage } from './rights.js';
import { childPath, type Folder, type Item } from './tree.js';

/** A file is hashed once nothing was written to it for so long, milliseconds. */
const quietMs = 500;
/** Files that wait to be hashed. */
const capacity = 1_000;

export interface LargeFilesOptions {
  readonly clock: Clock;
  readonly maxBytes: number;
  /** The way into a folder; undefined when it is no longer the same. */
  passageInto(folder: Folder): Passage | undefined;
  /** Called with the hash of what the item still is. */
  onHash(item: Item, sha256: string): void;
}

/** Hashes large files in the background, one after the other, each when it has come to rest. */
export class LargeFiles {
  readonly #options: LargeFilesOptions;
  readonly #waiting = new Map<Item, number>();
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: LargeFilesOptions) {
    this.#options = options;
  }

  /** The item changed. False when too many wait, or it is too large to be hashed at all. */
  add(item: Item): boolean {
    if (item.snapshot.size > this.#options.maxBytes) return false;
    this.#waiting.delete(item);
    if (this.#waiting.size >= capacity) return false;
    this.#waiting.set(item, this.#options.clock.monotonic());
    return true;
  }

  get pending(): boolean {
    return this.#running !== undefined || this.#waiting.size > 0;
  }

  tick(): void {
    if (this.#running !== undefined) return;
    const quiet = this.#options.clock.monotonic() - quietMs;
    for (const [item, changed] of this.#waiting) {
      if (changed > quiet) return;
      this.#waiting.delete(item);
      if (item.folder.items.get(item.name) !== item || item.snapshot.type !== 'file') continue;
      this.#running = this.#hash(item).finally(() => {
        this.#running = undefined;
      });
      return;
    }
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #hash(item: Item): Promise<void> {
    const { snapshot } = item;
    const { maxBytes, passageInto } = this.#options;
    const passage = passageInto(item.folder);
    if (passage === undefined) return;
    const sha256 = await hashLarge(
      { hostPath: childPath(item.folder.host, item.name), seen: snapshot, passage },
      { maxBytes, signal: this.#abort.signal },
    );
    const same = item.folder.items.get(item.name) === item && item.snapshot.ctime === snapshot.ctime;
    if (sha256 !== undefined && same) this.#options.onHash(item, sha256);
  }
}
