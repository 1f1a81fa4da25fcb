import type { Clock, Timer } from '../base/clock.js';
import { errnoOf, messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import { Pace } from '../base/pace.js';
import { type Micros, parseTime } from '../base/time.js';
import {
  DeferredMemory,
  Detector,
  type DetectorOptions,
  type Exceptions,
  type KnownAlert,
  Orderer,
  userOf,
} from '../detect/index.js';
import type { Enricher } from '../enrich/index.js';
import type { Alert, AlertContext, Detection, Settled } from '../event/alert.js';
import type { EcsDocument } from '../event/document.js';
import type { Event, Gap, Observation } from '../event/event.js';
import type { Exception } from '../rules/index.js';
import type { ItemChange } from '../sensors/file-watch/index.js';
import type { AlertChange, Store } from '../store/index.js';
import { Evictions } from './evictions.js';
import { Failures } from './failures.js';
import { Timeline } from './timeline.js';
import { Watermark } from './watermark.js';

/** Detections that could not be committed (full disk) wait here; what does not fit is counted. */
const maxUncommitted = 10_000;
/** Amended events that detection may still hold as they were: a plist that was empty when it was first seen. */
const maxAmended = 4_096;
/**
 * Events that concern no rule and are to be judged all the same (`Detector.needsAll`) are waited for this long before the
 * sensors are asked about them, milliseconds.
 */
const lazyMs = 200;
/** Turns of what nobody waits for: the pause is less than the watermark takes for a stall of our own. */
const turns = { burst: 32, pauseMs: 50 } as const;
/** How often it is looked how long a sensor is still waited for that was asked and says nothing, milliseconds. */
const heldMs = 50;
/** A time so far beyond the clock, microseconds, is one that no sensor can answer for. */
const ahead = 2_000;
/** Events that could not be journaled wait here to be tried again; what does not fit is a gap. */
const maxUnjournaled = 10_000;
const retryJournalMs = 1_000;
/** Bytes of files that wait for the end of a sensor's turn before they are journaled and given up. */
const maxHeldBytes = 4 * 1024 * 1024;
/** The state of the timeline is stored this often, so that a step while no agent ran is told from drift, milliseconds. */
const keepTimelineMs = 60_000;
const timelineKey = 'timeline';
const judgedKey = 'judged';
const deferredKey = 'deferred';
const none: ReadonlySet<Event> = new Set();
/** Alerts from before the restart that are remembered, to count what repeats them. */
const maxRemembered = 10_000;

export interface PipelineOptions {
  readonly store: Store;
  readonly enricher: Enricher;
  readonly rules: DetectorOptions['rules'];
  readonly clock: Clock;
  readonly log: Logger;
  /** Names of the destinations that get a copy of every alert. */
  readonly destinations: readonly string[];
  /** Adds what was found out about an event meanwhile; not to its id and time. */
  completed?(event: Event): Event;
  /** Keeps what a sensor carried away; may throw. */
  keep?(observation: Observation): void;
  /** While it gives true, events that no rule has a use for are stored only where `stores` says so. */
  thins?(): boolean;
  stores?(): boolean;
  /** Whether a rule is off at present, with the sensors that run. */
  muted(ruleId: string): boolean;
  /** `Sensor.ask` of one. */
  ask(sensor: string, time: Micros): void;
  /** Who and with what: stored with every alert. */
  context(): AlertContext;
  /** Called with the events that were journaled just now. */
  journaled(events: readonly Event[]): void;
  /** Called with the events that were observed just now, whether or not they could be journaled. */
  observed?(events: readonly Event[]): void;
  /** Called with the alerts that were committed just now, new or grown. */
  committed(alerts: readonly Alert[]): void;
  /** Called with an event whose amendment made alerts grow. */
  amended?(event: Event): void;
  /** Why a new alert needs nobody, known before it is stored: it is closed in the same transaction. */
  settles?(alert: Alert): Settled | undefined;
  /** Called when an exception hid a match: with the event time. */
  excepted?(exception: Exception, time: Micros): void;
  /** Called when detection had to drop something. */
  gap?(gap: Gap): void;
  /** Identity of this boot; without one no run continues the time of another. */
  readonly boot?: string;
  /** Milliseconds from the boot to the zero of the clock's monotonic time. */
  readonly sinceBoot?: number;
}

/**
 * From an observation to a committed alert: enrich, journal, order, detect, store. An event is in the journal before it
 * is judged, and an alert's id is a function of its events, so that a crash at any moment loses nothing that was
 * journaled: `open` judges the journal again. Until `open` is called observations are journaled only.
 */
export class Pipeline {
  readonly watermark = new Watermark();
  readonly counters = {
    observed: 0,
    journaled: 0,
    amended: 0,
    alerts: 0,
    grown: 0,
    failed: 0,
    lost_detections: 0,
    muted: 0,
  };

  readonly #options: PipelineOptions;
  readonly #orderer = new Orderer();
  #detector: Detector;
  #exceptions: Exceptions | undefined;
  readonly #timeline: Timeline;
  #timelineKept = Number.NEGATIVE_INFINITY;
  /** Number of the last stored event that is known to be judged; later ones may be. */
  #judgedBefore: number;
  readonly #evictions: Evictions;
  readonly #deferred: DeferredMemory;
  #detections: Detection[] = [];
  readonly #amended = new Map<string, Event>();
  /** Ids that the rebuilt windows gave to what is stored under another one, with that: what grows of them grows there. */
  readonly #stoodFor = new Map<string, string>();
  /** Amendments that could not be stored, and are tried again. */
  readonly #unstored = new Map<string, Event>();
  /** Events that were judged and could not be journaled. */
  #unjournaled: Event[] = [];
  #journalTried = Number.NEGATIVE_INFINITY;
  readonly #failures: Failures;
  #observations: Observation[] = [];
  /** What has been completed and is not journaled yet. */
  #completed = nothing();
  /** Bytes of files that they carry. */
  #heldBytes = 0;
  #flushing = false;
  #items: ItemChange[] = [];
  #scheduled = false;
  /** For what nobody waits for. */
  readonly #pace: Pace;
  #open = false;
  #judgedThrough: Micros = 0;
  /** Up to when everything has been judged, by the clock of detection; never goes back. */
  #judgedMost: Micros = Number.NEGATIVE_INFINITY;
  /** When it went live, by the same clock. */
  #opened: Micros = Number.POSITIVE_INFINITY;
  /** Up to when the sensors' word is wanted at once. */
  #wanted: Micros = 0;
  /** Time of the last event that some rule may have a use for. */
  #concerned: Micros = 0;
  #turn: Timer | undefined;
  /** At its last turn something waited that had been asked about before. */
  #held = false;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#failures = new Failures(options.clock, options.log);
    this.#pace = new Pace({ clock: options.clock, ...turns, run: () => this.flush() });
    const onEvicted = (what: string, user: string) => this.#evictions.count(what, user);
    this.#deferred = new DeferredMemory(options.store.progress.get(deferredKey), onEvicted);
    this.#detector = this.#detectorOf(options.rules);
    const { boot, sinceBoot = 0, clock, store } = options;
    const state = boot === undefined ? undefined : store.progress.get(timelineKey);
    this.#timeline = new Timeline({ clock, boot: boot ?? '', sinceBoot, state });
    const judged = Number(store.progress.get(judgedKey) ?? Number.NaN);
    this.#judgedBefore = Number.isSafeInteger(judged) ? judged : store.events.newest();
    this.#evictions = new Evictions(clock, (gap) => options.gap?.(gap));
  }

  /** Wall time up to which everything has been judged and committed. */
  get judgedThrough(): Micros {
    const isCommitted =
      this.#detections.length + this.#unjournaled.length + this.#unstored.size === 0 &&
      this.#judgedThrough > 0;
    return isCommitted ? this.#timeline.wallOf(this.#judgedThrough) : 0;
  }

  /** A wall time of the past by the clock as it is set now. */
  asSetNow(wall: Micros): Micros {
    return this.#timeline.wallOf(this.#timeline.timeOf(wall));
  }

  detectorCounters(): object {
    return { ...this.#detector.counters(), late: this.#orderer.late };
  }

  /** Events that met a condition of a rule, by the rule's id. */
  ruleHits(): ReadonlyMap<string, number> {
    return this.#detector.hits();
  }

  /** What waits: events to be judged, to be journaled, and alerts to be stored. */
  get depths(): { readonly events: number; readonly unjournaled: number; readonly alerts: number } {
    return {
      events: this.#observations.length + this.#completed.observations.length + this.#orderer.size,
      unjournaled: this.#unjournaled.length,
      alerts: this.#detections.length,
    };
  }

  #detectorOf(rules: DetectorOptions['rules']): Detector {
    const { store, excepted } = this.#options;
    return new Detector({
      rules,
      deferred: this.#deferred,
      history: store.termHistory,
      onDetection: (detection) => this.#detected(detection),
      onMetBefore: (event) => this.#keep(event),
      onEvicted: (what, user) => this.#evictions.count(what, user),
      ...(this.#exceptions === undefined ? {} : { exceptions: this.#exceptions }),
      // What is judged again after a start has been counted before.
      onExcepted: (exception, time) => this.#open && excepted?.(exception, time),
    });
  }

  replaceExceptions(exceptions: Exceptions): void {
    this.#exceptions = exceptions;
    this.#detector.replaceExceptions(exceptions);
  }

  observe(observation: Observation): void {
    this.counters.observed++;
    this.#observations.push(observation);
    this.#heldBytes += observation.content?.bytes.length ?? 0;
    // A sensor that hands over all that it has, as at the end, must not fill the memory with the contents of files.
    if (this.#heldBytes > maxHeldBytes && !this.#flushing) this.flush();
    else this.#schedule();
  }

  remember(change: ItemChange): void {
    this.#items.push(change);
    this.#schedule();
  }

  /** `time`: by the wall clock. */
  completeThrough(sensor: string, time: Micros): void {
    this.#readClocks();
    // A sensor's word never goes back: after the clock was set back it says nothing until then, and is not waited for.
    this.watermark.advance(sensor, this.#timeline.timeOf(Math.min(time, this.#options.clock.now())));
    if (this.#open) this.#schedule();
  }

  /** Keeps what deferred sequences wait for. What came since the last time is judged again after a crash. */
  saveDeferred(): void {
    const text = this.#deferred.saved();
    if (text !== undefined) this.#options.store.progress.set(deferredKey, text);
  }

  /** How far back in event time, microseconds, stored events matter to detection. */
  get horizon(): number {
    return this.#detector.horizon;
  }

  /**
   * Judges the stored events of the last `horizon` again, which gives the alerts that a crash kept from being stored, and
   * the state of half-finished sequences, and before them what is older and was never judged; then goes live.
   */
  open(): void {
    this.#journal();
    for (const event of this.#overlooked()) this.#detect(event);
    this.#rebuild(Number.POSITIVE_INFINITY);
    this.#judgedBefore = this.#options.store.events.newest();
    this.#opened = this.#timeline.now;
    this.#keepTimeline();
  }

  /**
   * Other rules are in force from now on. Their windows are rebuilt from the stored events, as at a start: a sequence that is
   * half finished stays so, and nothing is alerted twice. Throws a UserError when they cannot be run; the ones before stay.
   */
  replaceRules(rules: DetectorOptions['rules']): void {
    const detector = this.#detectorOf(rules);
    this.flush();
    this.#detector = detector;
    if (!this.#open) return;
    this.#open = false;
    this.#rebuild(this.#judgedMost);
  }

  /**
   * Events older than the windows that were stored and not judged: the first scan tells of what changed while no agent ran,
   * however long ago that was.
   */
  *#overlooked(): Generator<Event> {
    const since = this.#timeline.now - this.horizon;
    const to = this.#timeline.stepped ? Number.MAX_SAFE_INTEGER : since;
    for (const stored of this.#options.store.events.storedAfter(this.#judgedBefore, to)) {
      const event = this.#placed(stored);
      if (event.time < since) yield event;
    }
  }

  /** A stored event by the clock of detection: after another start of the machine the steps made before it say nothing. */
  #placed(stored: Event): Event {
    const isOurs = this.#timeline.continues || stored.time >= this.#opened;
    return isOurs ? stored : byWallClock(stored);
  }

  /** Gives the detector what is stored of its windows; what is later waits for its turn. */
  #rebuild(until: Micros): void {
    const waiting = this.#orderer.ids();
    // The rules before may have had no use for it, so that it does not wait yet.
    const wait = (event: Event) => {
      if (!waiting.has(event.id)) this.#order(event, true);
    };
    const since = this.#timeline.now - this.horizon;
    const stretches = this.#timeline.wallsSince(since);
    this.#detector.remember(this.#alertsBefore(stretches[0]?.from ?? since));
    let rebuilt = 0;
    let last: Micros = 0;
    for (const stretch of stretches) {
      for (const stored of this.#options.store.events.between(stretch.from, stretch.to)) {
        const event = this.#placed(stored);
        if (!this.#timeline.belongs(event, stretch)) continue;
        if (event.time > until) {
          wait(event);
          continue;
        }
        this.#detect(event);
        last = event.time;
        rebuilt++;
      }
    }
    for (const event of this.#unjournaled) {
      if (event.time <= until) this.#detect(event);
      else wait(event);
    }
    if (rebuilt > 0) this.#orderer.release(last);
    this.#open = true;
    for (const one of this.#detections) {
      const stored = this.#alertedBefore(one);
      if (stored !== undefined) this.#stoodFor.set(one.id, stored);
    }
    this.#detections = this.#withoutStored(this.#detections);
    this.#commit();
    this.#options.log.info({ events: rebuilt }, 'windows rebuilt from stored events');
  }

  /** Journals and judges at once what has been observed; `all` also what the watermark still holds back. */
  flush(all = false): void {
    const outer = this.#flushing;
    this.#flushing = true;
    try {
      this.#journal();
      if (this.#open) this.#judge(all);
    } finally {
      this.#flushing = outer;
    }
  }

  /** Judges all that is left. */
  stop(): void {
    this.flush(true);
    this.#evictions.tell(true);
    this.#turn?.cancel();
    this.#pace.stop();
  }

  /** The alerts that what is judged from `from` on may repeat, oldest first. */
  #alertsBefore(from: Micros): KnownAlert[] {
    const stored = this.#options.store.alerts.list({
      since: from - this.horizon,
      until: from,
      limit: maxRemembered,
    });
    return stored.reverse().map(({ ruleId, time, doc }) => ({
      ruleId,
      time: this.#timeline.timeOf(time),
      user: userOf(doc),
      ...knownFile(doc),
    }));
  }

  /**
   * The stored alert of the same rule and keys that is completed by the same event, when it has another id; of a threshold
   * rule, that has counted one of the events. What was judged again may have been judged in another order before: a
   * sensor that starts again may tell of one more change, a revision or a late event may have come when the alert existed.
   * It is the same attack all the same.
   */
  #alertedBefore({ id, rule, kind, time, events, joinKeys }: Detection): string | undefined {
    const last = events.at(-1)?.id;
    if (kind !== 'match' || events.length < 2 || last === undefined) return undefined;
    const { alerts } = this.#options.store;
    const keys = JSON.stringify(joinKeys.map((key) => JSON.stringify(key) ?? 'null'));
    const counts = rule.type === 'threshold';
    const around = counts ? this.horizon : 0;
    const stored = alerts.list({ rule: rule.id, since: time - around, until: time + around + 1 });
    if (stored.some((alert) => alert.id === id)) return undefined;
    const own = new Set(counts ? events.map((event) => event?.id) : [last]);
    return stored.find(({ doc }) => {
      const { Events, launchwarden } = doc as {
        Events?: EcsDocument[];
        launchwarden?: { alert?: { join_keys?: unknown } };
      };
      const told = counts ? (Events ?? []) : (Events?.slice(-1) ?? []);
      const isSame = told.some(({ event }) => event?.id !== undefined && own.has(event.id));
      return isSame && JSON.stringify(launchwarden?.alert?.join_keys) === keys;
    })?.id;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // One transaction for all that a sensor hands over in one go.
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#complete();
      // In a flood what no rule has a use for is journaled many at a time: a transaction costs more than an event.
      if (this.#isAwaited() || this.#pace.free()) this.flush();
    });
  }

  /** Whether what is to be journaled or judged may be news of an alert, or of a file. */
  #isAwaited(): boolean {
    const { waiting } = this.#orderer;
    return this.#completed.awaited || (waiting !== undefined && waiting.from <= this.#concerned);
  }

  /** At once, whenever they are journaled: what an event names may be gone a moment later. */
  #complete(): void {
    const observations = this.#observations;
    if (observations.length === 0) return;
    this.#observations = [];
    this.#readClocks();
    const completed = this.#completed;
    for (const observation of observations) {
      for (const enriched of this.#enrich(observation)) {
        const event = this.#timeline.place(this.#options.completed?.(enriched) ?? enriched);
        const old = observation.amends === true && event.id === observation.event.id;
        const concerned = this.#detector.concerns(event);
        if (concerned) completed.concerned.add(event);
        if (old || concerned || !isPlain(event)) completed.awaited = true;
        (old ? completed.amended : completed.fresh).push(event);
      }
      completed.observations.push(observation);
    }
  }

  #journal(): void {
    this.#complete();
    const { observations, fresh, amended, concerned } = this.#completed;
    const items = this.#items;
    if (observations.length + items.length === 0 && !this.#isJournalDue) return;
    this.#completed = nothing();
    this.#heldBytes = 0;
    this.#items = [];
    const { known, areAmended } = this.#journalEvents(fresh, amended, items, concerned);
    if (this.#open) for (const event of known) this.#order(event, concerned.has(event));
    try {
      // Whoever is told reads the wall clock.
      this.#options.observed?.(this.#timeline.stepped ? known.map(byWallClock) : known);
    } catch (error) {
      this.#failed(error, 'sensors could not be told of events');
    }
    this.#keepEvidence(observations.filter(({ event }) => event.doc.file !== undefined));
    for (const { content } of observations) content?.release?.();
    for (const event of amended) this.#takeRevision(event, areAmended);
  }

  get #isJournalDue(): boolean {
    if (this.#unjournaled.length === 0) return false;
    return this.#options.clock.monotonic() - this.#journalTried >= retryJournalMs;
  }

  /**
   * Returns those of the events that are new: they are to be judged, whether or not they could be journaled. `areAmended`: what
   * was amended stands in the store.
   */
  #journalEvents(
    all: readonly Event[],
    amended: readonly Event[],
    items: readonly ItemChange[],
    concerned: ReadonlySet<Event>,
  ): { readonly known: readonly Event[]; readonly areAmended: boolean } {
    const { store, journaled, clock } = this.#options;
    const passed = this.#thinned(all, concerned);
    const fresh = passed.size === 0 ? all : all.filter((one) => !passed.has(one));
    const isDue = this.#isJournalDue;
    const late = isDue ? this.#unjournaled : [];
    const again = new Set(late.map(({ id }) => id));
    let stored: readonly Event[];
    try {
      // One transaction: a crash keeps both or neither, and the watcher sees again what was not kept.
      stored = store.events.transaction(() => {
        const added = store.events.append(
          late.length === 0 ? fresh : [...late, ...fresh],
          (event) => isStreamed(event) && !concerned.has(event) && !again.has(event.id),
        );
        // What the watcher remembers holds what was amended, too.
        for (const event of amended) store.events.replace(event);
        if (items.length > 0) store.items.apply(items);
        store.stories.observe(added);
        return added;
      });
    } catch (error) {
      // A full disk must not blind detection: what could not be journaled is judged all the same, and tried again.
      this.#failed(error, 'events could not be journaled');
      this.#journalTried = clock.monotonic();
      this.#unjournaled.push(...fresh);
      const lost = this.#unjournaled.length - maxUnjournaled;
      for (const { doc } of this.#unjournaled.splice(0, Math.max(0, lost)))
        this.#evictions.count('unjournaled', userOf(doc));
      return { known: all, areAmended: false };
    }
    if (isDue) this.#unjournaled = [];
    this.counters.journaled += stored.length;
    try {
      journaled(this.#timeline.stepped ? stored.map(byWallClock) : stored);
    } catch (error) {
      this.#failed(error, 'raw events could not be queued');
    }
    const known = again.size === 0 ? stored : stored.filter(({ id }) => !again.has(id));
    return { known: passed.size === 0 ? known : [...known, ...passed], areAmended: true };
  }

  /** Those that are judged and not stored: no rule has a use for them, they are about no item, and the budget is exceeded. */
  #thinned(events: readonly Event[], concerned: ReadonlySet<Event>): ReadonlySet<Event> {
    const { thins, stores } = this.#options;
    if (thins?.() !== true) return none;
    const isNeeded = (event: Event) =>
      event.doc.launchwarden?.persistence !== undefined || concerned.has(event);
    return new Set(events.filter((event) => !isNeeded(event) && stores?.() === false));
  }

  #enrich(observation: Observation): readonly Event[] {
    try {
      return this.#options.enricher.enrich(observation);
    } catch (error) {
      this.#failed(error, 'enrichment failed');
      return [observation.event];
    }
  }

  /** In one transaction, since each waits for the disk; one that cannot be stored must not keep the others from it. */
  #keepEvidence(observations: readonly Observation[]): void {
    const { store, keep } = this.#options;
    if (keep === undefined || observations.length === 0) return;
    try {
      store.transaction(() => {
        for (const one of observations) keep(one);
      });
      return;
    } catch (error) {
      this.#failed(error, 'evidence could not be stored');
      if (observations.length === 1) return;
    }
    for (const one of observations) this.#keepEvidence([one]);
  }

  /**
   * Takes a revision of an event: a newer document under the same id. The alerts that embed the event grow, and every rule
   * judges it again, at its own time: behind the first document when that still waits, at once when it does not.
   */
  amend(event: Event): void {
    this.#takeRevision(event, false);
  }

  /** `isStored`: its document stands in the store already. */
  #takeRevision(event: Event, isStored: boolean): void {
    this.counters.amended++;
    this.#remember(event);
    this.#unstored.delete(event.id);
    if (this.#open) this.#order(event, this.#detector.concerns(event), true);
    if (this.#storeAmendment(event, isStored)) return;
    this.#unstored.set(event.id, event);
    if (this.#unstored.size > maxAmended) this.#unstored.delete(this.#unstored.keys().next().value as string);
  }

  /** What earlier documents of a revised event met: without it a restart would not know. */
  #keep(event: Event): void {
    try {
      this.#options.store.events.replace(event);
    } catch (error) {
      this.#failed(error, 'an amendment could not be stored');
      this.#unstored.set(event.id, event);
    }
  }

  #storeAmendment(event: Event, isStored = false): boolean {
    const { store, destinations, committed, amended } = this.#options;
    try {
      if (!isStored) store.events.replace(event);
      store.stories.observe([event]);
      const grown = store.alerts.amendEvent(event, destinations);
      this.counters.grown += grown;
      if (grown > 0) committed([]);
      if (grown > 0) amended?.(event);
      return true;
    } catch (error) {
      this.#failed(error, 'an amendment could not be stored');
      return false;
    }
  }

  /** What a full disk kept from being stored. */
  #retryAmendments(): void {
    for (const [id, event] of this.#unstored) {
      if (!this.#storeAmendment(event)) return;
      this.#unstored.delete(id);
    }
  }

  /** Detection may hold the event as it was, and make an alert of it later. */
  #remember(event: Event): void {
    this.#amended.delete(event.id);
    this.#amended.set(event.id, event);
    for (const oldest of this.#amended.keys()) {
      if (this.#amended.size <= maxAmended) return;
      this.#amended.delete(oldest);
    }
  }

  /** `concerned`: some rule may have a use for it. Without one there is nothing to wait for. */
  #order(event: Event, concerned: boolean, revises = false): void {
    if (!concerned && !revises && !this.#detector.needsAll) {
      this.#detector.pass();
      return;
    }
    this.#orderer.push(event, revises);
    if (!concerned) return;
    this.#wanted = Math.max(this.#wanted, event.time);
    this.#concerned = Math.max(this.#concerned, event.time);
  }

  #judge(all: boolean): void {
    this.#pace.take();
    this.#readClocks();
    const point = this.watermark.at(this.#timeline.now, this.#orderer.waiting?.from);
    try {
      const released = this.#orderer.release(all ? Number.POSITIVE_INFINITY : point);
      this.#judgedMost = Math.max(this.#judgedMost, point, released.at(-1)?.time ?? point);
      for (const event of released) this.#detector.judge(event);
      this.#detector.advance(point);
    } catch (error) {
      this.#failed(error, 'detection failed');
    }
    this.#commit();
    this.#judgedThrough = point;
    this.#evictions.tell();
    this.#await();
  }

  #readClocks(): void {
    const { clock } = this.#options;
    if (this.#timeline.sample() || clock.monotonic() - this.#timelineKept >= keepTimelineMs)
      this.#keepTimeline();
  }

  #keepTimeline(): void {
    const { boot, clock, store } = this.#options;
    if (boot === undefined || !this.#open) return;
    this.#timelineKept = clock.monotonic();
    try {
      store.progress.set(timelineKey, this.#timeline.state);
      if (this.#detections.length > 0) return;
      // What was stored just now may still wait; what was stored a while ago does not.
      store.progress.set(judgedKey, String(this.#judgedBefore));
      this.#judgedBefore = store.events.newest();
    } catch (error) {
      this.#failed(error, 'the steps of the clock could not be stored');
      this.#timelineKept -= keepTimelineMs - retryJournalMs;
    }
  }

  /** Sees to it that what still waits is judged: at once when a rule may have a use for it, else in a while. */
  #await(): void {
    const { waiting } = this.#orderer;
    if (waiting === undefined) {
      this.#held = false;
      return;
    }
    // Never cancelled while it runs: a cancelled timer wakes the process all the same, and one for each event would be
    // more of them.
    this.#turn ??= this.#options.clock.after(this.#held ? heldMs : lazyMs, () => this.#takeTurn());
    // A file of a foreign volume, a clock that was set back: asked at each word, sensors would do nothing else until then.
    const { now } = this.#timeline;
    if (this.#wanted > now + ahead) this.#wanted = now;
    this.#concerned = Math.min(this.#concerned, this.#wanted);
    if (waiting.from > this.#wanted) return;
    const time = Math.min(this.#wanted, waiting.to);
    for (const sensor of this.watermark.behind(time)) this.#options.ask(sensor, this.#timeline.wallOf(time));
  }

  #takeTurn(): void {
    this.#turn = undefined;
    const { waiting } = this.#orderer;
    if (waiting !== undefined) {
      // The watermark takes long pauses between two looks for stalls of our own: a sensor that hangs is to hold nothing
      // back for longer than it allows.
      this.#held = waiting.from <= this.#wanted;
      this.#wanted = Math.max(this.#wanted, waiting.to);
    }
    this.flush();
  }

  #detect(event: Event): void {
    try {
      this.#detector.judge(event);
    } catch (error) {
      this.#failed(error, 'detection failed');
    }
  }

  #detected(detection: Detection): void {
    if (this.#options.muted(detection.rule.id)) {
      this.counters.muted++;
      return;
    }
    if (this.#detections.length >= maxUncommitted) {
      this.counters.lost_detections++;
      return;
    }
    const stored = this.#stoodFor.get(detection.id);
    this.#detections.push(stored === undefined ? detection : this.#under(stored, detection));
  }

  /** Without the first telling of what is stored under another id; what it grew by since is news of that. */
  #withoutStored(detections: readonly Detection[]): Detection[] {
    const seen = new Set<string>();
    return detections.flatMap((one) => {
      const stored = this.#stoodFor.get(one.id);
      if (stored === undefined) return [one];
      const isFirst = !seen.has(one.id);
      seen.add(one.id);
      return isFirst ? [] : [this.#under(stored, one)];
    });
  }

  /** The detection as growth of the stored alert that it stands for. */
  #under(id: string, detection: Detection): Detection {
    try {
      const { doc, time } = this.#options.store.alerts.get(id) ?? {};
      const docs = Array.isArray(doc?.['Events']) ? (doc['Events'] as EcsDocument[]) : [];
      const sequence = Number.POSITIVE_INFINITY;
      const events = docs.map((one): Event => {
        return {
          id: one.event?.id ?? '',
          time: parseTime(one['@timestamp'])?.time ?? 0,
          nanos: 0,
          sequence,
          doc: one,
        };
      });
      return time === undefined ? detection : { ...detection, id, time, events };
    } catch (error) {
      this.#failed(error, 'an alert from before the start could not be read');
      return detection;
    }
  }

  /** The detection with what was told of its events after detection took them. */
  #newest(detection: Detection): Detection {
    const newest = (event: Event) => this.#amended.get(event.id) ?? event;
    return {
      ...detection,
      events: detection.events.map((event) => event && newest(event)),
      candidates: detection.candidates.map((one) => ({ ...one, event: newest(one.event) })),
    };
  }

  #commit(): void {
    if (this.#unstored.size > 0) this.#retryAmendments();
    if (this.#detections.length === 0) return;
    try {
      this.#told(this.#options.store.transaction(() => this.#detections.map((one) => this.#upsert(one))));
      this.#detections = [];
    } catch (error) {
      this.#failed(error, 'alerts could not be stored');
      this.#commitSingly();
    }
  }

  /**
   * One that cannot be stored must not keep the others from it. What the disk refused stays in memory and is tried again
   * at the next turn; what will never be accepted is counted and given up.
   */
  #commitSingly(): void {
    const left = this.#detections;
    this.#detections = [];
    for (const [index, detection] of left.entries()) {
      try {
        this.#told([this.#options.store.transaction(() => this.#upsert(detection))]);
      } catch (error) {
        if (!isHopeless(error)) {
          this.#detections = left.slice(index);
          return;
        }
        this.counters.lost_detections++;
        this.#options.log.error({ alert: detection.id, error: messageOf(error) }, 'alert given up');
      }
    }
  }

  #upsert(detection: Detection): Committed {
    const { store, destinations, context, settles } = this.#options;
    const made = store.alerts.upsert(this.#newest(detection), context(), destinations);
    const settled = made.change === 'new' ? settles?.(made.alert) : undefined;
    if (settled === undefined) return { detection, ...made };
    const closed = store.alerts.settle(made.alert.id, settled, { destinations, close: true });
    return { detection, change: made.change, alert: closed ?? made.alert };
  }

  #told(results: readonly Committed[]): void {
    const changed = results.filter(({ change }) => change !== 'same');
    for (const { detection, change, alert } of changed) {
      this.counters[change === 'new' ? 'alerts' : 'grown']++;
      this.#options.log.warn(
        {
          alert: alert.id,
          revision: alert.revision,
          rule: detection.rule.name,
          severity: detection.rule.severity,
          priority: alert.priority.level,
          path: alert.doc.file?.path,
        },
        change === 'new' ? 'alert' : 'alert grew',
      );
    }
    try {
      this.#options.committed(changed.map(({ alert }) => alert));
    } catch (error) {
      this.#failed(error, 'raw events could not be queued');
    }
  }

  #failed(error: unknown, message: string): void {
    this.counters.failed++;
    this.#failures.say(error, message);
  }
}

/** What was completed and waits to be journaled. */
interface Completed {
  readonly observations: Observation[];
  readonly fresh: Event[];
  /** Newer documents of events that were told before. */
  readonly amended: Event[];
  /** Those that some rule may have a use for. */
  readonly concerned: Set<Event>;
  /** Somebody may wait for one of them. */
  awaited: boolean;
}

function nothing(): Completed {
  return { observations: [], fresh: [], amended: [], concerned: new Set(), awaited: false };
}

/** Of a process, and of no item. */
function isPlain({ doc }: Event): boolean {
  return (
    doc.file === undefined &&
    doc.launchwarden?.persistence === undefined &&
    doc.event?.category?.includes('process') === true
  );
}

/** Of a process, from a sensor that tells of each once: one that looks again may tell again. */
function isStreamed(event: Event): boolean {
  const kind = event.doc.launchwarden?.sensor?.kind;
  return (kind === 'eslogger' || kind === 'endpoint-security') && isPlain(event);
}

function byWallClock({ shift, ...event }: Event): Event {
  return shift === undefined ? event : { ...event, time: event.time + shift };
}

function knownFile({ file }: EcsDocument): Pick<KnownAlert, 'file'> {
  if (file?.path === undefined) return {};
  const { path, inode, hash } = file;
  return {
    file: {
      path,
      ...(inode === undefined ? {} : { inode }),
      ...(hash?.sha256 === undefined ? {} : { sha256: hash.sha256 }),
    },
  };
}

interface Committed {
  readonly detection: Detection;
  readonly alert: Alert;
  readonly change: AlertChange;
}

/** True of an error that the same detection will meet again, whatever becomes of the disk. */
function isHopeless(error: unknown): boolean {
  const code = errnoOf(error) ?? '';
  return !code.startsWith('SQLITE_') || /^SQLITE_(?:TOOBIG|CONSTRAINT|MISMATCH|RANGE)/.test(code);
}
