import type { Micros } from '../base/time.js';
import { compareEvents, type Event } from '../event/event.js';
import type { Query, SequenceQuery } from '../rules/index.js';
import type { Ranking } from './candidates.js';
import { type JoinKey, joinKeysOf, type KeyReader, keyIdentity } from './join-keys.js';
import type { Match, QueryMatcher } from './match.js';
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

export interface LoadOptions extends Omit<SequenceOptions, 'onMatch'> {
  readonly ranking: Ranking;
  /** The rule language's own match. Returns the alert that it became a part of. */
  onMatch(match: Match): Told | undefined;
  /** A call that names files and ended no match of its own. Returns the alert about them, if there is one now. */
  onLoad(load: Load): Told | undefined;
  /** A file that came late and is named by a call that was a part of an alert already. */
  onLate(file: Event, call: Event, told: Told): void;
}

/** A launchctl call, and the alert that it is a part of. */
class Call {
  readonly event: Event;
  readonly key: JoinKey;
  /** `keyIdentity` of the key. */
  readonly id: unknown;
  told: Told | undefined;
  #names: NamedFiles | undefined;
  #read = false;

  constructor(event: Event, key: JoinKey) {
    this.event = event;
    this.key = key;
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
  if (query.kind !== 'sequence' || query.until !== null || query.maxspan === null) return false;
  const { steps, pipes } = query;
  const [file, process] = steps;
  return (
    pipes.length === 0 &&
    steps.length === 2 &&
    steps.every(({ missing, runs }) => !missing && runs === 1) &&
    file?.category === 'file' &&
    process?.category === 'process'
  );
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
  /** By join key, what the matches that the present event completes were told as. */
  readonly #completed = new Map<unknown, Told | undefined>();

  constructor(options: LoadOptions) {
    this.#options = options;
    const { stages, maxspan } = planSequence(options.query);
    this.#keys = stages.map(({ keys }) => keys);
    this.#maxspan = maxspan;
    this.sequence = new SequenceMatcher({
      ...options,
      onMatch: (match) => {
        this.#completed.set(keyIdentity(match.joinKeys), options.onMatch(match));
      },
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

  advance(time: Micros): void {
    this.sequence.advance(time);
    this.#expire(time);
  }

  finish(): void {
    this.sequence.finish();
  }

  #keysOf(stage: number, event: Event): readonly JoinKey[] {
    return joinKeysOf(this.#keys[stage] ?? [], event.doc, this.#options.limits.keysPerEvent);
  }

  #call(event: Event): void {
    if (!runsLaunchctl(event.doc)) return;
    for (const key of this.#keysOf(1, event)) {
      const call = new Call(event, key);
      call.told = this.#completed.has(call.id) ? this.#completed.get(call.id) : this.#load(call);
      call.told = this.#hidden(call) ?? call.told;
      this.#remember(call);
    }
  }

  #load(call: Call, late?: Event): Told | undefined {
    const { ranking } = this.#options;
    const { event, key } = call;
    const window = this.sequence.filesOf(key, event);
    if (window.length === 0 && late === undefined) return undefined;
    const { names } = call;
    if (names === undefined) return undefined;
    const all = late === undefined || window.includes(late) ? window : [...window, late];
    const files = all.filter(
      (file) =>
        this.#files.has(file) &&
        ranking.linkOf(file, names) !== undefined &&
        this.sequence.pairs(file, event),
    );
    return files.length === 0
      ? undefined
      : this.#options.onLoad({ event, joinKeys: key, files, window: all, possible: false });
  }

  /** The files that a call may mean which was not seen in full, beside those that it names. */
  #hidden(call: Call): Told | undefined {
    const { event, key, names } = call;
    if (names === undefined || (!names.hidden && names.lost.length === 0)) return undefined;
    const { ranking } = this.#options;
    const window = this.sequence.filesOf(key, event);
    if (!ranking.hides(names, window)) return undefined;
    const files = window.filter(
      (file) =>
        this.#files.has(file) &&
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
    if (latest === undefined || compareEvents(event, latest.event) >= 0) return;
    for (const key of this.#keysOf(0, event)) {
      const id = keyIdentity(key);
      // In order, the first call that names it would have been the one, and nothing would wait for a later one.
      const call = this.#calls.find(
        (one) =>
          compareEvents(event, one.event) < 0 &&
          one.id === id &&
          one.names !== undefined &&
          ranking.linkOf(event, one.names) !== undefined &&
          this.sequence.pairs(event, one.event),
      );
      if (call === undefined) continue;
      this.sequence.forget(key, event);
      if (call.told === undefined) call.told = this.#load(call, event);
      else this.#options.onLate(event, call.event, call.told);
    }
  }

  #remember(call: Call): void {
    const calls = this.#calls;
    let at = calls.length;
    while (at > 0 && compareEvents((calls[at - 1] as Call).event, call.event) > 0) at--;
    calls.splice(at, 0, call);
    if (calls.length <= this.#options.limits.loads) return;
    calls.shift();
    this.evicted++;
  }

  #expire(now: Micros): void {
    const calls = this.#calls;
    if (calls.length === 0 || now - (calls[0] as Call).event.time <= this.#maxspan) return;
    const old = calls.findIndex(({ event }) => now - event.time <= this.#maxspan);
    this.#calls = old < 0 ? [] : calls.slice(old);
  }
}
