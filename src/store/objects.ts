import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
} from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '../base/errors.js';

/** A leftover of a run that ended in the middle is removed after this, milliseconds. */
const staleMs = 600_000;
const objectName = /^[0-9a-f]{64}$/;

/** A content that is being written. One of the two must be called. */
export interface IncomingObject {
  write(bytes: Uint8Array): Promise<void>;
  /** From now on it is the content of this hash. */
  finish(sha256: string): Promise<void>;
  abandon(): Promise<void>;
}

/** Large contents, each a file that is named by its hash, in a folder of their own (0700, files 0600). */
export class Objects {
  readonly #folder: string;
  #parts = 0;

  /** `folder`: made when something is written first. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async begin(): Promise<IncomingObject> {
    this.#prepare();
    const part = path.join(this.#folder, `.part-${process.pid}-${this.#parts++}`);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const file: FileHandle = await open(part, flags, 0o600);
    const abandon = async () => {
      await file.close().catch(() => {});
      await rm(part, { force: true }).catch(() => {});
    };
    return {
      write: async (bytes) => {
        for (let at = 0; at < bytes.length; ) {
          const { bytesWritten } = await file.write(bytes, at, bytes.length - at);
          at += bytesWritten;
        }
      },
      finish: async (sha256) => {
        try {
          await file.sync();
          await file.close();
          // What stands there already is not replaced: should it be corrupt, that is to be seen.
          if (this.#has(sha256)) await rm(part, { force: true });
          else await rename(part, this.#place(sha256));
        } catch (error) {
          await abandon();
          throw error;
        }
      },
      abandon,
    };
  }

  /** The bytes, unchecked; undefined when there are none, or what stands there is no regular file. */
  read(sha256: string): Buffer | undefined {
    if (!objectName.test(sha256)) return undefined;
    let file: number;
    try {
      file = openSync(this.#place(sha256), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ELOOP') return undefined;
      throw error;
    }
    try {
      const stat = fstatSync(file);
      if (!stat.isFile()) return undefined;
      const bytes = Buffer.allocUnsafeSlow(stat.size);
      let at = 0;
      for (let count = -1; count !== 0 && at < bytes.length; at += count)
        count = readSync(file, bytes, at, bytes.length - at, at);
      return bytes.subarray(0, at);
    } finally {
      closeSync(file);
    }
  }

  remove(sha256: string): void {
    if (objectName.test(sha256)) rmSync(this.#place(sha256), { force: true });
  }

  /** Removes what nobody knows and what a run left unfinished. */
  sweep(known: (sha256: string) => boolean, now = Date.now()): void {
    let names: string[];
    try {
      names = readdirSync(this.#folder);
    } catch {
      return;
    }
    for (const name of names) {
      const place = path.join(this.#folder, name);
      const isPart = name.startsWith('.part-');
      if (!isPart && (!objectName.test(name) || known(name))) continue;
      const stat = lstatSync(place, { throwIfNoEntry: false });
      if (stat?.isFile() === true && now - stat.mtimeMs > staleMs) rmSync(place, { force: true });
    }
  }

  #has(sha256: string): boolean {
    return lstatSync(this.#place(sha256), { throwIfNoEntry: false }) !== undefined;
  }

  #place(sha256: string): string {
    return path.join(this.#folder, sha256);
  }

  #prepare(): void {
    try {
      mkdirSync(this.#folder, { mode: 0o700 });
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    const stat = lstatSync(this.#folder);
    if (!stat.isDirectory() || stat.uid !== (process.geteuid?.() ?? stat.uid) || (stat.mode & 0o022) !== 0)
      throw Object.assign(new Error(`${this.#folder} is no private folder of this user`), { code: 'EACCES' });
  }
}
