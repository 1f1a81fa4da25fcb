import type { FileType } from './snapshot.js';

/** What the watcher knows about one item, in a form that outlives the process. */
export interface RememberedItem {
  /** Canonical macOS path; the key. */
  readonly path: string;
  readonly inode: string;
  readonly ctimeNanos: bigint;
  /** Of a folder that is part of an observed tree: -1 while its content has not been listed. */
  readonly size: number;
  /** Permission bits, `0o7777` at most. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly type: FileType;
  /** Absent while not read: an item that was there before the first start, or a large file. */
  readonly sha256?: string | undefined;
  /** The event that told of it last, for a run that finds it grown since: text of `told.ts`. */
  readonly told?: string | undefined;
}

/** A change of what is remembered, in the order in which to apply it. */
export type ItemChange = RememberedItem | { readonly path: string; readonly gone: true };

/** What an earlier run remembered. Written by the agent from `onItem`, read once by the watcher's start. */
export interface FileStateStore {
  /**
   * Every remembered item; undefined when no run has ever finished its first look, so that nothing is compared and
   * what exists gives no event.
   */
  load(): Iterable<RememberedItem> | undefined;
  /**
   * Event time, microseconds, up to which the earlier run had seen everything. An unknown item that is older was merely
   * outside the patterns of that run and gives no event. Without it every unknown item is an event.
   */
  readonly completeThrough?: number | undefined;
}
