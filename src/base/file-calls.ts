/**
 * File calls that take a held folder and a name in it, so that nobody can lead them elsewhere by exchanging a folder for a
 * link meanwhile. Node.js has none; the native addon gives them (native/src/js_file_calls.cc). Descriptors are plain
 * numbers and belong to the caller (`fs.closeSync`). No call follows a link. Failures have the code of a system error
 * (`EEXIST`, `EXDEV`, ...).
 */
export interface FileCalls {
  /** The folder `/`. */
  openTop(): number;
  openFolder(folder: number, name: string): number;
  /** For reading; a FIFO is not waited for. Throws `ELOOP` for a link. */
  openFile(folder: number, name: string): number;
  /** Makes a private file; throws `EEXIST` when anything has the name. */
  createFile(folder: number, name: string): number;
  /** Private. */
  makeFolder(folder: number, name: string): void;
  /** Undefined when nothing has the name. */
  statAt(folder: number, name: string): ObjectFacts | undefined;
  statOf(file: number): ObjectFacts;
  /** In any order, without `.` and `..`; at most so many. */
  namesIn(folder: number, most?: number): string[];
  /** Throws `EEXIST` when anything has the new name, `EXDEV` when that is on another volume. */
  rename(fromFolder: number, from: string, toFolder: number, to: string): void;
  remove(folder: number, name: string, isFolder?: boolean): void;
  readLink(folder: number, name: string): string;
  makeLink(folder: number, name: string, target: string): void;
  /** Owner, mode and times of an open file or folder. */
  setFacts(file: number, facts: SettableFacts): void;
  /** Owner and times of a link itself. */
  setLinkFacts(folder: number, name: string, facts: SettableFacts): void;
  /** Values are cut to `mostBytes` (64 KiB); `size` is the whole. */
  attributes(file: number, mostBytes?: number): { name: string; size: number; value: Buffer }[];
  setAttribute(file: number, name: string, value: Buffer): void;
  /** macOS: such as "immutable". */
  setFlags(file: number, flags: number): void;
  /** Owner, mode, times, extended attributes, flags and access control list, from one open file or folder to another. */
  copyMetadata(from: number, to: number): void;
  /** The access control list as text (macOS); undefined when there is none. */
  acl(file: number): string | undefined;
}

/** What a file system says of an object. Numbers that may exceed 2^53 are decimal texts; times are nanoseconds since 1970. */
export interface ObjectFacts {
  readonly type: 'file' | 'dir' | 'symlink' | 'fifo' | 'socket' | 'device';
  readonly dev: string;
  readonly ino: string;
  /** Permission bits with set-id and sticky ones. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly size: number;
  readonly accessed: string;
  readonly modified: string;
  readonly changed: string;
  readonly born?: string;
  readonly flags?: number;
}

export type SettableFacts = Pick<ObjectFacts, 'mode' | 'uid' | 'gid' | 'accessed' | 'modified'>;

/** A process as it is now (`Addon.processes`): pid and startKey are its identity on one boot. */
export interface RunningProcess {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  readonly startKey: string;
  /** The same as wall time, microseconds since 1970; absent of an older build of the addon. */
  readonly startedAt?: number;
  readonly uid: number;
  readonly shortName: string;
  /** Real path of the image, of this machine; absent when it cannot be read. */
  readonly executable?: string;
  readonly args?: readonly string[];
}
