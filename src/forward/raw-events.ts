import type { Micros } from '../base/time.js';
import type { EcsDocument } from '../event/document.js';
import type { Event } from '../event/event.js';
import type { Outbox } from '../store/outbox.js';

/** Events this long before and after an alert's own are its context (microseconds). */
const contextMicros = 5 * 60 * 1e6;
/** Alerts whose context is still being gathered. */
const maxOpen = 200;
/** Events of the past that one alert may bring along. */
const maxPast = 2_000;

/** The part of the event store that is read. */
export interface EventSource {
  between(from: Micros, to: Micros): Iterable<Event>;
}

export interface RawEventsOptions {
  readonly outbox: Outbox;
  readonly events: EventSource;
  /** Destinations that get everything, and those that get what surrounds an alert. */
  readonly everything: readonly string[];
  readonly context: readonly string[];
  /** Highest rate of events a second to `everything`, over a minute's burst; more is counted and left out. */
  readonly maxPerSecond?: number;
}

interface Interest {
  readonly processes: ReadonlySet<string>;
  readonly paths: ReadonlySet<string>;
  readonly until: Micros;
}

function embedded(doc: EcsDocument): EcsDocument[] {
  return [doc, ...(Array.isArray(doc['Events']) ? (doc['Events'] as EcsDocument[]) : [])];
}

function interestOf(doc: EcsDocument, time: Micros): Interest {
  const processes = new Set<string>();
  const paths = new Set<string>();
  for (const { process, file } of embedded(doc)) {
    for (const id of [process?.entity_id, process?.parent?.entity_id, ...(process?.Ext?.ancestry ?? [])])
      if (id !== undefined) processes.add(id);
    if (file?.path !== undefined) paths.add(file.path);
  }
  return { processes, paths, until: time + contextMicros };
}

function concerns(event: Event, { processes, paths }: Interest): boolean {
  const { process, file } = event.doc;
  const ids = [process?.entity_id, process?.parent?.entity_id];
  if (ids.some((id) => id !== undefined && processes.has(id))) return true;
  return file?.path !== undefined && paths.has(file.path);
}

/**
 * Chooses which raw events go to whom. `endpoint-compatible` destinations get each event that was stored, below a rate;
 * `matched-context` ones get those of an alert's processes and files, five minutes to either side.
 */
export class RawEvents {
  readonly counters = { queued: 0, over_rate: 0 };
  readonly #options: RawEventsOptions;
  readonly #open: Interest[] = [];
  #allowance: number;
  #refilled: Micros | undefined;

  constructor(options: RawEventsOptions) {
    this.#options = options;
    this.#allowance = this.#burst;
  }

  /** True when anybody wants raw events. */
  get wanted(): boolean {
    return this.#options.everything.length + this.#options.context.length > 0;
  }

  /** Events that were stored just now, in any order. */
  stored(events: readonly Event[]): void {
    const { outbox, everything, context } = this.#options;
    if (everything.length > 0) {
      const allowed = events.filter((event) => this.#allowed(event.time));
      this.counters.queued += outbox.addEvents(allowed, everything);
    }
    if (context.length === 0 || this.#open.length === 0) return;
    const related = events.filter((event) =>
      this.#open.some((interest) => event.time <= interest.until && concerns(event, interest)),
    );
    if (related.length > 0) this.counters.queued += outbox.addEvents(related, context);
  }

  /** An alert was committed or grew: what led to it is queued, what follows will be. */
  alerted(doc: EcsDocument, time: Micros): void {
    const { outbox, events, context } = this.#options;
    if (context.length === 0) return;
    const interest = interestOf(doc, time);
    const related: Event[] = [];
    for (const event of events.between(time - contextMicros, time + contextMicros)) {
      if (concerns(event, interest)) related.push(event);
      if (related.length >= maxPast) break;
    }
    this.counters.queued += outbox.addEvents(related, context);
    this.#open.push(interest);
    while (this.#open.length > maxOpen || (this.#open[0]?.until ?? time) < time) this.#open.shift();
  }

  get #burst(): number {
    return (this.#options.maxPerSecond ?? 200) * 60;
  }

  #allowed(time: Micros): boolean {
    const passed = Math.max(0, time - (this.#refilled ?? time)) / 1e6;
    this.#refilled = Math.max(time, this.#refilled ?? time);
    this.#allowance = Math.min(this.#burst, this.#allowance + passed * (this.#options.maxPerSecond ?? 200));
    if (this.#allowance < 1) {
      this.counters.over_rate++;
      return false;
    }
    this.#allowance--;
    return true;
  }
}
