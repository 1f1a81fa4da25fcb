import { type BigIntStats, constants, lstatSync } from 'node:fs';

export type FileType = 'file' | 'dir' | 'symlink' | 'fifo' | 'socket' | 'device';

/** One look at a path, links not followed. */
export interface Snapshot {
  readonly type: FileType;
  /** Device, inode and birth time: an inode number alone is given out again at once after a deletion. */
  readonly key: string;
  readonly inode: string;
  readonly size: number;
  /** Permission bits, `0o7777` at most. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  /** Nanoseconds since 1970. */
  readonly ctime: bigint;
  readonly mtime: bigint;
  readonly birth: bigint;
}

const types: readonly (readonly [number, FileType])[] = [
  [constants.S_IFREG, 'file'],
  [constants.S_IFDIR, 'dir'],
  [constants.S_IFLNK, 'symlink'],
  [constants.S_IFIFO, 'fifo'],
  [constants.S_IFSOCK, 'socket'],
];

function typeOf(mode: number): FileType {
  const format = mode & constants.S_IFMT;
  return types.find(([bits]) => bits === format)?.[1] ?? 'device';
}

/** What tells one file from another, `Snapshot.key`. */
export function keyOf({ dev, ino, birthtimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${birthtimeNs}`;
}

/** The first part of a snapshot's key. */
export function deviceOf(key: string): string {
  return key.slice(0, key.indexOf(':'));
}

/** Undefined when nothing is there; `denied` when the file system refuses to say. */
export function lookAt(hostPath: string): Snapshot | 'denied' | undefined {
  try {
    const stat = lstatSync(hostPath, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    const mode = Number(stat.mode);
    return {
      type: typeOf(mode),
      key: keyOf(stat),
      inode: String(stat.ino),
      size: Number(stat.size),
      mode: mode & 0o7777,
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      links: Number(stat.nlink),
      ctime: stat.ctimeNs,
      mtime: stat.mtimeNs,
      birth: stat.birthtimeNs,
    };
  } catch {
    return 'denied';
  }
}

/**
 * True when the two looks differ by something that is an event. A folder's size, ctime and link count move with its
 * children, which is none.
 */
export function differs(
  a: Pick<Snapshot, 'type' | 'inode' | 'mode' | 'uid' | 'gid' | 'size' | 'ctime'> & {
    /** Where it is known: there are volumes whose ctime does not move with the content. */
    readonly mtime?: bigint;
  },
  b: Snapshot,
): boolean {
  if (a.type !== b.type || a.inode !== b.inode || a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid)
    return true;
  if (a.type === 'dir') return false;
  return a.ctime !== b.ctime || a.size !== b.size || (a.mtime !== undefined && a.mtime !== b.mtime);
}
