import { isLaunchFolder } from '../../base/launch-paths.js';
import type { Micros } from '../../base/time.js';
import { differs } from './snapshot.js';
import type { RememberedItem } from './state.js';
import type { Folder, Item } from './tree.js';

/** What the run before this one knew, compared with what the first look finds. */
export class EarlierRun {
  readonly #items = new Map<string, RememberedItem>();
  /** Nanoseconds; undefined when it is not known how far that run had seen. */
  readonly completeThrough: bigint | undefined;

  constructor(items: Iterable<RememberedItem>, completeThrough: Micros | undefined) {
    for (const item of items) this.#items.set(item.path, item);
    this.completeThrough = completeThrough === undefined ? undefined : BigInt(completeThrough) * 1000n;
  }

  /**
   * Whether an observed folder was watched then, and whether it came to its place since: then so did what is in it,
   * however old. Ask before `isSame`.
   */
  folder(path: string, inode: string, parent: Folder): { readonly known: boolean; readonly fresh: boolean } {
    const before = this.#items.get(path);
    const known = before !== undefined || parent.known || isLaunchFolder(path);
    return { known, fresh: known && before?.inode !== inode };
  }

  /**
   * True when the item is as it was, or was there and merely not watched. What is known of its content is taken over.
   * Each path is asked for once.
   */
  isSame(item: Item): boolean {
    const before = this.#items.get(item.path);
    this.#items.delete(item.path);
    if (before !== undefined) {
      item.sha256 = before.sha256;
      return !differs({ ...before, ctime: before.ctimeNanos }, item.snapshot);
    }
    const { ctime } = item.snapshot;
    const visible = ctime > item.folder.appeared ? ctime : item.folder.appeared;
    return this.completeThrough !== undefined && visible < this.completeThrough;
  }

  /** What was not met. */
  notMet(): Iterable<RememberedItem> {
    return this.#items.values();
  }
}
