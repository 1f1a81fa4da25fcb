import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { errnoOf, messageOf, UserError } from '../base/errors.js';

export type Change = 'done' | 'unchanged';

export interface PlaceOptions {
  /** Whether files can be given to root: only root can do that. */
  readonly asRoot: boolean;
}

function cannot(what: string, error: unknown): UserError {
  return new UserError('install/cannot-write', `${what}: ${messageOf(error)}`, {
    hint: 'Installing needs root: use sudo.',
    cause: error,
  });
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
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

/**
 * Puts a file in its place: 0644, root:wheel (gid 0) when we are root, written beside and renamed, on the disk before it
 * returns. What stands there, a link too, is replaced; a folder is not.
 */
export function placeFile(file: string, content: string, options: PlaceOptions): Change {
  if (same(file, content, options)) return 'unchanged';
  const beside = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString('hex')}`);
  let descriptor: number | undefined;
  try {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
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
    throw cannot(`cannot write ${file}`, error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Where a folder really stands, or would once it is made. */
function realPlace(folder: string): string {
  try {
    return realpathSync(folder);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || folder === path.dirname(folder)) throw error;
    return path.join(realPlace(path.dirname(folder)), path.basename(folder));
  }
}

function stayInside(folder: string, root: string | undefined): void {
  if (root === undefined) return;
  const place = realPlace(folder);
  if (place === root || place.startsWith(`${root}/`)) return;
  throw new UserError('install/leads-out', `${folder} leads to ${place}, out of the root`, {
    hint: 'A link in the tree does that: remove it.',
  });
}

/**
 * Makes a folder and those above it, 0755. `root`, links resolved, is the tree that it must not lead out of. Throws a
 * UserError when it does, or when a link or a file stands in its place.
 */
export function placeFolder(folder: string, root: string | undefined): Change {
  try {
    stayInside(folder, root);
    const made = mkdirSync(folder, { recursive: true, mode: 0o755 });
    if (!lstatSync(folder).isDirectory())
      throw new UserError('install/not-a-folder', `${folder} is a link, not a directory`, {
        hint: 'Remove it: somebody could lead the agent elsewhere with it.',
      });
    return made === undefined ? 'unchanged' : 'done';
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw cannot(`cannot make the folder ${folder}`, error);
  }
}

/** Removes a file. A folder in its place is left and is a UserError, and so is a way that leads out of the root. */
export function removeFile(file: string, root: string | undefined): Change {
  try {
    stayInside(path.dirname(file), root);
    rmSync(file);
    syncFolder(path.dirname(file));
    return 'done';
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (errnoOf(error) === 'ENOENT') return 'unchanged';
    throw cannot(`cannot remove ${file}`, error);
  }
}
