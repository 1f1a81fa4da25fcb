import { createHash } from 'node:crypto';
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
} from 'node:fs';
import path from 'node:path';
import { errnoOf, messageOf } from '../../base/errors.js';
import type { RootMap } from '../../base/root.js';
import type { Known } from './case.js';

/** What stands at a path now; a link is not followed. */
export interface FileNow {
  readonly type: 'file' | 'dir' | 'symlink' | 'other';
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly inode: string;
  /** Microseconds since 1970; `created` is absent where the file system keeps none. */
  readonly created?: number;
  readonly modified: number;
  readonly changed: number;
  /** True when the content's time was set to whole seconds, as tools that set times do. */
  readonly wholeSeconds: boolean;
}

/** Larger files are not hashed while somebody waits. */
export const maxHashed = 256 * 1024 * 1024;
const chunk = 1024 * 1024;

/** What stands at a macOS path; `gone` says that nothing does. */
export function fileNow(root: RootMap, macPath: string): Known<FileNow> & { readonly gone?: boolean } {
  try {
    const reason = ledElsewhere(root, macPath);
    if (reason !== undefined) return { why: reason };
    return { value: factsOf(lstatSync(root.toHost(macPath), { bigint: true })) };
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { why: 'nothing stands there', gone: true };
    return {
      why:
        code === 'EACCES' || code === 'EPERM'
          ? 'it may not be read (use sudo)'
          : root.inText(messageOf(error)),
    };
  }
}

/** At most `most` bytes of the beginning of a plain file. Follows no link, waits for no pipe. */
export function readPlain(root: RootMap, macPath: string, most: number): Known<Buffer> {
  return withFile(root, macPath, (descriptor, size) => {
    const bytes = Buffer.alloc(Math.min(most, size));
    let length = 0;
    while (length < bytes.length) {
      const read = readSync(descriptor, bytes, length, bytes.length - length, length);
      if (read === 0) break;
      length += read;
    }
    return { value: bytes.subarray(0, length) };
  });
}

export function sha256Of(root: RootMap, macPath: string): Known<string> {
  return withFile(root, macPath, (descriptor, size) => {
    if (size > maxHashed) return { why: `it is larger than ${maxHashed / 1024 / 1024} MB` };
    const hash = createHash('sha256');
    const bytes = Buffer.alloc(Math.min(chunk, Math.max(1, size)));
    for (let total = 0; total <= maxHashed; ) {
      const read = readSync(descriptor, bytes, 0, bytes.length, null);
      if (read === 0) break;
      hash.update(bytes.subarray(0, read));
      total += read;
    }
    return { value: hash.digest('hex') };
  });
}

function withFile<T>(
  root: RootMap,
  macPath: string,
  use: (descriptor: number, size: number) => Known<T>,
): Known<T> {
  let descriptor: number | undefined;
  try {
    const reason = ledElsewhere(root, macPath);
    if (reason !== undefined) return { why: reason };
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    descriptor = openSync(root.toHost(macPath), flags);
    const facts = fstatSync(descriptor);
    if (!facts.isFile()) return { why: 'it is not a plain file' };
    return use(descriptor, facts.size);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { why: 'nothing stands there' };
    if (code === 'ELOOP') return { why: 'it is a symbolic link, which is not followed' };
    return {
      why:
        code === 'EACCES' || code === 'EPERM'
          ? 'it may not be read (use sudo)'
          : root.inText(messageOf(error)),
    };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Why a path is not read: a link on the way to it leads elsewhere. Throws when the folder is not there. */
function ledElsewhere(root: RootMap, macPath: string): string | undefined {
  const folder = path.dirname(root.toHost(macPath));
  const real = realpathSync(folder);
  return root.toMac(real) === root.toMac(folder)
    ? undefined
    : `a link on the way leads to ${root.toMac(real)}, which is not followed`;
}

function factsOf(stats: BigIntStats): FileNow {
  const micros = (nanos: bigint) => Number(nanos / 1000n);
  return {
    type: stats.isFile()
      ? 'file'
      : stats.isDirectory()
        ? 'dir'
        : stats.isSymbolicLink()
          ? 'symlink'
          : 'other',
    size: Number(stats.size),
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    inode: String(stats.ino),
    ...(stats.birthtimeNs > 0n ? { created: micros(stats.birthtimeNs) } : {}),
    modified: micros(stats.mtimeNs),
    changed: micros(stats.ctimeNs),
    wholeSeconds: stats.mtimeNs % 1_000_000_000n === 0n,
  };
}
