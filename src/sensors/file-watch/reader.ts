import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { errnoOf } from '../../base/errors.js';
import type { FileContent } from '../../event/event.js';
import type { Snapshot } from './snapshot.js';

// No wait on a FIFO, no link followed, no terminal taken over. Node.js itself adds O_CLOEXEC.
const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY;

export type ReadResult =
  | { readonly ok: true; readonly content: FileContent; readonly sha256: string | undefined }
  /** `changed`: what was opened is not what was looked at. */
  | { readonly ok: false; readonly reason: 'gone' | 'changed' | 'unreadable' };

/** Reads regular files at once and within a bound; a call takes at most a few milliseconds. */
export class ContentReader {
  readonly #scratch: Buffer;
  readonly limit: number;

  /** `limit`: bytes that a call reads at most. */
  constructor(limit: number) {
    this.limit = limit;
    this.#scratch = Buffer.allocUnsafeSlow(limit + 1);
  }

  /**
   * The first `keep` bytes and, when the file is no longer than `limit`, its sha256; of a longer one nothing else is
   * read. `seen` is the look that found a regular file.
   */
  read(hostPath: string, seen: Snapshot, keep: number): ReadResult {
    let fd: number;
    try {
      fd = openSync(hostPath, flags);
    } catch (error) {
      const code = errnoOf(error);
      return {
        ok: false,
        reason:
          code === 'ENOENT' || code === 'ENOTDIR' ? 'gone' : code === 'ELOOP' ? 'changed' : 'unreadable',
      };
    }
    try {
      const stat = fstatSync(fd, { bigint: true });
      if (!stat.isFile() || String(stat.ino) !== seen.inode) return { ok: false, reason: 'changed' };
      const large = stat.size > this.limit;
      const want = large ? Math.min(keep, this.limit) : this.limit + 1;
      let length = 0;
      while (length < want) {
        const count = readSync(fd, this.#scratch, length, want - length, null);
        if (count === 0) break;
        length += count;
      }
      const whole = !large && length <= this.limit;
      const bytes = new Uint8Array(this.#scratch.subarray(0, Math.min(length, keep)));
      return {
        ok: true,
        content: {
          bytes,
          size: whole ? length : Math.max(Number(stat.size), length),
          truncated: bytes.length < length || !whole,
        },
        sha256: whole
          ? createHash('sha256').update(this.#scratch.subarray(0, length)).digest('hex')
          : undefined,
      };
    } catch {
      return { ok: false, reason: 'unreadable' };
    } finally {
      closeSync(fd);
    }
  }
}

const slice = 1024 * 1024;

/**
 * The sha256 of a large file, read in slices between which everything else gets its turn. Undefined when the file is
 * not what was looked at, grows beyond `maxBytes`, cannot be read, or `signal` ends the wait.
 */
export async function hashLarge(
  hostPath: string,
  seen: Snapshot,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<string | undefined> {
  try {
    const file = await open(hostPath, flags);
    try {
      const stat = await file.stat({ bigint: true });
      if (!stat.isFile() || String(stat.ino) !== seen.inode) return undefined;
      const hash = createHash('sha256');
      const buffer = Buffer.allocUnsafeSlow(slice);
      for (let total = 0; ; ) {
        const { bytesRead } = await file.read(buffer, 0, slice, null);
        if (signal.aborted) return undefined;
        if (bytesRead === 0) return hash.digest('hex');
        total += bytesRead;
        if (total > maxBytes) return undefined;
        hash.update(buffer.subarray(0, bytesRead));
      }
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}
