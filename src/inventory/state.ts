import type { BigIntStats } from 'node:fs';
import { release } from '../base/release.js';
import type { RootMap } from '../base/root.js';
import type { FileContent } from '../event/event.js';
import type { ExtendedAttribute, NotTaken, SeenState, VersionKind } from '../event/version.js';
import {
  linkText,
  lookAt,
  type Passage,
  Rights,
  readSlices,
  type Snapshot,
} from '../sensors/file-watch/index.js';
import { architecturesOf, kindBytes, kindOf } from './file-kind.js';

/** Files up to this are read to be hashed; of a larger one nothing but its beginning is known. */
const maxHashed = 512 * 1024 * 1024;
const sliceBytes = 256 * 1024;
/** What the system keeps under a seal (signed system volume): not even root writes there. */
const sealed = /^\/(?:bin|sbin|usr\/(?:bin|sbin|libexec|lib|share)|System)\//i;

/** Takes in a content that is too large for memory, piece by piece. */
export interface LargeContent {
  write(bytes: Uint8Array): Promise<void>;
  finish(sha256: string): Promise<void>;
  abandon(): Promise<void>;
}

export interface StateReaderOptions {
  readonly root: RootMap;
  /** The extended attributes of an open file or folder; undefined where they cannot be read. */
  readonly attributes?: ((descriptor: number) => readonly ExtendedAttribute[] | undefined) | undefined;
  /** Contents from this size on go to `begin`. */
  readonly largeFrom: number;
  /** Undefined while there is no room for a large content. */
  readonly begin: () => Promise<LargeContent> | undefined;
  /** For tests. */
  readonly rights?: Rights;
}

export interface ReadHow {
  /** What names the file: it is read only where whoever decides what stands there could read it. */
  readonly item: string;
  /** The item executes or loads it. */
  readonly runs: boolean;
  /** Of what kind it is, when its content does not decide. */
  readonly kind?: VersionKind;
  /** Bytes that are kept at most; of a larger file `headBytes`. */
  readonly maxBytes: number;
  readonly headBytes: number;
  /** Files of its mechanism hold secrets: hashed and not kept. */
  readonly confidential?: boolean;
  readonly signal: AbortSignal;
}

/** A file as it was found. */
export interface ReadState {
  readonly state: SeenState;
  /** What is to be kept of it, under the hash of the state. */
  readonly content?: FileContent;
  /** All of it went to `begin`. */
  readonly large?: true;
}

/** Reads what there is to know of a file, in slices between which everything else gets its turn. */
export class StateReader {
  readonly #options: StateReaderOptions;
  readonly rights: Rights;

  constructor(options: StateReaderOptions) {
    this.#options = options;
    this.rights = options.rights ?? new Rights(options.root);
  }

  /** What stands at a path; of a link, at its end. Undefined when nothing does, or no file. */
  async read(path: string, how: ReadHow): Promise<ReadState | undefined> {
    const { root } = this.#options;
    const here = lookAt(root.toHost(path));
    if (here === undefined || here === 'denied') return undefined;
    const link = here.type === 'symlink' ? linkText(root.toHost(path)) : undefined;
    const passage = this.rights.follow(path);
    const seen = passage === undefined ? undefined : lookAt(passage.host);
    if (passage === undefined || seen === undefined || seen === 'denied') {
      // A link that leads nowhere is there all the same.
      return link === undefined
        ? undefined
        : { state: stateOf(path, { seen: here, link, kind: how.kind ?? 'text' }) };
    }
    if (seen.type !== 'file') return undefined;
    const base = { seen, link, kind: how.kind ?? (how.runs ? 'program' : 'text') } as const;
    const why = (notTaken: NotTaken): ReadState => ({ state: { ...stateOf(path, base), notTaken } });
    if (sealed.test(root.toMac(passage.host))) return why('sealed');
    if (!passage.mayRead(seen) || !this.#mayRead(passage, how.item, seen)) return why('withheld');
    return (await this.#content(path, { ...how, seen, link, passage })) ?? why('unreadable');
  }

  async #content(
    path: string,
    how: ReadHow & { readonly seen: Snapshot; readonly link: string | undefined; readonly passage: Passage },
  ): Promise<ReadState | undefined> {
    const { seen, link, passage, confidential = false, maxBytes, signal, runs } = how;
    const { attributes, largeFrom } = this.#options;
    const whole = !confidential && seen.size <= maxBytes;
    const toFile = whole && seen.size >= largeFrom ? await this.#begin() : undefined;
    const inMemory = whole && toFile === undefined && seen.size < largeFrom;
    const wanted = inMemory ? maxBytes : Math.min(confidential ? kindBytes : how.headBytes, seen.size);
    const kept = Buffer.allocUnsafeSlow(Math.min(wanted, seen.size));
    let length = 0;
    let size = 0;
    let xattrs: readonly ExtendedAttribute[] | undefined;
    let opened: BigIntStats | undefined;
    try {
      const sha256 =
        seen.size > maxHashed
          ? undefined
          : await readSlices(
              { hostPath: passage.host, seen, passage },
              {
                maxBytes: maxHashed,
                sliceBytes,
                signal,
                sink: {
                  opened: (descriptor, stat) => {
                    opened = stat;
                    xattrs = attributes?.(descriptor);
                  },
                  slice: async (bytes) => {
                    size += bytes.length;
                    length += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).copy(kept, length);
                    await toFile?.write(bytes);
                  },
                },
              },
            );
      const after = lookAt(passage.host);
      const moved =
        typeof after !== 'object' ||
        after.key !== seen.key ||
        after.ctime !== seen.ctime ||
        after.size !== seen.size;
      const head = kept.subarray(0, length);
      const kind = how.kind ?? kindOf(head, runs);
      const architectures = architecturesOf(head);
      const state: SeenState = {
        ...stateOf(path, { seen, link, kind }),
        ...(xattrs === undefined ? {} : { xattrs }),
        ...(architectures.length === 0 ? {} : { architectures }),
      };
      if (signal.aborted) {
        await toFile?.abandon();
        return undefined;
      }
      if (sha256 === undefined || moved || opened === undefined) {
        await toFile?.abandon();
        const notTaken = seen.size > maxHashed ? 'too-large' : moved ? 'changed' : 'unreadable';
        return { state: { ...state, notTaken } };
      }
      const hashed = { ...state, sha256, size };
      if (confidential) return { state: { ...hashed, notTaken: 'confidential' } };
      if (toFile !== undefined) {
        await toFile.finish(sha256);
        return { state: hashed, large: true };
      }
      const bytes = new Uint8Array(kept.buffer, 0, length);
      const content = { bytes, size, truncated: length < size, release: () => release(bytes) };
      const notTaken = !content.truncated ? undefined : whole ? 'no-room' : 'too-large';
      return { state: { ...hashed, ...(notTaken === undefined ? {} : { notTaken }) }, content };
    } catch (error) {
      await toFile?.abandon();
      throw error;
    }
  }

  async #begin(): Promise<LargeContent | undefined> {
    try {
      return await this.#options.begin();
    } catch {
      // A full disk: what the file was is worth knowing without its bytes.
      return undefined;
    }
  }

  /** What a user's item names must not be read with more rights than the user has. */
  #mayRead(passage: Passage, item: string, seen: Snapshot): boolean {
    return passage.mayReadAs(this.rights.decider(item), seen);
  }
}

/** A state from a look alone. */
export function stateOf(
  path: string,
  {
    seen,
    link,
    kind,
  }: { readonly seen: Snapshot; readonly link?: string | undefined; readonly kind: VersionKind },
): SeenState {
  return {
    path,
    kind,
    type: link !== undefined ? 'symlink' : seen.type === 'dir' ? 'dir' : 'file',
    ...(link === undefined ? {} : { link }),
    size: seen.size,
    mode: seen.mode,
    uid: seen.uid,
    gid: seen.gid,
    inode: seen.inode,
    ...(seen.birth === 0n ? {} : { birth: seen.birth }),
    mtime: seen.mtime,
    ctime: seen.ctime,
  };
}
