import { BoundedQueue } from '../base/bounded-queue.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import { relevantOf } from '../detect/index.js';
import type { Alert, Settled } from '../event/alert.js';
import type { EcsDocument } from '../event/document.js';
import { isKnownAt, itemOf, type Story, updateOf } from '../event/story.js';
import type { Store } from '../store/index.js';
import type { ExceptionKeeper } from './exceptions.js';
import type { KnownItems } from './known-items.js';

/** Alerts that wait to be compared with what is known; what does not fit stays open. */
const maxWaiting = 1_000;
/** An alert that could be about more than this is no update of anything. */
const maxCandidates = 8;
/** A finding or fact of this weight is looked at by a person. */
const oddWeight = 10;

export interface SettlingOptions {
  readonly store: Pick<Store, 'alerts' | 'events' | 'stories'>;
  readonly exceptions: ExceptionKeeper;
  readonly known: Pick<KnownItems, 'programs'>;
  /** `[detect] close_updates`. */
  readonly closeUpdates: boolean;
  readonly destinations: readonly string[];
  readonly log: Logger;
  /** Called when a document was revised. */
  revised(): void;
}

/** One change of a known item that an alert is about. */
interface Change {
  readonly story: Story;
  /** What it was before; undefined when it is new. */
  readonly before: Story['facts'] | undefined;
  /** Of the event; undefined when the item was loaded and has not changed. */
  readonly event: string | undefined;
}

/** Closes alerts that need nobody, and opens them again when there turns out to be more to them. */
export class Settling {
  readonly #options: SettlingOptions;
  /** Ids of alerts. */
  readonly #waiting = new BoundedQueue<string>(maxWaiting);
  #running = false;
  #stopped = false;

  constructor(options: SettlingOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Alerts that were committed just now, new or grown. */
  committed(alerts: readonly Alert[]): void {
    for (const alert of alerts) {
      if (this.#byException(alert) || alert.item === undefined) continue;
      this.#note(alert, alert.item);
      this.#waiting.push(alert.id);
    }
    if (!this.#running && this.#waiting.length > 0) void this.#compareAll();
  }

  /** An event that alerts embed has another document than before. */
  amended(eventId: string): void {
    this.committed(this.#options.store.alerts.ofEvent(eventId));
  }

  #byException(alert: Alert): boolean {
    const { exceptions } = this.#options;
    const exception = exceptions.hides(alert);
    if (exception === undefined) return false;
    if (alert.status === 'open') exceptions.count(exception, alert.time);
    this.#settle(alert, { reason: 'exception', text: `${exception.id}: ${exception.reason}` }, true);
    return true;
  }

  /** The story of the item learns that somebody was told, and who loaded it. */
  #note({ doc, time, id }: Alert, item: string): void {
    try {
      const load = eventsOf(doc).findLast((event) => event.process !== undefined && event.file === undefined);
      const args: unknown = load?.process?.args;
      const command = Array.isArray(args) ? args.slice(0, 16).join(' ').slice(0, 300) : undefined;
      const named = load?.event?.id !== undefined && command !== undefined && namesItsFile(doc);
      const step = named ? { event: load?.event?.id as string, says: `By ${command}.` } : undefined;
      this.#options.store.stories.alerted(item, time, step);
    } catch (error) {
      this.#options.log.error({ alert: id, error: messageOf(error) }, 'a story could not be told');
    }
  }

  async #compareAll(): Promise<void> {
    this.#running = true;
    try {
      for (let id = this.#waiting.shift(); id !== undefined && !this.#stopped; id = this.#waiting.shift()) {
        try {
          await this.#compare(id);
        } catch (error) {
          this.#options.log.error({ alert: id, error: messageOf(error) }, 'an alert could not be compared');
        }
      }
    } finally {
      this.#running = false;
    }
  }

  async #compare(id: string): Promise<void> {
    const { store, known, closeUpdates } = this.#options;
    const alert = store.alerts.get(id);
    if (alert === undefined) return;
    const changes = this.#changesOf(alert);
    const reasons: string[] = [];
    for (const { story, before, event } of changes) {
      const programs = await known.programs(story.facts);
      if (this.#stopped) return;
      if (programs !== undefined) store.stories.setPrograms(story.item, programs);
      const facts = { ...story.facts, ...(programs === undefined ? {} : { programs }) };
      const why = updateOf(before, facts);
      if (why === undefined) continue;
      reasons.push(
        event === undefined ? 'a known item was loaded again, and nothing about it has changed' : why,
      );
      if (event !== undefined) store.stories.updated(story.item, event, `${why}.`);
    }
    const isUpdate = changes.length > 0 && reasons.length === changes.length && !isOdd(alert);
    if (!isUpdate) {
      if (alert.status === 'closed') this.#settle(alert, undefined, true);
      return;
    }
    const text = [...new Set(reasons)].join('; ');
    this.#settle(alert, { reason: 'known update', text }, closeUpdates);
  }

  /** The changes that an alert could be about; none when it could be about something else. */
  #changesOf(alert: Alert): readonly Change[] {
    const { doc } = alert;
    const { kind, candidates = [], candidate_count = 0 } = alertFields(doc);
    if (kind !== 'match') return [];
    const events = eventsOf(doc);
    if (candidates.length === 0 && events.every(({ file }) => file === undefined)) {
      const change = alert.item === undefined ? undefined : this.#change(alert.item, undefined, alert.time);
      return change === undefined ? [] : [change];
    }
    if (candidate_count > candidates.length) return [];
    const wanted =
      candidates.length > 0
        ? relevantOf(candidates.map((one) => ({ named: one?.named === true, id: one?.event_id })))
        : events
            .filter(({ file }) => file !== undefined)
            .map(({ event }) => ({ named: false, id: event?.id }));
    if (wanted.length > maxCandidates) return [];
    const changes = wanted.map(({ id }) => {
      if (typeof id !== 'string') return undefined;
      const event = events.find((one) => one.event?.id === id) ?? this.#options.store.events.get(id)?.doc;
      const item = event && itemOf(event);
      return item === undefined ? undefined : this.#change(item, id, alert.time);
    });
    return changes.every((one) => one !== undefined) ? changes : [];
  }

  #change(item: string, event: string | undefined, time: number): Change | undefined {
    const story = this.#options.store.stories.get(item);
    if (story === undefined) return undefined;
    if (event !== undefined) return { story, event, before: story.before[event] };
    const last = Object.keys(story.before).at(-1);
    if (last !== undefined) return { story, event: last, before: story.before[last] };
    return { story, event: undefined, before: isKnownAt(story, time) ? story.facts : undefined };
  }

  #settle(alert: Alert, settled: Settled | undefined, close: boolean): void {
    const { store, destinations, log } = this.#options;
    try {
      const changed = store.alerts.settle(alert.id, settled, { destinations, close });
      if (changed === undefined) return;
      this.#options.revised();
      log.info({ alert: alert.id, reason: settled?.reason, status: changed.status }, 'alert settled');
    } catch (error) {
      log.error({ alert: alert.id, error: messageOf(error) }, 'an alert could not be settled');
    }
  }
}

/** A rule that says more than "something changed", or something odd about this alert. */
function isOdd({ severity, priority }: Alert): boolean {
  if (severity !== 'low' && severity !== 'medium') return true;
  return priority.reasons.some(({ weight }) => weight >= oddWeight);
}

interface StoredFields {
  readonly kind?: unknown;
  readonly candidates?: readonly ({ readonly event_id?: unknown; readonly named?: unknown } | null)[];
  readonly candidate_count?: number;
}

function alertFields({ launchwarden }: EcsDocument): StoredFields {
  const fields = launchwarden?.['alert'];
  return typeof fields === 'object' && fields !== null ? (fields as StoredFields) : {};
}

function eventsOf(doc: EcsDocument): readonly EcsDocument[] {
  const events: unknown = doc['Events'];
  return Array.isArray(events) ? events.filter((one) => typeof one === 'object' && one !== null) : [];
}

function namesItsFile(doc: EcsDocument): boolean {
  return (alertFields(doc).candidates ?? []).some((one) => one?.named === true);
}
