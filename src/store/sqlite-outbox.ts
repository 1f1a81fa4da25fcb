import { asLetter, DeadLetterTable } from './dead-letters.js';
import type { Destinations } from './destinations.js';
import type { DocumentOutbox } from './document-outbox.js';
import type { Identified } from './event-key.js';
import type { EventOutbox } from './event-outbox.js';
import { laneNumber } from './lane-number.js';
import type {
  DeadFilter,
  DeadLetter,
  DeadLetters,
  DestinationState,
  DestinationStatePatch,
  Lane,
  LaneDepth,
  Outbox,
  OutboxCaps,
  OutboxRow,
  Settled,
  TakeLimits,
} from './outbox.js';
import type { Db } from './sqlite.js';

interface Parts {
  readonly main: Db;
  readonly destinations: Destinations;
  readonly documents: DocumentOutbox;
  readonly events: EventOutbox;
}

/** Both files as one outbox: status and alerts from launchwarden.db, raw events from events.db. */
export class SqliteOutbox implements Outbox {
  readonly dead: DeadLetters;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.dead = new SqliteDeadLetters(parts);
  }

  configure(names: readonly string[], now: number, dropParkedBefore: number): number {
    const { main, destinations, documents, events } = this.#parts;
    return main
      .transaction(() => {
        destinations.configure(names, now);
        let evicted = 0;
        for (const name of destinations.parkedBefore(dropParkedBefore))
          evicted += documents.giveUp(name) + events.giveUp(name);
        return evicted;
      })
      .immediate();
  }

  take(destination: string, lane: Lane, limits: TakeLimits): OutboxRow[] {
    const { documents, events } = this.#parts;
    return lane === 'event' ? events.take(destination, limits) : documents.take(destination, lane, limits);
  }

  nextReady(destination: string, lane: Lane): number | undefined {
    const { documents, events } = this.#parts;
    return lane === 'event' ? events.nextReady(destination) : documents.nextReady(destination, lane);
  }

  settle(destination: string, lane: Lane, what: Settled): void {
    const { main, destinations, documents, events } = this.#parts;
    if (lane !== 'event') {
      documents.settle(destination, lane, what);
      return;
    }
    const { settlements, now } = what;
    const dying = events.dying(destination, settlements);
    if (dying.length > 0) {
      const table = new DeadLetterTable(main);
      main
        .transaction(() => {
          const dest = destinations.id(destination);
          for (const event of dying)
            table.add({ dest, lane: laneNumber(lane), revision: 1, died: now, ...event });
        })
        .immediate();
    }
    events.settle(destination, settlements);
  }

  release(destination: string): void {
    const { documents, events } = this.#parts;
    documents.ready(destination);
    events.ready(destination);
  }

  state(destination: string): DestinationState {
    const { destinations, events } = this.#parts;
    const { delivered, duplicates, warnings, dead, evicted } = events.tally(destination);
    const own = destinations.state(destination);
    return {
      ...own,
      name: destination,
      fails: own?.fails ?? 0,
      delivered: delivered + (own?.delivered ?? 0),
      duplicates: duplicates + (own?.duplicates ?? 0),
      warnings: warnings + (own?.warnings ?? 0),
      dead: dead + (own?.dead ?? 0),
      evicted: evicted + (own?.evicted ?? 0),
    };
  }

  patch(destination: string, patch: DestinationStatePatch): void {
    this.#parts.main.transaction(() => this.#parts.destinations.patch(destination, patch)).immediate();
  }

  states(): DestinationState[] {
    return this.#parts.destinations.names().map((name) => this.state(name));
  }

  depth(destination: string, lane: Lane): LaneDepth {
    const { documents, events } = this.#parts;
    return lane === 'event' ? events.depth(destination) : documents.depth(destination, lane);
  }

  add(document: { readonly id: string; readonly body: string }, destinations: readonly string[]): void {
    this.#parts.documents.add(document, destinations);
  }

  addEvents(events: readonly Identified[], destinations: readonly string[]): number {
    return this.#parts.events.add(events, destinations);
  }

  enforce(destination: string, caps: OutboxCaps): { readonly events: number; readonly alerts: number } {
    const newest = caps.policy === 'drop_newest_events';
    return {
      events: this.#parts.events.enforce(destination, {
        rows: caps.eventRows,
        bytes: caps.eventBytes,
        newest,
      }),
      alerts: this.#parts.documents.enforce(destination, { rows: caps.alertRows, bytes: caps.alertBytes }),
    };
  }
}

class SqliteDeadLetters implements DeadLetters {
  readonly #parts: Parts;
  readonly #table: DeadLetterTable;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#table = new DeadLetterTable(parts.main);
  }

  list(filter: DeadFilter = {}): DeadLetter[] {
    return this.#table.find(filter).map(asLetter);
  }

  body(letter: DeadLetter): string | undefined {
    const rows = this.#table.find({ destination: letter.destination, id: letter.id });
    const row = rows.find((one) => one.seq === letter.seq && one.lane === laneNumber(letter.lane));
    return row && this.#table.body(row);
  }

  retry(filter: DeadFilter = {}): number {
    const { main, documents, events } = this.#parts;
    return main
      .transaction(() => {
        let rows = 0;
        for (const row of this.#table.find(filter)) {
          const lane = asLetter(row).lane;
          const back =
            lane === 'event'
              ? events.restore(row.destination, row.seq)
              : documents.restore(row.destination, lane, row.seq);
          if (!back) continue;
          this.#table.remove(row);
          rows++;
        }
        return rows;
      })
      .immediate();
  }

  purge(filter: DeadFilter & { readonly diedBefore?: number } = {}): number {
    return this.#remove(() => this.#table.find(filter));
  }

  cap(rows: number): number {
    return this.#remove(() => this.#table.beyond(rows));
  }

  #remove(find: () => ReturnType<DeadLetterTable['beyond']>): number {
    const { main, documents } = this.#parts;
    return main
      .transaction(() => {
        const rows = find();
        for (const row of rows) {
          this.#table.remove(row);
          if (row.body === null) documents.drop(row.seq);
        }
        return rows.length;
      })
      .immediate();
  }
}
