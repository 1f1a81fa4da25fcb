import type { Micros } from '../base/time.js';
import type { Event } from '../event/event.js';
import { type ConditionSet, type Pipe, planConditions, type Query } from '../rules/index.js';
import type { JoinKey } from './join-keys.js';
import type { Match, QueryMatcher } from './match.js';
import { type DetectorLimits, defaultLimits } from './options.js';
import { conditionsOf, queryMatcher } from './query-matcher.js';
import { KeyRoom } from './sequence.js';

/** One match of a query: its events in order, null where a missing event stands. */
export interface QueryMatch {
  readonly events: readonly (Event | null)[];
  readonly joinKeys: JoinKey;
}

export interface QueryRunOptions {
  readonly query: Query;
  onMatch(match: QueryMatch): void;
  /** What date math (`now-1h`) counts from, milliseconds since 1970; the time of each event when there is none. */
  readonly now?: number;
  readonly limits?: Partial<DetectorLimits>;
}

/** Runs one query over events in order, for a hunt: every match, nothing suppressed, pipes applied. */
export class QueryRun {
  readonly #set: ConditionSet;
  readonly #matcher: QueryMatcher;
  readonly #sink: Sink;
  #hits: number[] = [];
  #errors = 0;

  constructor({ query, onMatch, now, limits }: QueryRunOptions) {
    const all = { ...defaultLimits, ...limits };
    const pipes = query.kind === 'kql' ? [] : query.pipes;
    this.#sink = pipes.reduceRight<Sink>(piped, { take: onMatch, end() {}, full: false });
    this.#set = planConditions(conditionsOf(query), now);
    this.#matcher = queryMatcher(query, {
      limits: all,
      room: new KeyRoom(all),
      first: 0,
      conditions: () => this.#set,
      onMatch: ({ events, joinKeys }: Match) => this.#sink.take({ events, joinKeys }),
    });
  }

  /** True once a `head` has all it wants: more events change nothing. */
  get done(): boolean {
    return this.#sink.full;
  }

  /** Events that could not be judged. */
  get errors(): number {
    return this.#errors;
  }

  process(event: Event): void {
    if (this.done) return;
    const hits = this.#hits;
    if (hits.length > 0) hits.length = 0;
    try {
      if (this.#matcher.due < event.time) this.#matcher.advance(event.time - 1);
      this.#set.match(event.doc, hits);
      if (hits.length > 0) this.#matcher.process(event, hits);
    } catch {
      this.#errors++;
    }
  }

  advance(watermark: Micros): void {
    this.#matcher.advance(watermark);
  }

  /** The input ends: trailing missing events are decided, samples and `tail` are told. */
  finish(): void {
    if (!this.done) this.#matcher.finish();
    this.#sink.end();
  }
}

interface Sink {
  take(match: QueryMatch): void;
  end(): void;
  readonly full: boolean;
}

function piped(next: Sink, { kind, count }: Pipe): Sink {
  return kind === 'head' ? new Head(next, count) : new Tail(next, count);
}

class Head implements Sink {
  readonly #next: Sink;
  #left: number;

  constructor(next: Sink, count: number) {
    this.#next = next;
    this.#left = count;
  }

  get full(): boolean {
    return this.#left <= 0 || this.#next.full;
  }

  take(match: QueryMatch): void {
    if (this.#left-- > 0) this.#next.take(match);
  }

  end(): void {
    this.#next.end();
  }
}

class Tail implements Sink {
  readonly full = false;
  readonly #next: Sink;
  readonly #count: number;
  #kept: QueryMatch[] = [];

  constructor(next: Sink, count: number) {
    this.#next = next;
    this.#count = count;
  }

  take(match: QueryMatch): void {
    this.#kept.push(match);
    if (this.#kept.length > this.#count * 2) this.#kept = this.#kept.slice(-this.#count);
  }

  end(): void {
    for (const match of this.#count === 0 ? [] : this.#kept.slice(-this.#count)) this.#next.take(match);
    this.#next.end();
  }
}
