import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import type { Version } from '../store/index.js';

/** What a program was known to be: by this it is recognised under any other name. */
export interface KnownImage {
  readonly size: number;
  readonly inode?: string;
  readonly sha256?: string;
}

/** Larger ones are told by their inode. */
const mostBytes = 256 * 1024 * 1024;
const chunkBytes = 1024 * 1024;

/** Of the versions of a program. Empty files are everywhere. */
export function imagesOf(versions: readonly Version[]): KnownImage[] {
  return versions.flatMap(({ type, size, inode, sha256 }) =>
    size === 0 || type === 'dir'
      ? []
      : [
          {
            size,
            ...(type === 'symlink' || inode === undefined ? {} : { inode }),
            ...(sha256 === undefined ? {} : { sha256 }),
          },
        ],
  );
}

/** The file that a process runs: on Linux also when its name has gone. `executable`: of this machine. */
export function imageFile(pid: number, executable: string): string {
  return process.platform === 'linux' ? `/proc/${pid}/exe` : executable;
}

/** Tells whether files are one of the images; each file is read once. */
export class ImageMatcher {
  readonly #images: readonly KnownImage[];
  readonly #hashes = new Map<string, string | undefined>();

  constructor(images: readonly KnownImage[]) {
    this.#images = images;
  }

  /** `file`: on this machine. The content decides where it is known, else the inode. False of what cannot be read. */
  matches(file: string): boolean {
    if (this.#images.length === 0) return false;
    try {
      const { size, ino, dev, mtimeNs } = statSync(file, { bigint: true });
      const alike = this.#images.filter((one) => BigInt(one.size) === size);
      if (alike.length === 0) return false;
      const known = alike.flatMap(({ sha256 }) => sha256 ?? []);
      if (known.length === 0 || size > mostBytes) return alike.some(({ inode }) => inode === String(ino));
      const key = `${dev}:${ino}:${mtimeNs}`;
      if (!this.#hashes.has(key)) this.#hashes.set(key, hashOf(file));
      const hash = this.#hashes.get(key);
      return hash !== undefined && known.includes(hash);
    } catch {
      return false;
    }
  }
}

function hashOf(file: string): string | undefined {
  const opened = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(opened).isFile()) return undefined;
    const hash = createHash('sha256');
    const buffer = Buffer.alloc(chunkBytes);
    for (let total = 0; total <= mostBytes; ) {
      const read = readSync(opened, buffer);
      if (read === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, read));
      total += read;
    }
    return undefined;
  } finally {
    closeSync(opened);
  }
}
