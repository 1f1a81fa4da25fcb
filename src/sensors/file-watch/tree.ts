import type { Owner } from './owner.js';
import type { Step } from './scope.js';
import type { Snapshot } from './snapshot.js';
import type { Wake } from './wake.js';
import type { Waiting } from './work-queue.js';

/** A folder that is entered: on the way to what is observed, or part of an observed tree. */
export interface Folder {
  /** Canonical macOS path, as launchd would name it. */
  readonly path: string;
  /** Where it stands on this machine, free of links. */
  readonly host: string;
  readonly name: string;
  readonly parent: Folder | undefined;
  /** Device, inode and birth time of the folder that was entered. */
  readonly key: string;
  steps: readonly Step[];
  /** Whose changes these are. */
  readonly owner: Owner;
  /** Levels below the beginning of an observed tree; undefined on the way to one. */
  readonly level: number | undefined;
  /** The beginning of the observed tree that it is part of: the caps are counted there. */
  readonly target: Target;
  /** Nanoseconds: what is in it cannot have become visible earlier than the folder did. */
  readonly appeared: bigint;
  /** The run before this one watched it too. */
  readonly known: boolean;
  /** True when a link stands on the way. */
  readonly viaLink: boolean;
  readonly items: Map<string, Item>;
  readonly folders: Map<string, Folder>;
  wake: Wake | undefined;
  /** On another volume than the system's own: changes made elsewhere wake nobody, so it is polled. */
  readonly foreign: boolean;
  /**
   * Steady milliseconds: what was there then is known. The beginning of the last complete listing; before the first one,
   * the time before which the folder cannot have been there, or up to which an earlier run had seen everything.
   */
  polled: number;
  /** Not listed completely since the start: what is in it may have been there before. */
  first: boolean;
  /** It was listed completely at least once. */
  listed: boolean;
  /** Steady milliseconds of the next poll of a folder that is polled. */
  pollDue: number;
  /** Names that wait to be polled. */
  readonly queued: Map<string, Waiting>;
  /** It was left: nothing that still arrives for it counts. */
  closed: boolean;
}

/** The beginning of an observed tree, with what is counted there for the caps. */
export interface Target {
  readonly path: string;
  items: number;
  folders: number;
}

/** The event that later changes of the same item may still belong to. */
export interface Settling {
  readonly id: string;
  /** The id that follows from path, inode, ctime and action alone. */
  readonly base: string;
  readonly action: 'modification' | 'rename';
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  /** The earliest possible time, where the volume's clock cannot be believed. */
  readonly notBefore: bigint | undefined;
  readonly original: string | undefined;
  /** Milliseconds, steady: when it was first observed, last changed and last told about. */
  readonly first: number;
  last: number;
  told: number;
  /** Of the content that was read last, unless it was empty or was not carried away whole. */
  content: { readonly size: number; readonly sha256: string } | undefined;
  /** Undefined for what is new. */
  readonly was: Was | undefined;
  /** Of an event that an earlier run told: what only that run could find. */
  readonly foundBefore?: readonly string[];
}

/** What stood at a path before. */
export interface Was {
  readonly snapshot: Snapshot;
  readonly sha256: string | undefined;
}

/** One observed path and the last look at it. */
export interface Item {
  readonly path: string;
  readonly name: string;
  readonly folder: Folder;
  snapshot: Snapshot;
  sha256: string | undefined;
  /** Facts about the file itself, as stable words (enrich/findings.ts lists them). */
  findings: readonly string[];
  /** Of a symbolic link: its text. */
  link: string | undefined;
  /** Of a symbolic link that launchd would follow: the file it leads to. */
  target: Snapshot | undefined;
  /** The same, whatever it is. */
  leadsTo: Snapshot | undefined;
  /** First 16 bytes, lower-case hexadecimal. */
  header: string | undefined;
  settling: Settling | undefined;
  /** Steady milliseconds at which the first scan took it for one that was there before, on a foreign volume. */
  silent: number | undefined;
  /** An earlier run reported it with the same inode and ctime: a new event needs another id. */
  repeats: boolean;
  /** What an earlier run told of it, where the change since may belong to that event. */
  toldBefore: string | undefined;
  /** Reads that failed and are to be tried again. */
  retries: number;
  /** The last look came so soon after the change that another change could hide behind the same ctime. */
  racy: boolean;
}

export function childPath(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`;
}

/** Every item in and below a folder. */
export function* itemsBelow(folder: Folder): Generator<Item> {
  const left = [folder];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    yield* next.items.values();
    left.push(...next.folders.values());
  }
}

/** A folder and every entered folder below it. */
export function* foldersBelow(folder: Folder): Generator<Folder> {
  const left = [folder];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    yield next;
    left.push(...next.folders.values());
  }
}
