import type { Clock, Timer } from '../../base/clock.js';
import { UserError } from '../../base/errors.js';
import { launchItemPatterns, plugInPatterns } from '../../base/launch-paths.js';
import type { Logger } from '../../base/log.js';
import type { RootMap } from '../../base/root.js';
import type { Micros } from '../../base/time.js';
import type { Sensor, SensorHealth, SensorSink } from '../sensor.js';
import { Echo } from './echo.js';
import { type FileWatchLimits, fileWatchLimits } from './options.js';
import { Scope } from './scope.js';
import type { FileStateStore, ItemChange, RememberedItem } from './state.js';
import { ItemTracker, remembered } from './tracker.js';
import { foldersBelow } from './tree.js';
import { FolderWalker } from './walker.js';

/** How often it looks how far it has got while somebody waits for its word, and while something has its time to wait, milliseconds. */
const askedTickMs = 10;
const pendingTickMs = 25;
/** How often folders without a watcher are looked into, and the whole way to all others, milliseconds. */
const blindEveryMs = 950;
/**
 * What no wake-up tells about (links, second names of files, mounts) is looked at before each word about how far the
 * sensor is, so that detection never judges a load before what was put there for it; but it takes no more than this part
 * of a processor, with so many milliseconds in advance, unless one wait grew longer than these milliseconds (detection
 * waits for 250).
 */
const unaidedShare = 0.01;
const unaidedAdvance = 10;
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
  #ticker: { readonly timer: Timer; readonly due: number } | undefined;
  #rescanner: Timer | undefined;
  readonly #gaps = new Map<string, { count: number; detail: string; from: Micros }>();
  #sink: SensorSink | undefined;
  #running = false;
  /** Between the two halves of a tick. */
  #ticking = false;
  #complete: Micros = 0;
  /** Up to when somebody waits for everything. */
  #asked: Micros = 0;
  /** Up to when the last tick could have spoken for, had nothing held it back. */
  #ticked: Micros = 0;
  #lastBlindLook = 0;
  /** Milliseconds that looks may take now, and when that was reckoned. */
  #unaided = {
    credit: unaidedAdvance,
    at: Number.NEGATIVE_INFINITY,
    lookedAt: Number.NEGATIVE_INFINITY,
    wholeAt: Number.NEGATIVE_INFINITY,
  };
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
      observe: (observation) => this.#sink?.observe(observation),
      onItem: (change) => options.onItem?.(change),
    });
    this.#walker = new FolderWalker({
      root,
      scope: this.#scope,
      clock,
      limits,
      echo: this.#echo,
      tracker: this.#tracker,
      onWork: () => this.#tickIn(pendingTickMs),
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
    for (const { pattern, reason } of this.#scope.skipped)
      logger.warn({ pattern, reason }, 'path pattern is not watched');
    logger.info({ folders: this.#walker.counters.folders, items: this.#tracker.size }, 'file watch started');
    this.#advance(clock.now());
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
    await this.#walker.stop();
    this.#tellGaps();
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
    if (steady - this.#lastBlindLook > blindEveryMs) {
      this.#lastBlindLook = steady;
      this.#walker.lookIntoBlind();
    }
    this.#lookUnaided(steady);
    this.#walker.tick(steady);
    this.#echo.prune();
    // After the next poll for input: everything the kernel had queued by `now` has then arrived.
    setImmediate(() => {
      this.#ticking = false;
      if (!this.#running) return;
      this.#tracker.tick();
      if (steady - this.#lastGap > gapEveryMs) this.#tellGaps();
      this.#ticked = now - this.#limits.lagMs * 1000;
      this.#advance(now);
      if (this.#complete < this.#asked) this.#tickIn(askedTickMs);
      if (this.#tracker.pending || this.#walker.pending) this.#tickIn(pendingTickMs);
    });
  }

  #lookUnaided(steady: number): void {
    const { clock } = this.#options;
    const { credit, at, lookedAt, wholeAt } = this.#unaided;
    const now = Math.min(credit + (steady - at) * unaidedShare, unaidedAdvance);
    if (now <= 0 && steady - lookedAt < maxUnaidedWait) return;
    const whole = steady - wholeAt > blindEveryMs;
    this.#walker.lookAtWay(whole);
    this.#tracker.lookAtUnwatched();
    this.#unaided = {
      credit: now - (clock.monotonic() - steady),
      at: steady,
      lookedAt: steady,
      wholeAt: whole ? steady : wholeAt,
    };
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
    this.#tickIn(pendingTickMs);
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
