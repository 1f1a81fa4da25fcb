import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import path from 'node:path';
import { reasonOf } from '../base/errors.js';

/** Stands in the folder of every version, beside `node` and `app`, and may stand in a payload. */
export const manifestName = 'manifest.json';
export const manifestSchema = 'launchwarden.manifest/1';
/** A manifest of more bytes is refused. */
export const maxManifestBytes = 16 * 1024 * 1024;
const chunkBytes = 1024 * 1024;

export type ManifestEntry =
  | {
      /** Below the version's folder, with `/`. */
      readonly path: string;
      readonly executable: boolean;
      readonly size: number;
      readonly sha256: string;
    }
  | { readonly path: string; readonly link: string };

/** All that one version consists of. */
export interface Manifest {
  readonly version: string;
  readonly platform: string;
  readonly arch: string;
  /** Sorted by path (code units). */
  readonly files: readonly ManifestEntry[];
}

export const byPath = (a: { readonly path: string }, b: { readonly path: string }): number =>
  a.path < b.path ? -1 : a.path > b.path ? 1 : 0;

/** The same bytes for the same files, wherever they were built. */
export function manifestText({ version, platform, arch, files }: Manifest): string {
  const all = [...files].sort(byPath);
  return `${JSON.stringify({ schema: manifestSchema, version, platform, arch, files: all }, undefined, 1)}\n`;
}

/** `0.1.0-3f9a01c2b4d5`: the version and the start of the hash of its manifest; further names for further attempts. */
export function idOf(manifest: Manifest, attempt = 0): string {
  const hash = createHash('sha256')
    .update(manifestText(manifest))
    .update(attempt === 0 ? '' : `#${attempt}`)
    .digest('hex');
  return `${manifest.version}-${hash.slice(0, 12)}`;
}

const safeVersion = /^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$/;

/** Undefined for what is no manifest. */
export function parseManifest(text: string): Manifest | undefined {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const { schema, version, platform, arch, files } = value;
  if (schema !== manifestSchema || typeof version !== 'string' || !safeVersion.test(version))
    return undefined;
  if (typeof platform !== 'string' || typeof arch !== 'string' || !Array.isArray(files)) return undefined;
  const entries = files.map(entryOf);
  return entries.includes(undefined)
    ? undefined
    : { version, platform, arch, files: entries as ManifestEntry[] };
}

function entryOf(value: unknown): ManifestEntry | undefined {
  const { path: name, link, executable, size, sha256 } = (value ?? {}) as Record<string, unknown>;
  if (typeof name !== 'string' || !isInside(name)) return undefined;
  if (typeof link === 'string') return { path: name, link };
  if (typeof executable !== 'boolean' || !Number.isSafeInteger(size) || typeof sha256 !== 'string')
    return undefined;
  return { path: name, executable, size: size as number, sha256 };
}

/** True of a relative path that stays below its folder. */
export function isInside(name: string): boolean {
  const parts = name.split('/');
  return parts.every((part) => part !== '' && part !== '.' && part !== '..') && !name.includes('\0');
}

/** As many links as a kernel follows on one way: 32 on macOS (MAXSYMLINKS), 40 on Linux. */
const mostHops = 32;

/**
 * The first of a tree's links that leads out of it, or in a circle; undefined when all stay inside. They are followed as a
 * kernel does, through each other: `t -> s/../x` leads elsewhere than it says when `s` is a link. `links`: targets by name.
 */
export function linkOutside(links: ReadonlyMap<string, string>): string | undefined {
  // A file system of a Mac takes `S` for `s`.
  const folded = new Map([...links].map(([name, target]) => [fold(name), target]));
  const targetOf = (at: readonly string[]) => {
    const name = at.join('/');
    return links.get(name) ?? folded.get(fold(name));
  };
  return [...links.keys()].find((name) => !staysInside(name, targetOf));
}

function fold(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

function staysInside(name: string, targetOf: (at: readonly string[]) => string | undefined): boolean {
  const at: string[] = [];
  const rest = name.split('/').reverse();
  let hops = 0;
  for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (at.pop() === undefined) return false;
      continue;
    }
    at.push(part);
    const target = targetOf(at);
    if (target === undefined) continue;
    if (target.startsWith('/') || target.includes('\0') || ++hops > mostHops) return false;
    at.pop();
    rest.push(...target.split('/').reverse());
  }
  return true;
}

/** What a folder holds below it, files and links; sorted. Throws what the file system throws. */
export function listTree(folder: string): { readonly path: string; readonly link: boolean }[] {
  const found: { path: string; link: boolean }[] = [];
  const pending = [''];
  for (let next = pending.pop(); next !== undefined; next = pending.pop())
    for (const entry of readdirSync(path.join(folder, next), { withFileTypes: true })) {
      const name = next === '' ? entry.name : `${next}/${entry.name}`;
      if (entry.isDirectory()) pending.push(name);
      else found.push({ path: name, link: entry.isSymbolicLink() });
    }
  return found.sort(byPath);
}

/** Size and hash of a regular file that is not reached through a link at its end. Throws what the file system throws. */
export function hashFile(file: string): {
  readonly size: number;
  readonly sha256: string;
  readonly mode: number;
} {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const facts = fstatSync(fd);
    if (!facts.isFile()) throw new Error('is not a regular file');
    const hash = createHash('sha256');
    const chunk = Buffer.allocUnsafe(chunkBytes);
    let size = 0;
    for (let count = readSync(fd, chunk); count > 0; count = readSync(fd, chunk)) {
      hash.update(chunk.subarray(0, count));
      size += count;
    }
    return { size, sha256: hash.digest('hex'), mode: facts.mode & 0o7777 };
  } finally {
    closeSync(fd);
  }
}

/** How what stands in a folder differs from its manifest, one sentence each, at most ten. Empty when it is whole. */
export function differences(folder: string, manifest: Manifest): string[] {
  const found: string[] = [];
  const most = 10;
  let there: Map<string, boolean>;
  try {
    there = new Map(listTree(folder).map(({ path: name, link }) => [name, link]));
  } catch (error) {
    return [`${folder} cannot be read: ${reasonOf(error)}`];
  }
  there.delete(manifestName);
  for (const entry of manifest.files) {
    if (found.length >= most) return found;
    const link = there.get(entry.path);
    there.delete(entry.path);
    if (link === undefined) found.push(`${entry.path} is missing`);
    else {
      const reason = differs(path.join(folder, entry.path), entry, link);
      if (reason !== undefined) found.push(`${entry.path} ${reason}`);
    }
  }
  for (const extra of there.keys()) if (found.length < most) found.push(`${extra} does not belong to it`);
  return found;
}

function differs(file: string, entry: ManifestEntry, link: boolean): string | undefined {
  try {
    if ('link' in entry) return link && readlinkSync(file) === entry.link ? undefined : 'is another link';
    if (link) return 'is a link';
    if (lstatSync(file).size !== entry.size) return 'is of another size';
    const { sha256, mode } = hashFile(file);
    if (sha256 !== entry.sha256) return 'was changed';
    return ((mode & 0o111) !== 0) === entry.executable ? undefined : 'has another mode';
  } catch (error) {
    return `cannot be read: ${reasonOf(error)}`;
  }
}
