import { BoundedQueue } from '../base/bounded-queue.js';
import { messageOf } from '../base/errors.js';
import { launchItemKind } from '../base/launch-paths.js';
import type { Logger } from '../base/log.js';
import { formatMicros } from '../base/time.js';
import { relevantOf } from '../detect/index.js';
import type { Alert, Settled } from '../event/alert.js';
import { canaryReason } from '../event/canary.js';
import type { EcsDocument } from '../event/document.js';
import { type Event, wallTime } from '../event/event.js';
import { persistentItemId } from '../event/ids.js';
import { isKnownAt, itemOf, type Story, updateOf } from '../event/story.js';
import type { Store } from '../store/index.js';
import type { ExceptionKeeper } from './exceptions.js';
import type { KnownItems } from './known-items.js';

/** Alerts that wait to be compared with what is known; what does not fit stays open. */
const maxWaiting = 1_000;
/** An alert that could be about more than this is no update of anything. */
const maxCandidates = 8;
/** A finding or fact of this weight is looked at by a person, whatever the item was before. */
const oddWeight = 20;
/** So long after the agent closed an alert a further change of its item is held against it, microseconds; for so many items. */
const recheckWindow = 60_000_000;
const maxRecent = 1_000;

export interface SettlingOptions {
  readonly store: Pick<Store, 'alerts' | 'events' | 'stories'>;
  readonly exceptions: ExceptionKeeper;
  readonly known: Pick<KnownItems, 'programs'>;
  /** Why an alert is about a canary of ours and nothing else; undefined of every other one. */
  canary(alert: Alert): Settled | undefined;
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
  /** The alert is about a temporary name of the item. */
  readonly temporary: boolean;
}

/** Closes alerts that need nobody, and opens them again when there turns out to be more to them. */
export class Settling {
  readonly #options: SettlingOptions;
  /** Ids of alerts. */
  readonly #waiting = new BoundedQueue<string>(maxWaiting);
  /** Alerts that were closed as updates just now, by their items. */
  readonly #recent = new Map<string, { readonly ids: Set<string>; readonly time: number }>();
  /** The newest alert about each item that somebody was told of, and the stage that was told. */
  readonly #told = new Map<string, { readonly alert: string; stage: string }>();
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
      if (this.#byCanary(alert) || this.#byException(alert)) continue;
      if (alert.item === undefined) this.#assign(alert);
      if (alert.item !== undefined) this.#note(alert, alert.item);
      else if (!isUnlinked(alert.doc)) continue;
      this.#waiting.push(alert.id);
    }
    if (!this.#running && this.#waiting.length > 0) void this.#compareAll();
  }

  /** Events that were journaled just now: a change that follows may make more of what was an update. */
  observed(events: readonly Event[]): void {
    if (this.#told.size > 0) for (const { doc } of events) this.#tellStage(itemOf(doc));
    if (this.#recent.size === 0) return;
    for (const event of events) {
      const item = itemOf(event.doc);
      const recent = item === undefined ? undefined : this.#recent.get(item);
      if (recent === undefined || event.doc.file === undefined) continue;
      if (wallTime(event) - recent.time > recheckWindow) this.#recent.delete(item as string);
      else for (const id of recent.ids) this.#waiting.push(id);
    }
    if (!this.#running && this.#waiting.length > 0) void this.#compareAll();
  }

  /** What was closed as the canary's is to be looked at after all. */
  reopen(id: string): void {
    const alert = this.#options.store.alerts.get(id);
    if (alert !== undefined) this.#settle(alert, undefined, true);
  }

  /** An event that alerts embed has another document than before. */
  amended(eventId: string): void {
    this.committed(this.#options.store.alerts.ofEvent(eventId));
  }

  #byCanary(alert: Alert): boolean {
    const settled = this.#options.canary(alert);
    if (settled !== undefined) this.#settle(alert, settled, true);
    // It has grown by something that is not the canary's.
    else if (isSettledCanary(alert.doc)) this.#settle(alert, undefined, true);
    return settled !== undefined;
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
      const { stories } = this.#options.store;
      stories.alerted(item, time, step);
      const stage = stories.get(item)?.stage;
      this.#told.delete(item);
      if (stage !== undefined) this.#told.set(item, { alert: id, stage });
      if (this.#told.size > maxRecent) this.#told.delete(this.#told.keys().next().value as string);
    } catch (error) {
      this.#options.log.error({ alert: id, error: messageOf(error) }, 'a story could not be told');
    }
  }

  /** A later stage of an item grows the newest alert about it, and what the destinations have of it. */
  #tellStage(item: string | undefined): void {
    const told = item === undefined ? undefined : this.#told.get(item);
    if (item === undefined || told === undefined) return;
    try {
      const { alerts, stories } = this.#options.store;
      const story = stories.get(item);
      const last = story?.steps.at(-1);
      if (story === undefined || last === undefined || story.stage === told.stage) return;
      told.stage = story.stage;
      const says = last.says === undefined ? {} : { says: last.says };
      const fields = { stage: story.stage, since: formatMicros(last.time), ...says };
      if (alerts.tellStory(told.alert, fields, this.#options.destinations)) this.#options.revised();
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, 'a stage of an item could not be told');
    }
  }

  /** What launchctl is told about one launch item belongs to that item's story, though no file of it has changed. */
  #assign({ id, doc }: Alert): void {
    const call = eventsOf(doc).findLast(({ process }) => process !== undefined) ?? doc;
    if (call.launchwarden?.['launchctl'] === undefined) return;
    const named: unknown = call.launchwarden.process?.named_files;
    const [file, ...others] = Array.isArray(named) ? (named as readonly { readonly path?: unknown }[]) : [];
    const kind = typeof file?.path === 'string' ? launchItemKind(file.path) : undefined;
    if (kind === undefined || others.length > 0) return;
    this.#options.store.alerts.assignItem(id, persistentItemId(`launch-${kind}`, file?.path as string));
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
    if (alert === undefined || this.#options.canary(alert) !== undefined) return;
    this.#joinTemporary(alert);
    const changes = this.#changesOf(alert);
    const reasons: string[] = [];
    for (const { story, before, event } of changes) {
      const programs = await known.programs(story);
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
    const isUpdate = changes.length > 0 && reasons.length === changes.length && !isOdd(alert, changes);
    if (!isUpdate) {
      this.#settle(alert, undefined, true);
      return;
    }
    const text = [...new Set(reasons)].join('; ');
    this.#settle(alert, { reason: 'known update', text }, closeUpdates);
    for (const { story } of changes) this.#remember(story.item, alert);
  }

  /** The changes that an alert could be about; none when it could be about something else. */
  #changesOf(alert: Alert): readonly Change[] {
    const { doc } = alert;
    const { kind, candidates = [], candidate_count = 0 } = alertFields(doc);
    if (kind !== 'match') return [];
    const events = eventsOf(doc);
    if (isUnlinked(doc)) return this.#loaded(alert, events);
    if (candidates.length === 0 && events.every(({ file }) => file === undefined)) {
      const change = alert.item === undefined ? undefined : this.#change(alert.item, undefined, alert.time);
      return change === undefined ? [] : [change];
    }
    // The best come first: with those that the load names among them, what was cut off is of no account.
    const isNamed = candidates.some((one) => one?.named === true) && candidates.at(-1)?.named !== true;
    if (candidate_count > candidates.length && !isNamed) return [];
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

  /** What a call loads that names none of the files which its alert is about; none when that is not known. */
  #loaded(alert: Alert, events: readonly EcsDocument[]): readonly Change[] {
    const call = events.findLast(({ process }) => process !== undefined);
    const files = call?.launchwarden?.process?.named_files ?? [];
    if (!Array.isArray(files) || files.length > maxCandidates) return [];
    const changes = files.map((file) => {
      const paths = [file?.path, file?.resolved].filter((one) => typeof one === 'string');
      const items = paths.flatMap((path) =>
        launchItems.map((mechanism) => persistentItemId(mechanism, path)),
      );
      const item = items.find((one) => this.#options.store.stories.get(one) !== undefined);
      return item === undefined ? undefined : this.#change(item, undefined, alert.time);
    });
    const [first] = changes.filter((one) => one !== undefined);
    if (first !== undefined && alert.item === undefined)
      this.#options.store.alerts.assignItem(alert.id, first.story.item);
    return changes.every((one) => one !== undefined) ? changes : [];
  }

  #change(item: string, event: string | undefined, time: number): Change | undefined {
    const { stories } = this.#options.store;
    const own = stories.get(item);
    if (own === undefined) return undefined;
    const target = isTemporary(own)
      ? targetOf(own, stories.around(own.mechanism, own.last, renameWindow))
      : undefined;
    const story = target ?? own;
    const temporary = target !== undefined;
    if (event !== undefined && !temporary) return { story, temporary, event, before: beforeOf(story, event) };
    const last = Object.keys(story.before).at(-1);
    if (last !== undefined) return { story, temporary, event: last, before: beforeOf(story, last) };
    const before = !temporary && isKnownAt(story, time) ? story.facts : undefined;
    return { story, temporary, event: undefined, before };
  }

  /** Alerts about a temporary name go to the story of the item that it was for, whichever of them comes first. */
  #joinTemporary({ doc }: Alert): void {
    const { alerts, stories } = this.#options.store;
    const item = itemOf(doc);
    const story = item === undefined ? undefined : stories.get(item);
    if (story === undefined) return;
    const others = stories.around(story.mechanism, story.last, renameWindow);
    if (isTemporary(story)) {
      const target = targetOf(story, others);
      if (target !== undefined) alerts.moveItem(story.item, target.item);
      return;
    }
    for (const one of others) {
      if (!isTemporary(one) || targetOf(one, [story]) === undefined) continue;
      alerts.moveItem(one.item, story.item);
      for (const alert of alerts.list({ item: story.item, status: 'open', limit: 20 }))
        if (itemOf(alert.doc) === one.item) this.#waiting.push(alert.id);
    }
  }

  #remember(item: string, { id, time }: Alert): void {
    const known = this.#recent.get(item);
    this.#recent.delete(item);
    const ids = known === undefined || time - known.time > recheckWindow ? new Set<string>() : known.ids;
    if (ids.size < maxCandidates) ids.add(id);
    this.#recent.set(item, { ids, time });
    if (this.#recent.size > maxRecent) this.#recent.delete(this.#recent.keys().next().value as string);
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

/**
 * What an item was before an event. Of changes that follow each other before its programs are read: before the first of
 * them, so that all of them are compared.
 */
function beforeOf({ before }: Story, event: string): Story['facts'] | undefined {
  if (before[event] === undefined) return undefined;
  const names = Object.keys(before);
  const until = names.slice(0, names.indexOf(event) + 1);
  const read = until.findLast((name) => before[name]?.programs !== undefined);
  return before[read ?? event];
}

/** A rule that says more than "something changed", or something odd about this alert. */
function isOdd({ severity, priority }: Alert, changes: readonly Change[]): boolean {
  if (severity !== 'low' && severity !== 'medium') return true;
  const temporary = changes.every((one) => one.temporary);
  return priority.reasons.some(({ word, weight }) => weight >= oddWeight && !(temporary && ofName.has(word)));
}

/** Findings about a name, which say nothing of a file that had it for a moment only. */
const ofName: ReadonlySet<string> = new Set([
  'hidden-name',
  'not-plist-name',
  'label-not-file-name',
  'vanished',
]);
/** Between a temporary file and the one that it became, microseconds. */
const renameWindow = 5_000_000;
const leastName = 6;

/** A file that was there for a moment only: it is gone, and nobody knew it before. */
function isTemporary({ stage, known, gone }: Story): boolean {
  return known !== 0 && (stage === 'removed' || gone === true);
}

/**
 * The item that a file which is gone was written for: in the same folder at the same time, its name within the other one
 * (`.NAME.tmp`, `NAME.AbC123`, `NAME~`).
 */
function targetOf(temporary: Story, others: readonly Story[]): Story | undefined {
  const folder = temporary.path.slice(0, temporary.path.lastIndexOf('/') + 1);
  const own = temporary.path.slice(folder.length);
  if (temporary.movedTo !== undefined) return others.find(({ item }) => item === temporary.movedTo);
  return others.find(({ item, path, stage }) => {
    const name = path.slice(folder.length);
    const inside = path.startsWith(folder) && name.length >= leastName && !name.includes('/');
    return item !== temporary.item && stage !== 'removed' && inside && name !== own && own.includes(name);
  });
}

/** Mechanisms whose items launchctl loads. */
const launchItems = ['launch-agent', 'launch-daemon'];

/** The call names other files than those that changed (`alertDocument`). */
function isUnlinked({ launchwarden }: EcsDocument): boolean {
  const findings: unknown = launchwarden?.findings;
  return Array.isArray(findings) && findings.includes('not-the-loaded-item');
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

function isSettledCanary(doc: EcsDocument): boolean {
  const { settled } = alertFields(doc) as { settled?: { readonly reason?: unknown } };
  return settled?.reason === canaryReason;
}

function eventsOf(doc: EcsDocument): readonly EcsDocument[] {
  const events: unknown = doc['Events'];
  return Array.isArray(events) ? events.filter((one) => typeof one === 'object' && one !== null) : [];
}

function namesItsFile(doc: EcsDocument): boolean {
  return (alertFields(doc).candidates ?? []).some((one) => one?.named === true);
}
