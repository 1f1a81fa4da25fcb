import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../../base/clock.js';
import { errnoOf } from '../../base/errors.js';
import type { RootMap } from '../../base/root.js';
import type { BlindSpots } from './blind-spots.js';
import type { Echo } from './echo.js';
import type { FileWatchLimits } from './options.js';
import { type Owner, ownerOf, systemOwner } from './owner.js';
import { Rights } from './rights.js';
import { Rounds } from './rounds.js';
import type { Scope, Step, Wanted } from './scope.js';
import { deviceOf, lookAt, type Snapshot } from './snapshot.js';
import type { ItemTracker, Passing } from './tracker.js';
import { childPath, type Folder, foldersBelow } from './tree.js';
import { resting, type WakeUps, Watchers, type WatchersOptions } from './watchers.js';
import { type Cause, WorkQueue } from './work-queue.js';

/** Work done inside one turn of wake-ups, milliseconds; the rest is done in slices of the same length. */
const sliceMs = 8;
/**
 * Wake-ups in one turn from which on some may have been lost: Linux drops what exceeds its queue (16,384 as
 * fs.inotify.max_queued_events comes) and libuv does not tell.
 */
const crowd = 8_192;
/**
 * libuv hands over wake-ups for as long as there are any, and nothing else runs meanwhile: whoever changes files faster than
 * that would hold up the process. After so many milliseconds of one turn a folder with a crowd of wake-ups in it rests.
 */
const floodMs = 1_500;
/**
 * After a crowd everything is scanned again once there was no wake-up for so long, and at the latest after so long,
 * milliseconds.
 */
const quietMs = 200;
const latestMs = 2_000;
/** A folder without a watcher, or whose watcher cannot be relied on, is polled so often, milliseconds ... */
const pollMs = 950;
/** ... or more rarely, so that its items take no more than some percent of a processor. */
const pollMsPerItem = 0.5;
/** How often a watcher that was refused is asked for again, milliseconds, and how many in one go. */
const refusedEveryMs = 5_000;
const maxRetried = 64;
/** Folders beyond a cap that are remembered, to tell what they hold once there is room. */
const maxCapped = 4_096;
/** Paths below folders that are not entered, which wait for what the scan on the way to them finds; and how long at most. */
const maxDeep = 4_096;
const maxDeepMs = 500;
/** What is called complete ends before it, milliseconds. */
const instantMs = 0.002;
/** By so much, nanoseconds, the wall clock may be off from that of our own volumes. */
const coarseNanos = 3_000_000n;
/** Places whose volumes send a wake-up for every change: no Mac can start with these on a server. */
const ownVolumes = ['/', '/Library', '/private/var', '/System/Volumes/Data'];

export interface WalkerOptions {
  readonly root: RootMap;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly limits: FileWatchLimits;
  readonly echo: Echo;
  readonly tracker: ItemTracker;
  readonly blind: BlindSpots;
  /** The user of a home folder outside of /Users. */
  readonly userOf: (macPath: string) => string | undefined;
  /** Makes what wakes; chokidar's watchers when absent. */
  readonly wakeUps?: ((options: WatchersOptions) => WakeUps) | undefined;
  /** A folder was entered or left. */
  readonly onFolders?: (() => void) | undefined;
  /** Something is to be done that the next tick looks after. */
  readonly onWork: () => void;
  /** Whether nobody waits for the backlog of an owner any more. */
  readonly onBehind: (owner: Owner, behind: boolean) => void;
  /** The paths of an owner change faster than they are reported. */
  readonly onExceeded: (owner: Owner) => void;
  /** A poll failed for a reason of our own. */
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
    deferred: 0,
  };
  readonly #options: WalkerOptions;
  readonly #queue: WorkQueue;
  /** The folder that stands for `/`. */
  top: Folder | undefined;
  #scheduled = false;
  /** Nanoseconds of the wall clock when it began. */
  #begun = 0n;
  /** Steady milliseconds up to which an earlier run had seen everything. */
  #knownUpTo = 0;
  readonly #watchers: WakeUps;
  readonly #rights: Rights;
  /**
   * Folders on the way and where observed trees begin: a volume can be mounted over them, and where a link leads can
   * change far away from it.
   */
  readonly #way: Rounds<Folder>;
  readonly #ownDevices = new Set<string>();
  /** Polled, although most have a watcher: on foreign volumes, and where something could not be read. */
  readonly #polled = new Set<Folder>();
  /** When something in a folder could not be read last, steady milliseconds. */
  readonly #denied = new Map<Folder, number>();
  /** Beyond a cap: whether the first scan found it, and what was known when. */
  readonly #capped = new Map<string, Pick<Folder, 'first' | 'polled'>>();
  /** Steady milliseconds up to when every wake-up has come. */
  #drained = Number.NEGATIVE_INFINITY;
  #crowdedAt: number | undefined;
  /** Wake-ups of this turn, by their folder. */
  readonly #wakes = new Map<Folder, number>();
  #deep: ({ readonly folder: Folder; readonly host: string } & Passing)[] = [];
  #lastWake = 0;
  #lastRetry = 0;

  constructor(options: WalkerOptions) {
    this.#options = options;
    this.#way = new Rounds(options.clock);
    this.#rights = new Rights(options.root);
    const watch = options.wakeUps ?? ((of) => new Watchers(of));
    this.#watchers = watch({
      clock: options.clock,
      onWake: (folder, name) => this.#woken(folder, name),
      onReady: (folder) => {
        if (folder.wake !== undefined) options.blind.close(folder.path, 'overflow', 'wake-ups');
        // What appeared between the first poll and the watcher.
        this.#queue.add(folder, undefined, { kind: 'scan' });
        this.#schedule();
      },
      onRefused: (folder, code) => {
        // Where permission is missing the listing says so.
        if (code !== 'EACCES' && code !== 'EPERM')
          options.blind.open(
            folder.path,
            'overflow',
            code === resting
              ? 'changes come faster than they can be answered: polled once a second instead'
              : `the system gives no watcher (${code}): polled once a second instead`,
            'wake-ups',
          );
      },
    });
    this.#queue = new WorkQueue({
      clock: options.clock,
      list: (folder) => this.#list(folder),
      listed: (folder, begun) => this.#listed(folder, begun),
      onBehind: options.onBehind,
      isUrgent: (folder, name) => {
        try {
          return options.tracker.isUrgent(folder, name);
        } catch {
          // Its look will say what is odd about it.
          return false;
        }
      },
      look: (folder, name, cause) => {
        try {
          this.#look(folder, name, cause);
        } catch (error) {
          // One odd file must not stop the polls of all others.
          this.counters.failed_looks++;
          options.onFailure(childPath(folder.path, name), error);
        }
      },
    });
  }

  /** Every folder that leads to an observed tree, and its beginning, is listed and watched. */
  get waysWatched(): boolean {
    return !this.#watchers.opensWays && !this.#queue.firstScanLeft(true);
  }

  /** Everything has been polled once since the start. */
  get scanned(): boolean {
    return !this.#queue.firstScanLeft();
  }

  /** Steady milliseconds since when something may have happened that has not been polled and reported. */
  get since(): number | undefined {
    const { since } = this.#queue;
    const { openingSince } = this.#watchers;
    const deepSince = this.#deep[0]?.at;
    const known = [since, openingSince, deepSince].filter((one) => one !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  /** Ticks are wanted. */
  get pending(): boolean {
    return (
      this.#crowdedAt !== undefined ||
      this.#deep.length > 0 ||
      !this.#queue.empty ||
      this.#queue.hasDeferred ||
      this.#watchers.openingSince !== undefined
    );
  }

  /** Folders that are polled for want of a watcher. */
  get blind(): number {
    return this.#watchers.blind.size;
  }

  /** Folders that are polled because no wake-up can be relied on there. */
  get foreign(): number {
    return this.#polled.size;
  }

  /**
   * False when the root is not there. `since`: steady milliseconds up to which what is there is known; `first`: what is
   * there may have been there before.
   */
  begin(since: number, first: boolean): boolean {
    const { root, scope } = this.#options;
    const snapshot = lookAt(root.root || '/');
    if (snapshot === undefined || snapshot === 'denied' || snapshot.type !== 'dir') return false;
    const { clock } = this.#options;
    if (first) {
      this.#begun = BigInt(clock.now()) * 1000n + coarseNanos;
      this.#knownUpTo = since;
      this.#drained = clock.monotonic();
    }
    this.#ownDevices.clear();
    for (const own of ownVolumes) {
      const there = lookAt(root.toHost(own));
      if (there !== undefined && there !== 'denied') this.#ownDevices.add(deviceOf(there.key));
    }
    this.top = this.#enter({
      path: '/',
      host: root.root || '/',
      name: '',
      parent: undefined,
      key: snapshot.key,
      steps: scope.start,
      owner: systemOwner,
      level: undefined,
      target: { path: '/', items: 0, folders: 0 },
      appeared: 0n,
      known: false,
      viaLink: false,
      foreign: false,
      polled: since,
      first,
      listed: false,
    });
    return true;
  }

  /** Every wake-up for what happened up to then has come. */
  drained(steady: number): void {
    this.#drained = steady;
  }

  /** Hands something on in the order of its owner. */
  report(owner: Owner, since: number, bytes: number, run: () => void): void {
    this.#queue.report(owner, since, bytes, run);
    this.#schedule();
  }

  /** Compares everything again, in slices. */
  rescan(kind: 'scan' | 'rescan'): void {
    if (this.top === undefined) return;
    const now = lookAt(this.top.host);
    if (now === undefined || now === 'denied' || now.key !== this.top.key) {
      const { polled } = this.top;
      this.#leave(this.top);
      if (!this.begin(polled, false)) this.top = undefined;
      return;
    }
    for (const folder of foldersBelow(this.top)) {
      if (this.#watchers.blind.has(folder)) this.#watchers.open(folder);
      this.#queue.add(folder, undefined, { kind });
    }
    this.#schedule();
  }

  /** The scope has grown: what is on the way to what it names now is entered. */
  extend(): void {
    if (this.top === undefined) return;
    this.top.steps = this.#options.scope.start;
    const left = [this.top];
    for (let folder = left.pop(); folder !== undefined; folder = left.pop()) {
      for (const child of folder.folders.values()) {
        child.steps = this.#options.scope.wanted(folder.steps, child.name)?.steps ?? [];
        left.push(child);
      }
      if (folder.level === undefined) this.#queue.add(folder, undefined, { kind: 'scan' });
    }
    this.#schedule();
  }

  /** Called often: polls that watchers cannot ask for. */
  tick(now: number): void {
    const { blind } = this.#options;
    if (
      this.#crowdedAt !== undefined &&
      (now - this.#lastWake > quietMs || now - this.#crowdedAt > latestMs)
    ) {
      this.#crowdedAt = undefined;
      this.rescan('scan');
    }
    if (this.#deep.length > 0) this.#tellDeep(now);
    this.#queue.promote(now);
    if (!this.#queue.empty) this.#schedule();
    blind.tick();
  }

  /** What the scan on the way to it did not find, and is not there, came and went. */
  #tellDeep(now: number): void {
    const { root, tracker } = this.#options;
    const scanned = this.#queue.empty;
    this.#deep = this.#deep.filter((one) => {
      if (!scanned && now - one.at < maxDeepMs) return true;
      if (lookAt(one.host) === undefined) tracker.passed(one.folder, root.toMac(one.host), one);
      return false;
    });
  }

  /** Folders on the way, and where observed trees begin. */
  get ways(): number {
    return this.#way.members.size;
  }

  /** Steady milliseconds up to when it is known that no folder on the way had become another one. */
  get wayThrough(): number {
    return this.#way.through;
  }

  /**
   * Looks, for some milliseconds at most, whether folders on the way are still the same: mounts and links wake nobody.
   * Unless `all`, only where a way to an observed tree ends: nothing can be mounted over what leads there without changing
   * that too.
   */
  lookAtWay(all: boolean): void {
    this.#way.go((folder) => {
      const { parent, host, key, level, folders, steps } = folder;
      if (parent === undefined) return;
      const ends = level !== undefined || (folders.size === 0 && leadsToTree(steps)) || isLink(folder);
      if (!all && !ends) return;
      const now = isLink(folder) ? undefined : lookAt(host);
      if (now !== undefined && now !== 'denied' && now.key === key) return;
      for (const [above, name] of wayTo(folder)) this.#look(above, name, { kind: 'scan' });
    });
  }

  /** Polls the folders that have no watcher, or none that can be relied on. */
  pollUnwatched(now: number): void {
    const { blind } = this.#watchers;
    if (now - this.#lastRetry > refusedEveryMs) {
      this.#lastRetry = now;
      let left = maxRetried;
      for (const folder of [...blind]) if (left-- > 0) this.#watchers.open(folder);
    }
    for (const folders of [blind, this.#polled]) {
      for (const folder of folders) {
        if (folder.pollDue > now) continue;
        folder.pollDue = now + Math.max(pollMs, folder.items.size * pollMsPerItem);
        this.#queue.add(folder, undefined, { kind: 'poll' });
      }
    }
    this.#schedule();
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

  /** Goes on with what is queued, for some milliseconds. */
  work(): void {
    if (!this.#queue.run(sliceMs)) this.#schedule();
  }

  /** Resolves once the kernel watches nothing for us any more. */
  async stop(): Promise<void> {
    if (this.top === undefined) return;
    const folders = [...foldersBelow(this.top)];
    this.top = undefined;
    await Promise.all(folders.map((folder) => this.#close(folder)));
  }

  /** All that is queued, at once. */
  finish(): void {
    this.#queue.promote(Number.POSITIVE_INFINITY);
    this.#queue.finish();
  }

  #list(folder: Folder): { names: string[]; complete: boolean } {
    let complete = true;
    const names = new Set([...folder.items.keys(), ...folder.folders.keys()]);
    try {
      for (const name of readdirSync(folder.host)) {
        if (folder.level !== undefined || this.#wanted(folder, name) !== undefined) names.add(name);
      }
    } catch (error) {
      const code = errnoOf(error);
      if (code !== 'ENOENT' && code !== 'ENOTDIR') {
        complete = false;
        this.counters.read_errors++;
        this.#cannotRead(folder, `cannot be listed (${code})`);
      }
    }
    return { names: [...names].reverse(), complete };
  }

  #listed(folder: Folder, begun: number): void {
    const denied = this.#denied.get(folder);
    if (denied !== undefined && denied >= begun) return;
    this.#seesAgain(folder);
    folder.polled = Math.max(folder.polled, begun - this.#options.limits.lagMs);
    if (folder.listed) return;
    folder.listed = true;
    folder.first = false;
    this.#options.tracker.listed(folder);
  }

  #cannotRead(folder: Folder, why: string): void {
    this.#denied.set(folder, this.#options.clock.monotonic());
    this.#polled.add(folder);
    this.#options.blind.open(folder.path, 'permission', why);
  }

  #seesAgain(folder: Folder): void {
    if (!this.#denied.delete(folder)) return;
    if (!folder.foreign) this.#polled.delete(folder);
    this.#options.blind.close(folder.path, 'permission');
  }

  #wanted(folder: Folder, name: string): Wanted | undefined {
    const wanted = this.#options.scope.wanted(folder.steps, name);
    if (folder.level === undefined || wanted?.tree === true) return wanted;
    return { steps: wanted?.steps ?? [], tree: false, item: true };
  }

  #look(folder: Folder, name: string, cause: Cause): void {
    const { tracker, blind } = this.#options;
    const wanted = this.#wanted(folder, name);
    if (folder.closed || wanted === undefined) return;
    this.counters.looks++;
    const snapshot = lookAt(childPath(folder.host, name));
    const after = this.#after(folder, cause);
    if (snapshot === 'denied') {
      this.counters.read_errors++;
      this.#cannotRead(folder, 'what is in it cannot be read');
      if (wanted.item && cause.kind === 'wake') tracker.unseen(folder, name, { at: cause.at, after });
      return;
    }
    const inside = folder.folders.get(name);
    const below =
      snapshot === undefined ? undefined : this.#below(folder, name, { snapshot, wanted, cause, after });
    if (inside !== undefined && inside.key !== below?.key) this.#leave(inside);
    if (snapshot === undefined) {
      if (blind.size > 0) blind.close(childPath(folder.path, name), 'permission', 'link');
      if (this.#capped.delete(childPath(folder.path, name)))
        blind.close(childPath(folder.path, name), 'overflow');
      if (wanted.item) tracker.gone(folder, name, { cause, after });
      return;
    }
    if (wanted.item) tracker.seen(folder, name, { snapshot, cause, after, begins: wanted.tree });
    if (below === undefined) return;
    if (inside?.key !== below.key) this.#enter(below);
    // Its mode may be what changed.
    else if (cause.kind === 'wake') this.#queue.add(inside, undefined, { kind: 'scan' });
  }

  /** Steady milliseconds: what a poll finds to be new or changed cannot have happened before. */
  #after(folder: Folder, cause: Cause): number {
    if (cause.kind === 'wake' && cause.history === true) return cause.after;
    // Where changes are made elsewhere too, a wake-up says nothing about the first of them.
    return cause.kind === 'wake' && !folder.foreign ? Math.max(folder.polled, cause.after) : folder.polled;
  }

  /** The folder to enter for a name, when it is one: itself, or where a link on the way leads. */
  #below(
    folder: Folder,
    name: string,
    { snapshot, wanted, cause, after }: { snapshot: Snapshot; wanted: Wanted; cause: Cause; after: number },
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
        const why = `leads to ${where}, which its owner may not read: not watched`;
        this.#options.blind.open(macPath, 'permission', why, 'link');
        return undefined;
      }
      if (this.#options.blind.size > 0) this.#options.blind.close(macPath, 'permission', 'link');
      host = target.host;
      key = `${key}>${there.key}`;
      if (there.ctime > ctime) ctime = there.ctime;
    } else if (snapshot.type !== 'dir') return undefined;
    const begins = tree && folder.level === undefined;
    const observed = begins || folder.level !== undefined;
    const capped = this.#capped.get(macPath);
    const first = capped?.first ?? (folder.first && cause.kind !== 'wake' && !this.#isBornNow(snapshot));
    const { known, fresh } = observed
      ? this.#options.tracker.history(macPath, snapshot.inode, { parent: folder, first })
      : { known: false, fresh: !first };
    // What another one came to the place of was there when the way was polled last.
    const replaces = folder.folders.has(name) && (folder.level === undefined || begins);
    const { clock, limits, scope, userOf } = this.#options;
    const since = capped?.polled ?? (replaces ? Math.max(after, this.#way.through - limits.lagMs) : after);
    // What was mounted says nothing about when.
    const mounted = deviceOf(snapshot.key) !== deviceOf(folder.key);
    const visible = mounted
      ? BigInt(Math.round(clock.now() - (clock.monotonic() - since) * 1000)) * 1000n
      : ctime;
    return {
      path: macPath,
      host,
      name,
      parent: folder,
      key,
      steps,
      level: begins ? 0 : folder.level === undefined ? undefined : folder.level + 1,
      owner: ownerOf(macPath, snapshot, folder, userOf),
      target: begins || scope.looksInto(steps) ? { path: macPath, items: 0, folders: 0 } : folder.target,
      appeared: fresh && visible > folder.appeared ? visible : folder.appeared,
      known,
      viaLink: folder.viaLink || snapshot.type === 'symlink',
      foreign: !this.#ownDevices.has(deviceOf(key.slice(key.indexOf('>') + 1))),
      polled: since,
      first,
      listed: false,
    };
  }

  /** True of a folder that was made since the start, by a clock that can be believed. */
  #isBornNow({ birth }: Snapshot): boolean {
    return birth > this.#begun && birth <= BigInt(this.#options.clock.now()) * 1000n + coarseNanos;
  }

  #enter(fresh: NewFolder): Folder | undefined {
    const { blind, clock } = this.#options;
    const reason = this.#reasonAgainst(fresh);
    if (reason !== undefined) {
      if (blind.isOpen(fresh.path, 'overflow')) return undefined;
      this.counters.capped++;
      const { first, polled } = fresh;
      if (this.#capped.size < maxCapped) this.#capped.set(fresh.path, { first, polled });
      blind.open(fresh.path, 'overflow', `is not watched: ${reason}`);
      return undefined;
    }
    if (this.#capped.delete(fresh.path)) blind.close(fresh.path, 'overflow');
    const folder: Folder = {
      ...fresh,
      items: new Map(),
      folders: new Map(),
      wake: undefined,
      pollDue: clock.monotonic() + pollMs,
      queued: new Map(),
      closed: false,
    };
    this.counters.folders++;
    if (folder.level !== undefined) folder.target.folders++;
    fresh.parent?.folders.set(fresh.name, folder);
    if (folder.level === undefined || folder.level === 0) this.#way.members.add(folder);
    if (folder.foreign) this.#polled.add(folder);
    this.#watchers.open(folder);
    this.#options.onFolders?.();
    this.#queue.add(folder, undefined, { kind: folder.first ? 'first' : 'scan' });
    this.#schedule();
    return folder;
  }

  /** Why a folder is not entered. What leads to an observed tree, and where it begins, has room that no tree can take. */
  #reasonAgainst({ level, target }: NewFolder): string | undefined {
    const { maxFolders, maxFoldersPerTarget, maxDepth } = this.#options.limits;
    const nested = level !== undefined && level > 0;
    if (nested && level > maxDepth) return `deeper than ${maxDepth} levels`;
    if (nested && target.folders >= maxFoldersPerTarget) return `more than ${maxFoldersPerTarget} folders`;
    const most = nested ? maxFolders : maxFolders * 2;
    return this.counters.folders >= most ? `more than ${most} folders in all` : undefined;
  }

  /**
   * Wake-ups were lost, nobody knows which: everything is scanned again. `detail` says why, `since`, steady
   * milliseconds, after which moment.
   */
  lost(detail: string, since = this.#drained): void {
    const { blind, clock, limits, onWork } = this.#options;
    const now = clock.monotonic();
    this.#crowdedAt ??= now;
    const from = Math.min(since, this.#drained, now) - limits.lagMs;
    blind.moment('overflow', detail, Math.round(clock.now() - (now - from) * 1000));
    onWork();
  }

  /** Something happened at a path of this machine, far below an entered folder: it may have come and gone. */
  deep(folder: Folder, host: string): void {
    const { clock, echo, limits, onWork } = this.#options;
    if (this.#deep.length >= maxDeep) {
      this.lost(`more than ${maxDeep} changes in folders that are new`);
      return;
    }
    const at = clock.monotonic();
    const after = Math.max(folder.polled, this.#drained - limits.lagMs);
    this.#deep.push({ folder, host, turn: echo.wake().turn, at, after });
    onWork();
  }

  /** Something happened at a name while nobody looked: when, is only known to within the folder's polls. */
  happened(folder: Folder, name: string): void {
    if (folder.closed || this.#wanted(folder, name) === undefined) return;
    const { clock, echo, onWork } = this.#options;
    const at = clock.monotonic();
    const after = this.#knownUpTo;
    this.#queue.add(folder, name, { kind: 'wake', turn: echo.wake().turn, at, after, history: true });
    onWork();
    this.#schedule();
  }

  #woken(folder: Folder, name: string | undefined): void {
    if (folder.closed) return;
    const { clock, echo, onWork } = this.#options;
    const { turn, start, wakes } = echo.wake();
    const now = clock.monotonic();
    this.#lastWake = now;
    if (this.#floods(folder, wakes, now - start)) return;
    if (wakes === crowd) {
      this.counters.crowds++;
      this.lost(
        `${crowd} wake-ups at once: some may be lost, and with them what was there and is gone again`,
      );
    }
    const itself = name === path.basename(folder.host);
    // Other programs keep their files beside what is watched: those wake nobody.
    if (name !== undefined && !itself && this.#wanted(folder, name) === undefined) return;
    onWork();
    this.counters.wakeups++;
    if (name === undefined) this.#queue.add(folder, undefined, { kind: 'scan' });
    else if (itself) {
      // The folder itself, or an entry of the same name.
      if (folder.parent !== undefined) this.#queue.add(folder.parent, folder.name, { kind: 'scan' });
      this.#queue.add(folder, name, { kind: 'scan' });
    } else this.#named(folder, name, { turn, now });
    const left = sliceMs - (now - start);
    if (left <= 0 || !this.#queue.run(left)) this.#schedule();
  }

  /** Whether a folder has just been given up for a while, since its wake-ups keep everything else from being done. */
  #floods(folder: Folder, wakes: number, passed: number): boolean {
    if (wakes === 1) this.#wakes.clear();
    const count = (this.#wakes.get(folder) ?? 0) + 1;
    this.#wakes.set(folder, count);
    if (passed < floodMs || count < crowd || this.#watchers.rest === undefined) return false;
    this.#lastRetry = this.#options.clock.monotonic();
    this.#watchers.rest(folder);
    this.#queue.add(folder, undefined, { kind: 'scan' });
    this.#schedule();
    return true;
  }

  /** Costs the same however much waits. */
  #named(folder: Folder, name: string, { turn, now }: { turn: number; now: number }): void {
    const { tracker, limits, onExceeded } = this.#options;
    const cause: Cause = { kind: 'wake', turn, at: now, after: this.#drained - limits.lagMs + instantMs };
    if (this.#queue.join(folder, name, cause)) return;
    const { pacer } = tracker;
    const due = pacer.due(childPath(folder.path, name), folder.owner, now);
    if (due <= now) {
      this.#queue.add(folder, name, cause);
      return;
    }
    this.counters.deferred++;
    this.#queue.defer(folder, name, cause, due);
    if (pacer.isExceeded(folder.owner, now)) onExceeded(folder.owner);
  }

  #leave(folder: Folder): void {
    this.#options.tracker.left(folder);
    folder.parent?.folders.delete(folder.name);
    for (const one of foldersBelow(folder)) void this.#close(one);
  }

  #close(folder: Folder): Promise<void> {
    const { blind, onFolders } = this.#options;
    folder.closed = true;
    onFolders?.();
    this.#way.members.delete(folder);
    this.#polled.delete(folder);
    this.#denied.delete(folder);
    if (blind.size > 0) {
      blind.close(folder.path, 'permission');
      blind.close(folder.path, 'overflow', 'wake-ups');
    }
    this.counters.folders--;
    if (folder.level !== undefined) folder.target.folders--;
    return this.#watchers.close(folder);
  }
}

type NewFolder = Omit<Folder, 'items' | 'folders' | 'wake' | 'pollDue' | 'queued' | 'closed'>;

/** The steps to a folder, from the root: each a folder and a name in it. */
function wayTo(folder: Folder): [Folder, string][] {
  return folder.parent === undefined ? [] : [...wayTo(folder.parent), [folder.parent, folder.name]];
}

/** Everything below what the steps lead to is observed, and not only entries of a folder. */
function leadsToTree(steps: readonly Step[]): boolean {
  return steps.some(({ target }) => target.leaf === undefined);
}

/** Its own place is a link, whatever stands before it. */
function isLink({ key }: Folder): boolean {
  return key.includes('>');
}
