import type { Micros } from '../base/time.js';
import type { Detection } from '../event/alert.js';
import type { Event } from '../event/event.js';
import { loadingVerbs, mayLoadUnseen, withLaunchctl } from '../event/launchctl.js';
import {
  type ConditionSet,
  type Exception,
  isPair,
  planConditions,
  type Rule,
  type StepCondition,
} from '../rules/index.js';
import { beyondArguments } from './beyond-arguments.js';
import { Ranking } from './candidates.js';
import { DeferredMatcher, DeferredMemory } from './deferred.js';
import { ConditionNames } from './earlier.js';
import { Exceptions } from './exceptions.js';
import { MemoryTermHistory, type TermHistory } from './history.js';
import { type Judged, JudgedEvents } from './judged.js';
import { isFileThenProcess, LoadMatcher } from './loads.js';
import type { Match, QueryMatcher, Revision } from './match.js';
import { NewTermsMatcher } from './new-terms.js';
import {
  type DetectorLimits,
  defaultBaseline,
  defaultLimits,
  longestSettling,
  type OnEvicted,
  repeatWindow,
} from './options.js';
import { conditionsOf, queryMatcher, sequenceOptions } from './query-matcher.js';
import { Repeats } from './repeats.js';
import { RuleAlerts } from './rule-alerts.js';
import { KeyRoom, SequenceMatcher } from './sequence.js';
import { Suppression } from './suppression.js';
import { ThresholdMatcher } from './threshold.js';
import type { Told } from './told.js';
import { Users } from './user.js';

export interface DetectorOptions {
  readonly rules: readonly Rule[];
  /** Called for every alert, and again when one grows. Must not throw. */
  onDetection(detection: Detection): void;
  /** For new_terms rules; without one they know only what this detector has seen. */
  readonly history?: TermHistory;
  /** For deferred sequences; without one they know only what this detector has seen. */
  readonly deferred?: DeferredMemory;
  /** How long a new_terms rule only learns; a day when a history is given, else no time. */
  readonly baseline?: Micros;
  readonly limits?: Partial<DetectorLimits>;
  /**
   * Called with a revised event whose newest document says what earlier ones met: it is to be stored as it is, so that it
   * gives the same alerts when it is judged again.
   */
  onMetBefore?(event: Event): void;
  readonly onEvicted?: OnEvicted;
  readonly exceptions?: Exceptions;
  /** Called when an exception hid a match, with the event time of the match. */
  onExcepted?(exception: Exception, time: Micros): void;
}

/** An alert that the store has from before the events that are judged again. */
export interface KnownAlert {
  readonly ruleId: string;
  readonly time: Micros;
  readonly file?: { readonly path: string; readonly inode?: string; readonly sha256?: string };
  /** `userOf` its document. */
  readonly user?: string;
}

const none: readonly number[] = [];

interface RuleState {
  readonly rule: Rule;
  readonly matcher: QueryMatcher;
  readonly alerts: RuleAlerts;
  readonly first: number;
  /** Events that met one of its conditions. */
  hits: number;
}

/**
 * Judges events in the order in which they are given, by all rules. It knows only event time: the same events give the same
 * detections, with the same ids, whenever and however often they are judged.
 */
export class Detector {
  readonly #options: DetectorOptions;
  readonly #limits: DetectorLimits;
  readonly #set: ConditionSet;
  readonly #rules: readonly RuleState[];
  /** The rule of each condition. */
  readonly #owners: readonly RuleState[];
  readonly #repeats: Repeats;
  readonly #ranking = new Ranking();
  readonly #users = new Users();
  readonly #room: KeyRoom;
  readonly #deferred: DeferredMemory;
  readonly #judged: JudgedEvents;
  readonly #names: ConditionNames;
  /** How long matchers hold events. */
  readonly #held: Micros;
  #horizon: Micros | undefined;
  readonly #onEvicted: OnEvicted;
  readonly #counts = {
    ...{ events: 0, matches: 0, loads: 0, alerts: 0, repeats: 0, suppressed: 0 },
    ...{ late_files: 0, revised: 0, errors: 0, excepted: 0 },
  };
  #exceptions: Exceptions;
  #hits: number[] = [];
  /** Where the conditions begin that find processes with cut arguments: behind those of the rules. */
  readonly #cut: number;
  #nextDue: Micros = Number.POSITIVE_INFINITY;

  /** Throws UserError when a rule cannot be run within the limits. */
  constructor(options: DetectorOptions) {
    this.#options = options;
    this.#exceptions = options.exceptions ?? new Exceptions();
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#onEvicted = (what, user) => options.onEvicted?.(what, user);
    this.#repeats = new Repeats(this.#limits.repeats, this.#onEvicted);
    this.#deferred = options.deferred ?? new DeferredMemory(undefined, this.#onEvicted);
    this.#room = new KeyRoom(this.#limits, this.#users, this.#onEvicted);
    this.#judged = new JudgedEvents(this.#limits.judged);
    const history = options.history ?? new MemoryTermHistory(this.#limits.terms);
    const counted = { free: this.#limits.counted };
    const conditions: StepCondition[] = [];
    const owners: RuleState[] = [];
    this.#rules = options.rules.map((rule) => {
      const first = conditions.length;
      const alerts = new RuleAlerts({
        rule,
        limits: this.#limits,
        repeats: this.#repeats,
        ranking: this.#ranking,
        counts: this.#counts,
        users: this.#users,
        exceptions: () => this.#exceptions,
        excepted: (exception, time) => {
          this.#counts.excepted++;
          options.onExcepted?.(exception, time);
        },
        tell: (detection) => this.#options.onDetection(detection),
      });
      const matcher = this.#matcher(rule, { first, alerts, history, counted });
      const state: RuleState = { rule, first, alerts, matcher, hits: 0 };
      for (const condition of conditionsOf(rule.query)) {
        conditions.push(condition);
        owners.push(state);
      }
      return state;
    });
    this.#owners = owners;
    this.#cut = conditions.length;
    for (const { matcher, first } of this.#rules)
      if (matcher instanceof LoadMatcher) conditions.push(beyondArguments(conditions[first + 1]!));
    this.#set = planConditions(conditions);
    this.#names = new ConditionNames(owners.map(({ rule }) => rule));
    this.#held = options.rules.reduce((most, rule) => Math.max(most, spanOf(rule)), longestSettling);
  }

  /**
   * How far back in event time events must be judged again, and alerts remembered, for a new detector to stand where an old
   * one stood.
   */
  get horizon(): Micros {
    this.#horizon ??= this.#farthest();
    return this.#horizon;
  }

  #farthest(): Micros {
    let most = repeatWindow;
    for (const { rule, alerts, matcher } of this.#rules) {
      most = Math.max(most, alerts.flood.interval, rule.suppression?.duration ?? 0);
      if (matcher instanceof ThresholdMatcher) most = Math.max(most, matcher.lookBack);
      most = Math.max(most, spanOf(rule));
    }
    return most;
  }

  /** From now on these exceptions are in force. */
  replaceExceptions(exceptions: Exceptions): void {
    this.#exceptions = exceptions;
  }

  /** Takes note of alerts from before the first event that will be judged, oldest first: what follows may repeat them. */
  remember(alerts: readonly KnownAlert[]): void {
    for (const { ruleId, time, file, user } of alerts) {
      const state = this.#rules.find(({ rule }) => rule.meta.id === ruleId);
      state?.alerts.remember(time, file && { path: file.path, inode: file.inode, sha256: file.sha256 }, user);
    }
  }

  /**
   * Judges an event and takes it over. One with the id of an event that was judged before is a revision of it and replaces its
   * document: every rule judges what it holds now, in the place that the event has; what an earlier document met it has met.
   * Rules that gave an alert for the event give none again.
   */
  judge(event: Event): void {
    const known = this.#judged.find(event.id);
    if (known !== undefined) {
      this.#revise(known, event);
      return;
    }
    const hits = this.#process(event, this.#names.read(event.doc));
    if (hits === undefined || hits.length === 0) return;
    const evicted = this.#judged.evicted;
    this.#judged.add({ event, hits: hits.slice() });
    this.#judged.expire(event.time - this.horizon, event.time - this.#held);
    if (this.#judged.evicted > evicted) this.#onEvicted('judged', '');
  }

  /** Judges an event that was not judged before and will not be revised. */
  process(event: Event): void {
    this.#process(event, none);
  }

  /** Returns the conditions that it met, in a list that is used again. */
  #process(event: Event, before: readonly number[]): readonly number[] | undefined {
    this.#counts.events++;
    // What is due before this event is told before it, whenever the watermark says so.
    if (this.#nextDue < event.time) this.#runDue(event.time - 1);
    const hits = this.#match(event);
    if (hits === undefined || (hits.length === 0 && before.length === 0)) return hits;
    const isCut = this.#withoutCut(hits);
    const all = before.length === 0 ? hits : union(hits, before);
    if (all.length > 0) this.#dispatch(event, all);
    if (isCut) this.#hidden(event, all);
    return all;
  }

  #revise(known: Judged, newer: Event): void {
    this.#counts.revised++;
    const hits = this.#match(newer);
    if (hits === undefined) return;
    this.#withoutCut(hits);
    const lost = known.hits.filter((hit) => !hits.includes(hit));
    const fresh = hits.filter((hit) => !known.hits.includes(hit));
    const all = union(hits, lost);
    const { event } = known;
    const before = event.doc;
    (event as { doc: Event['doc'] }).doc = this.#names.write(newer.doc, lost);
    known.hits = all;
    this.#dispatch(event, all, { before, fresh });
    if (lost.length > 0) this.#options.onMetBefore?.(event);
  }

  /** The conditions that hold, in a list that is used again; undefined when the document cannot be judged. */
  #match({ doc }: Event): number[] | undefined {
    const hits = this.#hits;
    if (hits.length > 0) hits.length = 0;
    try {
      this.#set.match(doc, hits);
      return hits;
    } catch {
      this.#counts.errors++;
      return undefined;
    }
  }

  /** Takes those away that are no rule's. True when there were any: the arguments of the process are cut. */
  #withoutCut(hits: number[]): boolean {
    const all = hits.length;
    while (hits.length > 0 && hits[hits.length - 1]! >= this.#cut) hits.pop();
    return hits.length < all;
  }

  /**
   * A launchctl process that was not seen in full may have been told to load something by what was cut: sequences of a file
   * and a process get it as such a call.
   */
  #hidden(event: Event, hits: readonly number[]): void {
    if (!mayLoadUnseen(event.doc)) return;
    const args = [...(event.doc.process?.args ?? ['launchctl']), ...loadingVerbs];
    const possible: number[] = [];
    try {
      this.#set.match(withLaunchctl({ ...event.doc, process: { ...event.doc.process, args } }), possible);
    } catch {
      this.#counts.errors++;
    }
    for (const hit of possible) {
      if (hit >= this.#cut) break;
      const state = this.#owners[hit] as RuleState;
      if (!hits.includes(hit) && state.matcher instanceof LoadMatcher && hit === state.first + 1)
        state.matcher.hidden(event);
    }
  }

  /** Whether some rule may have a use for an event that is still to be processed. */
  concerns(event: Event): boolean {
    try {
      return this.#set.concerns(event.doc);
    } catch {
      // What cannot be judged is to be counted in its turn.
      return true;
    }
  }

  /** Whether events that concern no rule are to be judged all the same: a rule asks who descends from whom. */
  get needsAll(): boolean {
    return this.#set.remembers;
  }

  /** Takes note of an event that concerns no rule, in place of judging it. */
  pass(): void {
    this.#counts.events++;
  }

  /** Everything up to and including `watermark` has been processed. */
  advance(watermark: Micros): void {
    if (this.#nextDue <= watermark) this.#runDue(watermark);
    for (const { matcher } of this.#rules) matcher.advance(watermark);
  }

  /** The input ends. */
  finish(): void {
    this.#runDue(Number.POSITIVE_INFINITY);
    for (const { matcher } of this.#rules) matcher.finish();
    for (const { alerts } of this.#rules) alerts.tellSummary();
  }

  /** Events that met a condition of a rule, by the rule's id. */
  hits(): ReadonlyMap<string, number> {
    return new Map(this.#rules.map(({ rule, hits }) => [rule.meta.id, hits]));
  }

  counters(): Readonly<Record<string, number>> {
    const matchers = this.#rules.map(({ matcher }) => matcher);
    const loads = matchers.filter((one) => one instanceof LoadMatcher);
    const sequences = matchers
      .map((one) => (one instanceof LoadMatcher ? one.sequence : one))
      .filter((one) => one instanceof SequenceMatcher);
    const thresholds = matchers.filter((one) => one instanceof ThresholdMatcher);
    const sum = (of: (one: SequenceMatcher) => number) =>
      sequences.reduce((total, one) => total + of(one), 0);
    return {
      ...this.#counts,
      keys: sum((one) => one.keys),
      evicted_keys: sum((one) => one.counters.evictedKeys),
      evicted_candidates: sum((one) => one.counters.evictedCandidates),
      cut_keys: sum((one) => one.counters.cutKeys),
      forced_matches: sum((one) => one.forced),
      evicted_counts: thresholds.reduce((total, one) => total + one.evicted, 0),
      evicted_loads: loads.reduce((total, one) => total + one.evicted, 0),
      evicted_repeats: this.#repeats.evicted,
      evicted_judged: this.#judged.evicted,
      revisited: sum((one) => one.counters.revisited),
      evicted_processes: this.#set.evicted,
    };
  }

  #matcher(
    rule: Rule,
    parts: {
      first: number;
      alerts: RuleAlerts;
      history: TermHistory;
      counted: { free: number };
    },
  ): QueryMatcher {
    const { first, alerts, history, counted } = parts;
    const limits = this.#limits;
    const { suppression } = rule;
    const grouped = suppression === undefined ? undefined : new Suppression(rule, suppression, alerts);
    const onMatch = (match: Match) => (grouped ?? alerts).match(match);
    if (rule.threshold !== undefined) {
      const onMore = (told: Told, more: number) => alerts.again(told, more);
      return new ThresholdMatcher({ rule, limits, room: counted, onMatch, onMore });
    }
    if (rule.newTerms !== undefined) {
      const baseline = this.#options.baseline ?? (this.#options.history === undefined ? 0 : defaultBaseline);
      return new NewTermsMatcher({ rule, history, limits, baseline, onMatch });
    }
    if (rule.launchwarden?.deferred !== undefined && isPair(rule.query)) {
      const { after } = rule.launchwarden.deferred;
      const { query, meta } = rule;
      const memory = this.#deferred;
      return new DeferredMatcher({
        ruleId: meta.id,
        query,
        after,
        memory,
        limits,
        users: this.#users,
        onMatch,
      });
    }
    const context = { limits, room: this.#room, onMatch, first, conditions: () => this.#set };
    if (!isFileThenProcess(rule.query)) return queryMatcher(rule.query, context);
    return new LoadMatcher({
      ...sequenceOptions(rule.query, context),
      ranking: this.#ranking,
      onMatch,
      onLoad: (load) => alerts.load(load),
      onLate: (late) => alerts.late(late),
    });
  }

  /** Hits come ascending, and the conditions of a rule stand together. */
  #dispatch(event: Event, hits: readonly number[], revision?: Omit<Revision, 'hits'>): void {
    for (let at = 0; at < hits.length; ) {
      const state = this.#owners[hits[at] as number] as RuleState;
      const own: number[] = [];
      for (; at < hits.length && this.#owners[hits[at] as number] === state; at++) {
        own.push((hits[at] as number) - state.first);
      }
      state.hits++;
      try {
        if (revision === undefined) state.matcher.process(event, own);
        else this.#reviseBy(state, event, { ...revision, hits: own });
      } catch {
        this.#counts.errors++;
      }
      this.#nextDue = Math.min(this.#nextDue, state.matcher.due, state.alerts.flood.due);
    }
  }

  /** `fresh`: of all rules. */
  #reviseBy({ alerts, matcher, first }: RuleState, event: Event, { before, fresh, hits }: Revision): void {
    alerts.revised(event);
    matcher.revise(event, { before, hits, fresh: hits.filter((hit) => fresh.includes(hit + first)) });
  }

  /** Lets matchers and summaries speak in the order of the times at which they were due. */
  #runDue(until: Micros): void {
    for (;;) {
      let least = Number.POSITIVE_INFINITY;
      let next: RuleState | undefined;
      for (const state of this.#rules) {
        const due = Math.min(state.matcher.due, state.alerts.flood.due);
        if (due < least) {
          least = due;
          next = state;
        }
      }
      this.#nextDue = least;
      if (next === undefined || least > until) return;
      if (next.matcher.due <= least) next.matcher.advance(least);
      if (next.alerts.flood.due <= least) next.alerts.tellSummary(least);
    }
  }
}

/** How long the events of a rule are held in memory: those of a deferred one are kept elsewhere. */
function spanOf({ query, launchwarden }: Rule): Micros {
  const isHeld = query.kind === 'sequence' && launchwarden?.deferred === undefined;
  return isHeld ? (query.maxspan ?? 0) : 0;
}

/** Of two lists of numbers, ascending. */
function union(a: readonly number[], b: readonly number[]): number[] {
  return [...new Set([...a, ...b])].sort((one, other) => one - other);
}
