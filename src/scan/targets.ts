import type { InventoryEntry } from '../event/inventory.js';
import { weightOf } from '../event/priority.js';
import type { Lister } from '../inventory/index.js';

/** Files of one bundle or folder, and levels below it. */
const maxFiles = 2_000;
const maxDepth = 12;

/** The files of one persistent item. */
export interface ItemTargets {
  readonly entries: readonly InventoryEntry[];
  /** Canonical paths: of its file or the files of its bundle, and of all that it runs. */
  readonly paths: readonly string[];
  /** Why there are more than `paths`. */
  readonly cut?: string;
}

/** What an item is made of: its file, or the files of its bundle, and every program, script and module that it names. */
export function targetsOf(entries: readonly InventoryEntry[], lister: Lister): ItemTargets {
  const [first] = entries;
  if (first === undefined) return { entries, paths: [] };
  const paths = new Set<string>();
  let cut: string | undefined;
  if (first.type === 'dir') {
    const below = filesBelow(first.path, lister);
    for (const path of below.paths) paths.add(path);
    cut = below.cut;
  } else paths.add(first.path);
  // A bundle that is itself what runs: its files stand in the list already.
  for (const { program, runs } of entries)
    for (const path of [program, ...runs])
      if (path?.startsWith('/') === true && !(first.type === 'dir' && path === first.path)) paths.add(path);
  return { entries, paths: [...paths], ...(cut === undefined ? {} : { cut }) };
}

/** The files below a folder, links not followed. */
export function filesBelow(
  folder: string,
  lister: Lister,
): { readonly paths: readonly string[]; readonly cut?: string } {
  const paths: string[] = [];
  let cut: string | undefined;
  const walk = (at: string, depth: number): void => {
    for (const { name, isFolder, isFile } of lister.entries(at)) {
      const path = at === '/' ? `/${name}` : `${at}/${name}`;
      if (isFolder && depth < maxDepth) walk(path, depth + 1);
      else if (isFolder) cut = `folders of ${folder} deeper than ${maxDepth} levels`;
      else if (isFile && paths.length < maxFiles) paths.push(path);
      else if (isFile) cut = `files of ${folder} beyond the first ${maxFiles}`;
    }
  };
  walk(folder, 0);
  return { paths, ...(cut === undefined ? {} : { cut }) };
}

/**
 * The order in which items are scanned: the oddest first, the system and each home in turn, so that nobody's items use up
 * the time of others.
 */
export function inFairOrder<T extends { readonly entries: readonly InventoryEntry[] }>(
  items: readonly T[],
): readonly T[] {
  const weight = ({ entries }: T) => Math.max(0, ...entries.map(({ findings }) => weightOf(findings)));
  const homes = new Map<string, T[]>([['/', []]]);
  for (const item of items) {
    const home = item.entries[0]?.home ?? '/';
    homes.set(home, [...(homes.get(home) ?? []), item]);
  }
  const queues = [...homes.values()].map((queue) => queue.sort((a, b) => weight(b) - weight(a)));
  const ordered: T[] = [];
  for (let at = 0; ordered.length < items.length; at++)
    for (const queue of queues) ordered.push(...queue.slice(at, at + 1));
  return ordered;
}
