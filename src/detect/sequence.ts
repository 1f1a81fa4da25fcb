import type { Micros } from '../base/time.js';
import { compareEvents, type Event, earliest } from '../event/event.js';
import type { Bindings, SequenceQuery } from '../rules/index.js';
import { EventLog, type Logged } from './event-log.js';
import { beganBefore, isInterval, mayPrecede } from './interval.js';
import { type JoinKey, joinKeysOf, type KeyReader, keyIdentity } from './join-keys.js';
import type { Match, OnMatch, QueryMatcher, Revision } from './match.js';
import { type DetectorLimits, longestSettling, type OnEvicted } from './options.js';
import { type Entry, Recency } from './recency.js';
import { type Absence, planSequence, type SequencePlan, type Stage } from './sequence-plan.js';
import { Users } from './user.js';
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

/** A file of a window, and whose it is. */
interface Kept {
  readonly event: Event;
  readonly user: string;
}

/** Files of one key among which one is no longer looked for one by one. */
const longList = 16;

interface KeyState extends Entry<unknown> {
  readonly user: string;
  readonly key: JoinKey;
  /** Behind the first stage the one pending sequence. It stands here by itself because most sequences have two stages. */
  begun: Partial | undefined;
  /** Behind each later stage but the last; the first element is not used. */
  advanced: (Partial | undefined)[] | undefined;
  /** Times of the two latest hits of leading missing steps, the later one first. */
  led: readonly Micros[] | undefined;
  files: Kept[] | undefined;
  /** The events of `files` once there are many. */
  held: Set<Event> | undefined;
  waiting: Complete[] | undefined;
  sweepAt: number;
}

/** Room that several matchers share: for join keys, and for candidates of their windows. */
export class KeyRoom {
  free: number;
  files: number;
  readonly users: Users;
  readonly onEvicted: OnEvicted;
  /** How many candidates each user has in all windows. */
  readonly #held = new Map<string, number>();

  constructor(limits: DetectorLimits, users = new Users(), onEvicted: OnEvicted = () => {}) {
    this.free = limits.keys;
    this.files = limits.allCandidates;
    this.users = users;
    this.onEvicted = onEvicted;
  }

  /** A candidate of a user comes, or goes. */
  count(user: string, by: 1 | -1): void {
    this.files -= by;
    this.#held.set(user, (this.#held.get(user) ?? 0) + by);
  }

  /** The user with the most candidates. */
  get largest(): string | undefined {
    let found: string | undefined;
    let most = 0;
    for (const [user, held] of this.#held) {
      if (held <= most) continue;
      most = held;
      found = user;
    }
    return found;
  }
}

export interface SequenceCounters {
  evictedKeys: number;
  evictedCandidates: number;
  cutKeys: number;
  /** Events that were put in their place among later ones. */
  revisited: number;
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
  readonly counters: SequenceCounters = {
    evictedKeys: 0,
    evictedCandidates: 0,
    cutKeys: 0,
    revisited: 0,
  };
  readonly #options: SequenceOptions;
  readonly #plan: SequencePlan;
  readonly #states = new Recency<unknown, KeyState>();
  readonly #line: WaitingLine<Complete>;
  readonly #log: EventLog;
  /**
   * Whether events that only begin a sequence are logged. Of two steps the second is enough: what else could have begun it
   * changes nothing, since an event ends one match for a key. A later step about files needs them, as files grow.
   */
  readonly #logsStarts: boolean;
  /** Under which join keys an event has ended a complete sequence. */
  readonly #ended = new WeakMap<Event, Set<unknown>>();
  /** Of a run that puts one event in its place: the join keys of that event, and what was complete. */
  #again: { readonly keys: ReadonlySet<unknown>; readonly complete: Complete[] } | undefined;

  constructor(options: SequenceOptions) {
    this.#options = options;
    this.#plan = planSequence(options.query);
    this.#line = new WaitingLine(options.limits.waiting);
    this.#log = new EventLog(options.limits.revisited);
    const { steps, until } = options.query;
    this.#logsStarts =
      steps.length !== 2 ||
      until !== null ||
      steps[1]?.category !== 'process' ||
      steps.some(({ missing, runs }) => missing || runs > 1);
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
    const behind = this.#comesBehind(event, hits);
    if (this.#logsStarts || !isOnly(this.#plan.stages[0]?.condition, hits)) this.#note(event, hits);
    if (behind) this.#insert(event, hits, hits);
    else this.#take(event, hits);
  }

  /**
   * An event of which the matchers hold the newest document already: what it meets now and did not before makes what it
   * would have made in its place.
   */
  revise(event: Event, { before, fresh, hits }: Revision): void {
    const isLogged = this.#log.replace(this.#options.room.users.of(event.doc), event, hits);
    const changed = this.#changed(event, before, { fresh, hits });
    if (changed.length === 0) return;
    if (isLogged) this.#insert(event, changed, hits);
    else this.process(event, changed);
  }

  #note(event: Event, hits: readonly number[]): void {
    const { users, onEvicted } = this.#options.room;
    const evicted = this.#log.add(users.of(event.doc), event, hits);
    if (evicted !== undefined) onEvicted('revisited', evicted);
  }

  #take(event: Event, hits: readonly number[]): void {
    // Whatever had to be decided before this event has been: nothing with an earlier time can come any more.
    this.#line.decide(event.time);
    const { stages } = this.#plan;
    for (let index = stages.length - 1; index >= 0; index--) {
      const stage = stages[index] as Stage;
      if (!hits.includes(stage.condition)) continue;
      for (const key of this.#keysOf(stage.keys, event)) {
        if (index === 0) this.#start(key, event);
        else this.#continue(index, key, event);
      }
    }
    this.#takeOthers(event, hits);
  }

  /** Conditions of missing steps and of `until`. */
  #takeOthers(event: Event, hits: readonly number[]): void {
    const { absences, until } = this.#plan;
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

  /** The conditions whose step a revised event takes for the first time, or under another key, or with another binding. */
  #changed(event: Event, before: unknown, { fresh, hits }: Pick<Revision, 'fresh' | 'hits'>): number[] {
    const { stages } = this.#plan;
    const { limits, isBound } = this.#options;
    const bound = this.#plan.aliased || stages.some(({ condition }) => isBound(condition));
    return hits.filter((hit) => {
      if (fresh.includes(hit)) return true;
      const stage = stages.find(({ condition }) => condition === hit);
      if (stage === undefined) return false;
      const keys = (doc: unknown) => JSON.stringify(joinKeysOf(stage.keys, doc, limits.keysPerEvent));
      return bound || keys(before) !== keys(event.doc);
    });
  }

  /** Whether events that count for this one have been taken that come after it, or may. */
  #comesBehind(event: Event, hits: readonly number[]): boolean {
    const newest = this.#log.newest;
    if (newest === undefined) return false;
    const isLate = compareEvents(event, newest) < 0;
    if (!isLate && !isInterval(event)) return false;
    const { stages } = this.#plan;
    const isStage = ({ condition }: Stage) => hits.includes(condition);
    if (isLate) return stages.some(isStage);
    return stages.slice(0, -1).some(isStage) && beganBefore(event, newest);
  }

  /**
   * Puts an event in its place among those that were taken already: runs the sequence over them again, and takes over what
   * the event is a part of. A match that ends with an event that has ended one is the same attack and no news.
   */
  #insert(event: Event, fresh: readonly number[], hits: readonly number[]): void {
    const { stages, leading, maxspan } = this.#plan;
    const isStage = (hit: number) => stages.some(({ condition }) => condition === hit);
    const own = hits.filter(isStage);
    const begins = own.some(
      (hit) => stages.findIndex(({ condition }) => condition === hit) < stages.length - 1,
    );
    const place = begins ? earliest(event) : event.time;
    const isStart =
      !leading && own.every((hit) => stages[0]?.condition === hit && stages[1]?.condition !== hit);
    const since = isStart ? place : place - maxspan;
    // Nothing that is logged could have begun a sequence that the event is a part of: calls of launchctl that come late, many.
    const begin = stages[0]?.condition as number;
    const isAlone = !leading && !own.includes(begin) && !this.#log.has(begin, since, event.time);
    const others = isAlone ? [] : this.#log.from(since).filter((one) => one.event !== event);
    const needed = !isStart || others.some((one) => one.hits.some((hit) => hit !== begin));
    if (!needed) {
      this.#take(event, fresh);
      return;
    }
    this.counters.revisited++;
    const keys = new Set<unknown>();
    const joined: JoinKey[] = [];
    for (const stage of stages) {
      if (!hits.includes(stage.condition)) continue;
      for (const key of this.#keysOf(stage.keys, event)) {
        const id = keyIdentity(key);
        if (!keys.has(id)) joined.push(key);
        keys.add(id);
      }
    }
    const again = this.#runAgain({ event, hits, place, isStart }, others, keys);
    for (const key of joined) this.#takeOver(again, key, event);
    for (const complete of again.#again?.complete ?? []) this.#adopt(complete, event);
    this.#takeOthers(
      event,
      fresh.filter((hit) => !isStage(hit)),
    );
  }

  #runAgain(
    { event, hits, place, isStart }: Logged & { readonly place: Micros; readonly isStart: boolean },
    others: readonly Logged[],
    keys: ReadonlySet<unknown>,
  ): SequenceMatcher {
    const { limits, room } = this.#options;
    const again = new SequenceMatcher({
      ...this.#options,
      room: new KeyRoom(limits, room.users),
      onMatch: () => {},
    });
    again.#again = { keys, complete: [] };
    const isNext = (one: Logged) =>
      compareEvents(one.event, event) > 0 ||
      (place < event.time && one.event.time >= place && (!isStart || again.#follows(event, one)));
    let placed = false;
    for (const one of others) {
      if (!placed && isNext(one)) {
        placed = true;
        again.#take(event, hits);
      }
      again.#take(one.event, one.hits);
      // Another event took its place, or it ended what it is a part of: the rest says nothing of it.
      if (placed && !this.#plan.trailing && !again.#isOnItsWay(event, keys)) break;
    }
    if (!placed) again.#take(event, hits);
    const newest = others.at(-1)?.event.time ?? event.time;
    again.#line.decide(Math.max(newest, event.time));
    return again;
  }

  /** Whether an entry takes the second step behind an event: one that may have happened at any time until then did so just before. */
  #follows(first: Event, { event, hits }: Logged): boolean {
    const second = this.#plan.stages[1];
    if (second === undefined || !hits.includes(second.condition)) return false;
    const partial: Partial = { event: first, before: undefined, first, led: undefined, absent: undefined };
    return this.#keysOf(second.keys, event).length > 0 && this.#holds(second.condition, event, partial);
  }

  #isOnItsWay(event: Event, keys: Iterable<unknown>): boolean {
    for (const id of keys) {
      const state = this.#states.get(id);
      for (let index = 0; state !== undefined && index < this.#plan.stages.length - 1; index++) {
        const partial = pendingOf(state, index);
        if (partial !== undefined && isPart(partial, event)) return true;
      }
    }
    return false;
  }

  /** Of one join key the sequences on their way that an event is a part of. */
  #takeOver(again: SequenceMatcher, key: JoinKey, event: Event): void {
    const id = keyIdentity(key);
    const other = again.#states.get(id);
    if (other === undefined && this.#states.get(id) === undefined) return;
    const state = this.#touched(key, event);
    this.#keepFile(state, event);
    for (let index = 0; index < this.#plan.stages.length - 1; index++) {
      const present = pendingOf(state, index);
      if (present !== undefined && isPart(present, event)) setPending(state, index, undefined);
      const partial = other && pendingOf(other, index);
      if (partial !== undefined && isPart(partial, event)) this.#put(state, partial, index);
    }
  }

  #adopt({ partial, match, deadline, verdict }: Complete, event: Event): void {
    if (verdict === 'none' || !isPart(partial, event)) return;
    const state = this.#touched(match.joinKeys, event);
    if (this.#hasEnded(partial.event, state.id)) return;
    const complete: Complete = {
      partial,
      match: { ...match, window: this.filesOf(match.joinKeys, partial.event) },
      deadline,
      verdict,
    };
    this.#line.add(complete);
    if (verdict === 'open') keepOpen(state, complete);
  }

  /** Notes that an event ends a complete sequence of a key. True when it had ended one before. */
  #hasEnded(event: Event, key: unknown): boolean {
    const keys = this.#ended.get(event);
    if (keys?.has(key) === true) return true;
    if (keys === undefined) this.#ended.set(event, new Set([key]));
    else keys.add(key);
    return false;
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
    return this.#window(state, last).filter(
      (file) => compareEvents(file, last) === 0 || mayPrecede(file, last),
    );
  }

  /**
   * Of a sequence of two steps: whether a hit of the first and one of the second, of the same join key, would make a
   * match if nothing else had come.
   */
  pairs(first: Event, last: Event): boolean {
    const stage = this.#plan.stages[1];
    if (stage === undefined || (compareEvents(first, last) !== 0 && !mayPrecede(first, last))) return false;
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
    const only = this.#again?.keys;
    return only === undefined ? keys : keys.filter((key) => only.has(keyIdentity(key)));
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
    if (this.#again === undefined && compareEvents(before.event, event) > 0) return;
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
    const isOrdered = this.#again !== undefined;
    if (present !== undefined && !isOrdered && compareEvents(present.event, partial.event) > 0) return;
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
      if (partial === undefined || compareEvents(partial.event, event) > 0) continue;
      if (this.#holds(condition, event, partial)) setPending(state, index, undefined);
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
    if (this.#again === undefined) this.#hasEnded(last, state.id);
    else this.#again.complete.push(complete);
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
    const events: Event[] = [];
    for (const { event } of files ?? []) if (!exceeds(event, last, maxspan)) events.push(event);
    return events;
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
      user: this.#options.room.users.of(event.doc),
      touched: event.time,
      queued: event.time,
      gone: false,
      begun: undefined,
      advanced: undefined,
      led: undefined,
      files: undefined,
      held: undefined,
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
    this.#options.room.onEvicted('keys', oldest.user);
    this.#drop(oldest);
  }

  #drop(state: KeyState): void {
    this.#states.remove(state);
    const { room } = this.#options;
    room.free++;
    for (const { user } of state.files ?? []) room.count(user, -1);
  }

  #expire(now: Micros): void {
    const { maxspan } = this.#plan;
    if (maxspan === Number.POSITIVE_INFINITY) return;
    this.#log.expire(now - maxspan - longestSettling);
    for (;;) {
      const state = this.#states.untouchedSince(now - maxspan);
      if (state === undefined) return;
      this.#drop(state);
    }
  }

  #keepFile(state: KeyState, event: Event): void {
    if (event.doc.file?.path === undefined || state.files?.at(-1)?.event === event) return;
    state.files ??= [];
    const { files } = state;
    if (files.length > longList) state.held ??= new Set(files.map((file) => file.event));
    const { held } = state;
    const { limits, room } = this.#options;
    const old = files.findIndex(({ event: file }) => event.time - file.time <= this.#plan.maxspan);
    for (const gone of files.splice(0, old < 0 ? files.length : old)) {
      room.count(gone.user, -1);
      held?.delete(gone.event);
    }
    if (held?.has(event) ?? files.some((file) => file.event === event)) return;
    const user = room.users.of(event.doc);
    if (files.length >= limits.candidates) this.#evict(state, largestOf(files), limits.candidates);
    else if (room.files <= 0) {
      const largest = room.largest ?? user;
      // Who holds most gives way. With no file here to give up, this one is not kept; a match has it all the same.
      const gone = this.#evict(state, largest, 1);
      if (!gone && largest === user) {
        this.#countEvicted(user);
        return;
      }
    }
    files.push({ event, user });
    held?.add(event);
    room.count(user, 1);
  }

  /** Drops the oldest files of a user: of a long list several at once, so that a flood does not go through it at each event. */
  #evict({ files = [], held }: KeyState, user: string, of: number): boolean {
    const { room } = this.#options;
    let left = Math.max(1, of >> 5);
    let gone = 0;
    for (let at = 0; at < files.length && left > 0; ) {
      const file = files[at] as Kept;
      if (file.user !== user) at++;
      else {
        files.splice(at, 1);
        held?.delete(file.event);
        room.count(user, -1);
        this.#countEvicted(user);
        left--;
        gone++;
      }
    }
    return gone > 0;
  }

  #countEvicted(user: string): void {
    this.counters.evictedCandidates++;
    this.#options.room.onEvicted('candidates', user);
  }
}

function largestOf(files: readonly Kept[]): string {
  const counts = new Map<string, number>();
  let largest = '';
  for (const { user } of files) {
    const count = (counts.get(user) ?? 0) + 1;
    counts.set(user, count);
    if (count > (counts.get(largest) ?? 0)) largest = user;
  }
  return largest;
}

function isOnly(condition: number | undefined, hits: readonly number[]): boolean {
  return hits.length === 1 && hits[0] === condition;
}

function isPart(partial: Partial, event: Event): boolean {
  for (let one: Partial | undefined = partial; one !== undefined; one = one.before)
    if (one.event === event) return true;
  return false;
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

/**
 * Inclusive: a sequence may last exactly `maxspan`, to the nanosecond. An event that is known only to lie in an interval may
 * have happened as early as that begins.
 */
function exceeds(first: Event, last: Event, maxspan: Micros): boolean {
  const span = last.time - first.time;
  if (span < maxspan || (span === maxspan && last.nanos <= first.nanos)) return false;
  return earliest(last) === last.time || earliest(last) - first.time > maxspan;
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
