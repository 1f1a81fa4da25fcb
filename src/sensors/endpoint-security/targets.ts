import { fold, wildcardMatches } from '../file-watch/scope.js';

/** Lists the names in a folder of this machine; empty when there is none. */
export type ListFolder = (macPath: string) => readonly string[];

export interface EsTargets {
  /** Folders, with a slash at the end. */
  readonly prefixes: readonly string[];
  readonly literals: readonly string[];
  /** Patterns that would have to watch the whole disk, and are not watched. */
  readonly refused: readonly string[];
}

/** Targets of one client; the system's own limit is not documented. */
const maxTargets = 4_096;

/**
 * What inverted target-path muting must list so that every file event on a path that one of the wildcard patterns
 * matches arrives. It knows no wildcards: a folder that stands behind one (`/Users/*`) is expanded to those that exist
 * now. Of `entries` no wildcard reaches into another folder. Also lists the folders themselves, so that their creation and removal is seen.
 */
export function targetsOf(
  patterns: Iterable<string>,
  list: ListFolder,
  entries: Iterable<string> = [],
): EsTargets {
  const prefixes = new Set<string>();
  const literals = new Set<string>();
  const refused: string[] = [];
  const below = [...patterns].map((pattern) => ({ pattern, crosses: true }));
  const within = [...entries].map((pattern) => ({ pattern, crosses: false }));
  for (const { pattern, crosses } of [...below, ...within]) {
    const parts = pattern.split('/');
    if (parts[0] !== '' || parts.length < 2 || hasWildcard(parts[1] as string)) {
      refused.push(pattern);
      continue;
    }
    for (const folder of expand(parts.slice(1), list, crosses)) {
      if (prefixes.size + literals.size >= maxTargets) {
        refused.push(pattern);
        break;
      }
      if (folder.rest) prefixes.add(`${folder.path}/`);
      literals.add(folder.path);
    }
  }
  return { prefixes: [...prefixes].sort(), literals: [...literals].sort(), refused };
}

function hasWildcard(part: string): boolean {
  return part.includes('*') || part.includes('?');
}

interface Expanded {
  readonly path: string;
  /** False when the pattern names this path itself and nothing below it. */
  readonly rest: boolean;
}

function expand(parts: readonly string[], list: ListFolder, crosses: boolean): Expanded[] {
  let folders: string[] = [''];
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] as string;
    if (!hasWildcard(part)) {
      folders = folders.map((folder) => `${folder}/${part}`);
      continue;
    }
    const last = index === parts.length - 1;
    // `*` crosses slashes in the rule languages: what is not a whole folder name may reach any depth.
    if (last || (crosses && part !== '*')) return folders.map((path) => ({ path, rest: true }));
    folders = folders.flatMap((folder) =>
      list(folder === '' ? '/' : folder)
        .filter((name) => part === '*' || wildcardMatches(fold(part), fold(name)))
        .map((name) => `${folder}/${name}`),
    );
  }
  return folders.map((path) => ({ path, rest: false }));
}
