import type { Clock, Timer } from '../../base/clock.js';
import { things } from '../../base/count.js';
import { UserError } from '../../base/errors.js';
import { launchItemPatterns, plugInPatterns } from '../../base/launch-paths.js';
import type { Logger } from '../../base/log.js';
import type { RootMap } from '../../base/root.js';
import type { Micros } from '../../base/time.js';
import type { Addon } from '../addon/index.js';
import type { Sensor, SensorHealth, SensorSink } from '../sensor.js';
import { BlindSpots } from './blind-spots.js';
import { Echo } from './echo.js';
import { type FileEventMark, FsEventWakeUps } from './fs-events.js';
import { type FileWatchLimits, fileWatchLimits } from './options.js';
import type { Owner } from './owner.js';
import type { ReadAttributes } from './reader.js';
import { Scope } from './scope.js';
import type { FileStateStore, ItemChange, RememberedItem } from './state.js';
import { ItemTracker, remembered } from './tracker.js';
import { foldersBelow } from './tree.js';
import { FolderWalker } from './walker.js';
import type { WakeUps, WatchersOptions } from './watchers.js';

/** How often it looks how far it has got while somebody waits for its word, and while something has its time to wait, milliseconds. */
const askedTickMs = 10;
const pendingTickMs = 25;
/** How often folders without a watcher are polled, and the whole way to all others, milliseconds. */
const pollEveryMs = 950;
/** The whole way is polled more rarely when it has many folders, milliseconds for each. */
const wholeMsPerFolder = 10;
/**
 * What no wake-up tells about (links, second names of files, mounts) is looked at before each word about how far the
 * sensor is, so that detection never judges a load before what was put there for it; but it takes no more than this part
 * of a processor, with so many milliseconds in advance, unless one wait grew longer than these milliseconds (detection
 * waits for 250).
 */
const unaidedShare = 0.01;
const unaidedAdvance = 10;
const maxUnaidedWait = 150;
/** How often the homes of users are read again, milliseconds. */
/** The note of a sensor that has just begun. */
export const firstScanNote = 'the first scan of what is there is still going on';
const homesEveryMs = 5_000;
const maxHomes = 1_024;
/** Watched anyway, of no user, or not to be told from a pattern. */
const usualHome = /^\/Users\/[^/]+$|^\/private\/var\/(?:root|empty)$|[*?]/;
const usualHomes = ['/Users/*', '/private/var/root'];
/** An owner that had been too busy is so no more after so long, milliseconds. */
const calmMs = 2_000;
/** A longer pause between two ticks, milliseconds: the process stood still, and wake-ups may have been lost. */
const stallMs = 5_000;
/** The wall clock was set back by more than this, microseconds. */
const stepBack = 1_000_000;
/** Milliseconds in which the folders that lead to what is observed are watched, or the start does not wait for them. */
const maxStartMs = 30_000;
/**
 * libuv's one stream of file events is stopped and begun anew at every folder that is entered or left, and what happens
 * meanwhile is lost (libuv src/unix/fsevents.c): everything is scanned so many milliseconds after the last of them.
 */
const unsettledMs = [0, 100, 500];
/** A first scan that took longer than this, milliseconds, is a gap. */
const longScanMs = 2_000;

/** Code of the UserError of a start that the system refused file events: another way to be woken may do. */
export const fileEventsRefused = 'file-watch/fs-events';

/** A user's home folder, as the user records of the system name it. */
export interface Home {
  readonly user: string;
  /** Canonical macOS path. */
  readonly path: string;
}

export interface FileWatchSensorOptions {
  readonly root: RootMap;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Identity of this boot: part of event ids. */
  readonly boot: string;
  /**
   * macOS paths with `*` and `?` that the compiled rules look for; the launch directories and the folder of directory
   * plug-ins are always watched.
   */
  readonly patterns: readonly string[];
  /** Further ones of which no wildcard reaches into another folder. */
  readonly entries?: readonly string[];
  /** The same below each home, without a leading slash. */
  readonly inHomes?: readonly string[];
  /** Whether the content of a file is carried away, beside that of launch items and directory plug-ins. */
  readonly carries?: (macPath: string) => boolean;
  readonly attributes?: ReadAttributes | undefined;
  /** What an earlier run remembered; without it what exists is no event. */
  readonly state?: FileStateStore;
  /** Called after the observation that it belongs to. */
  readonly onItem?: (change: ItemChange) => void;
  /** The homes of all users, read anew at each call: they may stand anywhere. */
  readonly homes?: () => readonly Home[];
  readonly limits?: Partial<FileWatchLimits>;
  /** FSEvents as what wakes, where there are any. */
  readonly events?: {
    readonly addon: Pick<Addon, 'FileEventSource'>;
    /** For tests. */
    readonly double?: object;
    /** `mark` of the run before. */
    readonly since?: FileEventMark | undefined;
  };
  /** What wakes loses events whenever a folder is entered or left: libuv's FSEvents. */
  readonly restless?: boolean;
}

/**
 * Sees files in launch directories and wherever rules look. chokidar says when to look; what counts is the comparison
 * with the own snapshot. Processes and users are unknown to it.
 */
export class FileWatchSensor implements Sensor {
  readonly kind = 'file-watch';
  readonly #options: FileWatchSensorOptions;
  readonly #limits: FileWatchLimits;
  readonly #scope: Scope;
  readonly #echo: Echo;
  readonly #tracker: ItemTracker;
  readonly #walker: FolderWalker;
  #events: FsEventWakeUps | undefined;
  #mark: FileEventMark | undefined;
  /** Scans that are due because folders were entered or left, steady milliseconds. */
  #unsettled: number[] = [];
  #ticker: { readonly timer: Timer; readonly due: number } | undefined;
  #rescanner: Timer | undefined;
  readonly #blind: BlindSpots;
  /** Homes outside of /Users that are watched, and their users. */
  readonly #homes = new Map<string, string>();
  #homesRead = 0;
  /** Owners that change more than is reported, and when that was so last, steady milliseconds. */
  readonly #busy = new Map<Owner, { at: number; behind: boolean }>();
  #sink: SensorSink | undefined;
  #running = false;
  /** Between the two halves of a tick. */
  #ticking = false;
  #complete: Micros = 0;
  /** The same by the steady clock, milliseconds. */
  #completeSteady = Number.NEGATIVE_INFINITY;
  /** When the first scan began; undefined once it is over. */
  #scanning: { readonly from: Micros; readonly steady: number } | undefined;
  #compared = false;
  #lastTick = 0;
  /** Up to when somebody waits for everything. */
  #asked: Micros = 0;
  /** Up to when the last tick could have spoken for, had nothing held it back. */
  #ticked: Micros = 0;
  #lastPoll = 0;
  /** Milliseconds that looks may take now, and when that was reckoned. */
  #unaided = {
    credit: unaidedAdvance,
    at: Number.NEGATIVE_INFINITY,
    lookedAt: Number.NEGATIVE_INFINITY,
    wholeAt: Number.NEGATIVE_INFINITY,
  };
  #rescanned: Micros = 0;
  #missedBefore = 0;

  constructor(options: FileWatchSensorOptions) {
    this.#options = options;
    const { clock, root, boot } = options;
    const limits = { ...fileWatchLimits, ...options.limits };
    this.#limits = limits;
    const { patterns, entries = [], inHomes = [] } = options;
    this.#scope = new Scope(
      [...launchItemPatterns, ...plugInPatterns, ...patterns],
      [...entries, ...inHomes.flatMap((name) => usualHomes.map((home) => `${home}/${name}`))],
    );
    this.#echo = new Echo(limits.lagMs, () => clock.monotonic());
    this.#tracker = new ItemTracker({
      root,
      scope: this.#scope,
      clock,
      boot,
      limits,
      carries: options.carries,
      attributes: options.attributes,
      echo: this.#echo,
      observe: (observation) => this.#sink?.observe(observation),
      onItem: (change) => options.onItem?.(change),
      report: (owner, since, bytes, run) => this.#walker.report(owner, since, bytes, run),
      onFull: (target, full) => this.#full(target.path, full),
      onExceeded: (owner) => this.#exceeded(owner),
    });
    this.#blind = new BlindSpots({
      clock,
      report: (gap) => {
        options.logger.warn({ ...gap }, 'part of the tree is not seen');
        this.#sink?.gap(gap);
      },
    });
    this.#walker = new FolderWalker({
      root,
      scope: this.#scope,
      clock,
      limits,
      echo: this.#echo,
      tracker: this.#tracker,
      wakeUps: this.#wakeUps(),
      onFolders: options.restless === true ? () => this.#foldersChanged() : undefined,
      onWork: () => this.#tickIn(pendingTickMs),
      blind: this.#blind,
      userOf: (macPath) => this.#homes.get(macPath),
      onBehind: (owner, behind) => this.#exceeded(owner, behind),
      onExceeded: (owner) => this.#exceeded(owner),
      onFailure: (path, error) => options.logger.error({ path, error }, 'look failed'),
    });
  }

  /** Where the next run's history of file events begins; undefined where there is none. */
  get mark(): FileEventMark | undefined {
    // What is not polled yet must come again.
    if (!this.#walker.pending) this.#mark = this.#events?.mark ?? this.#mark;
    return this.#mark;
  }

  /** Resolves once everything is watched; the first scan of what is there may go on for long after that. */
  async start(sink: SensorSink): Promise<void> {
    const { state, clock, root, logger } = this.#options;
    this.#sink = sink;
    const known = state?.load();
    if (known !== undefined) this.#tracker.compareWith(known, state?.completeThrough);
    this.#readHomes();
    const steady = clock.monotonic();
    const now = clock.now();
    const before = known === undefined ? now : (state?.completeThrough ?? 0);
    this.#scanning = { from: now, steady };
    this.#tracker.begin();
    const trouble = this.#events?.start(this.#scope.places, this.#scope.names);
    if (trouble !== undefined)
      throw new UserError(fileEventsRefused, `the system gives no file events: ${trouble}`, {
        hint: 'Watch with chokidar instead.',
      });
    if (!this.#walker.begin(steady - (now - before) / 1000, true))
      throw new UserError('file-watch/root', `cannot read the folder ${root.root || '/'}`, {
        hint: 'Give --root an existing folder that you may read.',
      });
    // A volume may hang: what is watched by then is watched.
    const end = steady + maxStartMs;
    while (!this.#walker.waysWatched && clock.monotonic() < end)
      await new Promise((resolve) => setTimeout(resolve, 1));
    this.#running = true;
    this.#rescanned = clock.now();
    this.#lastTick = clock.monotonic();
    this.#rescanner = clock.every(this.#limits.rescanMs, () => this.#rescan());
    for (const { pattern, reason } of this.#scope.skipped)
      logger.warn({ pattern, reason }, 'path pattern is not watched');
    logger.info({ folders: this.#walker.counters.folders, items: this.#tracker.size }, 'file watch started');
    this.#tick();
  }

  /** The first scan is over: what the earlier run knew has been compared with what is there. */
  get compared(): boolean {
    return this.#compared;
  }

  ask(time: Micros): void {
    const now = this.#options.clock.now();
    // Nobody can know the future: the clock was set back.
    this.#asked = Math.min(Math.max(time, this.#asked), now);
    const wait = (this.#asked - now) / 1000 + this.#limits.lagMs;
    // Timers count whole milliseconds.
    if (wait > 0) this.#tickIn(Math.ceil(wait) + 1);
    // Whoever asks again at each word must not keep it busy with what holds it back.
    else if (this.#asked <= this.#ticked) this.#tickIn(askedTickMs);
    else this.#tick();
  }

  async stop(): Promise<void> {
    const ran = this.#running;
    // No tick from now on: it would arm the next one.
    this.#running = false;
    this.#ticker?.timer.cancel();
    this.#rescanner?.cancel();
    // What the kernel has queued by now is delivered in the next turn.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    if (ran) this.#walker.finish();
    await this.#tracker.stop();
    if (ran) this.#walker.finish();
    this.#blind.end();
    this.#events?.stop();
    await this.#walker.stop();
    this.#sink = undefined;
  }

  health(): SensorHealth {
    const { blind, foreign, counters } = this.#walker;
    const wakes = this.#events === undefined ? 'chokidar wakes' : 'FSEvents wake';
    const notes = [`${wakes}, own snapshot decides; the writing process and its user are not known`];
    if (this.#options.restless === true)
      notes.push(
        'the system may lose file events whenever a folder comes or goes: everything is polled again then',
      );
    if (this.#scanning !== undefined) notes.push(firstScanNote);
    if (blind > 0)
      notes.push(
        `${things(blind, 'folder has no watcher and is', 'folders have no watcher and are')} polled once a second`,
      );
    if (foreign > 0)
      notes.push(
        `${things(foreign, 'folder is polled once a second: other machines may change it, or it', 'folders are polled once a second: other machines may change them, or they')} cannot be read`,
      );
    for (const { pattern, reason } of this.#scope.skipped) notes.push(`not watched: ${pattern}: ${reason}`);
    return {
      kind: this.kind,
      running: this.#running,
      notes,
      ...(this.#options.restless === true && !this.#options.root.simulated
        ? {
            degraded:
              'no file events of our own: those that wake it are lost now and then, and more is polled',
          }
        : {}),
      blind: this.#blind.list(),
      counters: {
        ...this.#tracker.counters,
        ...counters,
        ...this.#events?.counters(),
        items: this.#tracker.size,
        blind,
      },
    };
  }

  /** Every item as it was last seen. */
  *snapshot(): Iterable<RememberedItem> {
    const top = this.#walker.top;
    if (top === undefined) return;
    for (const folder of foldersBelow(top)) {
      for (const item of folder.items.values()) yield remembered(item);
    }
  }

  #wakeUps(): ((options: WatchersOptions) => WakeUps) | undefined {
    const { events, root, clock } = this.#options;
    if (events === undefined) return undefined;
    return (options) => {
      this.#events = new FsEventWakeUps({
        ...options,
        ...events,
        toHost: (macPath) => root.toHost(macPath),
        onDeep: (folder, host) => this.#walker.deep(folder, host),
        onHistory: (folder, name) => this.#walker.happened(folder, name),
        onLost: (detail, since) => this.#walker.lost(detail, since),
        onNoHistory: (detail) => {
          const to = clock.now();
          const from = Math.min(this.#options.state?.completeThrough ?? to, to);
          this.#sink?.gap({ sensor: 'file-watch', reason: 'restart', from, to, detail });
        },
      });
      return this.#events;
    };
  }

  #foldersChanged(): void {
    const steady = this.#options.clock.monotonic();
    this.#unsettled = unsettledMs.map((after) => steady + after);
    this.#tickIn(pendingTickMs);
  }

  /** Scans everything once for all that is due. */
  #settle(steady: number): void {
    const left = this.#unsettled.filter((due) => due > steady);
    if (left.length < this.#unsettled.length) this.#walker.rescan('scan');
    this.#unsettled = left;
  }

  /** At the latest in so many milliseconds. */
  #tickIn(milliseconds: number): void {
    if (!this.#running) return;
    const { clock } = this.#options;
    const due = clock.monotonic() + milliseconds;
    if (this.#ticker !== undefined && this.#ticker.due <= due) return;
    this.#ticker?.timer.cancel();
    this.#ticker = { timer: clock.after(milliseconds, () => this.#tick()), due };
  }

  #tick(): void {
    if (!this.#running || this.#ticking) return;
    this.#ticking = true;
    this.#ticker?.timer.cancel();
    this.#ticker = undefined;
    const { clock } = this.#options;
    const now = clock.now();
    const steady = clock.monotonic();
    if (steady - this.#lastTick > stallMs) this.#walker.rescan('scan');
    this.#lastTick = steady;
    if (steady - this.#lastPoll > pollEveryMs) {
      this.#lastPoll = steady;
      this.#walker.pollUnwatched(steady);
    }
    if (steady - this.#homesRead > homesEveryMs && this.#readHomes()) this.#walker.extend();
    this.#calmDown(steady);
    if (this.#unsettled.length > 0) this.#settle(steady);
    this.#lookUnaided(steady);
    this.#walker.tick(steady);
    this.#echo.prune();
    // After a poll for input that begins after `now`: everything the kernel had queued by then has arrived. A tick that
    // is itself a part of a poll's outcome (somebody asks over the socket) must wait for the next one.
    setImmediate(() => setImmediate(() => this.#drained(now, steady)));
  }

  #drained(now: Micros, steady: number): void {
    this.#ticking = false;
    if (!this.#running) return;
    this.#walker.drained(steady);
    this.#tracker.tick();
    this.#walker.work();
    this.#endScan();
    this.#ticked = now - this.#limits.lagMs * 1000;
    this.#advance(now, steady);
    if (this.#complete < this.#asked) this.#tickIn(askedTickMs);
    if (
      this.#tracker.pending ||
      this.#walker.pending ||
      this.#scanning !== undefined ||
      this.#unsettled.length > 0
    )
      this.#tickIn(pendingTickMs);
  }

  #lookUnaided(steady: number): void {
    const { clock } = this.#options;
    const { credit, at, lookedAt, wholeAt } = this.#unaided;
    const now = Math.min(credit + (steady - at) * unaidedShare, unaidedAdvance);
    if (now <= 0 && steady - lookedAt < maxUnaidedWait) return;
    const whole = steady - wholeAt > Math.max(pollEveryMs, this.#walker.ways * wholeMsPerFolder);
    this.#walker.lookAtWay(whole);
    this.#tracker.lookAtUnwatched();
    this.#unaided = {
      credit: now - (clock.monotonic() - steady),
      at: steady,
      lookedAt: steady,
      wholeAt: whole ? steady : wholeAt,
    };
  }

  /** `now` and `steady`: the same moment by both clocks. */
  #advance(now: Micros, steady: number): void {
    const { since, wayThrough } = this.#walker;
    const { since: untold, unwatchedThrough } = this.#tracker;
    const through = Math.min(steady, since ?? steady, untold ?? steady, wayThrough, unwatchedThrough);
    this.#completeSteady = Math.max(this.#completeSteady, through - this.#limits.lagMs);
    if (this.#completeSteady === Number.NEGATIVE_INFINITY) return;
    const complete = Math.floor(now - (steady - this.#completeSteady) * 1000);
    // Never back, unless the clock was set back.
    if (complete > this.#complete || complete < this.#complete - stepBack) this.#complete = complete;
    this.#tracker.complete = this.#complete;
    // Also when it got no further: a sensor that is at work is waited for.
    if (this.#complete > 0) this.#sink?.completeThrough(this.#complete);
  }

  #endScan(): void {
    const begun = this.#scanning;
    if (begun === undefined || !this.#walker.scanned) return;
    const { clock, logger } = this.#options;
    this.#scanning = undefined;
    this.#tracker.scanned((macPath) => this.#isBlind(macPath));
    this.#compared = true;
    const ms = Math.round(clock.monotonic() - begun.steady);
    logger.info(
      { folders: this.#walker.counters.folders, items: this.#tracker.size, ms },
      'first scan is over',
    );
    if (ms < longScanMs) return;
    const to = clock.now();
    const detail = `the first scan of what is there took ${ms} ms: what came and went before is known by wake-ups alone`;
    this.#sink?.gap({ sensor: 'file-watch', reason: 'restart', from: Math.min(begun.from, to), to, detail });
  }

  #isBlind(macPath: string): boolean {
    if (this.#blind.size === 0) return false;
    for (let end = macPath.length; end > 0; end = macPath.lastIndexOf('/', end - 1)) {
      const place = macPath.slice(0, end);
      if (this.#blind.isOpen(place, 'permission') || this.#blind.isOpen(place, 'overflow')) return true;
    }
    return false;
  }

  /** True when a home was found that is not watched yet. */
  #readHomes(): boolean {
    const { homes, inHomes = [], clock, logger } = this.#options;
    this.#homesRead = clock.monotonic();
    if (homes === undefined) return false;
    let found = false;
    try {
      for (const { user, path } of homes()) {
        if (this.#homes.has(path) || this.#homes.size >= maxHomes || usualHome.test(path)) continue;
        this.#homes.set(path, user);
        found = this.#scope.add(`${path}/Library/LaunchAgents/*`) || found;
        for (const name of inHomes) found = this.#scope.add(`${path}/${name}`, 'entries') || found;
      }
    } catch (error) {
      logger.error({ error }, 'user records could not be read: homes outside of /Users are not known');
    }
    return found;
  }

  #full(place: string, full: boolean): void {
    const { maxItemsPerTarget, maxItems } = this.#limits;
    const why = `more than ${maxItemsPerTarget} items there, or ${maxItems} in all: deletions of the others are not seen`;
    if (full) this.#blind.open(place, 'overflow', why, 'items');
    else this.#blind.close(place, 'overflow', 'items');
  }

  /** An owner changes more than is reported. `behind`: whether the others no longer wait for his backlog. */
  #exceeded(owner: Owner, behind?: boolean): void {
    const { clock } = this.#options;
    const at = clock.monotonic();
    const busy = this.#busy.get(owner);
    this.#busy.set(owner, { at, behind: behind ?? busy?.behind ?? false });
    const why =
      'files change faster than they are reported: some contents in between are not kept, and loads may be judged before them';
    this.#blind.open(owner.name, 'overflow', why);
  }

  #calmDown(steady: number): void {
    for (const [owner, { at, behind }] of this.#busy) {
      if (behind || steady - at < calmMs) continue;
      this.#busy.delete(owner);
      this.#blind.close(owner.name, 'overflow');
    }
  }

  #rescan(): void {
    if (!this.#compared) return;
    const { clock } = this.#options;
    const missed = this.#tracker.counters.missed - this.#missedBefore;
    if (missed > 0) {
      this.#missedBefore += missed;
      this.#sink?.gap({
        sensor: 'file-watch',
        reason: 'rescan',
        from: this.#rescanned,
        to: clock.now(),
        detail: `${missed} changes were found by the slow scan alone: wake-ups were lost`,
      });
    }
    this.#rescanned = clock.now();
    this.#walker.rescan('rescan');
    this.#tickIn(pendingTickMs);
  }
}
