import {
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Reserve } from './reserve.js';

const mebibyte = 1024 * 1024;
const mostBytes = 64 * mebibyte;

/**
 * Alerts that are in memory alone, in a file of their own, which the next start reads: they outlive a crash or a stop on
 * a full disk. Its room is taken beforehand.
 */
export class LeftAlerts {
  readonly file: string;
  readonly #reserve: Reserve;

  constructor(dataDir: string) {
    this.file = path.join(dataDir, 'held.db.gz');
    this.#reserve = new Reserve(path.join(dataDir, 'held.reserve'), { mostBytes: mebibyte, share: 64 });
  }

  /** Takes the room unless it is taken. Never throws. */
  prepare(): void {
    this.#reserve.take();
  }

  /** Throws what the disk refuses; what was written before is kept then. */
  write(packed: Buffer): void {
    const bytes = gzipSync(packed, { level: 1 });
    const next = `${this.file}.next`;
    rmSync(next, { recursive: true, force: true });
    const given = this.#reserve.giveAs(next);
    const flags =
      constants.O_WRONLY | constants.O_NOFOLLOW | (given ? 0 : constants.O_CREAT | constants.O_EXCL);
    const descriptor = openSync(next, flags, 0o600);
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
      ftruncateSync(descriptor, bytes.length);
      fsyncSync(descriptor);
    } catch (error) {
      rmSync(next, { force: true });
      throw error;
    } finally {
      closeSync(descriptor);
    }
    renameSync(next, this.file);
  }

  /** What was left; undefined when nothing was. Throws when it cannot be read. */
  read(): Buffer | undefined {
    const stat = lstatSync(this.file, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    if (!stat.isFile() || stat.size > mostBytes) throw new Error('it is no file of ours');
    return gunzipSync(readFileSync(this.file), { maxOutputLength: 4 * mostBytes });
  }

  /** Never throws: alerts that are read again change nothing. */
  remove(): void {
    try {
      rmSync(this.file, { recursive: true, force: true });
    } catch {
      // It is read again at the next start.
    }
  }
}
