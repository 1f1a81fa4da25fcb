import type { Clock } from '../../base/clock.js';
import { Deque } from './deque.js';
import type { Owner } from './owner.js';
import type { Folder } from './tree.js';

/** Why a path is polled. */
export type Cause =
  /** The kernel named it. */
  | {
      readonly kind: 'wake';
      /** The event loop's turn (`Echo`). */
      readonly turn: number;
      /** Steady milliseconds: when the wake-up came, and up to when every earlier one had come. */
      readonly at: number;
      readonly after: number;
      /** It happened before the start: `after` is all that is known. */
      readonly history?: true;
    }
  /** Its folder is new, or only just watched. */
  | { readonly kind: 'scan' }
  /** Its folder is polled on a timer: no wake-up can be relied on there. */
  | { readonly kind: 'poll' }
  /** The slow timer. */
  | { readonly kind: 'rescan' }
  /** The first scan after the start. */
  | { readonly kind: 'first' };

/** A name that waits to be polled. */
export interface Waiting {
  readonly folder: Folder;
  readonly name: string;
  /** Steady milliseconds since when. */
  readonly since: number;
  cause: Cause;
  /** Steady milliseconds: not before. */
  readonly due: number | undefined;
  /** Its turn came early. */
  taken?: true;
}

interface Whole {
  readonly since: number;
  cause: Cause;
  /** Asked for again since the listing was made. */
  again: Cause | undefined;
  /** Names that are left, when the listing began, and whether it names everything. */
  listing: Listing | undefined;
}

interface Listing {
  readonly left: string[];
  /** Of the names that are left so many have not been glanced at; they are the first ones. */
  unseen: number;
  readonly begun: number;
  readonly complete: boolean;
}

/** Something to hand on, once its turn comes. */
interface Report {
  readonly since: number;
  readonly bytes: number;
  readonly run: () => void;
}

/** The work of one owner. */
interface Lane {
  readonly owner: Owner;
  /** Names that nothing is known of: what they stand for may be gone a moment later. */
  readonly fresh: Deque<Waiting>;
  readonly known: Deque<Waiting>;
  /** Fresh names of a crowd that have not been glanced at. */
  readonly unseen: Deque<Waiting>;
  readonly reports: Deque<Report>;
  /** Of what looked urgent at a glance. */
  readonly urgent: Deque<Report>;
  /** Listings of folders that lead to what is observed, which come first, and of all others. */
  readonly ways: Map<Folder, Whole>;
  readonly wholes: Map<Folder, Whole>;
  reportBytes: number;
  /** Counts what was taken, to alternate between kinds. */
  turn: number;
  /** The step before was one of glances. */
  glanced: boolean;
  /** Its backlog is so old that the others no longer wait for it. */
  behind: boolean;
}

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** All names that a folder holds or that are known to be in it; not `complete` when it cannot be listed. */
  list(folder: Folder): { readonly names: string[]; readonly complete: boolean };
  look(folder: Folder, name: string, cause: Cause): void;
  /** At a glance, a name that nothing is known of is worth to come before very many others. */
  isUrgent(folder: Folder, name: string): boolean;
  /** Every name of a listing has been polled; `begun`: steady milliseconds. */
  listed(folder: Folder, begun: number): void;
  /** An owner's backlog grew so old that nobody waits for it any more, or is worked off again. */
  onBehind(owner: Owner, behind: boolean): void;
}

/**
 * A backlog older than this, milliseconds, holds the watermark back no more. Detection waits for a busy sensor for a
 * second at most, so what is polled within this time is still in order.
 */
const maxHeldMs = 700;
/** Reports handed on in one run: each is enriched, stored and judged before the next run begins. */
const maxReports = 24;
/** Reports of one owner that wait before they come first, and their bytes, and milliseconds. */
const maxWaitingReports = 2_000;
const maxReportBytes = 8 * 1024 * 1024;
const maxReportWaitMs = 150;
/** From so many new names of one owner on they are a crowd, in which the urgent ones are looked for first. */
const crowd = 64;
/** Names that are glanced at in one step. */
const glances = 32;

/**
 * What is to be polled and reported, in slices of time. System places come first; then every owner has a turn, so that
 * nobody's noise delays another's. Of one owner, names that nothing is known of come before others, from the newest and
 * the oldest end in turn; what was read is reported after that. In a crowd of new names all are glanced at as they come, and
 * what looks urgent is polled and reported first.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #system: Lane;
  readonly #lanes = new Map<string, Lane>();
  /** Owners whose turn is still to come, last one first. */
  #round: Lane[] = [];
  /** Names that keep changing and were reported just now. */
  readonly #deferred = new Set<Waiting>();
  #running = false;
  #reported = 0;
  /** What is polled now looked urgent. */
  #hurried = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#system = lane({ name: '', system: true });
    this.#lanes.set('', this.#system);
  }

  /** Nothing is left but what waits for its time. */
  get empty(): boolean {
    for (const one of this.#lanes.values()) if (!isEmpty(one)) return false;
    return true;
  }

  get hasDeferred(): boolean {
    return this.#deferred.size > 0;
  }

  /** Some listing of the first scan is left. `way`: only of folders that lead to what is observed. */
  firstScanLeft(way = false): boolean {
    for (const { ways, wholes } of this.#lanes.values())
      for (const one of way ? [ways] : [ways, wholes])
        for (const { cause } of one.values()) if (cause.kind === 'first') return true;
    return false;
  }

  /**
   * Steady milliseconds of the oldest wake-up or new folder that has not been polled and reported. Owners whose backlog
   * is too old are left out.
   */
  get since(): number | undefined {
    let first: number | undefined;
    for (const one of this.#lanes.values()) {
      const since = sinceOf(one);
      this.#note(one, since);
      if (since !== undefined && !one.behind && (first === undefined || since < first)) first = since;
    }
    return first;
  }

  /** One entry of a folder, or all of it. */
  add(folder: Folder, name: string | undefined, cause: Cause): void {
    if (name === undefined) {
      this.#addWhole(folder, cause);
      return;
    }
    if (this.join(folder, name, cause)) return;
    const since = cause.kind === 'wake' ? cause.at : this.#now();
    const added = { folder, name, cause, since, due: undefined };
    folder.queued.set(name, added);
    const { fresh, known, unseen } = this.#laneOf(folder.owner);
    if (folder.items.has(name) || folder.folders.has(name)) {
      known.push(added);
      return;
    }
    fresh.push(added);
    if (fresh.size > crowd) unseen.push(added);
  }

  /** One more reason to poll a name that waits already; false when it does not. */
  join(folder: Folder, name: string, cause: Cause): boolean {
    const waiting = folder.queued.get(name);
    if (waiting === undefined) return false;
    const { cause: before } = waiting;
    // Its bounds are those of the first wake-up, its turn that of the newest.
    if (cause.kind === 'wake')
      waiting.cause = before.kind === 'wake' ? { ...cause, at: before.at, after: before.after } : cause;
    return true;
  }

  /** As `add`, but not before `due`, steady milliseconds. */
  defer(folder: Folder, name: string, cause: Cause, due: number): void {
    const added = { folder, name, cause, since: due, due };
    folder.queued.set(name, added);
    this.#deferred.add(added);
  }

  /** Moves what has waited long enough to the rest; all of it when `now` is Infinity. */
  promote(now: number): void {
    for (const waiting of this.#deferred) {
      const { folder, name, cause, due } = waiting;
      if (!folder.closed && due !== undefined && due > now) continue;
      this.#deferred.delete(waiting);
      folder.queued.delete(name);
      if (!folder.closed) this.#laneOf(folder.owner).known.push(this.#requeued(folder, name, cause));
    }
  }

  /** Hands something on in the order of its owner. `since`: steady milliseconds from which on it was not reported. */
  report(owner: Owner, since: number, bytes: number, run: () => void): void {
    const to = this.#laneOf(owner);
    (this.#hurried ? to.urgent : to.reports).push({ since, bytes, run });
    to.reportBytes += bytes;
  }

  /** Works for about `budgetMs`; true when nothing is left. A call from inside a poll changes nothing. */
  run(budgetMs: number): boolean {
    if (this.#running) return false;
    this.#running = true;
    this.#reported = 0;
    try {
      const end = this.#now() + budgetMs;
      while (this.#step()) if (this.#reported >= maxReports || this.#now() > end) return this.empty;
      return true;
    } finally {
      this.#running = false;
    }
  }

  /** Everything, at once. */
  finish(): void {
    while (this.#step());
  }

  /** One piece of work; false when none is left. */
  #step(): boolean {
    const system = this.#system;
    const { fresh, known, reports, urgent } = system;
    if (fresh.size + known.size + reports.size + urgent.size > 0) return this.#stepOf(system);
    for (let refilled = false; ; ) {
      const next = this.#round.pop();
      if (next === undefined) {
        if (refilled) return false;
        refilled = true;
        this.#round = [...this.#lanes.values()].filter((one) => !isEmpty(one)).reverse();
      } else if (this.#stepOf(next)) return true;
    }
  }

  #stepOf(one: Lane): boolean {
    const { fresh, known, reports, urgent } = one;
    const first = urgent.takeOldest();
    if (first !== undefined) {
      this.#run(one, first);
      return true;
    }
    one.glanced = !one.glanced && this.#glance(one);
    if (one.glanced) return true;
    one.turn++;
    const report = reports.oldest;
    if (report !== undefined && (fresh.size + known.size === 0 || this.#isDue(one, report))) {
      reports.takeOldest();
      this.#run(one, report);
      return true;
    }
    // Neither can whoever adds new names without a pause hide a change of a known one.
    const knownFirst = known.size > 0 && (fresh.size === 0 || one.turn % 8 === 0);
    const waiting = knownFirst
      ? known.takeOldest()
      : one.turn % 2 === 0
        ? fresh.takeNewest()
        : fresh.takeOldest();
    if (waiting !== undefined) {
      this.#look(waiting);
      return true;
    }
    return this.#stepOfWholes(one);
  }

  #run(one: Lane, { bytes, run }: Report): void {
    one.reportBytes -= bytes;
    this.#reported++;
    run();
  }

  #look(waiting: Waiting): void {
    if (waiting.taken === true) return;
    const { folder, name, cause } = waiting;
    waiting.taken = true;
    folder.queued.delete(name);
    if (!folder.closed) this.#options.look(folder, name, cause);
  }

  /** Glances at some names of a crowd; false where there is none. What looks urgent is polled at once. */
  #glance(one: Lane): boolean {
    for (let left = glances; left > 0; ) {
      const waiting = one.unseen.takeOldest();
      if (waiting === undefined) return left < glances || this.#glanceAtListing(one);
      if (waiting.taken === true) continue;
      left--;
      if (this.#isUrgent(waiting.folder, waiting.name)) this.#hurry(() => this.#look(waiting));
    }
    return true;
  }

  /** The same in the listing of a folder whose names may just have come. */
  #glanceAtListing({ wholes }: Lane): boolean {
    const [folder, whole] = wholes.entries().next().value ?? [];
    if (folder === undefined || whole === undefined || folder.closed || whole.cause.kind !== 'scan')
      return false;
    const listing = this.#listingOf(folder, whole);
    if (listing.unseen === 0 || listing.left.length <= crowd) return false;
    for (let left = glances; left > 0 && listing.unseen > 0; ) {
      const name = listing.left[--listing.unseen];
      if (name === undefined || folder.items.has(name) || folder.folders.has(name)) continue;
      left--;
      // When its turn comes once more, nothing has changed.
      if (this.#isUrgent(folder, name)) this.#hurry(() => this.#options.look(folder, name, whole.cause));
    }
    return true;
  }

  #isUrgent(folder: Folder, name: string): boolean {
    return !folder.closed && this.#options.isUrgent(folder, name);
  }

  #hurry(look: () => void): void {
    this.#hurried = true;
    try {
      look();
    } finally {
      this.#hurried = false;
    }
  }

  #listingOf(folder: Folder, whole: Whole): Listing {
    if (whole.listing === undefined) {
      const begun = this.#now();
      const { names, complete } = this.#options.list(folder);
      whole.listing = { left: names, unseen: names.length, begun, complete };
    }
    return whole.listing;
  }

  #isDue({ reports, reportBytes, turn }: Lane, { since }: Report): boolean {
    if (reports.size > maxWaitingReports || reportBytes > maxReportBytes) return true;
    return turn % 4 < 2 && this.#now() - since > maxReportWaitMs;
  }

  #stepOfWholes({ ways, wholes: others }: Lane): boolean {
    const wholes = ways.size > 0 ? ways : others;
    const [folder, whole] = wholes.entries().next().value ?? [];
    if (folder === undefined || whole === undefined) return false;
    if (folder.closed) {
      wholes.delete(folder);
      return true;
    }
    const listing = this.#listingOf(folder, whole);
    const { left, begun, complete } = listing;
    const name = left.pop();
    listing.unseen = Math.min(listing.unseen, left.length);
    if (name !== undefined) {
      this.#options.look(folder, name, whole.cause);
      if (left.length > 0) return true;
    }
    if (complete && !folder.closed) this.#options.listed(folder, begun);
    if (whole.again === undefined) wholes.delete(folder);
    else {
      whole.cause = whole.again;
      whole.again = undefined;
      whole.listing = undefined;
    }
    return true;
  }

  /** What is polled late on purpose holds nobody back. */
  #requeued(folder: Folder, name: string, cause: Cause): Waiting {
    const waiting = { folder, name, cause, since: this.#now(), due: undefined };
    folder.queued.set(name, waiting);
    return waiting;
  }

  #addWhole(folder: Folder, cause: Cause): void {
    const { ways, wholes: others } = this.#laneOf(folder.owner);
    const wholes = folder.level === undefined ? ways : others;
    const whole = wholes.get(folder);
    if (whole === undefined)
      wholes.set(folder, { since: this.#now(), cause, again: undefined, listing: undefined });
    else if (whole.listing !== undefined) {
      // A poll finds what the listing under way will find.
      if (cause.kind !== 'poll') whole.again = isHeld(whole.again) ? whole.again : cause;
    } else if (isHeld(cause) && whole.cause.kind !== 'first') whole.cause = cause;
  }

  #laneOf(owner: Owner): Lane {
    const found = this.#lanes.get(owner.name);
    if (found !== undefined) return found;
    const made = lane(owner);
    this.#lanes.set(owner.name, made);
    return made;
  }

  #note(one: Lane, since: number | undefined): void {
    if (one.owner.system || (since === undefined && !one.behind)) return;
    const behind = since !== undefined && (one.behind || this.#now() - since > maxHeldMs);
    if (behind === one.behind) return;
    one.behind = behind;
    this.#options.onBehind(one.owner, behind);
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }
}

function lane(owner: Owner): Lane {
  return {
    owner,
    fresh: new Deque(),
    known: new Deque(),
    unseen: new Deque(),
    reports: new Deque(),
    urgent: new Deque(),
    ways: new Map(),
    wholes: new Map(),
    reportBytes: 0,
    turn: 0,
    glanced: false,
    behind: false,
  };
}

function isEmpty({ fresh, known, reports, urgent, ways, wholes }: Lane): boolean {
  return fresh.size + known.size + reports.size + urgent.size + ways.size + wholes.size === 0;
}

/** Detection waits for it: it may be about something that happened just now. */
function isHeld(cause: Cause | undefined): boolean {
  return cause?.kind === 'scan' || cause?.kind === 'wake';
}

function sinceOf({ fresh, known, reports, urgent, ways, wholes }: Lane): number | undefined {
  let first: number | undefined;
  for (const waiting of [fresh.oldest, known.oldest, reports.oldest, urgent.oldest])
    if (waiting !== undefined && (first === undefined || waiting.since < first)) first = waiting.since;
  for (const listings of [ways, wholes]) {
    for (const { since, cause, again } of listings.values()) {
      if (!isHeld(again ?? cause)) continue;
      if (first === undefined || since < first) first = since;
      break;
    }
  }
  return first;
}
