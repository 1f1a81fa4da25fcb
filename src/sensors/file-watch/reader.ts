import { createHash } from 'node:crypto';
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { errnoOf } from '../../base/errors.js';
import { release } from '../../base/release.js';
import type { FileContent } from '../../event/event.js';
import type { ExtendedAttribute } from '../../event/version.js';
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

/** The extended attributes of an open file; undefined where they cannot be read. */
export type ReadAttributes = (descriptor: number) => readonly ExtendedAttribute[] | undefined;

/** Of what is read for its first bytes alone nobody wants attributes. */
const attributesFrom = 1_024;

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

  readonly #attributes: ReadAttributes | undefined;

  /** `limit`: bytes that a call reads at most. `attributes`: reads those of a file whose content is carried away. */
  constructor(limit: number, attributes?: ReadAttributes) {
    this.limit = limit;
    this.#attributes = attributes;
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
      const attributes = keep > attributesFrom ? this.#attributes?.(fd) : undefined;
      const tail = large && keep >= this.limit ? this.#end(fd, Number(stat.size), bytes.length) : undefined;
      return {
        ok: true,
        content: {
          bytes,
          size: whole ? length : Math.max(Number(stat.size), length),
          truncated: bytes.length < length || !whole,
          ...(tail === undefined ? {} : { tail }),
          ...(attributes === undefined ? {} : { attributes }),
          release: () => release(bytes),
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

  /** At most so many of the first bytes, valid until the next call; undefined when they may or can not be read. */
  glance(reading: Reading, most: number): Buffer | undefined {
    const { hostPath, seen, passage } = reading;
    if (!passage.mayRead(seen)) return undefined;
    let fd: number | undefined;
    try {
      fd = openSync(hostPath, flagsFor(passage));
      if (refusal(fd, fstatSync(fd, { bigint: true }), reading) !== undefined) return undefined;
      return this.#scratch.subarray(0, readSync(fd, this.#scratch, 0, Math.min(most, this.limit), null));
    } catch {
      return undefined;
    } finally {
      if (fd !== undefined) closeSync(fd);
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

/** What a file was read for, slice by slice. */
export interface SliceSink {
  /** The file is open; it is closed after `slice` was called last. */
  opened?(descriptor: number, stat: BigIntStats): void;
  /** A piece of it; the bytes are valid until the returned promise resolves. */
  slice?(bytes: Uint8Array): Promise<void> | void;
}

/**
 * Reads a large file in slices between which everything else gets its turn. The sha256 of all of it; undefined when the
 * file is not what was looked at, may not be read, grows beyond `maxBytes`, or `signal` ends the wait. What `sink` throws
 * is thrown.
 */
export async function readSlices(
  reading: Reading,
  how: LargeReading & { readonly sliceBytes?: number; readonly sink?: SliceSink },
): Promise<string | undefined> {
  const { maxBytes, signal, sliceBytes = slice, sink = {} } = how;
  if (!reading.passage.mayRead(reading.seen)) return undefined;
  const file = await open(reading.hostPath, flagsFor(reading.passage)).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const stat = await file.stat({ bigint: true });
    if (refusal(file.fd, stat, reading) !== undefined) return undefined;
    sink.opened?.(file.fd, stat);
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafeSlow(Math.min(sliceBytes, Number(stat.size) + 1));
    for (let total = 0; ; ) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      if (signal.aborted) return undefined;
      if (bytesRead === 0) return hash.digest('hex');
      total += bytesRead;
      if (total > maxBytes) return undefined;
      const bytes = buffer.subarray(0, bytesRead);
      hash.update(bytes);
      await sink.slice?.(bytes);
    }
  } finally {
    await file.close().catch(() => {});
  }
}

/** The sha256 of a large file, as `readSlices`. */
export async function hashLarge(reading: Reading, how: LargeReading): Promise<string | undefined> {
  try {
    return await readSlices(reading, how);
  } catch {
    return undefined;
  }
}

/** As hashLarge, with the bytes. */
export async function readLarge(
  reading: Reading,
  how: LargeReading,
): Promise<{ readonly bytes: Uint8Array; readonly sha256: string } | undefined> {
  const slices: Buffer[] = [];
  const sink: SliceSink = { slice: (bytes) => void slices.push(Buffer.from(bytes)) };
  try {
    const sha256 = await readSlices(reading, { ...how, sink });
    return sha256 === undefined ? undefined : { bytes: Buffer.concat(slices), sha256 };
  } catch {
    return undefined;
  }
}
