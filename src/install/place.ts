import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { errnoOf, messageOf, UserError } from '../base/errors.js';
import { syncFolder } from '../base/journal-file.js';

export type Change = 'done' | 'unchanged';

export interface PlaceOptions {
  /** Whether files can be given to root: only root can do that. */
  readonly asRoot: boolean;
}

/** `install/disk-full` or `install/cannot-write`; a UserError as it is. */
export function cannotWrite(what: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  if (errnoOf(error) === 'ENOSPC' || errnoOf(error) === 'EDQUOT')
    return new UserError('install/disk-full', `${what}: the disk is full`, {
      hint: 'Make room and try again: what was begun is taken back.',
      cause: error,
    });
  return new UserError('install/cannot-write', `${what}: ${messageOf(error)}`, {
    hint: 'Installing needs root: use sudo.',
    cause: error,
  });
}

function same(file: string, content: string, options: PlaceOptions): boolean {
  try {
    const stat = lstatSync(file);
    return (
      stat.isFile() &&
      (stat.mode & 0o7777) === 0o644 &&
      (!options.asRoot || (stat.uid === 0 && stat.gid === 0)) &&
      stat.size === Buffer.byteLength(content) &&
      readFileSync(file, 'utf8') === content
    );
  } catch {
    return false;
  }
}

/** Where a file is written before it takes its place: always the same name, so that a killed writer leaves one at most. */
function besideOf(file: string): string {
  return path.join(path.dirname(file), `.${path.basename(file)}.new`);
}

/**
 * Puts a file in its place: 0644, root:wheel (gid 0) when we are root, written beside and renamed, on the disk before it
 * returns. What stands there, a link too, is replaced; a folder is not.
 */
export function placeFile(file: string, content: string, options: PlaceOptions): Change {
  if (same(file, content, options)) return 'unchanged';
  const beside = besideOf(file);
  let descriptor: number | undefined;
  try {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    rmSync(beside, { force: true });
    descriptor = openSync(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    writeSync(descriptor, content);
    if (options.asRoot) fchownSync(descriptor, 0, 0);
    fchmodSync(descriptor, 0o644);
    fsyncSync(descriptor);
    renameSync(beside, file);
    syncFolder(path.dirname(file));
    return 'done';
  } catch (error) {
    rmSync(beside, { force: true });
    throw cannotWrite(`cannot write ${file}`, error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/**
 * Makes a link at `file` to `target`, or changes it in one rename: whoever goes through it meets the old target or the new
 * one. A folder in its place is left and is a UserError.
 */
export function placeLink(file: string, target: string, options: PlaceOptions): Change {
  const beside = besideOf(file);
  try {
    if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() && readlinkSync(file) === target)
      return 'unchanged';
    rmSync(beside, { force: true });
    symlinkSync(target, beside);
    if (options.asRoot) lchownSync(beside, 0, 0);
    renameSync(beside, file);
    syncFolder(path.dirname(file));
    return 'done';
  } catch (error) {
    rmSync(beside, { force: true });
    throw cannotWrite(`cannot write ${file}`, error);
  }
}

/** Removes a file or a link, and what a killed writer left beside it. A folder in its place is left and is a UserError. */
export function removeFile(file: string): Change {
  try {
    rmSync(besideOf(file), { force: true });
    rmSync(file);
    syncFolder(path.dirname(file));
    return 'done';
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return 'unchanged';
    throw cannotWrite(`cannot remove ${file}`, error);
  }
}

/** Removes a folder with all that is in it, without following a link. */
export function removeTree(folder: string): Change {
  try {
    if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) return 'unchanged';
    rmSync(folder, { recursive: true });
    syncFolder(path.dirname(folder));
    return 'done';
  } catch (error) {
    throw cannotWrite(`cannot remove ${folder}`, error);
  }
}

/**
 * Removes folders that are empty, in the order given; one that holds something stays. They reach the disk at the end, all
 * together, so that a kill in between is as unlikely as it can be.
 */
export function removeEmpty(...folders: readonly string[]): Change {
  const above = new Set<string>();
  for (const folder of folders) {
    try {
      rmdirSync(folder);
      above.add(path.dirname(folder));
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST'].includes(errnoOf(error) ?? ''))
        throw cannotWrite(`cannot remove ${folder}`, error);
    }
  }
  for (const folder of above) if (existsSync(folder)) syncFolder(folder);
  return above.size === 0 ? 'unchanged' : 'done';
}
