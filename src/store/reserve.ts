import {
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';

const leastBytes = 64 * 1024;
const chunk = Buffer.alloc(64 * 1024);

/** Bytes that may still be written to the volume of a folder; undefined when it cannot be told. */
export function freeBytes(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

/**
 * A file that only takes up room, given back when the disk is full so that alerts can still be committed. On a volume
 * with snapshots the room may not come back; then alerts wait in memory.
 */
export class Reserve {
  readonly #folder: string;
  readonly #file: string;
  readonly #mostBytes: number;
  readonly #share: number;
  #bytes = 0;

  /** `share`: of the free space one part of so many may be taken. */
  constructor(file: string, how: { readonly mostBytes: number; readonly share: number }) {
    this.#folder = path.dirname(file);
    this.#file = file;
    this.#mostBytes = how.mostBytes;
    this.#share = how.share;
  }

  get held(): boolean {
    return lstatSync(this.#file, { throwIfNoEntry: false })?.isFile() === true;
  }

  /** How large it was when it was last taken or given back. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes the room unless it is taken, or the volume has little of it. Never throws. */
  take(): void {
    let descriptor: number | undefined;
    try {
      if (this.held) return;
      const free = freeBytes(this.#folder) ?? 0;
      const bytes = Math.min(this.#mostBytes, Math.floor(free / this.#share / chunk.length) * chunk.length);
      if (bytes < leastBytes) return;
      rmSync(this.#file, { recursive: true, force: true });
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
      descriptor = openSync(this.#file, flags, 0o600);
      // A file of zeros that were never written has no room.
      for (let written = 0; written < bytes; written += chunk.length) writeSync(descriptor, chunk);
      fsyncSync(descriptor);
      this.#bytes = bytes;
    } catch {
      this.release();
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  }

  /** Gives the room back. True when there was some. */
  release(): boolean {
    try {
      const { held } = this;
      if (held) this.#bytes = lstatSync(this.#file).size;
      rmSync(this.#file, { force: true });
      return held;
    } catch {
      return false;
    }
  }

  /** Renames the file, so that what is written over it needs no other room. False when there is none. */
  giveAs(file: string): boolean {
    try {
      renameSync(this.#file, file);
      return true;
    } catch {
      return false;
    }
  }
}
