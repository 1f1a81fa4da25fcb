import type { Clock } from '../../base/clock.js';
import { sha256Hex } from '../../base/digest.js';
import type { RootMap } from '../../base/root.js';
import type { Micros } from '../../base/time.js';
import type { FileContent, Observation } from '../../event/event.js';
import { fileEventId } from '../../event/ids.js';
import { type Capture, Capturer } from './capture.js';
import { type FileAction, type FileEventFacts, fileEvent } from './documents.js';
import { EarlierRun } from './earlier-run.js';
import type { Echo } from './echo.js';
import { LargeFiles } from './large-files.js';
import type { Cause } from './look-queue.js';
import type { FileWatchLimits } from './options.js';
import { Rounds } from './rounds.js';
import type { Scope } from './scope.js';
import { differs, lookAt, type Snapshot } from './snapshot.js';
import type { ItemChange, RememberedItem } from './state.js';
import { childPath, type Folder, type Item, itemsBelow, type Settling } from './tree.js';

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
/** A change so far in the future, nanoseconds, is dated by the look: a mounted volume says what its maker liked. */
const aheadNanos = 10_000_000n;

export interface TrackerOptions {
  readonly root: RootMap;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly boot: string;
  readonly limits: FileWatchLimits;
  readonly echo: Echo;
  readonly observe: (observation: Observation) => void;
  readonly onItem: (change: ItemChange) => void;
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
  };
  readonly #options: TrackerOptions;
  readonly #capturer: Capturer;
  readonly #large: LargeFiles;
  readonly #byKey = new Map<string, Item>();
  /** Gone since a moment, and perhaps only renamed. */
  readonly #missing = new Map<
    string,
    { readonly item: Item; readonly at: Micros; readonly steady: number }
  >();
  /** Amendments that wait for their turn; undefined for a file that is read only then. */
  readonly #waiting = new Map<Item, Observation | undefined>();
  #waitingBytes = 0;
  /** Links, and files with another name: a change made elsewhere wakes nobody. */
  readonly #unwatched: Rounds<Item>;
  #items = 0;
  #live = false;
  #earlier: EarlierRun | undefined;
  /** Event time up to which everything was told; the earliest time of what is found to be gone. */
  complete: Micros = 0;

  constructor(options: TrackerOptions) {
    this.#options = options;
    this.#unwatched = new Rounds(options.clock);
    this.#capturer = new Capturer(options.root, options.limits);
    this.#large = new LargeFiles({
      clock: options.clock,
      maxBytes: options.limits.maxHashed,
      passageInto: (folder) => this.#capturer.passageInto(folder),
      onHash: (item, sha256) => {
        const content = this.#read(item, false);
        item.sha256 = sha256;
        this.#tell(item, content);
      },
    });
  }

  get size(): number {
    return this.#items;
  }

  /** Since when something is known that has not been told. */
  get since(): Micros | undefined {
    for (const { at } of this.#missing.values()) return at;
    return undefined;
  }

  /** Items met before `goLive` are compared with these; without them they are simply what was there before. */
  compareWith(remembered: Iterable<RememberedItem>, completeThrough: Micros | undefined): void {
    this.#earlier = new EarlierRun(remembered, completeThrough);
  }

  /** The first look is over: what was remembered and not met is gone, and all that comes is new. */
  goLive(): void {
    this.#live = true;
    for (const item of this.#earlier?.notMet() ?? []) {
      const { inode, ctimeNanos, path } = item;
      if (lookAt(this.#options.root.toHost(path)) === undefined)
        this.#emit({
          id: this.#id(path, { inode, ctime: ctimeNanos }, 'deletion'),
          action: 'deletion',
          time: this.#nowNanos(),
          notBefore: this.#earlier?.completeThrough ?? ctimeNanos,
          subject: path,
          findings: [],
        });
      this.#options.onItem({ path, gone: true });
    }
    this.#earlier = undefined;
  }

  /** As `EarlierRun.folder`; once live every folder that is met is new. */
  history(path: string, inode: string, parent: Folder): { readonly known: boolean; readonly fresh: boolean } {
    return this.#earlier?.folder(path, inode, parent) ?? { known: true, fresh: this.#live };
  }

  /** Something is at a path. `begins`: an observed tree begins there, whatever the patterns say of the path. */
  seen(folder: Folder, name: string, { snapshot, cause, begins }: Look): void {
    const known = folder.items.get(name);
    if (known === undefined) {
      const path = childPath(folder.path, name);
      if (begins || this.#options.scope.covers(path)) this.#appeared(folder, { path, name, snapshot, cause });
    } else if (known.snapshot.key !== snapshot.key || known.snapshot.type !== snapshot.type) {
      this.#forget(known);
      this.#appeared(folder, { path: known.path, name, snapshot, cause });
    } else if (differs(known.snapshot, snapshot)) this.#changed(known, snapshot, cause);
    else if (cause.kind === 'wake' && known.racy && snapshot.type === 'file')
      this.#lookInside(known, snapshot);
    else if (snapshot.type === 'dir') known.snapshot = snapshot;
    else if (snapshot.type === 'symlink') {
      const target = this.#capturer.target(folder, known.path);
      const same =
        target?.key === known.target?.key && (target === undefined || !differs(target, known.target!));
      if (!same) this.#lookInside(known, snapshot);
    }
  }

  /** Nothing is at a path. */
  gone(folder: Folder, name: string, cause: Cause): void {
    const path = childPath(folder.path, name);
    const item = folder.items.get(name);
    if (item !== undefined) this.#miss(item);
    else if (
      cause.kind === 'wake' &&
      this.#live &&
      !this.#missing.has(path) &&
      !this.#options.echo.covers(path, cause.turn) &&
      this.#options.scope.covers(path)
    ) {
      this.#vanished(path);
      this.#options.echo.gone(path);
    }
  }

  /** A folder was left: so was everything in and below it. */
  left(folder: Folder): void {
    for (const item of [...itemsBelow(folder)]) this.#miss(item);
  }

  /** Up to when everything that can change without a wake-up has been looked at. */
  get unwatchedThrough(): Micros {
    return this.#unwatched.through;
  }

  /** Looks at what can change without a wake-up, for some milliseconds at most. */
  lookAtUnwatched(): void {
    this.#unwatched.go(({ folder, name }) => {
      const snapshot = lookAt(childPath(folder.host, name));
      if (snapshot !== undefined && snapshot !== 'denied')
        this.seen(folder, name, { snapshot, cause: { kind: 'scan' }, begins: false });
    });
  }

  /** Something waits for its time: ticks are wanted. */
  get pending(): boolean {
    return this.#waiting.size > 0 || this.#missing.size > 0 || this.#large.pending;
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
    for (const [path, { item, at, steady }] of this.#missing) {
      if (!all && now - steady < wait) break;
      this.#missing.delete(path);
      this.#deleted(item, at);
    }
    if (!all) this.#large.tick();
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
        if (differs(item.snapshot, snapshot)) this.#changed(item, snapshot, found.cause);
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
      racy: false,
    };
    const original = this.#live ? this.#movedFrom(item) : undefined;
    const tracked = this.#add(item);
    if (!this.#live && this.#wasThere(item)) {
      if (tracked) this.#remember(item);
      return;
    }
    if (!tracked && found.cause.kind !== 'wake') return;
    this.#observeNew(item, original === undefined ? 'modification' : 'rename', original);
    this.#countMissed(item, found.cause);
  }

  /** True when the first look finds an item as it was, of a link also what it leads to. */
  #wasThere(item: Item): boolean {
    if (this.#earlier?.isSame(item) === false) return false;
    if (item.snapshot.type !== 'symlink') return true;
    const { sha256 } = item;
    this.#read(item);
    return sha256 === undefined || item.sha256 === sha256;
  }

  #changed(item: Item, snapshot: Snapshot, cause: Cause): void {
    const now = this.#options.clock.monotonic();
    const { settling } = item;
    item.snapshot = snapshot;
    this.#noteUnwatched(item);
    this.#touchAncestors(item.folder, now);
    if (settling === undefined || !this.#isSettling(item, now)) {
      this.#observeNew(item, 'modification', undefined);
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
    if (content?.size === 0 && isExchanged(settling, content)) {
      // Perhaps it is being written anew.
      this.#tellWaiting(item);
      settling.told = now;
      this.#waitFor(item, undefined);
      return;
    }
    const first = wasEmpty && item.header !== undefined;
    if (first || now - settling.told >= tellEveryMs || isExchanged(settling, content))
      this.#tell(item, content);
    else this.#waitFor(item, this.#observation(item, content, true));
  }

  #noteUnwatched(item: Item): void {
    const { type, links } = item.snapshot;
    const { members } = this.#unwatched;
    if (type !== 'symlink' && (type !== 'file' || links < 2)) members.delete(item);
    else if (members.size < maxUnwatched) members.add(item);
  }

  /** The look shows no difference, but the content could have been exchanged within one tick of the ctime. */
  #lookInside(item: Item, snapshot: Snapshot): void {
    const { sha256, link } = item;
    item.snapshot = snapshot;
    const read = this.#readAgain(item);
    if (read === undefined || (item.sha256 === sha256 && item.link === link)) return;
    const now = this.#options.clock.monotonic();
    if (item.settling !== undefined && this.#isSettling(item, now)) {
      item.settling.last = now;
      this.#tell(item, read.content);
    } else this.#observeNew(item, 'modification', undefined, read.content);
  }

  #observeNew(
    item: Item,
    action: 'modification' | 'rename',
    original: string | undefined,
    content = this.#read(item),
  ): void {
    const now = this.#options.clock.monotonic();
    const { inode } = item.snapshot;
    // Of a link the change may be that of its target.
    const ctime = later(item.snapshot.ctime, item.target?.ctime);
    this.#tellWaiting(item);
    this.#stopWaiting(item);
    const id = this.#id(item.path, { inode, ctime }, action);
    item.settling = {
      // Two contents within one tick of the ctime are two events.
      id: id === item.settling?.id ? this.#id(item.path, { inode, ctime }, `${action} ${item.sha256}`) : id,
      action,
      time: this.#notAhead(later(ctime, item.folder.appeared)),
      original,
      first: now,
      last: now,
      told: now,
      content: undefined,
    };
    this.#touchAncestors(item.folder, now);
    this.#deliver(item, this.#observation(item, content, false));
    if (action === 'rename') this.counters.renamed++;
  }

  #tell(item: Item, content: FileContent | undefined): void {
    if (item.settling === undefined) return;
    if (isExchanged(item.settling, content)) this.#observeNew(item, 'modification', undefined, content);
    else this.#amend(item, this.#observation(item, content, true));
  }

  #tellRead(item: Item): void {
    const read = this.#readAgain(item);
    if (read === undefined) this.#stopWaiting(item);
    else this.#tell(item, read.content);
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
    this.#options.observe(observation);
    if (item.folder.items.get(item.name) === item) this.#remember(item);
  }

  /** What is to be told of an item as it is now. */
  #observation(item: Item, content: FileContent | undefined, amends: boolean): Observation {
    const settling = item.settling as NonNullable<Item['settling']>;
    const { id, action, time, original } = settling;
    const { sha256, findings } = item;
    if (content !== undefined && content.size > 0)
      settling.content =
        content.truncated || sha256 === undefined ? undefined : { size: content.size, sha256 };
    const event = fileEvent({ id, action, time, subject: item, original, findings });
    return { event, ...(content === undefined ? {} : { content }), ...(amends ? { amends } : {}) };
  }

  #vanished(path: string): void {
    const time = this.#nowNanos();
    const notBefore = BigInt(this.complete) * 1000n;
    for (const action of ['modification', 'deletion'] as const) {
      const id = this.#id(path, { inode: '', ctime: time }, action);
      this.#emit({ id, action, time, notBefore, subject: path, findings: ['vanished'] });
    }
    this.counters.vanished++;
  }

  #deleted(item: Item, at: Micros): void {
    this.#release(item);
    this.#emit({
      id: this.#id(item.path, item.snapshot, 'deletion'),
      action: 'deletion',
      time: BigInt(at) * 1000n,
      notBefore: BigInt(Math.min(this.complete, at)) * 1000n,
      subject: item,
      findings: item.findings,
    });
    this.counters.deleted++;
    this.#options.onItem({ path: item.path, gone: true });
  }

  #emit(facts: FileEventFacts): void {
    this.counters.observed++;
    this.#options.observe({ event: fileEvent(facts) });
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
    if (capture.large && hashLater && !this.#large.add(item)) this.counters.hash_skipped++;
    return capture.content;
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
    this.#options.onItem({ path: other.path, gone: true });
    return other.path;
  }

  #isSettling(item: Item, now: number): boolean {
    const { settling } = item;
    const { settleMs, maxSettleMs } = this.#options.limits;
    return settling !== undefined && now - settling.last < settleMs && now - settling.first < maxSettleMs;
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
      return false;
    }
    this.#items++;
    target.items++;
    item.folder.items.set(item.name, item);
    this.#byKey.set(item.snapshot.key, item);
    this.#noteUnwatched(item);
    return true;
  }

  #miss(item: Item): void {
    this.#tellWaiting(item);
    this.#forget(item, true);
    this.#options.echo.gone(item.path);
    const { clock } = this.#options;
    this.#missing.set(item.path, { item, at: clock.now(), steady: clock.monotonic() });
  }

  /** Takes an item out of its folder; `keepKey`: it may still turn up under another path. */
  #forget(item: Item, keepKey = false): void {
    this.#unwatched.members.delete(item);
    this.#stopWaiting(item);
    if (item.folder.items.get(item.name) === item) {
      item.folder.items.delete(item.name);
      item.folder.target.items--;
      this.#items--;
    }
    if (!keepKey) this.#release(item);
  }

  #release(item: Item): void {
    if (this.#byKey.get(item.snapshot.key) === item) this.#byKey.delete(item.snapshot.key);
  }

  #remember(item: Item): void {
    this.#options.onItem(remembered(item));
  }

  #id(path: string, { inode, ctime }: { inode: string; ctime: bigint }, kind: FileAction | string): string {
    return fileEventId('file-watch', this.#options.boot, path, inode, ctime, kind);
  }

  /** Detection would wait for such a time to come before it judges the event. */
  #notAhead(time: bigint): bigint {
    const now = this.#nowNanos();
    return time > now + aheadNanos ? now : time;
  }

  #nowNanos(): bigint {
    return BigInt(this.#options.clock.now()) * 1000n;
  }
}

export function remembered(item: Item): RememberedItem {
  const { inode, ctime, size, mode, uid, gid, type } = item.snapshot;
  return { path: item.path, inode, ctimeNanos: ctime, size, mode, uid, gid, type, sha256: item.sha256 };
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

interface Found {
  readonly path: string;
  readonly name: string;
  readonly snapshot: Snapshot;
  readonly cause: Cause;
}

interface Look {
  readonly snapshot: Snapshot;
  readonly cause: Cause;
  readonly begins: boolean;
}
