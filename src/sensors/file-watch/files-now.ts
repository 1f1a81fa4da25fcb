import type { RootMap } from '../../base/root.js';
import type { FileContent } from '../../event/event.js';
import { fileWatchLimits } from './options.js';
import { ContentReader, hashLarge, type LargeReading, type Reading, readLarge } from './reader.js';
import { Rights } from './rights.js';
import { lookAt, type Snapshot } from './snapshot.js';

/** One for all: it holds a megabyte, and what it reads is copied before the next call. */
let reader: ContentReader | undefined;

function sharedReader(): ContentReader {
  reader ??= new ContentReader(fileWatchLimits.maxContent);
  return reader;
}

/** The content of a file, and whose it is. */
export interface HashedFile {
  readonly sha256: string;
  readonly uid: number;
}

/**
 * Reads files that did not change just now: items that were there before, programs that an item runs. With the same rights
 * and bounds as the watcher itself.
 */
export class FilesNow {
  readonly #rights: Rights;

  constructor(root: RootMap) {
    this.#rights = new Rights(root);
  }

  /** The content of a regular file that is still as it was remembered; undefined when it is not, or may not be read. */
  content(
    macPath: string,
    remembered: { readonly inode: string; readonly ctimeNanos: bigint },
  ): { readonly content: FileContent; readonly sha256: string | undefined } | undefined {
    const passage = this.#rights.follow(macPath);
    const seen = passage && lookAt(passage.host);
    if (passage === undefined || seen === undefined || seen === 'denied' || seen.type !== 'file')
      return undefined;
    if (seen.inode !== remembered.inode || seen.ctime !== remembered.ctimeNanos) return undefined;
    const result = sharedReader().read({ hostPath: passage.host, seen, passage }, fileWatchLimits.maxContent);
    if (!result.ok) return undefined;
    // What was written meanwhile is news, which the watcher tells.
    const after = lookAt(passage.host);
    if (after === undefined || after === 'denied' || after.ctime !== seen.ctime) return undefined;
    return { content: result.content, sha256: result.sha256 };
  }

  /** What stands at a path, links followed, and the content of a regular file that may be read; undefined for nothing. */
  at(macPath: string): { readonly seen: Snapshot; readonly content?: FileContent } | 'denied' | undefined {
    const passage = this.#rights.follow(macPath);
    const seen = passage && lookAt(passage.host);
    if (passage === undefined || seen === undefined) return undefined;
    if (seen === 'denied') return seen;
    if (seen.type !== 'file') return { seen };
    const result = sharedReader().read({ hostPath: passage.host, seen, passage }, fileWatchLimits.maxContent);
    return result.ok ? { seen, content: result.content } : { seen };
  }

  /** Owner and permissions of what stands at a path, links followed; `missing` where nothing is. */
  facts(macPath: string): Snapshot | 'missing' | undefined {
    const passage = this.#rights.follow(macPath);
    const seen = passage && lookAt(passage.host);
    return seen === 'denied' ? undefined : (seen ?? 'missing');
  }

  /** The hash of the file that a path leads to; `missing` where nothing is; undefined when it cannot be read in full. */
  async hash(macPath: string, how: LargeReading): Promise<HashedFile | 'missing' | undefined> {
    const reading = this.#reading(macPath, how);
    if (typeof reading !== 'object') return reading;
    const sha256 = await hashLarge(reading, how);
    return sha256 === undefined ? undefined : { sha256, uid: reading.seen.uid };
  }

  /** As `hash`, with the bytes. */
  async whole(
    macPath: string,
    how: LargeReading,
  ): Promise<{ readonly bytes: Uint8Array; readonly sha256: string } | 'missing' | undefined> {
    const reading = this.#reading(macPath, how);
    return typeof reading === 'object' ? readLarge(reading, how) : reading;
  }

  #reading(macPath: string, { maxBytes }: LargeReading): Reading | 'missing' | undefined {
    const passage = this.#rights.follow(macPath);
    if (passage === undefined) return 'missing';
    const seen = lookAt(passage.host);
    if (seen === undefined) return 'missing';
    if (seen === 'denied' || seen.type !== 'file' || seen.size > maxBytes) return undefined;
    return { hostPath: passage.host, seen, passage };
  }
}
