import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../../base/clock.js';
import { errnoOf } from '../../base/errors.js';
import type { RootMap } from '../../base/root.js';
import type { Micros } from '../../base/time.js';
import type { Echo } from './echo.js';
import { type Cause, LookQueue } from './look-queue.js';
import type { FileWatchLimits } from './options.js';
import { Rights } from './rights.js';
import { Rounds } from './rounds.js';
import type { Scope, Wanted } from './scope.js';
import { lookAt, type Snapshot } from './snapshot.js';
import type { ItemTracker } from './tracker.js';
import { childPath, type Folder, foldersBelow } from './tree.js';
import { Watchers } from './watchers.js';

/** Work done inside one turn of wake-ups, milliseconds; the rest is done in slices of the same length. */
const sliceMs = 8;
/**
 * Wake-ups in one turn from which on some may have been lost: Linux drops what exceeds its queue (16,384 as
 * fs.inotify.max_queued_events comes) and libuv does not tell.
 */
const crowd = 8_192;
/** After a crowd everything is looked at again once there was no wake-up for so long, milliseconds. */
const quietMs = 200;

/** Paths that are remembered as told to be out of sight. */
const maxTold = 4_096;

export interface WalkerOptions {
  readonly root: RootMap;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly limits: FileWatchLimits;
  readonly echo: Echo;
  readonly tracker: ItemTracker;
  /** Something is to be done that the next tick looks after. */
  readonly onWork: () => void;
  /** A cap was reached or the kernel refuses to watch a folder. */
  readonly onBlind: (reason: 'overflow' | 'permission', detail: string) => void;
  /** A look failed for a reason of our own. */
  readonly onFailure: (macPath: string, error: unknown) => void;
}

/**
 * Walks from the root to what the patterns name: a watcher on every folder on the way and in the observed trees, put up
 * before the folder is listed again, so that what appears in between is found by one or the other.
 */
export class FolderWalker {
  readonly counters = {
    wakeups: 0,
    looks: 0,
    folders: 0,
    read_errors: 0,
    failed_looks: 0,
    capped: 0,
    crowds: 0,
  };
  readonly #options: WalkerOptions;
  readonly #queue: LookQueue;
  /** The folder that stands for `/`. */
  top: Folder | undefined;
  #scheduled = false;
  #live = false;
  #liveSince: Micros = 0;
  readonly #watchers: Watchers;
  readonly #rights: Rights;
  readonly #told = new Set<string>();
  /**
   * Folders on the way and where observed trees begin: a volume can be mounted over them, and where a link leads can
   * change far away from it.
   */
  readonly #way: Rounds<Folder>;
  #crowded = false;
  #lastWake = 0;

  constructor(options: WalkerOptions) {
    this.#options = options;
    this.#way = new Rounds(options.clock);
    this.#rights = new Rights(options.root);
    this.#watchers = new Watchers({
      clock: options.clock,
      onWake: (folder, name) => this.#woken(folder, name),
      onReady: (folder) => {
        // What appeared between the first look and the watcher.
        this.#queue.add(folder, undefined, { kind: 'scan' });
        this.#schedule();
      },
      onBlind: options.onBlind,
    });
    this.#queue = new LookQueue({
      clock: options.clock,
      list: (folder) => this.#list(folder),
      look: (folder, name, cause) => {
        try {
          this.#look(folder, name, cause);
        } catch (error) {
          // One odd file must not stop the looks at all others.
          this.counters.failed_looks++;
          options.onFailure(childPath(folder.path, name), error);
        }
      },
    });
  }

  /** Nothing is left to look at and every watcher is up. */
  get settled(): boolean {
    return this.#queue.empty && this.#watchers.openingSince === undefined;
  }

  /** Since when something may have happened that has not been looked at. */
  get since(): number | undefined {
    const { since } = this.#queue;
    const { openingSince } = this.#watchers;
    return since === undefined || openingSince === undefined
      ? (since ?? openingSince)
      : Math.min(since, openingSince);
  }

  /** Ticks are wanted. */
  get pending(): boolean {
    return this.#crowded || !this.settled;
  }

  get blind(): number {
    return this.#watchers.blind.size;
  }

  /** False when the root is not there. */
  begin(): boolean {
    const { root, scope } = this.#options;
    const snapshot = lookAt(root.root || '/');
    if (snapshot === undefined || snapshot === 'denied' || snapshot.type !== 'dir') return false;
    this.top = this.#enter({
      path: '/',
      host: root.root || '/',
      name: '',
      parent: undefined,
      key: snapshot.key,
      steps: scope.start,
      level: undefined,
      target: { items: 0, folders: 0 },
      appeared: 0n,
      known: false,
      viaLink: false,
    });
    return true;
  }

  goLive(): void {
    this.#live = true;
    this.#liveSince = this.#options.clock.now();
  }

  /** Compares everything again, in slices. */
  rescan(kind: 'scan' | 'rescan'): void {
    if (this.top === undefined) return;
    const now = lookAt(this.top.host);
    if (now === undefined || now === 'denied' || now.key !== this.top.key) {
      this.#leave(this.top);
      if (!this.begin()) this.top = undefined;
      return;
    }
    for (const folder of foldersBelow(this.top)) {
      if (this.#watchers.blind.has(folder)) this.#watchers.open(folder);
      this.#queue.add(folder, undefined, { kind });
    }
    this.#schedule();
  }

  /** Called often: looks that watchers cannot ask for. */
  tick(now: number): void {
    if (this.#crowded && now - this.#lastWake > quietMs) {
      this.#crowded = false;
      this.rescan('scan');
    }
    if (!this.#queue.empty) this.#schedule();
  }

  /** Up to when it is known that no folder on the way had become another one. */
  get wayThrough(): Micros {
    return this.#way.through;
  }

  /**
   * Looks, for some milliseconds at most, whether folders on the way are still the same: mounts and links wake nobody.
   * Unless `all`, only where a way ends: nothing can be mounted over what leads there without changing that too.
   */
  lookAtWay(all: boolean): void {
    this.#way.go((folder) => {
      const { parent, host, key, level, folders } = folder;
      if (parent === undefined || (!all && level === undefined && folders.size > 0 && !isLink(folder)))
        return;
      const now = isLink(folder) ? undefined : lookAt(host);
      if (now !== undefined && now !== 'denied' && now.key === key) return;
      for (const [above, name] of wayTo(folder)) this.#look(above, name, { kind: 'scan' });
    });
  }

  /** Looks into the folders that have no watcher. */
  lookIntoBlind(): void {
    for (const folder of this.#watchers.blind) this.#queue.add(folder, undefined, { kind: 'scan' });
  }

  /** Works off what is queued, a slice at a time. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#queue.run(sliceMs)) this.#schedule();
    });
  }

  /** Resolves once the kernel watches nothing for us any more. */
  async stop(): Promise<void> {
    if (this.top === undefined) return;
    const folders = [...foldersBelow(this.top)];
    this.top = undefined;
    await Promise.all(folders.map((folder) => this.#close(folder)));
  }

  /** All looks that are queued, at once. */
  finish(): void {
    while (!this.#queue.run(1_000));
  }

  #list(folder: Folder): string[] {
    const names = new Set([...folder.items.keys(), ...folder.folders.keys()]);
    try {
      for (const name of readdirSync(folder.host)) {
        if (folder.level !== undefined || this.#wanted(folder, name) !== undefined) names.add(name);
      }
    } catch (error) {
      const code = errnoOf(error);
      if (code !== 'ENOENT' && code !== 'ENOTDIR') {
        this.counters.read_errors++;
        this.#blindTo('permission', folder.path, `cannot be listed (${code})`);
      }
    }
    return [...names].reverse();
  }

  #wanted(folder: Folder, name: string): Wanted | undefined {
    const wanted = this.#options.scope.wanted(folder.steps, name);
    if (folder.level === undefined || wanted?.tree === true) return wanted;
    return { steps: wanted?.steps ?? [], tree: false, item: true };
  }

  #look(folder: Folder, name: string, cause: Cause): void {
    const { tracker } = this.#options;
    const wanted = this.#wanted(folder, name);
    if (folder.closed || wanted === undefined) return;
    this.counters.looks++;
    const snapshot = lookAt(childPath(folder.host, name));
    if (snapshot === 'denied') {
      this.counters.read_errors++;
      return;
    }
    const inside = folder.folders.get(name);
    const below = snapshot === undefined ? undefined : this.#below(folder, name, { snapshot, wanted });
    if (inside !== undefined && inside.key !== below?.key) this.#leave(inside);
    if (snapshot === undefined) {
      if (wanted.item) tracker.gone(folder, name, cause);
      return;
    }
    if (wanted.item) tracker.seen(folder, name, { snapshot, cause, begins: wanted.tree });
    if (below !== undefined && inside?.key !== below.key) this.#enter(below);
  }

  /** The folder to enter for a name, when it is one: itself, or where a link on the way leads. */
  #below(
    folder: Folder,
    name: string,
    { snapshot, wanted }: { snapshot: Snapshot; wanted: Wanted },
  ): NewFolder | undefined {
    const { steps, tree } = wanted;
    if (folder.level === undefined && steps.length === 0) return undefined;
    const macPath = childPath(folder.path, name);
    let host = childPath(folder.host, name);
    let { key, ctime } = snapshot;
    if (snapshot.type === 'symlink') {
      // Inside a tree a link is an item and nothing more; on the way to one launchd would follow it.
      const target = steps.length === 0 ? undefined : this.#rights.follow(macPath);
      const there = target === undefined ? undefined : lookAt(target.host);
      if (target === undefined || there === undefined || there === 'denied' || there.type !== 'dir')
        return undefined;
      if (!target.mayList()) {
        const where = this.#options.root.toMac(target.host);
        this.#blindTo('permission', macPath, `leads to ${where}, which its owner may not read: not watched`);
        return undefined;
      }
      host = target.host;
      key = `${key}>${there.key}`;
      if (there.ctime > ctime) ctime = there.ctime;
    } else if (snapshot.type !== 'dir') return undefined;
    const begins = tree && folder.level === undefined;
    const observed = begins || folder.level !== undefined;
    const { known, fresh } = observed
      ? this.#options.tracker.history(macPath, snapshot.inode, folder)
      : { known: false, fresh: this.#live };
    // What was mounted says nothing about when: at the earliest after the last look that did not find it.
    const mounted = deviceOf(snapshot.key) !== deviceOf(folder.key);
    const since = this.#live ? Math.max(this.#way.through, this.#liveSince) : this.#options.clock.now();
    const visible = mounted ? BigInt(since) * 1000n : ctime;
    return {
      path: macPath,
      host,
      name,
      parent: folder,
      key,
      steps,
      level: begins ? 0 : folder.level === undefined ? undefined : folder.level + 1,
      target: begins ? { items: 0, folders: 0 } : folder.target,
      appeared: fresh && visible > folder.appeared ? visible : folder.appeared,
      known,
      viaLink: folder.viaLink || snapshot.type === 'symlink',
    };
  }

  #enter(fresh: NewFolder): Folder | undefined {
    const capped = this.#capped(fresh);
    if (capped !== undefined) {
      this.counters.capped++;
      this.#blindTo('overflow', fresh.path, `is not watched: ${capped}`);
      return undefined;
    }
    const folder: Folder = {
      ...fresh,
      items: new Map(),
      folders: new Map(),
      wake: undefined,
      closed: false,
    };
    this.counters.folders++;
    if (folder.level !== undefined) folder.target.folders++;
    fresh.parent?.folders.set(fresh.name, folder);
    if (folder.level === undefined || folder.level === 0) this.#way.members.add(folder);
    this.#watchers.open(folder);
    this.#queue.add(folder, undefined, { kind: 'scan' });
    this.#schedule();
    return folder;
  }

  /** Why a folder is not entered. What leads to an observed tree, and where it begins, has room that no tree can take. */
  #capped({ level, target }: NewFolder): string | undefined {
    const { maxFolders, maxFoldersPerTarget, maxDepth } = this.#options.limits;
    const nested = level !== undefined && level > 0;
    if (nested && level > maxDepth) return `deeper than ${maxDepth} levels`;
    if (nested && target.folders >= maxFoldersPerTarget) return `more than ${maxFoldersPerTarget} folders`;
    const most = nested ? maxFolders : maxFolders * 2;
    return this.counters.folders >= most ? `more than ${most} folders in all` : undefined;
  }

  #woken(folder: Folder, name: string | undefined): void {
    if (folder.closed) return;
    const { turn, start, wakes } = this.#options.echo.wake();
    this.#options.onWork();
    this.#lastWake = this.#options.clock.monotonic();
    if (name !== undefined && this.#wanted(folder, name) === undefined && name !== path.basename(folder.host))
      return;
    this.counters.wakeups++;
    if (wakes === crowd) {
      this.counters.crowds++;
      this.#crowded = true;
      const detail = `${crowd} wake-ups at once: some may be lost, and with them what was there and is gone again`;
      this.#options.onBlind('overflow', detail);
    }
    if (name === undefined) this.#queue.add(folder, undefined, { kind: 'scan' });
    else if (name === path.basename(folder.host)) {
      // The folder itself, or an entry of the same name.
      if (folder.parent !== undefined) this.#queue.add(folder.parent, folder.name, { kind: 'scan' });
      this.#queue.add(folder, name, { kind: 'scan' });
    } else this.#queue.add(folder, name, { kind: 'wake', turn });
    const left = sliceMs - (this.#lastWake - start);
    if (left <= 0 || !this.#queue.run(left)) this.#schedule();
  }

  #leave(folder: Folder): void {
    this.#options.tracker.left(folder);
    folder.parent?.folders.delete(folder.name);
    for (const one of foldersBelow(folder)) void this.#close(one);
  }

  #close(folder: Folder): Promise<void> {
    folder.closed = true;
    this.#way.members.delete(folder);
    this.counters.folders--;
    if (folder.level !== undefined) folder.target.folders--;
    return this.#watchers.close(folder);
  }

  /** Told once about each path: what is capped stays so at every later look. */
  #blindTo(reason: 'overflow' | 'permission', path: string, why: string): void {
    if (this.#told.has(path) || this.#told.size >= maxTold) return;
    this.#told.add(path);
    this.#options.onBlind(reason, `${path} ${why}`);
  }
}

type NewFolder = Omit<Folder, 'items' | 'folders' | 'wake' | 'closed'>;

/** The steps to a folder, from the root: each a folder and a name in it. */
function wayTo(folder: Folder): [Folder, string][] {
  return folder.parent === undefined ? [] : [...wayTo(folder.parent), [folder.parent, folder.name]];
}

/** Its own place is a link, whatever stands before it. */
function isLink({ key }: Folder): boolean {
  return key.includes('>');
}

/** The first part of a snapshot's key. */
function deviceOf(key: string): string {
  return key.slice(0, key.indexOf(':'));
}
