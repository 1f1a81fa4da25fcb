import type { Micros } from '../base/time.js';
import { compareEvents, type Event } from '../event/event.js';
import { isPair, type Query, type SequenceQuery } from '../rules/index.js';
import type { Ranking } from './candidates.js';
import { isForeign } from './domain.js';
import { mayPrecede } from './interval.js';
import { type JoinKey, joinKeysOf, type KeyReader, keyIdentity } from './join-keys.js';
import { type Match, presentEvents, type QueryMatcher, type Revision } from './match.js';
import { loadedItems, type NamedFiles, runsLaunchctl } from './named-files.js';
import { SequenceMatcher, type SequenceOptions } from './sequence.js';
import { planSequence } from './sequence-plan.js';
import type { Told } from './told.js';

/** A launchctl call that a sequence could end with, and files that it could begin with. */
export interface Load {
  readonly event: Event;
  readonly joinKeys: JoinKey;
  /** Oldest first; each would have made a match with the call if no other file had come between them. */
  readonly files: readonly Event[];
  /** Everything else of the window too, oldest first. */
  readonly window: readonly Event[];
  /** True when the call does not name the files, and may mean them all the same: it was not seen in full. */
  readonly possible: boolean;
}

/** A file that came late and is named by a call that was a part of an alert already. */
export interface Late {
  readonly file: Event;
  readonly call: Event;
  readonly joinKeys: JoinKey;
  readonly told: Told;
}

export interface LoadOptions extends Omit<SequenceOptions, 'onMatch'> {
  readonly ranking: Ranking;
  /** The rule language's own match. Returns the alert that it became a part of. */
  onMatch(match: Match): Told | undefined;
  /** A call that names files and ended no match of its own. Returns the alert about them, if there is one now. */
  onLoad(load: Load): Told | undefined;
  /** Returns the alert that the call is a part of then. */
  onLate(late: Late): Told;
}

/** A launchctl call, and the alert that it is a part of. */
class Call {
  readonly event: Event;
  readonly key: JoinKey;
  /** `keyIdentity` of the key. */
  readonly id: unknown;
  readonly user: string;
  told: Told | undefined;
  #names: NamedFiles | undefined;
  #read = false;

  constructor(event: Event, key: JoinKey, user: string) {
    this.event = event;
    this.key = key;
    this.user = user;
    this.id = keyIdentity(key);
  }

  /** What it names, read when a file is to be compared with it: most calls meet none. */
  get names(): NamedFiles | undefined {
    if (!this.#read) this.#names = loadedItems(this.event.doc);
    this.#read = true;
    return this.#names;
  }
}

/** Whether a query is "a file changes, then a process starts" and nothing else. */
export function isFileThenProcess(query: Query): query is SequenceQuery {
  if (!isPair(query)) return false;
  const [file, process] = query.steps;
  return file?.category === 'file' && process?.category === 'process';
}

/**
 * A sequence of a file and a process, and what its language leaves out: it keeps one file, the newest, and forgets it with
 * the first match. So a decoy that is written and loaded would use up the state, and the load of the real file after it
 * would be no match. What the language matches is told as ever; beside it, each launchctl call that names a file of the
 * window is told, and each file that comes after the call that names it.
 */
export class LoadMatcher implements QueryMatcher {
  readonly sequence: SequenceMatcher;
  /** Calls that were forgotten before their time. */
  evicted = 0;
  readonly #options: LoadOptions;
  readonly #keys: readonly (readonly KeyReader[])[];
  readonly #maxspan: Micros;
  /** Events that met the first step. */
  readonly #files = new WeakSet<Event>();
  /** In the order of events. */
  #calls: Call[] = [];
  /** How many of them each user has. */
  readonly #held = new Map<string, number>();
  /** By join key, what the matches that the present event completes were told as. */
  readonly #completed = new Map<unknown, Told | undefined>();

  constructor(options: LoadOptions) {
    this.#options = options;
    const { stages, maxspan } = planSequence(options.query);
    this.#keys = stages.map(({ keys }) => keys);
    this.#maxspan = maxspan;
    this.sequence = new SequenceMatcher({
      ...options,
      onMatch: (match) => this.#matched(match),
    });
  }

  get due(): Micros {
    return this.sequence.due;
  }

  process(event: Event, hits: readonly number[]): void {
    this.#completed.clear();
    this.sequence.process(event, hits);
    this.#expire(event.time);
    if (hits.includes(1)) this.#call(event);
    if (hits.includes(0)) this.#file(event);
  }

  /** A launchctl call of which it is not known whether it loads something: it was not seen in full. */
  hidden(event: Event): void {
    this.#completed.clear();
    this.#expire(event.time);
    this.#call(event);
  }

  revise(event: Event, revision: Revision): void {
    this.#completed.clear();
    this.sequence.revise(event, revision);
    if (revision.fresh.includes(1)) this.#call(event);
    // By what it holds now a call may name it, and by what it held then none did.
    if (revision.hits.includes(0)) this.#file(event);
  }

  advance(time: Micros): void {
    this.sequence.advance(time);
    this.#expire(time);
  }

  finish(): void {
    this.sequence.finish();
  }

  #matched(match: Match): void {
    const id = keyIdentity(match.joinKeys);
    const [first, last] = presentEvents(match);
    // A file that came late, or met its step late: its call was taken before, and may have given an alert.
    const call = this.#calls.find((one) => one.event === last && one.id === id);
    if (call?.told !== undefined) {
      if (first !== undefined) call.told = this.#options.onLate(lateFor(first, call, call.told));
      return;
    }
    const told = this.#options.onMatch(match);
    this.#completed.set(id, told);
    if (call !== undefined) call.told = told;
  }

  #keysOf(stage: number, event: Event): readonly JoinKey[] {
    return joinKeysOf(this.#keys[stage] ?? [], event.doc, this.#options.limits.keysPerEvent);
  }

  #call(event: Event): void {
    if (!runsLaunchctl(event.doc)) return;
    for (const key of this.#keysOf(1, event)) {
      const call = new Call(event, key, this.#options.room.users.of(event.doc));
      const window = this.sequence.filesOf(key, event);
      if (this.#completed.size > 0 && this.#completed.has(call.id)) call.told = this.#completed.get(call.id);
      else if (window.length > 0) call.told = this.#load(call, window);
      if (window.length > 0) call.told = this.#hidden(call, window) ?? call.told;
      this.#remember(call);
    }
  }

  /** `window`: files that are not later than the call, oldest first; those that it names. */
  #load(call: Call, window: readonly Event[]): Told | undefined {
    const { ranking } = this.#options;
    const { event, key, names } = call;
    if (names === undefined) return undefined;
    const files = window.filter(
      (file) =>
        this.#files.has(file) &&
        ranking.linkOf(file, names) !== undefined &&
        this.sequence.pairs(file, event),
    );
    return files.length === 0
      ? undefined
      : this.#options.onLoad({ event, joinKeys: key, files, window, possible: false });
  }

  /** The files that a call may mean which was not seen in full, beside those that it names. */
  #hidden(call: Call, window: readonly Event[]): Told | undefined {
    const { event, key, names } = call;
    if (names === undefined || (!names.hidden && names.lost.length === 0)) return undefined;
    const { ranking } = this.#options;
    if (!ranking.hides(names, window)) return undefined;
    const files = window.filter(
      (file) =>
        this.#files.has(file) &&
        !isForeign(file.doc, names.domain) &&
        ranking.linkOf(file, names) === undefined &&
        this.sequence.pairs(file, event),
    );
    return files.length === 0
      ? undefined
      : this.#options.onLoad({ event, joinKeys: key, files, window: files, possible: true });
  }

  #file(event: Event): void {
    this.#files.add(event);
    const { ranking } = this.#options;
    const latest = this.#calls.at(-1);
    if (latest === undefined || !mayPrecede(event, latest.event)) return;
    for (const key of this.#keysOf(0, event)) {
      const id = keyIdentity(key);
      // In order, the first call that names it would have been the one, and nothing would wait for a later one.
      const call = this.#calls.find(
        (one) =>
          one.id === id &&
          mayPrecede(event, one.event) &&
          one.names !== undefined &&
          ranking.linkOf(event, one.names) !== undefined &&
          this.sequence.pairs(event, one.event),
      );
      if (call === undefined) continue;
      this.sequence.forget(key, event);
      if (call.told === undefined) {
        const window = this.sequence.filesOf(key, call.event);
        call.told = this.#load(call, window.includes(event) ? window : [...window, event]);
      } else call.told = this.#options.onLate(lateFor(event, call, call.told));
    }
  }

  #remember(call: Call): void {
    const calls = this.#calls;
    let at = calls.length;
    while (at > 0 && compareEvents((calls[at - 1] as Call).event, call.event) > 0) at--;
    if (at === calls.length) calls.push(call);
    else calls.splice(at, 0, call);
    this.#count(call, 1);
    if (calls.length > this.#options.limits.loads) this.#evict();
  }

  /** The user with the most calls gives up the oldest. */
  #evict(): void {
    const calls = this.#calls;
    const user = this.#held.size === 1 ? (calls[0] as Call).user : this.#largest();
    const at = calls.findIndex((one) => one.user === user);
    const gone = at === 0 ? calls.shift() : calls.splice(at, 1)[0];
    this.#count(gone as Call, -1);
    this.evicted++;
    this.#options.room.onEvicted('loads', user);
  }

  #largest(): string {
    let largest = '';
    for (const [user, count] of this.#held) if (count > (this.#held.get(largest) ?? 0)) largest = user;
    return largest;
  }

  #count({ user }: Call, by: 1 | -1): void {
    const count = (this.#held.get(user) ?? 0) + by;
    if (count > 0) this.#held.set(user, count);
    else this.#held.delete(user);
  }

  #expire(now: Micros): void {
    const calls = this.#calls;
    if (calls.length === 0 || now - (calls[0] as Call).event.time <= this.#maxspan) return;
    const old = calls.findIndex(({ event }) => now - event.time <= this.#maxspan);
    for (const call of calls.slice(0, old < 0 ? calls.length : old)) this.#count(call, -1);
    this.#calls = old < 0 ? [] : calls.slice(old);
  }
}

function lateFor(file: Event, { event, key }: Call, told: Told): Late {
  return { file, call: event, joinKeys: key, told };
}
