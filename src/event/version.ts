import type { Micros } from '../base/time.js';
import type { CodeSignatureFields } from './document.js';

/**
 * What a version is of. `list`: a property list. `text`: another file that describes an item (a crontab, a profile of a
 * shell). `program`: a binary that an item runs or loads. `script`: a text that it runs. `bundle`: the manifest of a
 * bundle, whose bytes are a `BundleManifest` as JSON. `bundle-file`: a file inside of one.
 */
export type VersionKind = 'list' | 'text' | 'program' | 'script' | 'bundle' | 'bundle-file';

/** Bytes of the value of an extended attribute that are kept, and attributes of a file. */
export const maxAttributeBytes = 4_096;
export const maxAttributes = 32;

/** An extended attribute as it was read. */
export interface ExtendedAttribute {
  readonly name: string;
  /** Its first bytes, `maxAttributeBytes` at most. */
  readonly value: Uint8Array;
  /** Bytes of the whole value. */
  readonly size: number;
}

/** Why the bytes of a file were not taken, or not all of them. What was hashed all the same has a hash. */
export type NotTaken =
  /** Larger than what is kept of such a file: its beginning is kept. */
  | 'too-large'
  /** The owner of what names it could not read it. */
  | 'withheld'
  | 'unreadable'
  /** It belongs to the sealed system, where not even root writes. */
  | 'sealed'
  /** Files of its mechanism hold secrets. */
  | 'confidential'
  /** It changed while it was read. */
  | 'changed'
  /** The store had no room. */
  | 'no-room';

/** What a file, a bundle or a link was at one moment. */
export interface SeenState {
  /** Canonical macOS path. */
  readonly path: string;
  readonly kind: VersionKind;
  readonly type: 'file' | 'dir' | 'symlink';
  /** Of a link: where it points, as it is written. The rest is about what stands at its end. */
  readonly link?: string;
  /** Of the content; of a bundle of its manifest. Absent when it was not read. */
  readonly sha256?: string;
  /** Bytes; of a bundle those of all its files. */
  readonly size: number;
  /** Permission bits, `0o7777` at most. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Names, where they are known. */
  readonly owner?: string;
  readonly group?: string;
  readonly inode?: string;
  /** Nanoseconds since 1970; `birth` is absent where the file system does not know it. */
  readonly birth?: bigint;
  readonly mtime: bigint;
  readonly ctime: bigint;
  /** Absent where they could not be read; empty when there are none. */
  readonly xattrs?: readonly ExtendedAttribute[];
  readonly signature?: Readonly<CodeSignatureFields>;
  /** Architectures of a binary: `arm64`, `x86_64`, ... */
  readonly architectures?: readonly string[];
  readonly notTaken?: NotTaken;
}

/** A state with its place in the history of its path. */
export interface Version extends SeenState {
  /** Grows with each version of the store; names it (`evidence show #17`). */
  readonly id: number;
  /** When it was first and last seen. */
  readonly time: Micros;
  readonly lastSeen: Micros;
  /** When it was found that nothing stands there any more; of the newest version alone. */
  readonly gone?: Micros;
  /** What is kept of the bytes: of `head` the beginning. */
  readonly kept: 'whole' | 'head' | 'none';
}

/** The files of a bundle, in the order of their paths. */
export interface BundleManifest {
  readonly version: 1;
  readonly files: readonly BundleEntry[];
  /** Files or folders beyond the limits were left out. */
  readonly truncated: boolean;
}

export interface BundleEntry {
  /** Relative to the bundle. */
  readonly path: string;
  readonly type: 'file' | 'dir' | 'symlink' | 'other';
  /** Permission bits as octal digits. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  /** Of a file. */
  readonly size?: number;
  readonly sha256?: string;
  /** Nanoseconds since 1970, as decimal digits. */
  readonly mtime: string;
  readonly link?: string;
  readonly not_taken?: NotTaken;
}

/** The manifest that the bytes of a bundle's version are; undefined when they are none. */
export function manifestOf(bytes: Uint8Array): BundleManifest | undefined {
  try {
    const manifest = JSON.parse(Buffer.from(bytes).toString('utf8')) as BundleManifest | null;
    return Array.isArray(manifest?.files) ? (manifest as BundleManifest) : undefined;
  } catch {
    return undefined;
  }
}
