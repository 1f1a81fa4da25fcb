import type { Clock } from '../../base/clock.js';
import { sha256Hex } from '../../base/digest.js';
import { launchItemKind } from '../../base/launch-paths.js';
import type { RootMap } from '../../base/root.js';
import type { Micros } from '../../base/time.js';
import type { FileContent, Observation } from '../../event/event.js';
import { fileEventId } from '../../event/ids.js';
import { type Capture, Capturer } from './capture.js';
import { comparedFindings, stateOf } from './compared.js';
import { type FileAction, type FileEventFacts, fileEvent } from './documents.js';
import { EarlierRun } from './earlier-run.js';
import type { Echo } from './echo.js';
import { Fingerprints } from './fingerprints.js';
import { LargeFiles } from './large-files.js';
import type { FileWatchLimits } from './options.js';
import { type Owner, systemOwner } from './owner.js';
import { Pacer } from './pacer.js';
import type { ReadAttributes } from './reader.js';
import { Rounds } from './rounds.js';
import type { Scope } from './scope.js';
import { differs, lookAt, type Snapshot } from './snapshot.js';
import type { ItemChange, RememberedItem } from './state.js';
import { readTold, toldOf } from './told.js';
import {
  childPath,
  type Folder,
  type Item,
  itemsBelow,
  type Settling,
  type Target,
  type Was,
} from './tree.js';
import type { Cause } from './work-queue.js';

/** Bytes of amendments that wait for their turn; beyond it they are handed on at once. */
const maxWaiting = 16 * 1024 * 1024;
/** An item that keeps changing is told about no more often than this, milliseconds. */
const tellEveryMs = 100;
/** A file up to this size is read at every change, a larger one only when it is told about. */
const alwaysRead = 64 * 1024;
/** Items that can change without a wake-up, which are looked at often; more wait for the slow look. */
const maxUnwatched = 4_096;
/** A change so soon before the look may be followed by another one with the same coarse ctime, nanoseconds. */
const racyNanos = 20_000_000n;
/** A ctime that is ahead of the clock by no more than this, nanoseconds, is one of this machine. */
const aheadNanos = 10_000_000n;
/** By so much, nanoseconds, the wall clock and the steady one may part before the wall clock is anchored anew. */
const apartNanos = 3_000_000n;
/** A file that could not be opened is tried again after so long, milliseconds, each time four times as long. */
const retryMs = 250;
const maxRetries = 5;
const maxRetrying = 1_000;
/** An observed tree that was full is full no more below this part of its cap. */
const enoughRoom = 0.9;
/** An event so long ago, milliseconds, is late whatever happens: nothing waits for its report. */
const maxHeldMs = 1_000;

/** When something came and went: the event loop's turn, and steady milliseconds. */
export interface Passing {
  readonly turn: number;
  readonly at: number;
  readonly after: number;
}

export interface TrackerOptions {
  readonly root: RootMap;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly boot: string;
  readonly limits: FileWatchLimits;
  /** Files whose content is carried away besides launch items and directory plug-ins. */
  readonly carries?: ((macPath: string) => boolean) | undefined;
  readonly attributes?: ReadAttributes | undefined;
  readonly echo: Echo;
  readonly observe: (observation: Observation) => void;
  readonly onItem: (change: ItemChange) => void;
  /** Hands something on in the order of its owner; `since`: steady milliseconds that it holds the watermark back to. */
  readonly report: (owner: Owner, since: number, bytes: number, run: () => void) => void;
  /** An observed tree has more items than can be remembered, or has room again. */
  readonly onFull: (target: Target, full: boolean) => void;
  /** More of an owner's items are gone before they are read than can be reported. */
  readonly onExceeded: (owner: Owner) => void;
}

/** Turns looks at paths into events: what is new, changed, renamed, gone; what belongs to an event already told. */
export class ItemTracker {
  readonly counters = {
    observed: 0,
    amended: 0,
    vanished: 0,
    renamed: 0,
    deleted: 0,
    missed: 0,
    untracked: 0,
    hash_skipped: 0,
    bounded: 0,
    unseen: 0,
    vanished_uncounted: 0,
  };
  /** How often each path may be reported. */
  readonly pacer = new Pacer();
  readonly #options: TrackerOptions;
  readonly #capturer: Capturer;
  readonly #large: LargeFiles;
  readonly #byKey = new Map<string, Item>();
  /** Gone since a moment, and perhaps only renamed. */
  readonly #missing = new Map<
    string,
    { readonly item: Item; readonly at: Micros; readonly steady: number; readonly after: number }
  >();
  /** What is beyond the caps. */
  readonly #beyond = new Fingerprints();
  readonly #full = new Set<Target>();
  /** Files that could not be opened, and steady milliseconds of the next try. */
  readonly #retrying = new Map<Item, number>();
  /** Amendments that wait for their turn; undefined for a file that is read only then. */
  readonly #waiting = new Map<Item, Observation | undefined>();
  #waitingBytes = 0;
  /** Links, and files with another name: a change made elsewhere wakes nobody. */
  readonly #unwatched: Rounds<Item>;
  #items = 0;
  /** Nanoseconds of the wall clock: when the first scan began, unless it is over. */
  #begun: bigint | undefined;
  #earlier: EarlierRun | undefined;
  /** Event time up to which everything was reported: no event may come from before. */
  complete: Micros = 0;

  constructor(options: TrackerOptions) {
    this.#options = options;
    this.#unwatched = new Rounds(options.clock);
    this.#capturer = new Capturer(options);
    this.#large = new LargeFiles({
      clock: options.clock,
      maxBytes: options.limits.maxHashed,
      passageInto: (folder) => this.#capturer.passageInto(folder),
      onHash: (item, sha256) => {
        const content = this.#read(item, false);
        item.sha256 = sha256;
        this.#tell(item, content, item.folder.polled);
      },
    });
  }

  get size(): number {
    return this.#items;
  }

  /** Steady milliseconds since when something is known that has not been reported. */
  get since(): number | undefined {
    for (const { steady } of this.#missing.values()) return steady;
    return undefined;
  }

  /** What the first scan meets is compared with these; without them it is simply what was there before. */
  compareWith(remembered: Iterable<RememberedItem>, completeThrough: Micros | undefined): void {
    this.#earlier = new EarlierRun(remembered, completeThrough, this.#options.limits);
  }

  /** The first scan begins: what changes from now on is new. */
  begin(): void {
    this.#begun = this.#nowNanos() + apartNanos;
  }

  /** The first scan is over: what was remembered, was not met and is not there is gone. `isBlind`: a path cannot be seen. */
  scanned(isBlind: (macPath: string) => boolean): void {
    for (const { inode, ctimeNanos, path } of this.#earlier?.notMet() ?? []) {
      const there = lookAt(this.#options.root.toHost(path));
      // It is compared as soon as it can be.
      if (there === 'denied' || isBlind(path)) continue;
      this.#earlier?.forget(path);
      if (there === undefined)
        this.#emit(systemOwner, {
          id: this.#id(path, { inode, ctime: ctimeNanos }, 'deletion'),
          action: 'deletion',
          time: this.#nowNanos(),
          notBefore: this.#earlier?.completeThrough ?? ctimeNanos,
          subject: path,
          findings: ['changed-while-away'],
        });
      this.#change(systemOwner, { path, gone: true });
    }
  }

  /** A folder was listed for the first time: an item that is not known in it from now on is new. */
  listed(folder: Folder): void {
    const item = folder.parent?.items.get(folder.name);
    if (item !== undefined) this.#remember(item);
  }

  /** Whether an earlier run watched a folder, and whether it came to its place since. */
  history(
    path: string,
    inode: string,
    { parent, first }: { readonly parent: Folder; readonly first: boolean },
  ): { readonly known: boolean; readonly fresh: boolean } {
    if (!first) return { known: true, fresh: true };
    return this.#earlier?.folder(path, inode, parent) ?? { known: false, fresh: false };
  }

  /** Something is at a path. `begins`: an observed tree begins there, whatever the patterns say of the path. */
  seen(folder: Folder, name: string, look: Look): void {
    const { snapshot, cause, after, begins } = look;
    const known = folder.items.get(name);
    if (known === undefined) {
      const path = childPath(folder.path, name);
      if (begins || this.#options.scope.covers(path))
        this.#appeared(folder, { path, name, snapshot, cause, after });
    } else if (known.snapshot.key !== snapshot.key || known.snapshot.type !== snapshot.type) {
      this.#forget(known);
      this.#appeared(folder, { path: known.path, name, snapshot, cause, after, was: stateOf(known) });
    } else if (differs(known.snapshot, snapshot)) this.#changed(known, look);
    else if (cause.kind === 'wake' && known.silent !== undefined && cause.after <= known.silent) {
      // It was not there before: its wake-up was merely slower than the first scan.
      known.silent = undefined;
      this.#observeNew(known, 'modification', undefined, { after });
    } else if (cause.kind === 'wake' && known.racy && snapshot.type === 'file')
      this.#lookInside(known, snapshot, after);
    else if (snapshot.type === 'dir') known.snapshot = snapshot;
    else if (snapshot.type === 'symlink') {
      const target = this.#capturer.target(folder, known.path);
      const same =
        target?.key === known.target?.key && (target === undefined || !differs(target, known.target!));
      if (!same) this.#lookInside(known, snapshot, after);
    }
  }

  /** Nothing is at a path. */
  gone(folder: Folder, name: string, { cause, after }: { cause: Cause; after: number }): void {
    const path = childPath(folder.path, name);
    const item = folder.items.get(name);
    if (item !== undefined) this.#miss(item, after);
    else if (
      cause.kind === 'wake' &&
      !this.#missing.has(path) &&
      !this.#options.echo.covers(path, cause.turn) &&
      this.#options.scope.covers(path)
    ) {
      this.#vanished(path, folder.owner, { at: cause.at, after });
      this.#options.echo.gone(path);
    }
  }

  /** At a glance, the launch item of this name does something that is worth to be told before very many others. */
  isUrgent(folder: Folder, name: string): boolean {
    const path = childPath(folder.path, name);
    if (launchItemKind(path) === undefined) return false;
    const snapshot = lookAt(childPath(folder.host, name));
    if (snapshot === undefined || snapshot === 'denied') return false;
    return this.#capturer.isUrgent(folder, path, snapshot);
  }

  /** Something was at a path below a folder that was never entered, and is there no more. */
  passed(folder: Folder, path: string, { turn, at, after }: Passing): void {
    const { echo, scope } = this.#options;
    if (this.#missing.has(path) || echo.covers(path, turn) || !scope.covers(path)) return;
    this.#vanished(path, folder.owner, { at, after });
    echo.gone(path);
  }

  /** Something changed at a path that may not be read. */
  unseen(folder: Folder, name: string, { at, after }: { at: number; after: number }): void {
    const path = childPath(folder.path, name);
    if (!this.#options.scope.covers(path)) return;
    this.pacer.spend(path, this.#options.clock.monotonic());
    this.counters.unseen++;
    this.#emit(folder.owner, {
      id: this.#id(path, { inode: '', ctime: this.#wall(at) }, 'unseen'),
      action: 'modification',
      time: this.#wall(at),
      notBefore: this.#wall(after),
      subject: path,
      findings: ['unreadable'],
    });
  }

  /** A folder was left: so was everything in and below it. */
  left(folder: Folder): void {
    for (const item of [...itemsBelow(folder)]) this.#miss(item, folder.polled);
  }

  /** Steady milliseconds up to when everything that can change without a wake-up has been polled. */
  get unwatchedThrough(): number {
    return this.#unwatched.through;
  }

  /** Looks at what can change without a wake-up, for some milliseconds at most. */
  lookAtUnwatched(): void {
    this.#unwatched.go(({ folder, name }) => {
      const snapshot = lookAt(childPath(folder.host, name));
      const after = Math.max(folder.polled, this.#unwatched.through - this.#options.limits.lagMs);
      if (snapshot !== undefined && snapshot !== 'denied')
        this.seen(folder, name, { snapshot, cause: { kind: 'scan' }, after, begins: false });
    });
  }

  /** Something waits for its time: ticks are wanted. */
  get pending(): boolean {
    return this.#waiting.size > 0 || this.#missing.size > 0 || this.#retrying.size > 0 || this.#large.pending;
  }

  /** Tells what has waited long enough. `all`: everything. */
  tick(all = false): void {
    const now = this.#options.clock.monotonic();
    for (const item of [...this.#waiting.keys()]) {
      if (!all && now - (item.settling?.told ?? 0) < tellEveryMs) continue;
      if (this.#waiting.get(item) === undefined) this.#tellRead(item);
      else this.#tellWaiting(item);
    }
    const wait = this.#options.limits.lagMs + 5;
    for (const [path, { item, at, steady, after }] of this.#missing) {
      if (!all && now - steady < wait) break;
      this.#missing.delete(path);
      this.#deleted(item, at, after);
    }
    this.pacer.prune(now);
    if (all) return;
    for (const [item, due] of this.#retrying) {
      if (due > now) continue;
      this.#retrying.delete(item);
      if (item.folder.items.get(item.name) === item) this.#tellRead(item);
    }
    this.#large.tick();
  }

  async stop(): Promise<void> {
    await this.#large.stop();
    this.tick(true);
  }

  #appeared(folder: Folder, found: Found): void {
    const { path, snapshot } = found;
    const before = this.#missing.get(path);
    this.#missing.delete(path);
    if (before !== undefined) {
      if (before.item.snapshot.key === snapshot.key) {
        const item = { ...before.item, folder };
        this.#add(item);
        if (differs(item.snapshot, snapshot)) this.#changed(item, found);
        else item.snapshot = snapshot;
        return;
      }
      this.#release(before.item);
    }
    const item: Item = {
      path,
      name: found.name,
      folder,
      snapshot,
      sha256: undefined,
      findings: [],
      link: undefined,
      target: undefined,
      leadsTo: undefined,
      header: undefined,
      settling: undefined,
      silent: undefined,
      repeats: false,
      toldBefore: undefined,
      retries: 0,
      racy: false,
    };
    const { cause, after, was = before && stateOf(before.item) } = found;
    const wasThere = folder.first && this.#wasThere(item, cause);
    const original = wasThere ? undefined : this.#movedFrom(item);
    const tracked = this.#add(item);
    if (wasThere) {
      // Where dates mean nothing, a wake-up may still be on its way.
      if (cause.kind !== 'wake' && folder.foreign) item.silent = this.#options.clock.monotonic();
      if (tracked) this.#remember(item);
      else this.#beyond.add(path, snapshot);
      return;
    }
    if (!tracked) {
      const racy = this.#nowNanos() - snapshot.ctime < racyNanos;
      if (this.#beyond.has(path, snapshot) && (cause.kind !== 'wake' || !racy)) return;
      if (cause.kind !== 'wake' && !this.#beyond.hasRoom) return;
      this.#beyond.add(path, snapshot);
    }
    const told = readTold(item.toldBefore, this.#options.clock.monotonic());
    item.toldBefore = undefined;
    if (told !== undefined && original === undefined) this.#goOn(item, told, after);
    else this.#observeNew(item, original === undefined ? 'modification' : 'rename', original, { after, was });
    this.#countMissed(item, cause);
  }

  /** The run before ended while a file was being written: what came after belongs to the event that it told. */
  #goOn(item: Item, told: Settling, after: number): void {
    item.settling = told;
    this.#touchAncestors(item.folder, told.first);
    this.#tell(item, this.#read(item), after);
  }

  /** True when the first scan finds an item as it was, of a link also what it leads to. */
  #wasThere(item: Item, cause: Cause): boolean {
    if (cause.kind === 'wake' && this.#earlier?.isUnchanged(item) !== true) {
      this.#earlier?.isSame(item, this.#nowNanos());
      return false;
    }
    if (this.#earlier === undefined) {
      const { ctime } = item.snapshot;
      // A date in the future is that of a foreign clock.
      if (this.#begun !== undefined && ctime >= this.#begun && ctime <= this.#nowNanos() + aheadNanos)
        return false;
    } else if (!this.#earlier.isSame(item, this.#nowNanos() + aheadNanos)) return false;
    if (item.snapshot.type !== 'symlink') return true;
    const { sha256 } = item;
    this.#read(item);
    return sha256 === undefined || item.sha256 === sha256;
  }

  #changed(item: Item, { snapshot, cause, after }: Look | Found): void {
    const now = this.#options.clock.monotonic();
    const { settling } = item;
    const was = stateOf(item);
    item.snapshot = snapshot;
    this.#noteUnwatched(item);
    this.#touchAncestors(item.folder, now);
    item.silent = undefined;
    item.retries = 0;
    if (settling === undefined || !this.#isSettling(item, now)) {
      this.#observeNew(item, 'modification', undefined, { after, was });
      this.#countMissed(item, cause);
      return;
    }
    settling.last = now;
    const wasEmpty = item.header === undefined;
    if (snapshot.type === 'file' && snapshot.size > alwaysRead) {
      if (now - settling.told < tellEveryMs) this.#waitFor(item, undefined);
      else this.#tellRead(item);
      return;
    }
    const read = this.#readAgain(item);
    if (read === undefined) return;
    const { content } = read;
    const exchanged = this.#isExchanged(item, content, now);
    if (content?.size === 0 && exchanged) {
      // Perhaps it is being written anew.
      this.#tellWaiting(item);
      settling.told = now;
      this.#waitFor(item, undefined);
      return;
    }
    const first = wasEmpty && item.header !== undefined;
    if (first || now - settling.told >= tellEveryMs || exchanged) this.#tell(item, content, after);
    else this.#waitFor(item, this.#observation(item, content, true));
  }

  #noteUnwatched(item: Item): void {
    const { type, links } = item.snapshot;
    const { members } = this.#unwatched;
    if (type !== 'symlink' && (type !== 'file' || links < 2)) members.delete(item);
    else if (members.size < maxUnwatched) members.add(item);
  }

  /** The look shows no difference, but the content could have been exchanged within one tick of the ctime. */
  #lookInside(item: Item, snapshot: Snapshot, after: number): void {
    const { sha256, link } = item;
    item.snapshot = snapshot;
    const read = this.#readAgain(item);
    if (read === undefined || (item.sha256 === sha256 && item.link === link)) return;
    const now = this.#options.clock.monotonic();
    if (item.settling !== undefined && this.#isSettling(item, now)) {
      item.settling.last = now;
      this.#tell(item, read.content, after);
    } else this.#observeNew(item, 'modification', undefined, { after, content: read.content });
  }

  /** `after`: steady milliseconds before which it cannot have happened. */
  #observeNew(
    item: Item,
    action: 'modification' | 'rename',
    original: string | undefined,
    {
      after,
      was = item.settling?.was,
      content = this.#read(item),
    }: { after: number; was?: Was | undefined; content?: FileContent | undefined },
  ): void {
    const now = this.#options.clock.monotonic();
    const { inode, mtime, size } = item.snapshot;
    // Of a link the change may be that of its target.
    const ctime = later(item.snapshot.ctime, item.target?.ctime);
    const { time, notBefore } = this.#dated(later(ctime, item.folder.appeared), after);
    // A clock that cannot be believed makes no difference between two changes.
    const stamp = notBefore === undefined ? ctime : item.folder.first ? time : this.#nowNanos();
    this.#tellWaiting(item);
    this.#stopWaiting(item);
    const base = this.#id(item.path, { inode, ctime: stamp }, action);
    const again = item.repeats || base === item.settling?.base;
    const kind = `${action} ${mtime} ${size} ${item.sha256}`;
    item.repeats = false;
    item.settling = {
      // Two contents with one ctime are two events.
      id: again ? this.#id(item.path, { inode, ctime: stamp }, kind) : base,
      base,
      action,
      time,
      notBefore,
      original,
      first: now,
      last: now,
      told: now,
      content: undefined,
      was,
    };
    this.#touchAncestors(item.folder, now);
    this.#deliver(item, this.#observation(item, content, false));
    if (action === 'rename') this.counters.renamed++;
  }

  /**
   * The time of a change: its ctime, as far as it lies between the last poll before it and the one that found it. A
   * clock that says something else is not ours: then all that is known is the earliest possible moment.
   */
  #dated(stamp: bigint, after: number): { readonly time: bigint; readonly notBefore: bigint | undefined } {
    const now = this.#nowNanos();
    const earliest = this.#earliest(after, now);
    if (stamp >= earliest && stamp <= now + aheadNanos)
      return { time: stamp < now ? stamp : now, notBefore: undefined };
    this.counters.bounded++;
    return { time: earliest, notBefore: earliest };
  }

  /**
   * Nanoseconds of the wall clock at a steady moment, never beyond `now`. What was called complete then is not added to:
   * the two clocks differ by a millisecond or so.
   */
  #earliest(after: number, now: bigint): bigint {
    let earliest = this.#wall(after);
    for (const complete of [BigInt(this.complete) * 1000n, this.#earlier?.completeThrough ?? 0n])
      if (earliest <= complete && earliest > complete - apartNanos) earliest = complete + 1_000n;
    return earliest < now ? earliest : now;
  }

  #tell(item: Item, content: FileContent | undefined, after: number): void {
    if (item.settling === undefined) return;
    if (this.#isExchanged(item, content, this.#options.clock.monotonic()))
      this.#observeNew(item, 'modification', undefined, { after, content });
    else this.#amend(item, this.#observation(item, content, true));
  }

  /** Of what keeps changing without a pause the newest content is reported, under one event. */
  #isExchanged(item: Item, content: FileContent | undefined, now: number): boolean {
    const { settling, path, folder } = item;
    return (
      settling !== undefined && !this.pacer.isBusy(path, folder.owner, now) && isExchanged(settling, content)
    );
  }

  #tellRead(item: Item): void {
    const read = this.#readAgain(item);
    if (read === undefined) this.#stopWaiting(item);
    else this.#tell(item, read.content, item.folder.polled);
  }

  /** Tells what was read before and has not been told yet. */
  #tellWaiting(item: Item): void {
    const waiting = this.#waiting.get(item);
    if (waiting !== undefined) this.#amend(item, waiting);
  }

  #amend(item: Item, observation: Observation): void {
    this.#stopWaiting(item);
    if (item.settling !== undefined) item.settling.told = this.#options.clock.monotonic();
    this.counters.amended++;
    this.#deliver(item, observation);
  }

  #deliver(item: Item, observation: Observation): void {
    if (observation.amends !== true) this.counters.observed++;
    const { clock, observe, onItem, report } = this.#options;
    const now = clock.monotonic();
    this.pacer.spend(item.path, now);
    const change = item.folder.items.get(item.name) === item ? remembered(item) : undefined;
    // Nothing may be called complete that comes before the event.
    const ago = (clock.now() - observation.event.time) / 1000;
    const since = observation.amends !== true && ago < maxHeldMs ? now - ago : now;
    report(item.folder.owner, since, observation.content?.bytes.length ?? 0, () => {
      observe(observation);
      if (change !== undefined) onItem(change);
    });
  }

  /** What is to be told of an item as it is now. */
  #observation(item: Item, content: FileContent | undefined, amends: boolean): Observation {
    const settling = item.settling as NonNullable<Item['settling']>;
    const { id, action, time, notBefore, original, foundBefore } = settling;
    const { sha256 } = item;
    const findings = [...item.findings, ...(foundBefore ?? comparedFindings(item))];
    if (notBefore !== undefined) findings.push('time-bounded');
    if (foundBefore === undefined && this.#isFromAway(time)) findings.push('changed-while-away');
    if (content !== undefined && content.size > 0)
      settling.content =
        content.truncated || sha256 === undefined ? undefined : { size: content.size, sha256 };
    const event = fileEvent({ id, action, time, notBefore, subject: item, original, findings });
    return { event, ...(content === undefined ? {} : { content }), ...(amends ? { amends } : {}) };
  }

  /** True of what happened between an earlier run and this one. */
  #isFromAway(time: bigint): boolean {
    return this.#earlier !== undefined && this.#begun !== undefined && time < this.#begun - apartNanos;
  }

  /** `at`: steady milliseconds when its wake-up came, `after`: before which it cannot have been there. */
  #vanished(path: string, owner: Owner, { at, after }: { at: number; after: number }): void {
    const now = this.#options.clock.monotonic();
    this.counters.vanished++;
    if (!this.pacer.mayVanish(owner, now)) {
      this.counters.vanished_uncounted++;
      this.#options.onExceeded(owner);
      return;
    }
    this.pacer.spend(path, now);
    const [there, gone, notBefore] = [this.#wall(at), this.#nowNanos(), this.#wall(after)];
    for (const [action, time] of [
      ['modification', there],
      ['deletion', gone],
    ] as const) {
      const id = this.#id(path, { inode: '', ctime: time }, action);
      this.#emit(owner, { id, action, time, notBefore, subject: path, findings: ['vanished'] });
    }
  }

  #deleted(item: Item, at: Micros, after: number): void {
    const { owner } = item.folder;
    this.#release(item);
    const time = BigInt(at) * 1000n;
    const earliest = this.#wall(after);
    this.#emit(owner, {
      id: this.#id(item.path, item.snapshot, 'deletion'),
      action: 'deletion',
      time,
      notBefore: earliest < time ? earliest : time,
      subject: item,
      findings: item.findings,
    });
    this.counters.deleted++;
    this.#change(owner, { path: item.path, gone: true });
  }

  #emit(owner: Owner, facts: FileEventFacts): void {
    this.counters.observed++;
    const { clock, observe, report } = this.#options;
    const ago = (clock.now() - Number(facts.time / 1000n)) / 1000;
    const event = fileEvent(facts);
    report(owner, clock.monotonic() - Math.min(Math.max(ago, 0), maxHeldMs), 0, () => observe({ event }));
  }

  /** What is remembered follows what is reported, in the same order. */
  #change(owner: Owner, change: ItemChange): void {
    const { clock, onItem, report } = this.#options;
    report(owner, clock.monotonic(), 0, () => onItem(change));
  }

  /** Reads what the item's path holds now and takes over what that says. */
  #read(item: Item, hashLater = true): FileContent | undefined {
    return this.#take(item, this.#capture(item), hashLater);
  }

  /** Undefined when the file is gone: what is known of it must not be lost to a read that failed. */
  #readAgain(item: Item): { readonly content: FileContent | undefined } | undefined {
    const capture = this.#capture(item);
    return capture.gone ? undefined : { content: this.#take(item, capture, true) };
  }

  #capture(item: Item): Capture {
    return this.#capturer.capture(item.folder, item.path, item.snapshot);
  }

  #take(item: Item, capture: Capture, hashLater: boolean): FileContent | undefined {
    item.sha256 = capture.sha256;
    item.header = capture.header;
    item.link = capture.link;
    item.target = capture.target;
    item.leadsTo = capture.leadsTo;
    item.findings = capture.findings;
    item.racy = this.#nowNanos() - item.snapshot.ctime < racyNanos;
    if (capture.findings.includes('unreadable')) this.#retryLater(item);
    if (capture.large && hashLater && !this.#large.add(item)) this.counters.hash_skipped++;
    return capture.content;
  }

  /** It may have been for want of a file descriptor. */
  #retryLater(item: Item): void {
    if (item.retries >= maxRetries || this.#retrying.size >= maxRetrying) return;
    this.#retrying.set(item, this.#options.clock.monotonic() + retryMs * 4 ** item.retries++);
  }

  /** `observation`: undefined when the file is to be read once its turn comes. */
  #waitFor(item: Item, observation: Observation | undefined): void {
    this.#stopWaiting(item);
    this.#waiting.set(item, observation);
    this.#waitingBytes += observation?.content?.bytes.length ?? 0;
    if (this.#waitingBytes > maxWaiting) this.#tellWaiting(item);
  }

  #stopWaiting(item: Item): void {
    this.#waitingBytes -= this.#waiting.get(item)?.content?.bytes.length ?? 0;
    this.#waiting.delete(item);
  }

  /** The path of the same file a moment ago, when it is no longer there. */
  #movedFrom(item: Item): string | undefined {
    const other = this.#byKey.get(item.snapshot.key);
    if (other === undefined || other.path === item.path) return undefined;
    if (this.#missing.delete(other.path)) this.#release(other);
    else {
      const there = lookAt(childPath(other.folder.host, other.name));
      if (there !== undefined && there !== 'denied' && there.key === item.snapshot.key) return undefined;
      this.#forget(other);
      this.#options.echo.gone(other.path);
    }
    this.#change(other.folder.owner, { path: other.path, gone: true });
    return other.path;
  }

  #isSettling(item: Item, now: number): boolean {
    const { settling } = item;
    const { settleMs, maxSettleMs } = this.#options.limits;
    if (settling === undefined || now - settling.first >= maxSettleMs) return false;
    return now - settling.last < settleMs || this.pacer.isBusy(item.path, item.folder.owner, now);
  }

  /** What happens in a new folder is part of its own settling. */
  #touchAncestors(from: Folder, now: number): void {
    for (let folder: Folder | undefined = from; folder?.level !== undefined; folder = folder.parent) {
      const item = folder.parent?.items.get(folder.name);
      if (item?.settling !== undefined && this.#isSettling(item, now)) item.settling.last = now;
    }
  }

  #countMissed(item: Item, cause: Cause): void {
    const second = 1_000_000_000n;
    if (cause.kind === 'rescan' && this.#nowNanos() - item.snapshot.ctime > second) this.counters.missed++;
  }

  /** False when it cannot be kept: it is told about now and not remembered. */
  #add(item: Item): boolean {
    const { maxItems, maxItemsPerTarget } = this.#options.limits;
    const { target } = item.folder;
    if (this.#items >= maxItems || target.items >= maxItemsPerTarget) {
      this.counters.untracked++;
      if (!this.#full.has(target)) {
        this.#full.add(target);
        this.#options.onFull(target, true);
      }
      return false;
    }
    this.#items++;
    target.items++;
    item.folder.items.set(item.name, item);
    this.#byKey.set(item.snapshot.key, item);
    this.#noteUnwatched(item);
    return true;
  }

  #miss(item: Item, after: number): void {
    this.#tellWaiting(item);
    this.#forget(item, true);
    this.#options.echo.gone(item.path);
    const { clock } = this.#options;
    this.#missing.set(item.path, { item, at: clock.now(), steady: clock.monotonic(), after });
  }

  /** Takes an item out of its folder; `keepKey`: it may still turn up under another path. */
  #forget(item: Item, keepKey = false): void {
    this.#unwatched.members.delete(item);
    this.#retrying.delete(item);
    this.#stopWaiting(item);
    if (item.folder.items.get(item.name) === item) {
      item.folder.items.delete(item.name);
      item.folder.target.items--;
      this.#items--;
      this.#noteRoom(item.folder.target);
    }
    if (!keepKey) this.#release(item);
  }

  #noteRoom(target: Target): void {
    const { limits, onFull } = this.#options;
    if (this.#full.size === 0 || target.items > limits.maxItemsPerTarget * enoughRoom) return;
    if (this.#items < limits.maxItems * enoughRoom && this.#full.delete(target)) onFull(target, false);
  }

  #release(item: Item): void {
    if (this.#byKey.get(item.snapshot.key) === item) this.#byKey.delete(item.snapshot.key);
  }

  #remember(item: Item): void {
    this.#change(item.folder.owner, remembered(item));
  }

  #id(path: string, { inode, ctime }: { inode: string; ctime: bigint }, kind: FileAction | string): string {
    return fileEventId('file-watch', this.#options.boot, path, inode, ctime, kind);
  }

  /** Nanoseconds of the wall clock, as it goes now, at a moment of the steady one. */
  #wall(steady: number): bigint {
    const { clock } = this.#options;
    return BigInt(Math.ceil(clock.now() - (clock.monotonic() - steady) * 1000)) * 1000n;
  }

  #nowNanos(): bigint {
    return BigInt(this.#options.clock.now()) * 1000n;
  }
}

export function remembered(item: Item): RememberedItem {
  const { inode, ctime, mode, uid, gid, type } = item.snapshot;
  const listed = type !== 'dir' || item.folder.folders.get(item.name)?.listed === true;
  const size = listed ? item.snapshot.size : -1;
  const told = toldOf(item);
  return { path: item.path, inode, ctimeNanos: ctime, size, mode, uid, gid, type, sha256: item.sha256, told };
}

/**
 * True when what a file holds is not what it held before with more after it: whoever overwrites what was loaded a moment
 * ago must not have it forgotten. Of a content that was not carried away whole nothing can be said.
 */
function isExchanged({ content: before }: Settling, content: FileContent | undefined): boolean {
  if (before === undefined || content === undefined) return false;
  const { bytes } = content;
  return bytes.length < before.size || sha256Hex(bytes.subarray(0, before.size)) !== before.sha256;
}

function later(a: bigint, b: bigint | undefined): bigint {
  return b !== undefined && b > a ? b : a;
}

interface Poll {
  readonly snapshot: Snapshot;
  readonly cause: Cause;
  /** Steady milliseconds: what is found cannot have happened before. */
  readonly after: number;
}

interface Found extends Poll {
  readonly path: string;
  readonly name: string;
  /** What stood at the path before. */
  readonly was?: Was;
}

interface Look extends Poll {
  readonly begins: boolean;
}
