import { readdirSync } from 'node:fs';
import { errnoOf } from '../base/errors.js';
import { hasExtension } from '../mechanisms/find.js';
import type { Mechanism, Place } from '../mechanisms/index.js';
import type { Rights } from '../sensors/file-watch/index.js';

/** Names of one folder that are looked at, and levels below a tree. */
const maxNames = 10_000;
const maxDepth = 4;
const maxRefused = 1_000;

/** Where an item of a mechanism stands. */
export interface Candidate {
  readonly mechanism: Mechanism;
  readonly place: Place;
  /** Canonical macOS path: of the file, or the bundle. */
  readonly path: string;
  readonly home: string | undefined;
}

/** Every path in the places of a mechanism, what is there and what may be: whoever takes it looks. */
export function* candidatesOf(
  mechanism: Mechanism,
  { homes, lister }: { readonly homes: readonly string[]; readonly lister: Lister },
): Generator<Candidate> {
  for (const place of mechanism.places)
    for (const home of place.scope === 'home' ? homes : [undefined])
      for (const path of pathsOf(place, home ?? '', lister)) yield { mechanism, place, path, home };
}

function* pathsOf(place: Place, base: string, lister: Lister): Generator<string> {
  const names = place.path.split('/').filter(Boolean);
  for (const path of expanded(base, names, lister))
    if (place.what === 'file') yield path;
    else if (place.what === 'tree') yield* below(path, lister, maxDepth);
    else
      for (const name of lister.names(path)) {
        const one = `${path}/${name}`;
        if (hasExtension(one, place.extensions)) yield one;
      }
}

function* expanded(base: string, [name, ...rest]: readonly string[], lister: Lister): Generator<string> {
  if (name === undefined) {
    yield base;
    return;
  }
  if (!name.includes('*')) {
    yield* expanded(`${base}/${name}`, rest, lister);
    return;
  }
  const pattern = new RegExp(`^${name.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*')}$`, 'i');
  for (const { name: one, isFile } of lister.entries(base))
    if (pattern.test(one) && (rest.length === 0 || !isFile)) yield* expanded(`${base}/${one}`, rest, lister);
}

function* below(folder: string, lister: Lister, levels: number): Generator<string> {
  for (const { name, isFolder } of lister.entries(folder)) {
    const path = `${folder}/${name}`;
    if (!isFolder) yield path;
    else if (levels > 0) yield* below(path, lister, levels - 1);
  }
}

/** Lists folders by their macOS paths, links resolved inside the root, with no more rights than their owners have. */
export class Lister {
  /** Folders that are there and could not be listed. */
  readonly refused = new Set<string>();
  readonly #rights: Rights;

  constructor(rights: Rights) {
    this.#rights = rights;
  }

  *names(folder: string): Generator<string> {
    for (const { name } of this.entries(folder)) yield name;
  }

  entries(folder: string): { readonly name: string; readonly isFolder: boolean; readonly isFile: boolean }[] {
    try {
      const passage = this.#rights.follow(folder === '' ? '/' : folder);
      if (passage === undefined) return [];
      if (!passage.mayList()) {
        this.refuse(folder);
        return [];
      }
      return readdirSync(passage.host, { withFileTypes: true })
        .slice(0, maxNames)
        .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory(), isFile: entry.isFile() }));
    } catch (error) {
      // Otherwise it is not there, or no folder.
      if (/^E(?:ACCES|PERM)$/.test(errnoOf(error) ?? '')) this.refuse(folder);
      return [];
    }
  }

  refuse(folder: string): void {
    if (this.refused.size < maxRefused) this.refused.add(folder);
  }
}
