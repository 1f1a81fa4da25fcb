import { closeSync, fsyncSync, write } from 'node:fs';
import { promisify } from 'node:util';
import type { FileCalls, ObjectFacts } from '../base/file-calls.js';
import { eachChunk } from './content.js';
import { Refused } from './held.js';

const writeAsync = promisify(write);
const mounted = 'another volume is mounted in it';
const maxDepth = 64;
const maxEntries = 50_000;

/** A name in a held folder. */
export interface Named {
  readonly folder: number;
  readonly name: string;
}

/**
 * Copies an object with all that the file system keeps about it, and puts the copy on the disk. Follows no link. Pipes,
 * sockets and devices in a folder hold nothing and are left out: gives their places in it, with what they are.
 */
export async function copyObject(files: FileCalls, from: Named, to: Named): Promise<string[]> {
  const leftOut: string[] = [];
  let entries = 0;
  const dev = files.statAt(from.folder, from.name)?.dev;
  const copy = async (source: Named, target: Named, depth: number, inside = ''): Promise<void> => {
    if (depth > maxDepth || ++entries > maxEntries)
      throw new Refused('it is too deep or too large to be copied');
    const facts = files.statAt(source.folder, source.name);
    if (facts === undefined) return;
    if (facts.dev !== dev) throw new Refused(mounted);
    if (facts.type === 'symlink') {
      files.makeLink(target.folder, target.name, files.readLink(source.folder, source.name));
      files.setLinkFacts(target.folder, target.name, facts);
      return;
    }
    if (facts.type !== 'file' && facts.type !== 'dir') {
      if (depth === 0) throw new Refused(`it is a ${facts.type}, which cannot be copied to another volume`);
      leftOut.push(`${inside} (${facts.type})`);
      return;
    }
    const isFolder = facts.type === 'dir';
    const inner = isFolder
      ? files.openFolder(source.folder, source.name)
      : files.openFile(source.folder, source.name);
    let made: number | undefined;
    try {
      if (isFolder) {
        files.makeFolder(target.folder, target.name);
        made = files.openFolder(target.folder, target.name);
        for (const name of files.namesIn(inner))
          await copy(
            { folder: inner, name },
            { folder: made, name },
            depth + 1,
            inside === '' ? name : `${inside}/${name}`,
          );
      } else {
        const out = files.createFile(target.folder, target.name);
        made = out;
        await eachChunk(inner, async (chunk) => {
          for (let at = 0; at < chunk.length; ) at += (await writeAsync(out, chunk, at)).bytesWritten;
        });
      }
      files.copyMetadata(inner, made);
      // Reading may have moved the access time before it was copied.
      const { flags: _, ...settable } = facts;
      files.setFacts(made, settable);
      fsyncSync(made);
    } finally {
      closeSync(inner);
      if (made !== undefined) closeSync(made);
    }
  };
  await copy(from, to, 0);
  fsyncSync(to.folder);
  return leftOut;
}

/** Removes an object of ours with all that is in it; nothing is followed, and no other volume entered. */
export function removeObject(
  files: FileCalls,
  { folder, name }: Named,
  depth = 0,
  dev?: ObjectFacts['dev'],
): void {
  const facts = files.statAt(folder, name);
  if (facts === undefined) return;
  if (dev !== undefined && facts.dev !== dev) throw new Refused(mounted);
  if (facts.type !== 'dir') {
    files.remove(folder, name);
    return;
  }
  if (depth > maxDepth) throw new Refused('it is too deep to be removed');
  const inner = files.openFolder(folder, name);
  try {
    for (const one of files.namesIn(inner))
      removeObject(files, { folder: inner, name: one }, depth + 1, facts.dev);
  } finally {
    closeSync(inner);
  }
  files.remove(folder, name, true);
}
