import { isLaunchFolder } from '../../base/launch-paths.js';
import type { Micros } from '../../base/time.js';
import type { FileWatchLimits } from './options.js';
import { differs } from './snapshot.js';
import type { RememberedItem } from './state.js';
import type { Folder, Item } from './tree.js';

/** What the run before this one knew, compared with what the first look finds. */
export class EarlierRun {
  readonly #items = new Map<string, RememberedItem>();
  /** Nanoseconds; undefined when it is not known how far that run had seen. */
  readonly completeThrough: bigint | undefined;
  readonly #limits: FileWatchLimits;
  readonly #size: number;
  /** Observed trees, and whether all of their items could be remembered. */
  readonly #whole = new Map<string, boolean>();

  constructor(items: Iterable<RememberedItem>, completeThrough: Micros | undefined, limits: FileWatchLimits) {
    this.#limits = limits;
    for (const item of items) this.#items.set(item.path, item);
    this.#size = this.#items.size;
    this.completeThrough = completeThrough === undefined ? undefined : BigInt(completeThrough) * 1000n;
  }

  /**
   * Whether an observed folder was watched then, and whether it came to its place since: then so did what is in it,
   * however old. Ask before `isSame`.
   */
  folder(path: string, inode: string, parent: Folder): { readonly known: boolean; readonly fresh: boolean } {
    // To be counted while none of its items has been met.
    if (parent.level === undefined) this.#isWhole(path);
    const before = this.#items.get(path);
    const known = before === undefined ? parent.known || isLaunchFolder(path) : before.size >= 0;
    return { known, fresh: known && before?.inode !== inode };
  }

  /** True when the item is remembered as it is. */
  isUnchanged(item: Item): boolean {
    const before = this.#items.get(item.path);
    return before !== undefined && !differs({ ...before, ctime: before.ctimeNanos }, item.snapshot);
  }

  /**
   * True when the item is as it was, or was there and merely not watched. What is known of its content is taken over.
   * Each path is asked for once. `now`: nanoseconds; a later date is that of a foreign clock, and says nothing.
   */
  isSame(item: Item, now: bigint): boolean {
    const before = this.#items.get(item.path);
    this.#items.delete(item.path);
    const { ctime, inode } = item.snapshot;
    if (before !== undefined) {
      item.sha256 = before.sha256;
      const same = !differs({ ...before, ctime: before.ctimeNanos }, item.snapshot);
      if (same || before.inode !== inode) return same;
      item.repeats = before.ctimeNanos === ctime;
      const settling = BigInt(this.#limits.settleMs) * 1_000_000n;
      if (ctime >= before.ctimeNanos && ctime - before.ctimeNanos < settling) item.toldBefore = before.told;
      return false;
    }
    // Whatever its date says: it was not there when the folder was listed.
    if (item.folder.known && this.#isWhole(item.folder.target.path)) return false;
    const visible = ctime > item.folder.appeared ? ctime : item.folder.appeared;
    return this.completeThrough !== undefined && (visible < this.completeThrough || visible > now);
  }

  /** True when the earlier run could remember every item of an observed tree. */
  #isWhole(target: string): boolean {
    const { maxItems, maxItemsPerTarget } = this.#limits;
    let whole = this.#whole.get(target);
    if (whole === undefined) {
      let below = 0;
      if (this.#size >= maxItemsPerTarget)
        for (const path of this.#items.keys()) if (path.startsWith(`${target}/`)) below++;
      whole = this.#size < maxItems && below < maxItemsPerTarget;
      this.#whole.set(target, whole);
    }
    return whole;
  }

  /** What was not met so far. */
  notMet(): RememberedItem[] {
    return [...this.#items.values()];
  }

  /** It is known to be gone, or no longer watched. */
  forget(path: string): void {
    this.#items.delete(path);
  }
}
