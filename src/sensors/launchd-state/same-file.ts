import { realpathSync, statSync } from 'node:fs';
import { canonicalMacPath, type RootMap } from '../../base/root.js';

/**
 * Whether launchd's `path` of a job, as it was given to launchctl, is the launch item at a canonical path: by its
 * spelling, or by where links lead.
 */
export function isSameFile(given: string, macPath: string, root: RootMap): boolean {
  return spellings(given, root).includes(folded(macPath)) || isSameInode(given, macPath, root);
}

/** The canonical spellings of a path that was given to launchctl: as it is, and with its links resolved. */
export function spellings(given: string, root: RootMap): string[] {
  if (!given.startsWith('/')) return [];
  const real = attempt(() => realpathSync(hostPath(given, root)));
  return [folded(root.toMac(given)), ...(real === undefined ? [] : [folded(root.toMac(real))])];
}

/** Where a path that was given to launchctl leads, a macOS path; as it was given when it leads nowhere. */
export function resolved(given: string, root: RootMap): string {
  return root.toMac(attempt(() => realpathSync(hostPath(given, root))) ?? given);
}

/** As the Mac's file system compares names. */
export function folded(macPath: string): string {
  return canonicalMacPath(macPath.normalize('NFC')).toLowerCase();
}

/** Both lead to one file: the item itself may be a link. */
function isSameInode(given: string, macPath: string, root: RootMap): boolean {
  const found = attempt(() => statSync(hostPath(given, root)));
  const item = found === undefined ? undefined : attempt(() => statSync(root.toHost(macPath)));
  return found !== undefined && item !== undefined && found.ino === item.ino && found.dev === item.dev;
}

/** The stand-in of a tree tells paths of this machine. */
function hostPath(given: string, root: RootMap): string {
  return root.simulated && root.contains(given) ? given : root.toHost(canonicalMacPath(given));
}

function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
