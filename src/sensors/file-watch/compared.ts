import { launchItemKind } from '../../base/launch-paths.js';
import { deviceOf } from './snapshot.js';
import type { Item, Was } from './tree.js';

const othersMayWrite = 0o022;

/** Of an item, what the next look is compared with. */
export function stateOf({ snapshot, sha256 }: Item): Was {
  return { snapshot, sha256 };
}

/**
 * What only the comparison with what was there before says: `time-set-back`, `made-loadable`,
 * `folder-replaced`; and, of a folder, with the one that it stands in: `mount-point`.
 */
export function comparedFindings(item: Item): string[] {
  const { snapshot, settling } = item;
  const was = settling?.was;
  if (snapshot.type === 'dir') return folderFindings(item, was);
  if (snapshot.type !== 'file' || was === undefined || was.snapshot.type !== 'file') return [];
  if (isOther(item, was)) return isSetBack(item, was) ? ['time-set-back'] : [];
  return isRefused(item.path, was.snapshot) && !isRefused(item.path, snapshot) ? ['made-loadable'] : [];
}

function folderFindings({ snapshot, folder }: Item, was: Was | undefined): string[] {
  if (deviceOf(snapshot.key) !== deviceOf(folder.key.slice(folder.key.indexOf('>') + 1)))
    return ['mount-point'];
  return was?.snapshot.type === 'dir' && was.snapshot.key !== snapshot.key ? ['folder-replaced'] : [];
}

/** Whether the content is another one; false when that is not known. */
function isOther({ snapshot, sha256 }: Item, was: Was): boolean {
  if (snapshot.size !== was.snapshot.size) return true;
  return sha256 !== undefined && was.sha256 !== undefined && sha256 !== was.sha256;
}

/** A file that another one came to the place of may well be older; it has the very same time only on purpose. */
function isSetBack({ snapshot }: Item, { snapshot: before }: Was): boolean {
  return snapshot.key === before.key ? snapshot.mtime <= before.mtime : snapshot.mtime === before.mtime;
}

/** launchd takes no list that others may write, and none for the system that is not root's (launchd.plist(5)). */
function isRefused(path: string, { mode, uid }: Was['snapshot']): boolean {
  if (launchItemKind(path) === undefined) return false;
  return (mode & othersMayWrite) !== 0 || (!/^\/(?:Users|Volumes|private)\//i.test(path) && uid !== 0);
}
