import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lchownSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from '../base/journal-file.js';
import { type ManifestEntry, manifestName, manifestText } from './manifest.js';
import { cannotWrite } from './place.js';
import { damaged, type Source } from './source.js';

const chunkBytes = 1024 * 1024;
/** Syncs at once: one after the other they take seconds on a disk that turns. */
const syncsAtOnce = 16;

/**
 * Copies a version to `folder`, which does not exist: read again and compared with what was hashed, written beside, on
 * the disk, then renamed, so that a version's folder is whole or not there. `beside` is where it is written; what stands
 * there is removed. Throws `install/damaged-payload`, `install/disk-full`, `install/cannot-write`.
 */
export async function placeVersion(
  source: Source,
  where: { readonly folder: string; readonly beside: string; readonly asRoot: boolean },
): Promise<void> {
  const { folder, beside, asRoot } = where;
  const umask = process.umask(0o022);
  try {
    rmSync(beside, { recursive: true, force: true });
    mkdirSync(beside, 0o755);
    const folders = new Set([beside]);
    const written: string[] = [];
    for (const entry of source.manifest.files) {
      const to = path.join(beside, entry.path);
      mkdirSync(path.dirname(to), { recursive: true, mode: 0o755 });
      for (let at = path.dirname(to); !folders.has(at); at = path.dirname(at)) folders.add(at);
      if ('link' in entry) {
        symlinkSync(entry.link, to);
        if (asRoot) lchownSync(to, 0, 0);
        continue;
      }
      copyFile(source, entry, to, asRoot);
      written.push(to);
    }
    const manifest = path.join(beside, manifestName);
    const fd = openSync(manifest, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o644);
    try {
      writeSync(fd, manifestText(source.manifest));
      own(fd, 0o644, asRoot);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    await syncFiles(written);
    for (const one of folders) {
      if (asRoot) lchownSync(one, 0, 0);
      syncFolder(one);
    }
    renameSync(beside, folder);
    syncFolder(path.dirname(folder));
  } catch (error) {
    rmSync(beside, { recursive: true, force: true });
    throw cannotWrite(`cannot write ${folder}`, error);
  } finally {
    process.umask(umask);
  }
}

function own(fd: number, mode: number, asRoot: boolean): void {
  if (asRoot) fchownSync(fd, 0, 0);
  fchmodSync(fd, mode);
}

function copyFile(source: Source, entry: ManifestEntry, to: string, asRoot: boolean): void {
  if ('link' in entry) return;
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_WRONLY, O_CREAT, O_EXCL } = constants;
  const from = source.files.get(entry.path) ?? '';
  const changed = () => damaged(source.origin, [`${entry.path} was changed while it was copied`]);
  const input = openSync(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    if (!fstatSync(input).isFile()) throw changed();
    const output = openSync(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      const hash = createHash('sha256');
      const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, Math.max(entry.size, 1)));
      for (let count = readSync(input, chunk); count > 0; count = readSync(input, chunk)) {
        hash.update(chunk.subarray(0, count));
        for (let at = 0; at < count; ) at += writeSync(output, chunk, at, count - at);
      }
      if (hash.digest('hex') !== entry.sha256) throw changed();
      own(output, entry.executable ? 0o755 : 0o644, asRoot);
    } finally {
      closeSync(output);
    }
  } finally {
    closeSync(input);
  }
}

async function syncFiles(files: readonly string[]): Promise<void> {
  const rest = [...files];
  const one = async () => {
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
      const file = await open(next, constants.O_RDONLY);
      try {
        await file.sync();
      } finally {
        await file.close();
      }
    }
  };
  await Promise.all(Array.from({ length: syncsAtOnce }, one));
}
