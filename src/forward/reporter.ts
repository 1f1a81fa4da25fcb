import type { Clock, Timer } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Gap } from '../event/event.js';
import type { Lane, Outbox, OutboxRow } from '../store/outbox.js';
import {
  type ChainState,
  type ChangeAction,
  changeDocument,
  gapDocument,
  type HealthChange,
  type Heartbeat,
  healthDocument,
  heartbeatDocument,
  lossDocument,
  parkedDocument,
  responseDocument,
  type StatusContext,
  type StatusDocument,
  stoppedDocument,
} from './status.js';

const lossMs = 60_000;
const namedDead = 20;

export interface ReporterOptions {
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly log: Logger;
  /** Who gets status documents. */
  readonly destinations: readonly string[];
  readonly heartbeatMs: number;
  readonly context: StatusContext;
  chain(): ChainState;
  health(): Heartbeat['health'];
  /** Something was added to the outbox. */
  added(): void;
}

interface Tally {
  dead: number;
  evictedAlerts: number;
  evictedEvents: number;
  deadIds: string[];
}

/** Tells the receivers about ourselves: heartbeats, gaps, and what they did not get. */
export class Reporter {
  readonly #options: ReporterOptions;
  readonly #losses = new Map<string, Tally>();
  #timers: Timer[] = [];

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** Beats once at once: a receiver sees each start. */
  start(): void {
    const { clock, heartbeatMs } = this.#options;
    this.beat();
    this.#timers = [
      clock.every(heartbeatMs, () => this.beat()),
      clock.every(lossMs, () => this.#tellLosses()),
    ];
  }

  /** Tells what is left to tell; the outbox sends it now or after the next start. */
  stop(): void {
    for (const timer of this.#timers.splice(0)) timer.cancel();
    this.#tellLosses();
  }

  /** The last word of an agent that ends. */
  farewell(): void {
    const { chain } = this.#options;
    this.#add((now, context) => stoppedDocument(chain(), now, context));
  }

  beat(): void {
    const { chain, health, heartbeatMs } = this.#options;
    this.#add((now, context) => {
      const next = now + heartbeatMs * 1000;
      return heartbeatDocument({ chain: chain(), health: health(), next }, now, context);
    });
  }

  health(change: HealthChange): void {
    this.#add((now, context) => healthDocument(change, now, context));
  }

  /** What was done to this Mac, and is about no alert. */
  response(author: string, text: string): void {
    this.#add((now, context) => responseDocument({ author, text }, now, context));
  }

  /** What is in force on this Mac changed, or could not be changed. */
  changed(action: ChangeAction, text: string): void {
    this.#add((now, context) => changeDocument({ action, text }, now, context));
  }

  gap(gap: Gap): void {
    this.#add((now, context) => gapDocument(gap, now, context));
  }

  /** For the forwarder's `onSettled`. A status document that died is not told about: that could go on for ever. */
  settled(destination: string, settled: { readonly lane: Lane; readonly dead: readonly OutboxRow[] }): void {
    if (settled.lane === 'status' || settled.dead.length === 0) return;
    const tally = this.#tally(destination);
    tally.dead += settled.dead.length;
    tally.deadIds.push(...settled.dead.slice(0, namedDead - tally.deadIds.length).map(({ id }) => id));
  }

  /** For the forwarder's `onEvicted`. */
  evicted(destination: string, evicted: { readonly events: number; readonly alerts: number }): void {
    const tally = this.#tally(destination);
    tally.evictedAlerts += evicted.alerts;
    tally.evictedEvents += evicted.events;
  }

  /** For the forwarder's `onParked`: told to the other destinations. */
  parked(destination: string, reason: string | undefined): void {
    const others = this.#options.destinations.filter((name) => name !== destination);
    this.#add((now, context) => parkedDocument({ destination, reason }, now, context), others);
  }

  #tally(destination: string): Tally {
    const known = this.#losses.get(destination);
    if (known !== undefined) return known;
    const made: Tally = { dead: 0, evictedAlerts: 0, evictedEvents: 0, deadIds: [] };
    this.#losses.set(destination, made);
    return made;
  }

  #tellLosses(): void {
    for (const [destination, tally] of this.#losses) {
      this.#losses.delete(destination);
      this.#add((now, context) => lossDocument({ destination, ...tally }, now, context));
    }
  }

  #add(
    make: (now: number, context: StatusContext) => StatusDocument,
    destinations = this.#options.destinations,
  ): void {
    const { outbox, clock, log, context, added } = this.#options;
    if (destinations.length === 0) return;
    try {
      outbox.add(make(clock.now(), context), destinations);
      added();
    } catch (error) {
      log.error({ error: messageOf(error) }, 'a status document could not be stored');
    }
  }
}
