import type { Clock, Timer } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import { type Lane, lanes, type Outbox, type OutboxCaps, type OutboxRow } from '../store/outbox.js';
import type { Destination } from './destination.js';
import { Drain } from './drain.js';
import { type DestinationStatus, shownStatus } from './shown-status.js';

/** One destination with what the configuration says about it. */
export interface Target {
  readonly destination: Destination;
  readonly caps: OutboxCaps;
  /** True when simulated events may leave for it although it is across a network. */
  readonly simulated: boolean;
  readonly rawEvents: 'off' | 'matched-context' | 'endpoint-compatible';
}

export interface ForwarderOptions {
  readonly outbox: Outbox;
  readonly targets: readonly Target[];
  readonly clock: Clock;
  readonly log: Logger;
  /** 0 (inclusive) to 1 (exclusive); Math.random when absent. */
  readonly random?: () => number;
  /** Longest wait before a backlog is sent after a start, milliseconds, drawn by chance: a fleet restarts together. */
  readonly splayMs?: number;
  readonly parkedAgeMs?: number;
  readonly deadRows?: number;
  readonly deadAgeMs?: number;
  /** Rows went, or died, or were given up: for counters and for telling the receivers about it. */
  readonly onSettled?: (
    destination: string,
    settled: { lane: Lane; acked: number; alerts: readonly string[]; dead: readonly OutboxRow[] },
  ) => void;
  readonly onEvicted?: (destination: string, evicted: { events: number; alerts: number }) => void;
  /** A destination cannot be set up, with the reason, or (undefined) can be again. */
  readonly onParked?: (destination: string, reason: string | undefined) => void;
  /** True when what is forwarded is simulated: some destinations get nothing then, and say so. */
  readonly simulated?: boolean;
}

const housekeepingMs = 10_000;
const day = 86_400_000;

/** Sends what the outbox holds to every destination, each at its own pace; one that hangs holds up no other. */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #drains = new Map<string, Drain>();
  #timer: Timer | undefined;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    const { outbox, clock, log, random = Math.random } = options;
    for (const { destination } of options.targets) {
      const { name } = destination;
      const { onSettled, onParked } = options;
      this.#drains.set(
        name,
        new Drain({
          destination,
          outbox,
          clock,
          log,
          random,
          ...(onSettled === undefined ? {} : { onSettled: (settled) => onSettled(name, settled) }),
          ...(onParked === undefined ? {} : { onParked: (reason) => onParked(name, reason) }),
        }),
      );
    }
  }

  /** Names of the destinations that get a document: those that may see simulated ones, and raw events of that kind. */
  names(what: {
    readonly simulated: boolean;
    readonly rawEvents?: 'matched-context' | 'endpoint-compatible';
  }): string[] {
    return this.#options.targets
      .filter(({ destination, simulated }) => !what.simulated || simulated || !destination.network)
      .filter(({ rawEvents }) => what.rawEvents === undefined || rawEvents === what.rawEvents)
      .map(({ destination }) => destination.name);
  }

  start(): void {
    const { clock, splayMs = 30_000, random = Math.random, parkedAgeMs = 7 * day, outbox } = this.#options;
    const now = Math.floor(clock.now() / 1000);
    try {
      outbox.configure([...this.#drains.keys()], now, now - parkedAgeMs);
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, 'the outbox could not be brought up to date');
    }
    this.#housekeep();
    for (const drain of this.#drains.values())
      drain.start(drain.destination.network ? random() * splayMs : 0);
    this.#timer = clock.every(housekeepingMs, () => {
      this.#housekeep();
      for (const drain of this.#drains.values()) void this.#checkFiles(drain);
    });
  }

  /** Something was committed to the outbox. */
  wake(): void {
    for (const drain of this.#drains.values()) drain.wake();
  }

  /** Resolves once every destination has sent all it can or waits. True when nothing is left. */
  async flush(): Promise<boolean> {
    await Promise.all([...this.#drains.values()].map((drain) => drain.flush()));
    const { outbox } = this.#options;
    return [...this.#drains.keys()].every((name) =>
      lanes.every((lane) => outbox.depth(name, lane).rows === 0),
    );
  }

  /** Sends what it can for at most `graceMs`, then ends and closes the destinations. */
  async stop(graceMs = 5_000): Promise<void> {
    this.#timer?.cancel();
    await Promise.all([...this.#drains.values()].map((drain) => drain.stop(graceMs)));
    await Promise.allSettled(this.#options.targets.map(({ destination }) => destination.close()));
  }

  /** False when there is no such destination. */
  pause(name: string, reason = 'paused by hand'): boolean {
    const drain = this.#drains.get(name);
    drain?.pause(reason);
    return drain !== undefined;
  }

  /** Also ends every back-off: `forward retry` and `forward resume` are the same to us. */
  resume(name: string): boolean {
    const drain = this.#drains.get(name);
    drain?.resume();
    return drain !== undefined;
  }

  status(): DestinationStatus[] {
    const { outbox, targets, simulated = false } = this.#options;
    return targets.map(({ destination, simulated: takesSimulated }) => {
      const { name, type, network } = destination;
      const drain = this.#drains.get(name);
      const depth = (lane: Lane) => outbox.depth(name, lane);
      return shownStatus({
        stored: outbox.state(name),
        type,
        network,
        state: drain?.state ?? 'stopped',
        retryInMs: drain?.retryInMs ?? 0,
        parked: drain?.parked,
        clockSkewMs: destination.clockSkewMs,
        holdsSimulated: simulated && network && !takesSimulated,
        reports: drain?.reports() ?? [],
        depths: { alert: depth('alert'), status: depth('status'), event: depth('event') },
      });
    });
  }

  /** Certificates, keys and secrets that were renewed, or are there at last, are taken up. */
  async #checkFiles(drain: Drain): Promise<void> {
    if ((await drain.destination.changed?.()) === true) drain.wake();
  }

  /** Caps, and the age and number of dead letters. */
  #housekeep(): void {
    const { outbox, targets, clock, log, deadRows = 10_000, deadAgeMs = 30 * day, onEvicted } = this.#options;
    try {
      for (const { destination, caps } of targets) {
        const evicted = outbox.enforce(destination.name, caps);
        if (evicted.events + evicted.alerts === 0) continue;
        log.error(
          { destination: destination.name, ...evicted },
          'the queue is full: documents were given up',
        );
        onEvicted?.(destination.name, evicted);
      }
      outbox.dead.purge({ diedBefore: Math.floor(clock.now() / 1000) - deadAgeMs });
      outbox.dead.cap(deadRows);
    } catch (error) {
      log.error({ error: messageOf(error) }, 'outbox housekeeping failed');
    }
  }
}
