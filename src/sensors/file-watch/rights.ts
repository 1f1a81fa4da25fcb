import { readlinkSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { type GroupLookup, systemGroups } from '../../base/groups.js';
import type { RootMap } from '../../base/root.js';
import { followInRoot, type Passed, type Way } from './links.js';

const search = 1;
const read = 4;

/** Links into these lead to what has no owner's rights: the agent's own descriptors and memory, files by their number. */
const unowned = /^\/(?:dev|proc|sys|\.vol)(?:\/|$)/;

/** Somebody who decides where a path leads: a user, the members of a group, or anybody. */
interface Somebody {
  readonly uid?: number;
  readonly gid?: number;
}

/** Facts about a file whose content is to be read. */
export interface Readable {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly links: number;
}

/**
 * Decides what the agent, which may read everything, reads for others. Whoever owns a folder or link on the way to a
 * file, root and the agent's own user aside, decides where that way leads: he must be able to search each folder on it
 * and to read the file. Owner, group and permission bits count, access control lists do not; an owner counts as able,
 * since he can change the bits.
 */
export class Rights {
  readonly #root: RootMap;
  readonly #groups: GroupLookup;
  readonly #trusted: ReadonlySet<number>;

  constructor(root: RootMap, groups: GroupLookup = systemGroups, self = process.geteuid?.() ?? 0) {
    this.#root = root;
    this.#groups = groups;
    this.#trusted = new Set([0, self]);
  }

  /** Follows a macOS path to its end, a link there included; undefined when it leads nowhere. */
  follow(macPath: string): Passage | undefined {
    const way = followInRoot(this.#root, macPath);
    return way === undefined ? undefined : new Passage(this, way, () => this.follow(macPath));
  }

  /** As `follow`, of a folder; the passage goes on to what stands in it. */
  into(macPath: string): Passage | undefined {
    const way = followInRoot(this.#root, macPath);
    if (way === undefined) return undefined;
    const { host, passed, end } = way;
    return new Passage(this, { host, passed: [...passed, end], end }, () => this.into(macPath));
  }

  /**
   * The first user, other than root and ourselves, who decides what stands at a path; when nothing does, at the folders
   * that would lead there.
   */
  decider(macPath: string): number | undefined {
    for (let at = macPath; ; at = path.posix.dirname(at)) {
      const way = followInRoot(this.#root, at);
      if (way !== undefined) return [...way.passed, way.end].find(({ uid }) => !this.#trusted.has(uid))?.uid;
      if (at === path.posix.dirname(at)) return undefined;
    }
  }

  /** Users other than root and ourselves who decide where a way leads. */
  deciders({ passed }: Way): Somebody[] {
    const uids = new Set(passed.map(({ uid }) => uid));
    return [...uids].filter((uid) => !this.#trusted.has(uid)).map((uid) => ({ uid }));
  }

  allows({ uid, gid }: Somebody, facts: Pick<Passed, 'uid' | 'gid' | 'mode'>, bit: number): boolean {
    if (uid !== undefined && facts.uid === uid) return true;
    const groups = uid === undefined ? undefined : this.#groups.of(uid);
    const [ofGroup, ofOthers] = [(facts.mode & (bit << 3)) !== 0, (facts.mode & bit) !== 0];
    if (gid === facts.gid) return ofGroup;
    // Whoever may be in the group or not must be allowed either way.
    if (groups === undefined) return ofGroup && ofOthers;
    return groups.has(facts.gid) ? ofGroup : ofOthers;
  }

  /** True when a path of this machine stands where files have no owner's rights. */
  isUnowned(hostPath: string): boolean {
    return unowned.test(hostPath.slice(this.#root.root.length));
  }
}

/** One way through folders and links, and who decided it. */
export class Passage {
  /** Where it leads: a path of this machine, free of links; with `into` the folder. */
  readonly host: string;
  readonly #rights: Rights;
  readonly #way: Way;
  readonly #again: () => Passage | undefined;
  readonly #deciders: readonly Somebody[];
  readonly #searchable: boolean;

  constructor(rights: Rights, way: Way, again: () => Passage | undefined) {
    this.host = way.host;
    this.#rights = rights;
    this.#way = way;
    this.#again = again;
    this.#deciders = rights.deciders(way);
    this.#searchable =
      !rights.isUnowned(way.host) &&
      this.#deciders.every((who) => way.passed.every((one) => one.isLink || rights.allows(who, one, search)));
  }

  /** Somebody other than root and ourselves could lead it elsewhere at any moment. */
  get contested(): boolean {
    return this.#deciders.length > 0;
  }

  /** Whether the content of a regular file at its end, or with `into` behind it, may be read. */
  mayRead(file: Readable): boolean {
    const who = [...this.#deciders, ...(file.links > 1 ? this.#linkers() : [])];
    if (who.every(({ uid }) => uid === file.uid)) return true;
    return this.#searchable && who.every((one) => this.#rights.allows(one, file, read));
  }

  /** Whether this user could read the file besides; true of root and of undefined. */
  mayReadAs(uid: number | undefined, file: Readable): boolean {
    if (uid === undefined || uid === 0) return true;
    const { passed } = this.#way;
    return (
      passed.every((one) => one.isLink || this.#rights.allows({ uid }, one, search)) &&
      this.#rights.allows({ uid }, file, read)
    );
  }

  /** Whether the names in the folder at its end may be read, and what stands there looked at. */
  mayList(): boolean {
    if (!this.contested) return true;
    const { end } = this.#way;
    return (
      this.#searchable &&
      this.#deciders.every((who) => [search, read].every((bit) => this.#rights.allows(who, end, bit)))
    );
  }

  /** As `mayRead`, of an open file: neither it nor the way there may have been exchanged before it was opened. */
  mayReadOpened(descriptor: number, hostPath: string, file: Readable): boolean {
    if (!this.mayRead(file)) return false;
    if (this.#deciders.every(({ uid }) => uid === file.uid)) return true;
    if (!isOpenedAt(descriptor, hostPath)) return false;
    const now = this.#again();
    return now?.host === this.host && now.mayRead(file);
  }

  /** Who may have given the file its second name, in a folder that others may write to. */
  #linkers(): Somebody[] {
    const folder = this.#way.passed.at(-1);
    if (folder === undefined || folder.isLink) return [];
    if ((folder.mode & 0o002) !== 0) return [{}];
    return (folder.mode & 0o020) !== 0 ? [{ gid: folder.gid }] : [];
  }
}

/** On macOS the kernel refuses links on the way itself (`O_NOFOLLOW_ANY`). */
function isOpenedAt(descriptor: number, hostPath: string): boolean {
  if (process.platform === 'darwin') return true;
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`) === hostPath;
  } catch {
    return realpathSync.native(hostPath) === hostPath;
  }
}
