import { fchmodSync, fstatSync, type Stats } from 'node:fs';
import path from 'node:path';
import { type FileView, OwnershipCheck, realFiles } from './ownership.js';

export interface OwnPlaceOptions {
  /** Makes the error: `place` is what is unsafe, `reason` says why. */
  readonly refuse: (place: string, reason: string, cause?: unknown) => Error;
  /** For tests; otherwise this process and this machine. */
  readonly self?: number;
  readonly files?: FileView;
}

/**
 * Checks, as root, the folder that a file of ours stands in, or what there is of the way to it: nobody but root may lead
 * that way elsewhere. Sticky folders, and those that a group may write to (/Library/Logs belongs to the administrators),
 * pass: what could be put in the place of the file there, `refusalOf` finds.
 */
export function checkOwnFolder(folder: string, { refuse, self, files = realFiles }: OwnPlaceOptions): void {
  if ((self ?? process.geteuid?.()) !== 0) return;
  const check = new OwnershipCheck(files, { owners: [0], stickyPasses: true, groupPasses: true, refuse });
  check.path(nearest(folder, files));
}

/** The path itself, or the nearest folder above it that exists. */
export function nearest(place: string, files: Pick<FileView, 'lstat'>): string {
  for (let at = path.resolve(place); ; at = path.dirname(at)) {
    try {
      files.lstat(at);
      return at;
    } catch {
      if (at === '/') return at;
    }
  }
}

/**
 * Why nothing is to be written into an open file, which was opened without following a link: it is none, has another
 * name by which somebody else may know it, or is another user's. Undefined when it is ours.
 */
export function refusalOf(facts: Pick<Stats, 'uid' | 'nlink' | 'isFile'>): string | undefined {
  const self = process.geteuid?.();
  if (!facts.isFile()) return 'is not a regular file';
  if (facts.uid !== 0 && facts.uid !== self) return `belongs to user ${facts.uid}`;
  return facts.nlink > 1 ? 'has another name (a hard link)' : undefined;
}

/** Takes from group and others the right to write to an open file of ours, unless `mode` gives it to them. */
export function closeToOthers(descriptor: number, mode = 0o600): void {
  const now = fstatSync(descriptor).mode & 0o7777;
  const writers = now & 0o022 & ~mode;
  if (writers !== 0) fchmodSync(descriptor, now & ~writers);
}
