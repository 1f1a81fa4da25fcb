import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { Settings } from '../config/index.js';
import type { Alert } from '../event/alert.js';
import type { HostFields } from '../event/document.js';
import type { Event, Gap } from '../event/event.js';
import {
  type ChangeAction,
  Forwarder,
  type HealthChange,
  RawEvents,
  Reporter,
  type Target,
} from '../forward/index.js';
import type { Store } from '../store/index.js';

export interface ForwardingOptions {
  readonly settings: Settings;
  readonly store: Store;
  readonly targets: readonly Target[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
  readonly agentId: string;
  readonly host: HostFields;
  readonly simulated: boolean;
  /** Called with the ids of alerts that a destination acknowledged. */
  delivered(destination: string, ids: readonly string[]): void;
  /** Names and counts told with every heartbeat. */
  health(): Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

/** Everything that leaves for destinations: alerts (through the outbox), raw events, and word about ourselves. */
export class Forwarding {
  readonly forwarder: Forwarder;
  /** Destinations that get alerts; simulated ones stay away from the network unless the configuration says otherwise. */
  readonly destinations: readonly string[];
  readonly #reporter: Reporter;
  readonly #raw: RawEvents;

  constructor(options: ForwardingOptions) {
    const { settings, store, targets, clock, log, version, agentId, host, simulated, health } = options;
    const { dead_rows, dead_age, parked_age, heartbeat } = settings.forward;
    this.forwarder = new Forwarder({
      outbox: store.outbox,
      targets,
      clock,
      log,
      deadRows: dead_rows,
      deadAgeMs: dead_age,
      parkedAgeMs: parked_age,
      onSettled: (name, settled) => {
        this.#reporter.settled(name, settled);
        if (settled.alerts.length > 0) options.delivered(name, settled.alerts);
      },
      onEvicted: (name, evicted) => this.#reporter.evicted(name, evicted),
      onParked: (name, reason) => this.#reporter.parked(name, reason),
      simulated,
    });
    this.destinations = this.forwarder.names({ simulated });
    this.#reporter = new Reporter({
      outbox: store.outbox,
      clock,
      log,
      destinations: this.destinations,
      heartbeatMs: heartbeat,
      context: { version, agentId, host, simulated },
      chain: () => store.alerts.chain(),
      health,
      added: () => this.forwarder.wake(),
    });
    this.#raw = new RawEvents({
      outbox: store.outbox,
      events: store.events,
      everything: this.forwarder.names({ simulated, rawEvents: 'endpoint-compatible' }),
      context: this.forwarder.names({ simulated, rawEvents: 'matched-context' }),
    });
  }

  start(): void {
    this.forwarder.start();
    this.#reporter.start();
  }

  /** Destinations get `graceMs` milliseconds to take what is under way. `last`: the agent ends, and says so. */
  async stop(graceMs: number, { last = false }: { readonly last?: boolean } = {}): Promise<void> {
    this.#reporter.stop();
    if (last) this.#reporter.farewell();
    await this.forwarder.stop(graceMs);
  }

  /** Events that were journaled just now. */
  journaled(events: readonly Event[]): void {
    if (this.#raw.wanted) this.#raw.stored(events);
  }

  /** Alerts that were committed just now, new or grown. */
  committed(alerts: readonly Alert[]): void {
    if (this.#raw.wanted) for (const { doc, time } of alerts) this.#raw.alerted(doc, time);
    this.forwarder.wake();
  }

  /** What was done to this Mac, and is about no alert. */
  said(author: string, text: string): void {
    this.#reporter.response(author, text);
  }

  /** What is in force on this Mac changed, or could not be changed. */
  changed(action: ChangeAction, text: string): void {
    this.#reporter.changed(action, text);
  }

  /** How well the agent sees, keeps and delivers has changed. */
  health(change: HealthChange): void {
    this.#reporter.health(change);
  }

  gap(gap: Gap): void {
    this.#reporter.gap(gap);
  }
}
