import type { Micros } from '../base/time.js';
import { compareEvents, type Event } from '../event/event.js';
import type { Bindings, SequenceQuery } from '../rules/index.js';
import { type JoinKey, joinKeysOf, type KeyReader, keyIdentity } from './join-keys.js';
import type { Match, OnMatch, QueryMatcher } from './match.js';
import type { DetectorLimits } from './options.js';
import { type Entry, Recency } from './recency.js';
import { type Absence, planSequence, type SequencePlan, type Stage } from './sequence-plan.js';
import { type Waiting, WaitingLine } from './waiting.js';

/** A sequence on its way, from its latest event back to its first. One object a step: there may be very many. */
interface Partial {
  readonly event: Event;
  readonly before: Partial | undefined;
  readonly first: Event;
  /** The latest hit of a leading missing step before the first event. */
  readonly led: Micros | undefined;
  /** The first hit of a missing step between this event and the next stage. */
  readonly absent: Micros | undefined;
}

/** A complete sequence and what it will be told as. */
interface Complete extends Waiting {
  readonly partial: Partial;
  readonly match: Match;
}

interface KeyState extends Entry<unknown> {
  readonly key: JoinKey;
  /** Behind the first stage the one pending sequence. It stands here by itself because most sequences have two stages. */
  begun: Partial | undefined;
  /** Behind each later stage but the last; the first element is not used. */
  advanced: (Partial | undefined)[] | undefined;
  /** Times of the two latest hits of leading missing steps, the later one first. */
  led: readonly Micros[] | undefined;
  files: Event[] | undefined;
  waiting: Complete[] | undefined;
  sweepAt: number;
}

/** Room that several matchers share: for join keys, and for candidates of their windows. */
export interface KeyRoom {
  free: number;
  files: number;
}

export interface SequenceCounters {
  evictedKeys: number;
  evictedCandidates: number;
  cutKeys: number;
}

export interface SequenceOptions {
  readonly query: SequenceQuery;
  readonly limits: DetectorLimits;
  readonly room: KeyRoom;
  readonly onMatch: OnMatch;
  /** Whether a condition that reads bound documents holds; `isBound` tells which ones do. */
  isBound(condition: number): boolean;
  test(condition: number, doc: unknown, bindings: Bindings): boolean;
}

/**
 * The state machine of an EQL sequence (eql-syntax.md, "How sequence queries handle matches"): per join key one pending
 * sequence behind each stage, the newest overwrites. Stages are tried last to first, so that one event fills one stage.
 */
export class SequenceMatcher implements QueryMatcher {
  readonly counters: SequenceCounters = { evictedKeys: 0, evictedCandidates: 0, cutKeys: 0 };
  readonly #options: SequenceOptions;
  readonly #plan: SequencePlan;
  readonly #states = new Recency<unknown, KeyState>();
  readonly #line: WaitingLine<Complete>;

  constructor(options: SequenceOptions) {
    this.#options = options;
    this.#plan = planSequence(options.query);
    this.#line = new WaitingLine(options.limits.waiting);
  }

  /** Live join keys. */
  get keys(): number {
    return this.#states.size;
  }

  get due(): Micros {
    return this.#line.due;
  }

  /** Matches told before their deadline because too many waited for it. */
  get forced(): number {
    return this.#line.forced;
  }

  process(event: Event, hits: readonly number[]): void {
    // Whatever had to be decided before this event has been: nothing with an earlier time can come any more.
    this.#line.decide(event.time);
    const { stages, absences, until } = this.#plan;
    for (let index = stages.length - 1; index >= 0; index--) {
      const stage = stages[index] as Stage;
      if (!hits.includes(stage.condition)) continue;
      for (const key of this.#keysOf(stage.keys, event)) {
        if (index === 0) this.#start(key, event);
        else this.#continue(index, key, event);
      }
    }
    for (const absence of absences) {
      if (!hits.includes(absence.condition)) continue;
      for (const key of this.#keysOf(absence.keys, event)) this.#absent(absence, key, event);
    }
    if (until !== undefined && hits.includes(until.condition)) {
      for (const key of this.#keysOf(until.keys, event)) this.#end(until.condition, key, event);
    }
    this.#expire(event.time);
    this.#emit();
  }

  advance(time: Micros): void {
    this.#line.decide(time + 1);
    this.#expire(time);
    this.#emit();
  }

  finish(): void {
    this.#line.decide(Number.POSITIVE_INFINITY);
    this.#emit();
  }

  /** The files of a join key's window that are not later than its last event, oldest first. */
  filesOf(key: JoinKey, last: Event): readonly Event[] {
    const state = this.#states.get(keyIdentity(key));
    if (state === undefined) return [];
    return this.#window(state, last).filter((file) => compareEvents(file, last) <= 0);
  }

  /**
   * Of a sequence of two steps: whether a hit of the first and one of the second, of the same join key, would make a
   * match if nothing else had come.
   */
  pairs(first: Event, last: Event): boolean {
    const stage = this.#plan.stages[1];
    if (stage === undefined || compareEvents(first, last) > 0) return false;
    if (exceeds(first, last, this.#plan.maxspan)) return false;
    const partial: Partial = { event: first, before: undefined, first, led: undefined, absent: undefined };
    return this.#holds(stage.condition, last, partial);
  }

  /** Lets an event begin nothing any more. */
  forget(key: JoinKey, first: Event): void {
    const state = this.#states.get(keyIdentity(key));
    if (state?.begun?.event === first) state.begun = undefined;
  }

  #keysOf(readers: readonly KeyReader[], event: Event): readonly JoinKey[] {
    const { keysPerEvent } = this.#options.limits;
    const keys = joinKeysOf(readers, event.doc, keysPerEvent);
    if (keys.length >= keysPerEvent) this.counters.cutKeys++;
    return keys;
  }

  #start(key: JoinKey, event: Event): void {
    const state = this.#touched(key, event);
    this.#keepFile(state, event);
    const led = state.led?.find((time) => time < event.time);
    const partial: Partial = { event, before: undefined, first: event, led, absent: undefined };
    if (this.#plan.stages.length === 1) this.#complete(state, partial);
    else this.#put(state, partial, 0);
  }

  #continue(index: number, key: JoinKey, event: Event): void {
    const state = this.#states.get(keyIdentity(key));
    const before = state === undefined ? undefined : pendingOf(state, index - 1);
    if (state === undefined || before === undefined) {
      if (state !== undefined) this.#keepFile(state, event);
      return;
    }
    // A late event is no later step of what happened after it.
    if (compareEvents(before.event, event) > 0) return;
    const stage = this.#plan.stages[index] as Stage;
    if (!this.#holds(stage.condition, event, before)) return;
    this.#states.touch(state, event.time);
    this.#keepFile(state, event);
    // Too old a candidate is dropped, not put back.
    setPending(state, index - 1, undefined);
    const { first, led } = before;
    if (exceeds(first, event, this.#plan.maxspan)) return;
    const partial: Partial = { event, before, first, led, absent: undefined };
    if (index === this.#plan.stages.length - 1) this.#complete(state, partial);
    else this.#put(state, partial, index);
  }

  #put(state: KeyState, partial: Partial, index: number): void {
    const present = pendingOf(state, index);
    if (present !== undefined && compareEvents(present.event, partial.event) > 0) return;
    setPending(state, index, partial);
  }

  #holds(condition: number, event: Event, partial: Partial | undefined): boolean {
    const { isBound, test } = this.#options;
    return !isBound(condition) || test(condition, event.doc, this.#bindings(partial));
  }

  #bindings(partial: Partial | undefined): Bindings {
    const bound = new Map<string, unknown>();
    if (partial === undefined || !this.#plan.aliased) return bound;
    eventsOf(partial).forEach((event, index) => {
      const alias = this.#plan.stages[index]?.alias;
      if (alias !== null && alias !== undefined) bound.set(alias, event.doc);
    });
    return bound;
  }

  #absent({ condition, gap }: Absence, key: JoinKey, event: Event): void {
    if (gap === 0) {
      const state = this.#touched(key, event);
      if (this.#holds(condition, event, undefined)) noteLeading(state, event.time);
      return;
    }
    const state = this.#states.get(keyIdentity(key));
    if (state === undefined) return;
    if (gap === this.#plan.stages.length) {
      for (const waiting of state.waiting ?? []) this.#trail(waiting, condition, event);
      state.waiting = state.waiting?.filter(({ verdict }) => verdict === 'open');
      return;
    }
    const partial = pendingOf(state, gap - 1);
    if (partial === undefined || partial.absent !== undefined || partial.event.time >= event.time) return;
    if (this.#holds(condition, event, partial))
      setPending(state, gap - 1, { ...partial, absent: event.time });
  }

  #trail(waiting: Complete, condition: number, event: Event): void {
    const { partial, verdict, deadline } = waiting;
    if (verdict !== 'open' || partial.event.time >= event.time) return;
    if (event.time <= deadline && this.#holds(condition, event, partial)) waiting.verdict = 'none';
  }

  #end(condition: number, key: JoinKey, event: Event): void {
    const state = this.#states.get(keyIdentity(key));
    if (state === undefined) return;
    for (let index = 0; index < this.#plan.stages.length - 1; index++) {
      const partial = pendingOf(state, index);
      if (partial !== undefined && this.#holds(condition, event, partial))
        setPending(state, index, undefined);
    }
  }

  /** All stages are there: whether the missing ones are missing (TumblingWindow.doCheckMissingEvents). */
  #complete(state: KeyState, partial: Partial): void {
    const { maxspan, leading, trailing } = this.#plan;
    const { first, event: last } = partial;
    for (let one = partial; one.before !== undefined; one = one.before) {
      const { absent } = one.before;
      if (absent !== undefined && absent < one.event.time) return;
    }
    if (leading && !trailing && partial.led !== undefined && last.time - partial.led <= maxspan) return;
    const events = this.#placed(partial);
    const match: Match = { events, joinKeys: state.key, window: this.#window(state, last) };
    const waits = trailing && (!leading || partial.led !== undefined);
    const from = leading ? (partial.led ?? first.time) : first.time;
    const deadline = waits ? from + maxspan : last.time;
    const complete: Complete = { partial, match, deadline, verdict: waits ? 'open' : 'match' };
    this.#line.add(complete);
    if (waits) keepOpen(state, complete);
  }

  #placed(partial: Partial): (Event | null)[] {
    const events = eventsOf(partial);
    const placed = new Array<Event | null>(this.#plan.length).fill(null);
    this.#plan.stages.forEach(({ position }, index) => {
      placed[position] = events[index] as Event;
    });
    return placed;
  }

  #window({ files }: KeyState, last: Event): Event[] {
    const { maxspan } = this.#plan;
    return (files ?? []).filter((file) => last.time - file.time <= maxspan);
  }

  #emit(): void {
    for (const { match } of this.#line.take()) this.#options.onMatch(match);
  }

  #touched(key: JoinKey, event: Event): KeyState {
    const id = keyIdentity(key);
    const known = this.#states.get(id);
    if (known !== undefined) {
      this.#states.touch(known, event.time);
      return known;
    }
    this.#makeRoom();
    const state: KeyState = {
      id,
      key,
      touched: event.time,
      queued: event.time,
      gone: false,
      begun: undefined,
      advanced: undefined,
      led: undefined,
      files: undefined,
      waiting: undefined,
      sweepAt: 16,
    };
    this.#options.room.free--;
    this.#states.add(state);
    return state;
  }

  /** Another matcher may hold the keys: then this one goes over by one. */
  #makeRoom(): void {
    if (this.#options.room.free > 0) return;
    const oldest = this.#states.oldest();
    if (oldest === undefined) return;
    this.counters.evictedKeys++;
    this.#drop(oldest);
  }

  #drop(state: KeyState): void {
    this.#states.remove(state);
    this.#options.room.free++;
    this.#options.room.files += state.files?.length ?? 0;
  }

  #expire(now: Micros): void {
    const { maxspan } = this.#plan;
    if (maxspan === Number.POSITIVE_INFINITY) return;
    for (;;) {
      const state = this.#states.untouchedSince(now - maxspan);
      if (state === undefined) return;
      this.#drop(state);
    }
  }

  #keepFile(state: KeyState, event: Event): void {
    if (event.doc.file?.path === undefined || state.files?.at(-1) === event) return;
    state.files ??= [];
    const { files } = state;
    const { limits, room } = this.#options;
    const old = files.findIndex((file) => event.time - file.time <= this.#plan.maxspan);
    room.files += files.splice(0, old < 0 ? files.length : old).length;
    if (files.length >= limits.candidates || room.files <= 0) {
      this.counters.evictedCandidates++;
      // Without a file of its own to give up, this one is not kept; a match has it all the same.
      if (files.shift() === undefined) return;
      room.files++;
    }
    files.push(event);
    room.files--;
  }
}

/** The sequence that waits behind a stage. */
function pendingOf(state: KeyState, stage: number): Partial | undefined {
  return stage === 0 ? state.begun : state.advanced?.[stage];
}

function setPending(state: KeyState, stage: number, partial: Partial | undefined): void {
  if (stage === 0) state.begun = partial;
  else if (state.advanced !== undefined) state.advanced[stage] = partial;
  else if (partial !== undefined) {
    state.advanced = [];
    state.advanced[stage] = partial;
  }
}

function eventsOf(partial: Partial): Event[] {
  const events: Event[] = [];
  for (let one: Partial | undefined = partial; one !== undefined; one = one.before) events.push(one.event);
  return events.reverse();
}

/** Inclusive: a sequence may last exactly `maxspan`, to the nanosecond. */
function exceeds(first: Event, last: Event, maxspan: Micros): boolean {
  const span = last.time - first.time;
  return span > maxspan || (span === maxspan && last.nanos > first.nanos);
}

function noteLeading(state: KeyState, time: Micros): void {
  const latest = state.led?.[0];
  if (latest !== undefined && time <= latest) return;
  state.led = latest === undefined ? [time] : [time, latest];
}

/** Decided ones are swept out now and then, so that a key which never ends holds few. */
function keepOpen(state: KeyState, complete: Complete): void {
  state.waiting ??= [];
  state.waiting.push(complete);
  if (state.waiting.length < state.sweepAt) return;
  state.waiting = state.waiting.filter(({ verdict }) => verdict === 'open');
  state.sweepAt = 16 + state.waiting.length * 2;
}
