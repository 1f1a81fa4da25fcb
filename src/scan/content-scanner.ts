import path from 'node:path';
import type { RootMap } from '../base/root.js';
import { FilesNow, lookAt, Rights } from '../sensors/file-watch/index.js';
import { type ListedHash, type RefusedLine, readHashList } from './hash-list.js';
import { YaraEngine, type YaraMatch } from './yara/engine.js';
import { findYaraFiles, type RefusedYara } from './yara/files.js';

export interface ContentScanOptions {
  readonly root: RootMap;
  /** Files of this machine. */
  readonly hashes: readonly string[];
  readonly yara: readonly string[];
  /** A larger file is only hashed, bytes. */
  readonly maxFileBytes: number;
  readonly memoryBytes: number;
  /** YARA's time for one file, milliseconds. */
  readonly fileMs: number;
}

/** What the lists and rules say about one file. */
export interface FileScan {
  /** Canonical macOS path. */
  readonly path: string;
  readonly size?: number;
  readonly sha256?: string;
  readonly listed?: ListedHash;
  readonly yara: readonly YaraMatch[];
  /** Why it was not scanned, or not in full. */
  readonly left?: string;
  /** Nothing stands there. */
  readonly missing?: true;
}

/** Why the content of a file says nothing: whoever named it may not know it. */
export const withheld = 'the user whose item names it may not read it';

/** Larger files are not even hashed. */
const maxHashed = 4 * 2 ** 30;

/** Hash lists and YARA rules over the content of single files. */
export class ContentScanner {
  readonly #options: ContentScanOptions;
  readonly #rights: Rights;
  readonly #files: FilesNow;
  readonly #hashes: ReadonlyMap<string, ListedHash>;
  readonly #yara: YaraEngine | undefined;
  /** Lines of hash lists and YARA files that are not used. */
  readonly refused: readonly (RefusedLine | RefusedYara)[];
  /** Lists, files and folders that were named and of which nothing is used. */
  readonly unused: readonly string[];

  private constructor(
    options: ContentScanOptions,
    parts: {
      readonly hashes: ReadonlyMap<string, ListedHash>;
      readonly yara: YaraEngine | undefined;
      readonly refused: readonly (RefusedLine | RefusedYara)[];
      readonly unused: readonly string[];
    },
  ) {
    this.#options = options;
    this.#rights = new Rights(options.root);
    this.#files = new FilesNow(options.root);
    this.#hashes = parts.hashes;
    this.#yara = parts.yara;
    this.refused = parts.refused;
    this.unused = [...new Set(parts.unused)];
  }

  /** Reads the lists and compiles the rules. Throws a UserError when one of them is not there, or YARA-X is not. */
  static async open(options: ContentScanOptions): Promise<ContentScanner> {
    const lists = options.hashes.map((file) => readHashList(file));
    const hashes = new Map<string, ListedHash>();
    for (const list of lists)
      for (const [hash, listed] of list.hashes) if (!hashes.has(hash)) hashes.set(hash, listed);
    const { files, refused } = findYaraFiles(options.yara);
    const { fileMs, memoryBytes } = options;
    const yara = files.length === 0 ? undefined : await YaraEngine.start({ files, fileMs, memoryBytes });
    const uncompiled = [...refused, ...(yara?.refused ?? [])].map(({ file }) => file);
    return new ContentScanner(options, {
      hashes,
      yara,
      unused: [
        ...options.hashes.filter((_, at) => lists[at]?.hashes.size === 0),
        ...options.yara.filter((place) => !files.some(({ file }) => isIn(file, place))),
        ...uncompiled,
      ],
      refused: [...lists.flatMap((list) => list.refused), ...refused, ...(yara?.refused ?? [])],
    });
  }

  /** Hashes that are known, and files of YARA rules that are used. */
  get counts(): { readonly hashes: number; readonly yara: number } {
    return { hashes: this.#hashes.size, yara: this.#yara?.files ?? 0 };
  }

  /** True when there is anything to compare a file with. */
  get scans(): boolean {
    return this.#hashes.size > 0 || (this.#yara?.files ?? 0) > 0;
  }

  /**
   * Scans the file that a path leads to, links followed. Never rejects for what the file is. What an item (its path) or a
   * user (a uid) named is read only when that user could read it.
   */
  async scan(path: string, signal: AbortSignal, namedBy?: string | number): Promise<FileScan> {
    const passage = this.#rights.follow(path);
    const seen = passage === undefined ? undefined : lookAt(passage.host);
    if (passage === undefined || seen === undefined) return { path, yara: [], missing: true };
    if (seen === 'denied') return { path, yara: [], left: 'it may not be read' };
    if (seen.type !== 'file')
      return {
        path,
        yara: [],
        left: seen.type === 'dir' ? 'it is a folder' : `it is no file (${seen.type})`,
      };
    const user = typeof namedBy === 'string' ? this.#rights.decider(namedBy) : namedBy;
    if (!passage.mayReadAs(user, seen)) return { path, yara: [], left: withheld };
    const { size } = seen;
    const isLarge = size > this.#options.maxFileBytes;
    const read = isLarge
      ? await this.#files.hash(path, { maxBytes: maxHashed, signal })
      : await this.#files.whole(path, { maxBytes: this.#options.maxFileBytes, signal });
    if (read === 'missing') return { path, yara: [], missing: true };
    if (read === undefined)
      return {
        path,
        size,
        yara: [],
        left: 'it could not be read in full, changed meanwhile, or may not be read',
      };
    const listed = this.#hashes.get(read.sha256);
    const known = { path, size, sha256: read.sha256, ...(listed === undefined ? {} : { listed }) };
    if (this.#yara === undefined) return { ...known, yara: [] };
    if (!('bytes' in read)) return { ...known, yara: [], left: 'too large for YARA: it was only hashed' };
    const answer = await this.#yara.scan(read.bytes, path);
    return 'failed' in answer
      ? { ...known, yara: [], left: answer.reason }
      : { ...known, yara: answer.matches };
  }

  /** Gives memory back; the next scan takes it again. */
  async rest(): Promise<void> {
    await this.#yara?.close();
  }

  close(): Promise<void> {
    return this.rest();
  }
}

function isIn(file: string, place: string): boolean {
  const below = path.relative(place, file);
  return below === '' || !/^\.\.(?:[/\\]|$)/.test(below);
}
