import type { Clock } from '../../base/clock.js';
import type { Micros } from '../../base/time.js';
import type { Gap } from '../../event/event.js';
import type { BlindPlace } from '../sensor.js';

export type BlindReason = 'overflow' | 'permission';

/** What is not seen of a place: what a folder holds, its wake-ups, where a link leads, or the items beyond a cap. */
export type BlindTo = 'content' | 'wake-ups' | 'link' | 'items';

interface Spot {
  readonly place: string;
  readonly reason: BlindReason;
  readonly to: BlindTo;
  readonly why: string;
  readonly since: Micros;
  /** Its beginning was reported as a gap of its own. */
  reported: boolean;
}

/** Gaps that are reported one by one within `windowMs`; more of them are counted in one. */
const maxSingle = 20;
const windowMs = 5_000;
/** Spots that are remembered and reported. */
const maxSpots = 4_096;
const maxListed = 100;

export interface BlindSpotsOptions {
  readonly clock: Clock;
  readonly report: (gap: Gap) => void;
}

/**
 * The places that are not seen at present. Each is a gap record when it begins, and another one, with its whole length,
 * when it ends; of very many at once most are counted in one record.
 */
export class BlindSpots {
  readonly #options: BlindSpotsOptions;
  readonly #spots = new Map<string, Spot>();
  readonly #more = new Map<BlindReason, { count: number; detail: string; from: Micros; to: Micros }>();
  #single = 0;
  #windowBegun = Number.NEGATIVE_INFINITY;

  constructor(options: BlindSpotsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#spots.size;
  }

  /** A place cannot be seen. Says so once, until it is closed. */
  open(place: string, reason: BlindReason, why: string, to: BlindTo = 'content'): void {
    const since = this.#options.clock.now();
    const key = keyOf(place, reason, to);
    if (this.#spots.has(key)) return;
    if (this.#spots.size >= maxSpots) return;
    const spot = { place, reason, to, why, since, reported: false };
    this.#spots.set(key, spot);
    spot.reported = this.#report(reason, `${place}: ${why}`, since);
  }

  /** The place is seen again, or is not there any more. */
  close(place: string, reason: BlindReason, to: BlindTo = 'content'): void {
    const key = keyOf(place, reason, to);
    const spot = this.#spots.get(key);
    if (spot === undefined) return;
    this.#spots.delete(key);
    if (spot.reported) this.#report(reason, `${place}: ${spot.why} (over)`, spot.since);
    else this.#count(reason, `${place}: ${spot.why} (over)`, spot.since);
  }

  /** The watcher stops: what is open ends with it. */
  end(): void {
    for (const { place, reason, to } of [...this.#spots.values()]) this.close(place, reason, to);
    this.flush();
  }

  /** True while what a folder holds is not seen. */
  isOpen(place: string, reason: BlindReason): boolean {
    return this.#spots.has(keyOf(place, reason, 'content'));
  }

  /** Something was lost, and is over. */
  moment(reason: BlindReason, detail: string, from: Micros): void {
    this.#report(reason, detail, from);
  }

  /** What was only counted so far is reported. */
  flush(): void {
    for (const [reason, { count, detail, from, to }] of this.#more) {
      const others = count === 1 ? '' : ` (and ${count - 1} more)`;
      this.#options.report({ sensor: 'file-watch', reason, from, to, detail: detail + others });
    }
    this.#more.clear();
  }

  /** Called often. */
  tick(): void {
    if (this.#options.clock.monotonic() - this.#windowBegun > windowMs) this.flush();
  }

  list(): BlindPlace[] {
    const listed: BlindPlace[] = [];
    for (const { place, why, since } of this.#spots.values()) {
      if (listed.length >= maxListed) break;
      // What tells two reasons of one place apart is no part of its path.
      listed.push({ place: place.replace(/ \((?:items|link|watcher)\)$/, ''), since, reason: why });
    }
    return listed;
  }

  /** True when it got a record of its own. */
  #report(reason: BlindReason, detail: string, from: Micros): boolean {
    const { clock, report } = this.#options;
    const steady = clock.monotonic();
    if (steady - this.#windowBegun > windowMs) {
      this.flush();
      this.#windowBegun = steady;
      this.#single = 0;
    }
    if (++this.#single > maxSingle) {
      this.#count(reason, detail, from);
      return false;
    }
    const to = clock.now();
    report({ sensor: 'file-watch', reason, from: Math.min(from, to), to, detail });
    return true;
  }

  #count(reason: BlindReason, detail: string, since: Micros): void {
    const to = this.#options.clock.now();
    const from = Math.min(since, to);
    const more = this.#more.get(reason);
    if (more === undefined) this.#more.set(reason, { count: 1, detail, from, to });
    else {
      more.count++;
      more.from = Math.min(more.from, from);
      more.to = to;
    }
  }
}

function keyOf(place: string, reason: BlindReason, to: BlindTo): string {
  return `${reason} ${to} ${place}`;
}
