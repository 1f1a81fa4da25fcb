import { createHash } from 'node:crypto';
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { errnoOf } from '../../base/errors.js';
import type { FileContent } from '../../event/event.js';
import type { Passage } from './rights.js';
import { keyOf, type Snapshot } from './snapshot.js';

// No wait on a FIFO, no link followed, no terminal taken over. Node.js itself adds O_CLOEXEC.
const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
/** Of macOS alone: no link followed on the way either (sys/fcntl.h). */
const noFollowAny = 0x20000000;

function flagsFor({ contested }: Passage): number {
  return flags | (contested && process.platform === 'darwin' ? noFollowAny : constants.O_NOFOLLOW);
}

/** Undefined when the open file is what was looked at, and may be read. */
function refusal(
  descriptor: number,
  stat: BigIntStats,
  { hostPath, seen, passage }: Reading,
): 'changed' | 'withheld' | undefined {
  if (!stat.isFile() || keyOf(stat) !== seen.key) return 'changed';
  const file = {
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mode: Number(stat.mode) & 0o7777,
    links: Number(stat.nlink),
  };
  return passage.mayReadOpened(descriptor, hostPath, file) ? undefined : 'withheld';
}

/** A file to be read. */
export interface Reading {
  readonly hostPath: string;
  /** The look that found a regular file. */
  readonly seen: Snapshot;
  /** The way to it. */
  readonly passage: Passage;
}

export type ReadResult =
  | { readonly ok: true; readonly content: FileContent; readonly sha256: string | undefined }
  /** `changed`: what was opened is not what was looked at. `withheld`: see `Rights`. */
  | { readonly ok: false; readonly reason: 'gone' | 'changed' | 'unreadable' | 'withheld' };

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
   * read, but for its end when `keep` is all that a call reads.
   */
  read(reading: Reading, keep: number): ReadResult {
    const { hostPath, seen, passage } = reading;
    if (!passage.mayRead(seen)) return { ok: false, reason: 'withheld' };
    let fd: number;
    try {
      fd = openSync(hostPath, flagsFor(passage));
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
      const reason = refusal(fd, stat, reading);
      if (reason !== undefined) return { ok: false, reason };
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
      const tail = large && keep >= this.limit ? this.#end(fd, Number(stat.size), bytes.length) : undefined;
      return {
        ok: true,
        content: {
          bytes,
          size: whole ? length : Math.max(Number(stat.size), length),
          truncated: bytes.length < length || !whole,
          ...(tail === undefined ? {} : { tail }),
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

  /** What follows `from`, at most so much as a list's last keys take. */
  #end(fd: number, size: number, from: number): Uint8Array | undefined {
    const at = Math.max(from, size - maxTail);
    const length = readSync(fd, this.#scratch, 0, Math.min(size - at, maxTail, this.limit), at);
    return length === size - at ? new Uint8Array(this.#scratch.subarray(0, length)) : undefined;
  }
}

/** Bytes that are kept of the end of a file that is too large to be kept whole. */
const maxTail = 128 * 1024;
const slice = 1024 * 1024;

/** How far a large file is read: not beyond `maxBytes`, nor once `signal` ends the wait. */
export interface LargeReading {
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/**
 * The sha256 of a large file, read in slices between which everything else gets its turn. Undefined when the file is
 * not what was looked at, may not be read, grows beyond `maxBytes`, or `signal` ends the wait.
 */
export async function hashLarge(reading: Reading, how: LargeReading): Promise<string | undefined> {
  const hash = createHash('sha256');
  return (await eachSlice(reading, how, (slice) => hash.update(slice))) ? hash.digest('hex') : undefined;
}

/** As hashLarge, with the bytes. */
export async function readLarge(
  reading: Reading,
  how: LargeReading,
): Promise<{ readonly bytes: Uint8Array; readonly sha256: string } | undefined> {
  const hash = createHash('sha256');
  const slices: Buffer[] = [];
  const isWhole = await eachSlice(reading, how, (slice) => {
    hash.update(slice);
    slices.push(Buffer.from(slice));
  });
  return isWhole ? { bytes: Buffer.concat(slices), sha256: hash.digest('hex') } : undefined;
}

/** Takes a file slice by slice, each of which is overwritten by the next; false when it was not taken whole. */
async function eachSlice(
  reading: Reading,
  { maxBytes, signal }: LargeReading,
  take: (slice: Buffer) => void,
): Promise<boolean> {
  if (!reading.passage.mayRead(reading.seen)) return false;
  try {
    const file = await open(reading.hostPath, flagsFor(reading.passage));
    try {
      const stat = await file.stat({ bigint: true });
      if (refusal(file.fd, stat, reading) !== undefined) return false;
      const buffer = Buffer.allocUnsafeSlow(Math.min(slice, Number(stat.size) + 1));
      for (let total = 0; ; ) {
        const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
        if (signal.aborted) return false;
        if (bytesRead === 0) return true;
        total += bytesRead;
        if (total > maxBytes) return false;
        take(buffer.subarray(0, bytesRead));
      }
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}
