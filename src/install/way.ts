import { lchownSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, UserError } from '../base/errors.js';
import { syncFolder } from '../base/journal-file.js';
import { type FileFacts, realFiles } from '../base/ownership.js';
import { type Change, cannotWrite } from './place.js';
import { placed } from './places.js';
import type { System } from './system.js';

export interface WayOptions {
  readonly system: Pick<System, 'lstat' | 'uid'>;
  /** The folder that stands for a Mac's `/`, links resolved; undefined for this Mac. */
  readonly root: string | undefined;
}

/** Folders that a Mac's administrators may write to (0775 root:admin): our own folder in them is checked by itself. */
const groupFolders: ReadonlySet<string> = new Set(['/Library/Logs', '/Library/Application Support']);

/**
 * Checks what there is of the way to a place of ours: only folders, none of them a link, which only root (in a tree, we as
 * well) can change. Then nobody else can lead a write elsewhere, now or later. Gives the folders that are missing, macOS
 * paths, outermost first. Throws `install/link-in-path`, `install/not-a-folder`, `install/unsafe-path`.
 */
export function checkWay(macFolder: string, { system, root }: WayOptions): string[] {
  const parts = macFolder.split('/').filter(Boolean);
  for (let count = 1; count <= parts.length; count++) {
    const macPath = `/${parts.slice(0, count).join('/')}`;
    const place = placed(macPath, root);
    let facts: FileFacts;
    try {
      facts = system.lstat(place);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw cannotWrite(`cannot look at ${place}`, error);
      return parts.slice(count - 1).map((_part, index) => `/${parts.slice(0, count + index).join('/')}`);
    }
    checkFolder(place, macPath, facts, { system, root });
  }
  return [];
}

function checkFolder(place: string, macPath: string, facts: FileFacts, { system, root }: WayOptions): void {
  if (facts.isSymbolicLink())
    throw new UserError('install/link-in-path', `${place} is a link`, {
      hint: `Whoever made it decides where root writes. Look where it leads, then remove it: rm "${place}"`,
    });
  if (!facts.isDirectory())
    throw new UserError('install/not-a-folder', `${place} is not a folder`, {
      hint: `Move it away: mv "${place}" "${place}.old"`,
    });
  const mode = (facts.mode & 0o7777).toString(8).padStart(4, '0');
  const owners = root === undefined ? [0] : [0, system.uid];
  if (!owners.includes(facts.uid))
    throw new UserError('install/unsafe-path', `${place} belongs to user ${facts.uid}, not to root`, {
      hint: `Give it to root: sudo chown root:wheel "${place}"`,
    });
  const writers = root !== undefined || groupFolders.has(macPath) ? 0o002 : 0o022;
  if ((facts.mode & writers) !== 0)
    throw new UserError('install/unsafe-path', `others can write to ${place} (mode ${mode})`, {
      hint: `Take that from them: sudo chmod go-w "${place}"`,
    });
}

/** Makes one folder, root:wheel when we are root, 0755 whatever the umask, on the disk before it returns; its parent exists. */
export function makeFolder(macPath: string, root: string | undefined): void {
  const place = placed(macPath, root);
  try {
    const before = process.umask(0o022);
    try {
      mkdirSync(place, 0o755);
      // A new folder has the group of the one that it stands in, which on a Mac may be admin.
      if (process.geteuid?.() === 0) lchownSync(place, 0, 0);
    } finally {
      process.umask(before);
    }
    syncFolder(path.dirname(place));
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw cannotWrite(`cannot make the folder ${place}`, error);
  }
}

/** Makes a folder of this machine and those above it, each checked as `checkWay` does. */
export function placeFolder(folder: string, root: string | undefined): Change {
  const macPath = root === undefined ? folder : folder.slice(root.length);
  const missing = checkWay(macPath, { system: { ...realFiles, uid: process.geteuid?.() ?? -1 }, root });
  for (const one of missing) makeFolder(one, root);
  return missing.length === 0 ? 'unchanged' : 'done';
}
