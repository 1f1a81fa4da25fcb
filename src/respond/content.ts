import { createHash } from 'node:crypto';
import { closeSync, read } from 'node:fs';
import { promisify } from 'node:util';
import { errnoOf } from '../base/errors.js';
import type { FileCalls, ObjectFacts } from '../base/file-calls.js';
import { Refused } from './held.js';
import type { Metadata } from './plan.js';

const readAsync = promisify(read);
const chunkBytes = 256 * 1024;
/** Files and folders of a bundle, and how deep they may stand. */
const maxEntries = 50_000;
const maxDepth = 64;

/** Reads an open file to its end; what it gives is handed on piece by piece, so that everything else gets its turn. */
export async function eachChunk(file: number, take: (chunk: Buffer) => void | Promise<void>): Promise<void> {
  const buffer = Buffer.alloc(chunkBytes);
  for (let at = 0; ; ) {
    const { bytesRead } = await readAsync(file, buffer, 0, buffer.length, at);
    if (bytesRead === 0) return;
    await take(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

async function hashOf(file: number): Promise<string> {
  const hash = createHash('sha256');
  await eachChunk(file, (chunk) => void hash.update(chunk));
  return hash.digest('hex');
}

interface Digest {
  readonly sha256?: string;
  readonly entries?: number;
  readonly target?: string;
}

/** An object in a held folder with what is known of it. */
export interface Looked extends Metadata {
  /** Of files and folders; belongs to the caller. */
  readonly file: number | undefined;
}

export interface LookOptions {
  /** Hashes the bytes of a file, of a folder everything in it with owners and modes. A link's text always is. */
  readonly content: boolean;
  /** Sets the access times back that reading has moved. */
  readonly keepTimes?: boolean;
}

/** Looks at an object without following it. Undefined when nothing is there. */
export async function lookAt(
  files: FileCalls,
  { folder, name }: { readonly folder: number; readonly name: string },
  options: LookOptions,
): Promise<Looked | undefined> {
  const named = files.statAt(folder, name);
  if (named === undefined) return undefined;
  if (named.type !== 'file' && named.type !== 'dir') {
    const target = named.type === 'symlink' ? readLink(files, { folder, name }, named, options) : undefined;
    const sha256 = target === undefined ? undefined : createHash('sha256').update(target).digest('hex');
    return {
      ...named,
      xattrs: [],
      file: undefined,
      ...(target === undefined ? {} : { target }),
      ...(sha256 === undefined ? {} : { sha256 }),
    };
  }
  let file: number;
  try {
    file = named.type === 'dir' ? files.openFolder(folder, name) : files.openFile(folder, name);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ELOOP' || code === 'ENOTDIR' || code === 'ENOENT')
      throw new Refused('it was exchanged just now');
    throw error;
  }
  try {
    const facts = files.statOf(file);
    if (facts.type !== named.type) throw new Refused('it was exchanged just now');
    const digest = options.content ? await contentOf(files, file, facts, options.keepTimes === true) : {};
    const acl = files.acl(file);
    const xattrs = files
      .attributes(file)
      .map(({ name: word, size, value }) => ({ name: word, size, value: value.toString('base64') }));
    return { ...facts, ...digest, xattrs, file, ...(acl === undefined ? {} : { acl }) };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

async function contentOf(
  files: FileCalls,
  file: number,
  facts: ObjectFacts,
  keepTimes: boolean,
): Promise<Digest> {
  const digest =
    facts.type === 'dir'
      ? await treeDigest(files, file, facts.dev, keepTimes)
      : { sha256: await hashOf(file) };
  if (keepTimes) setTimesBack(files, file, facts);
  return digest;
}

function setTimesBack(files: FileCalls, file: number, before: ObjectFacts): void {
  if (files.statOf(file).accessed !== before.accessed) files.setFacts(file, before);
}

function readLink(
  files: FileCalls,
  { folder, name }: { readonly folder: number; readonly name: string },
  before: ObjectFacts,
  { keepTimes = false }: Partial<LookOptions>,
): string {
  const target = files.readLink(folder, name);
  if (keepTimes && files.statAt(folder, name)?.accessed !== before.accessed)
    files.setLinkFacts(folder, name, before);
  return target;
}

/** Everything below an open folder, in the order of paths. Another volume in it is refused. */
async function treeDigest(files: FileCalls, top: number, dev: string, keepTimes: boolean): Promise<Digest> {
  const hash = createHash('sha256');
  let entries = 0;
  const walk = async (folder: number, prefix: string, depth: number): Promise<void> => {
    if (depth > maxDepth) throw new Refused(`it is deeper than ${maxDepth} folders`);
    for (const name of files.namesIn(folder, maxEntries + 1).sort()) {
      if (++entries > maxEntries) throw new Refused(`it holds more than ${maxEntries} files`);
      const facts = files.statAt(folder, name);
      if (facts === undefined) continue;
      const { type, mode, uid, gid } = facts;
      if (facts.dev !== dev) throw new Refused('another volume is mounted in it');
      const place = `${prefix}${name}`;
      let what = '';
      if (type === 'symlink') what = readLink(files, { folder, name }, facts, { keepTimes });
      else if (type === 'file' || type === 'dir') {
        const inner = type === 'dir' ? files.openFolder(folder, name) : files.openFile(folder, name);
        try {
          if (type === 'dir') await walk(inner, `${place}/`, depth + 1);
          else what = await hashOf(inner);
          if (keepTimes) setTimesBack(files, inner, facts);
        } finally {
          closeSync(inner);
        }
      }
      hash.update(`${JSON.stringify([place, type, mode, uid, gid, what])}\n`);
    }
  };
  await walk(top, '', 0);
  return { sha256: hash.digest('hex'), entries };
}

/** Without what belongs to the process alone. */
export function metadataOf({ file: _, ...rest }: Looked): Metadata {
  return rest;
}

export function closeLooked(looked: Looked | undefined): void {
  if (looked?.file !== undefined) closeSync(looked.file);
}
