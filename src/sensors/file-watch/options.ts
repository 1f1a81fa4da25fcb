/** Bounds of the file watcher. Each protects the agent from a tree that somebody else filled. */
export interface FileWatchLimits {
  /** Items remembered below one watched folder, and in all. What is beyond is seen by its wake-up alone. */
  readonly maxItemsPerTarget: number;
  readonly maxItems: number;
  /** Folders with a watcher of their own, below one watched folder and in all. */
  readonly maxFoldersPerTarget: number;
  readonly maxFolders: number;
  /** Levels below a watched folder. */
  readonly maxDepth: number;
  /** Bytes of a property list, or of a launch item of any kind, that are carried away. */
  readonly maxContent: number;
  /** Bytes of a file inside a bundle that are carried away; a larger one is hashed only. */
  readonly maxBundleContent: number;
  /** Bytes up to which a file is hashed at all. */
  readonly maxHashed: number;
  /** Changes of a new file closer together than this, milliseconds, belong to its first event ... */
  readonly settleMs: number;
  /** ... but no longer than this after it. */
  readonly maxSettleMs: number;
  /** How often everything is compared again, milliseconds. */
  readonly rescanMs: number;
  /** How far behind the clock an idle watcher says "complete", milliseconds: what a wake-up may take to arrive. */
  readonly lagMs: number;
}

export const fileWatchLimits: FileWatchLimits = {
  maxItemsPerTarget: 16_384,
  maxItems: 65_536,
  maxFoldersPerTarget: 2_048,
  maxFolders: 8_192,
  maxDepth: 32,
  maxContent: 1024 * 1024,
  maxBundleContent: 256 * 1024,
  maxHashed: 512 * 1024 * 1024,
  settleMs: 1_000,
  maxSettleMs: 60_000,
  rescanMs: 30_000,
  // inotify queues at once, and a coarse ctime lags by one tick (4 ms). FSEvents (libuv uses it for folders on macOS)
  // gathers for about 50 ms; unproven on a Mac.
  lagMs: process.platform === 'darwin' ? 150 : 15,
};

/** Where libuv passes file events on: it refuses more than 4,096 folders, and is slow and forgetful well before that. */
export const restlessLimits: Partial<FileWatchLimits> = { maxFolders: 500, rescanMs: 3_000 };
