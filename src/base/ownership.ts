import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import path from 'node:path';
import { errnoOf, reasonOf } from './errors.js';

const maxLinks = 40;
const maxEntries = 200_000;
const sticky = 0o1000;

export type FileFacts = Pick<Stats, 'uid' | 'mode'> & {
  isSymbolicLink(): boolean;
  isDirectory(): boolean;
};

/** How files are looked at. Tests bring their own. */
export interface FileView {
  /** Throws what lstat throws. */
  lstat(file: string): FileFacts;
  readlink(file: string): string;
}

export const realFiles: FileView = {
  lstat: (file) => lstatSync(file),
  readlink: (file) => readlinkSync(file),
};

export interface OwnershipRules {
  /** Users who may own what is looked at: root's id, 0, and who else may do as they please with us. */
  readonly owners: readonly number[];
  /**
   * Whether a sticky folder that others may write to, /tmp say, passes. It guards what is there, and not what comes in its
   * place once that is gone, after a restart say.
   */
  readonly stickyPasses: boolean;
  /** Whether a folder that its group may write to passes; `everything`: a file, too. */
  readonly groupPasses?: boolean | 'everything';
  /** Makes the error: `place` is what is unsafe, `reason` says why. */
  readonly refuse: (place: string, reason: string, cause?: unknown) => Error;
}

/**
 * Refuses what anybody but its owners could change or replace. Every folder on the way to a file counts, and every link
 * in it, since who can write to a folder can put another file in the place of what is there. Owner and mode bits are
 * looked at; access control lists are not.
 */
export class OwnershipCheck {
  readonly #files: FileView;
  readonly #rules: OwnershipRules;
  readonly #checked = new Set<string>();
  #entries = 0;

  constructor(files: FileView, rules: OwnershipRules) {
    this.#files = files;
    this.#rules = rules;
  }

  /** Checks one path, its links and all their ancestors. Throws what `refuse` makes. */
  path(file: string): void {
    let rest = path.resolve(file).split('/').filter(Boolean);
    let at = '/';
    let links = 0;
    this.#one(at);
    while (rest.length > 0) {
      const next = path.join(at, rest[0]!);
      rest = rest.slice(1);
      if (!this.#one(next).isSymbolicLink()) {
        at = next;
        continue;
      }
      if (++links > maxLinks) throw this.#rules.refuse(file, 'goes through too many links');
      const target = path.resolve(at, this.#files.readlink(next));
      rest = [...target.split('/').filter(Boolean), ...rest];
      at = '/';
    }
  }

  /** Checks a path, and everything below it when it is a folder. */
  tree(place: string): void {
    this.path(place);
    const pending = [place];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      for (const { name, isLink, isFolder } of this.#entriesOf(next)) {
        if (++this.#entries > maxEntries)
          throw this.#rules.refuse(place, `holds more than ${maxEntries} files`);
        const child = path.join(next, name);
        if (isLink) this.path(child);
        else {
          this.#one(child);
          if (isFolder) pending.push(child);
        }
      }
    }
  }

  #entriesOf(folder: string): { name: string; isLink: boolean; isFolder: boolean }[] {
    try {
      return readdirSync(folder, { withFileTypes: true }).map((entry) => ({
        name: entry.name,
        isLink: entry.isSymbolicLink(),
        isFolder: entry.isDirectory(),
      }));
    } catch (error) {
      if (errnoOf(error) === 'ENOTDIR') return [];
      throw this.#rules.refuse(folder, `cannot be looked at: ${reasonOf(error)}`, error);
    }
  }

  #one(file: string): FileFacts {
    const { owners, refuse, stickyPasses, groupPasses = false } = this.#rules;
    let facts: FileFacts;
    try {
      facts = this.#files.lstat(file);
    } catch (error) {
      const reason =
        errnoOf(error) === 'ENOENT' ? 'does not exist' : `cannot be looked at: ${reasonOf(error)}`;
      throw refuse(file, reason, error);
    }
    if (this.#checked.has(file)) return facts;
    this.#checked.add(file);
    const mode = (facts.mode & 0o7777).toString(8).padStart(4, '0');
    if (!owners.includes(facts.uid))
      throw refuse(file, `belongs to user ${facts.uid}, not to ${this.#ownersText()} (mode ${mode})`);
    if (facts.isSymbolicLink()) return facts;
    const guarded = stickyPasses && facts.isDirectory() && (facts.mode & sticky) !== 0;
    const passes = groupPasses === 'everything' || (groupPasses && facts.isDirectory());
    const writers = passes ? 0o002 : 0o022;
    if ((facts.mode & writers) !== 0 && !guarded)
      throw refuse(file, `can be written by others than its owner (user ${facts.uid}, mode ${mode})`);
    return facts;
  }

  #ownersText(): string {
    return this.#rules.owners.map((uid) => (uid === 0 ? 'root' : `user ${uid}`)).join(' or ');
  }
}
