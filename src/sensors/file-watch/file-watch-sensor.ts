import type { Clock, Timer } from '../../base/clock.js';
import { UserError } from '../../base/errors.js';
import { launchItemPatterns, plugInPatterns } from '../../base/launch-paths.js';
import type { Logger } from '../../base/log.js';
import type { RootMap } from '../../base/root.js';
import type { Micros } from '../../base/time.js';
import type { Observation } from '../../event/event.js';
import type { Sensor, SensorHealth, SensorSink } from '../sensor.js';
import { Echo } from './echo.js';
import { type FileWatchLimits, fileWatchLimits } from './options.js';
import { Scope } from './scope.js';
import type { FileStateStore, ItemChange, RememberedItem } from './state.js';
import { ItemTracker, remembered } from './tracker.js';
import { foldersBelow } from './tree.js';
import { FolderWalker } from './walker.js';

/**
 * How often the sensor says how far it is, milliseconds: seldom while nothing happens, since each time costs about 0.1 ms
 * of processor time, and often for a while after something did, since detection then waits for its word.
 */
const idleTickMs = 45;
const busyTickMs = 10;
const busyForMs = 2_000;
/** How often folders without a watcher are looked into, milliseconds. */
const blindEveryMs = 1_000;
/**
 * What no wake-up tells about (links, second names of files, mounts) is looked at before each word about how far the
 * sensor is, so that detection never judges a load before what was put there for it; but it takes no more than this part
 * of a processor, unless one wait grew longer than these milliseconds (detection waits for 250).
 */
const unaidedShare = 0.01;
const maxUnaidedWait = 150;
/** Gaps of one reason are told about together, no more often than this, milliseconds. */
const gapEveryMs = 5_000;
/** The first look is repeated until nothing moves any more, or so often. */
const maxRounds = 20;

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
  /** What an earlier run remembered; without it what exists is no event. */
  readonly state?: FileStateStore;
  /** Called after the observation that it belongs to. */
  readonly onItem?: (change: ItemChange) => void;
  readonly limits?: Partial<FileWatchLimits>;
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
  #ticker: Timer | undefined;
  #rescanner: Timer | undefined;
  readonly #gaps = new Map<string, { count: number; detail: string; from: Micros }>();
  #sink: SensorSink | undefined;
  #running = false;
  #complete: Micros = 0;
  #observedAt = Number.NEGATIVE_INFINITY;
  #lastBlindLook = 0;
  #nextUnaidedLook = 0;
  #lastGap = Number.NEGATIVE_INFINITY;
  #rescanned: Micros = 0;
  #missedBefore = 0;

  constructor(options: FileWatchSensorOptions) {
    this.#options = options;
    const { clock, root, boot } = options;
    const limits = { ...fileWatchLimits, ...options.limits };
    this.#limits = limits;
    this.#scope = new Scope([...launchItemPatterns, ...plugInPatterns, ...options.patterns]);
    this.#echo = new Echo(limits.lagMs, () => clock.monotonic());
    this.#tracker = new ItemTracker({
      root,
      scope: this.#scope,
      clock,
      boot,
      limits,
      echo: this.#echo,
      observe: (observation) => this.#observe(observation),
      onItem: (change) => options.onItem?.(change),
    });
    this.#walker = new FolderWalker({
      root,
      scope: this.#scope,
      clock,
      limits,
      echo: this.#echo,
      tracker: this.#tracker,
      onBlind: (reason, detail) => this.#blind(reason, detail),
      onFailure: (path, error) => options.logger.error({ path, error }, 'look failed'),
    });
  }

  async start(sink: SensorSink): Promise<void> {
    const { state, clock, root, logger } = this.#options;
    this.#sink = sink;
    const known = state?.load();
    if (known !== undefined) this.#tracker.compareWith(known, state?.completeThrough);
    if (!this.#walker.begin())
      throw new UserError('file-watch/root', `cannot read the folder ${root.root || '/'}`, {
        hint: 'Give --root an existing folder that you may read.',
      });
    await this.#firstLook();
    this.#tracker.goLive();
    this.#walker.goLive();
    this.#running = true;
    this.#rescanned = clock.now();
    this.#rescanner = clock.every(this.#limits.rescanMs, () => this.#rescan());
    this.#schedule();
    for (const { pattern, reason } of this.#scope.skipped)
      logger.warn({ pattern, reason }, 'path pattern is not watched');
    logger.info({ folders: this.#walker.counters.folders, items: this.#tracker.size }, 'file watch started');
    this.#advance(clock.now());
  }

  async stop(): Promise<void> {
    this.#ticker?.cancel();
    this.#rescanner?.cancel();
    // What the kernel has queued by now is delivered in the next turn.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    if (this.#running) this.#walker.finish();
    await this.#tracker.stop();
    await this.#walker.stop();
    this.#tellGaps();
    this.#running = false;
    this.#sink = undefined;
  }

  health(): SensorHealth {
    const { blind, counters } = this.#walker;
    const notes = ['chokidar wakes, own snapshot decides; the writing process and its user are not known'];
    if (blind > 0) notes.push(`${blind} folders have no watcher and are looked at once a second`);
    for (const { pattern, reason } of this.#scope.skipped) notes.push(`not watched: ${pattern}: ${reason}`);
    return {
      kind: this.kind,
      running: this.#running,
      notes,
      counters: { ...this.#tracker.counters, ...counters, items: this.#tracker.size, blind },
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

  /** Put up all watchers, then compare again until a whole round finds nothing new to enter. */
  async #firstLook(): Promise<void> {
    let folders = -1;
    for (let round = 0; round < maxRounds; round++) {
      while (!this.#walker.settled) await new Promise((resolve) => setTimeout(resolve, 1));
      if (folders === this.#walker.counters.folders) return;
      folders = this.#walker.counters.folders;
      this.#walker.rescan('scan');
    }
  }

  #schedule(): void {
    const { clock } = this.#options;
    const busy = clock.monotonic() - this.#observedAt < busyForMs;
    this.#ticker = clock.after(busy ? busyTickMs : idleTickMs, () => this.#tick());
  }

  #tick(): void {
    const { clock } = this.#options;
    const now = clock.now();
    const steady = clock.monotonic();
    if (steady - this.#lastBlindLook > blindEveryMs) {
      this.#lastBlindLook = steady;
      this.#walker.lookIntoBlind();
    }
    if (steady >= this.#nextUnaidedLook) {
      this.#walker.lookAtWay();
      this.#tracker.lookAtUnwatched();
      const took = clock.monotonic() - steady;
      this.#nextUnaidedLook = steady + Math.min(took / unaidedShare, maxUnaidedWait);
    }
    this.#walker.tick(steady);
    this.#echo.prune();
    // After the next poll for input: everything the kernel had queued by `now` has then arrived.
    setImmediate(() => {
      if (!this.#running) return;
      this.#tracker.tick();
      if (steady - this.#lastGap > gapEveryMs) this.#tellGaps();
      this.#advance(now);
      this.#schedule();
    });
  }

  #observe(observation: Observation): void {
    const steady = this.#options.clock.monotonic();
    if (steady - this.#observedAt > idleTickMs && this.#running) {
      // The next tick may be an idle one's wait away.
      this.#ticker?.cancel();
      this.#ticker = this.#options.clock.after(busyTickMs, () => this.#tick());
    }
    this.#observedAt = steady;
    this.#sink?.observe(observation);
  }

  #advance(now: Micros): void {
    const { since, wayThrough } = this.#walker;
    const { since: untold, unwatchedThrough } = this.#tracker;
    const pending = Math.min(now, since ?? now, untold ?? now, wayThrough, unwatchedThrough);
    const complete = pending - this.#limits.lagMs * 1000;
    if (complete > this.#complete) this.#complete = complete;
    this.#tracker.complete = this.#complete;
    // Also when it got no further: a sensor that is at work is waited for.
    if (this.#complete > 0) this.#sink?.completeThrough(this.#complete);
  }

  #rescan(): void {
    const { clock } = this.#options;
    const missed = this.#tracker.counters.missed - this.#missedBefore;
    if (missed > 0) {
      this.#missedBefore += missed;
      this.#sink?.gap({
        sensor: 'file-watch',
        reason: 'rescan',
        from: this.#rescanned,
        to: clock.now(),
        detail: `${missed} changes were found by the slow look alone: wake-ups were lost`,
      });
    }
    this.#rescanned = clock.now();
    this.#walker.rescan('rescan');
  }

  #blind(reason: 'overflow' | 'permission', detail: string): void {
    const gap = this.#gaps.get(reason);
    if (gap === undefined) this.#gaps.set(reason, { count: 1, detail, from: this.#options.clock.now() });
    else gap.count++;
  }

  #tellGaps(): void {
    this.#lastGap = this.#options.clock.monotonic();
    for (const [reason, { count, detail, from }] of this.#gaps) {
      const more = count === 1 ? '' : ` (and ${count - 1} more)`;
      this.#options.logger.warn({ reason, count, detail }, 'part of the tree is not watched');
      this.#sink?.gap({
        sensor: 'file-watch',
        reason,
        from,
        to: this.#options.clock.now(),
        detail: detail + more,
      });
    }
    this.#gaps.clear();
  }
}
