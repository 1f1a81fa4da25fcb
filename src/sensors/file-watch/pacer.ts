import type { Owner } from './owner.js';

/** Reports of one path that are made at once; after them comes one in so many milliseconds, later in ever more. */
const burst = 8;
const everyMs = 100;
const largestEveryMs = 1_000;
/** A path that nothing was reported of for so long, milliseconds, begins anew. */
const quietMs = 10_000;
/** Paths that are remembered; of more, only the budget of their owner counts. */
const maxPaths = 20_000;
/** Reports of one owner's paths that are not quiet: one in so many milliseconds, and so many in advance. */
const ownerEveryMs = 10;
const ownerBurst = 400;

/** Items of one owner that were gone before they could be read: one in so many milliseconds, and so many in advance. */
const vanishedEveryMs = 5;
const vanishedBurst = 2_000;

interface Pace {
  tokens: number;
  /** Steady milliseconds of the last report, and since when it has been changing without a pause. */
  last: number;
  since: number;
}

/**
 * How often a path that keeps changing is reported. Each path has a budget, and so has each owner for all of his busy
 * paths together. The first report of a path, and of one that was quiet, is never delayed.
 */
export class Pacer {
  readonly #paths = new Map<string, Pace>();
  /** Steady milliseconds at which all places taken in an owner's row will be over. */
  readonly #owners = new Map<Owner, number>();
  readonly #vanished = new Map<Owner, number>();

  /**
   * Steady milliseconds from which on the path may be reported again; `now` or before: at once. Ask once for each report:
   * the answer takes a place in the owner's row.
   */
  due(path: string, owner: Owner, now: number): number {
    const pace = this.#paths.get(path);
    if (pace === undefined || now - pace.last > quietMs) return now;
    const every = everyOf(pace, now);
    const tokens = pace.tokens + (now - pace.last) / every;
    const own = tokens >= 1 ? now : now + (1 - tokens) * every;
    if (owner.system) return own;
    // Each takes a place in the row, so that the paths of an owner come one after the other.
    const whole = Math.max(this.#owners.get(owner) ?? now, now) + ownerEveryMs;
    this.#owners.set(owner, whole);
    return Math.max(own, whole - ownerBurst * ownerEveryMs);
  }

  /** The budget of the owner, not that of a path, makes reports wait. */
  isExceeded(owner: Owner, now: number): boolean {
    return (this.#owners.get(owner) ?? now) - now > ownerBurst * ownerEveryMs;
  }

  /** True while a path changes faster than it is reported. */
  isBusy(path: string, owner: Owner, now: number): boolean {
    const pace = this.#paths.get(path);
    if (pace === undefined) return false;
    return this.isExceeded(owner, now) || (pace.tokens < 1 && now - pace.last <= largestEveryMs * 2);
  }

  /** True when one more item that was gone before it could be read may be reported. */
  mayVanish(owner: Owner, now: number): boolean {
    const whole = Math.max(this.#vanished.get(owner) ?? now, now) + vanishedEveryMs;
    if (!owner.system && whole - now > vanishedBurst * vanishedEveryMs) return false;
    this.#vanished.set(owner, whole);
    return true;
  }

  /** The path was reported. */
  spend(path: string, now: number): void {
    const pace = this.#paths.get(path);
    if (pace === undefined || now - pace.last > quietMs) {
      this.#paths.delete(path);
      if (this.#paths.size < maxPaths) this.#paths.set(path, { tokens: burst - 1, last: now, since: now });
      return;
    }
    if (now - pace.last > largestEveryMs * 2) pace.since = now;
    const every = everyOf(pace, now);
    pace.tokens = Math.max(Math.min(burst, pace.tokens + (now - pace.last) / every) - 1, 0);
    pace.last = now;
    // The last one reported is the last one forgotten.
    this.#paths.delete(path);
    this.#paths.set(path, pace);
  }

  /** Forgets what has been quiet. */
  prune(now: number): void {
    for (const [path, { last }] of this.#paths) {
      if (now - last <= quietMs) return;
      this.#paths.delete(path);
    }
  }
}

/** A tenth of a second at first; after a while, a twentieth of the time that it has been changing. */
function everyOf({ since }: Pace, now: number): number {
  return Math.min(Math.max((now - since) / 20, everyMs), largestEveryMs);
}
