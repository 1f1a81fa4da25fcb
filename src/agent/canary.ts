import type { Clock, Timer } from '../base/clock.js';
import { messageOf, UserError } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import { formatMicros, type Micros, parseTime } from '../base/time.js';
import {
  brokenText,
  type CanaryBegun,
  type CanaryEnd,
  type CanaryEnded,
  type CanaryItem,
  type CanaryLink,
  type CanaryPlace,
  type CanaryProgress,
  type CanaryResult,
  type CanaryStep,
  canaryOps,
  countedFrom,
  lastCanary,
  lastCanaryKey,
  makeCanaryItem,
} from '../canary/index.js';
import type { Alert, Settled } from '../event/alert.js';
import { type AnnouncedCanary, canaryReason, isCanaryAlert, isCanaryFile } from '../event/canary.js';
import type { EcsDocument } from '../event/document.js';
import { type Event, type Gap, wallTime } from '../event/event.js';
import type { Store } from '../store/index.js';
import type { ControlHandlers } from './control.js';

/** The rule that must alert: that of the folder which the item stands in. */
const ruleOf = {
  daemon: '0d3a1c5e-64cf-4b0e-9d3b-0d8a3b8f5a11',
  agent: '84ef182d-0141-4ce2-ad66-64197c249018',
} as const satisfies Record<CanaryItem['kind'], string>;

const announcedKey = 'canary.announced';
const mostAnnounced = 16;
/** A command that says nothing more is given up, milliseconds. */
const longestMs = 600_000;
/** What is seen so long before the beginning and after the end still belongs to it, microseconds: clocks of files are coarse. */
const beforeMicros = 1_000_000;
const afterMicros = 30_000_000;
const scheduleMs = 60_000;

export interface CanaryKeeperOptions {
  readonly store: Pick<Store, 'meta' | 'condition'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly place: CanaryPlace;
  readonly destinations: readonly string[];
  /** Why a rule does not alert here; undefined of one that runs. */
  ruleTrouble(id: string): string | undefined;
  /** Why a destination does not take anything at present. */
  destinationTrouble(name: string): string | undefined;
  /** Why processes, or files, are not seen as they should be. */
  sightTrouble(): string | undefined;
  /** How often it runs by itself, milliseconds; undefined: never. */
  readonly everyMs: number | undefined;
  /** Starts the command; calls `ended` with why it failed when it cannot be started. */
  launch(ended: (error: Error) => void): void;
  /** An alert that was closed as the canary's is none. */
  reopen(alert: string): void;
  /** A run failed: from the last one that went through. */
  failed(gap: Gap): void;
}

interface Active {
  readonly item: CanaryItem;
  readonly trigger: CanaryResult['trigger'];
  readonly started: Micros;
  readonly timer: Timer;
  fileSeen?: Micros;
  loadSeen?: Micros;
  /** Kinds of the sensors that saw it. */
  readonly sensors: Set<string>;
  alert?: string;
  judged?: Micros;
  stored?: Micros;
  readonly delivered: Map<string, Micros>;
  /** Alerts that were closed as the canary's. */
  readonly closed: Set<string>;
  /** Something else stood at its path: it is the canary no longer. */
  exchanged?: true;
}

/**
 * The agent's part of the canary: it makes the item, follows it through the chain, and keeps how it ended. What counts as
 * the canary is what the agent itself announced: that path with exactly that content, within that time.
 */
export class CanaryKeeper {
  readonly #options: CanaryKeeperOptions;
  #everyMs: number | undefined;
  #announced: AnnouncedCanary[];
  #active: Active | undefined;
  #last: CanaryResult | undefined;
  #launched = false;
  #triedAt: Micros;
  #timer: Timer | undefined;

  constructor(options: CanaryKeeperOptions) {
    this.#options = options;
    this.#everyMs = options.everyMs;
    this.#announced = readAnnounced(options.store.meta.get(announcedKey));
    this.#last = lastCanary(options.store);
    this.#triedAt = this.#last === undefined ? 0 : (parseTime(this.#last.started)?.time ?? 0);
  }

  start(): void {
    const everyMs = this.#everyMs;
    if (everyMs === undefined) return;
    this.#timer ??= this.#options.clock.every(Math.min(scheduleMs, everyMs), () => this.#tick(everyMs));
  }

  /** Another schedule, counted from the last run; one that is under way goes on. To be called after `start`. */
  schedule(everyMs: number | undefined): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#everyMs = everyMs;
    this.start();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#active?.timer.cancel();
  }

  /** Why the newest run failed; undefined when it did not. */
  get trouble(): string | undefined {
    if (this.#last === undefined || this.#last.ok) return undefined;
    return `the canary failed at ${this.#last.ended.slice(0, 19)}Z: ${brokenText(this.#last) ?? 'it was not finished'}`;
  }

  status(): object {
    return {
      running: this.#active !== undefined,
      every_ms: this.#everyMs ?? null,
      last: this.#last ?? null,
    };
  }

  handlers(): ControlHandlers {
    return {
      [canaryOps.begin]: (): CanaryBegun => this.#begin(),
      [canaryOps.progress]: (args): CanaryProgress => this.#progress(this.#flying(args)),
      [canaryOps.end]: (args): CanaryEnded => this.#end(args),
    };
  }

  /** Why an alert needs nobody: it is about a canary of ours and nothing else. */
  settles({ doc, time }: Pick<Alert, 'doc' | 'time'>): Settled | undefined {
    if (this.#announced.length === 0) return undefined;
    const canary = isCanaryAlert(doc, time, this.#announced);
    if (canary === undefined) return undefined;
    const id = doc.event?.id;
    if (canary.label === this.#active?.item.label && id !== undefined) this.#active.closed.add(id);
    return { reason: canaryReason, text: `${canary.label}, written by launchwarden to prove itself` };
  }

  /** An event about the canary without what is said of everything else that is called so. */
  completed(event: Event): Event {
    this.#watchContent(event);
    const { findings } = event.doc.launchwarden ?? {};
    if (findings === undefined || !findings.includes('canary-label')) return event;
    const time = wallTime(event);
    const isOurs = this.#announced.some(
      (one) => time >= one.from && time <= one.until && isCanaryFile(event.doc, one),
    );
    if (!isOurs) return event;
    const left = findings.filter((one) => one !== 'canary-label');
    return { ...event, doc: { ...event.doc, launchwarden: { ...event.doc.launchwarden, findings: left } } };
  }

  /** Whoever puts another content at its path, and its own back a moment later, ends it. */
  #watchContent({ doc }: Event): void {
    const active = this.#active;
    if (active === undefined || active.exchanged || doc.file?.path !== active.item.path) return;
    const { label, sha256 } = active.item;
    const found = doc.file.hash?.sha256;
    // An empty one is about to be written.
    if (found === undefined || found === sha256 || doc.file.size === 0) return;
    active.exchanged = true;
    this.#announced = this.#announced.filter((one) => one.label !== label);
    this.#keepAnnounced();
    for (const id of active.closed) this.#options.reopen(id);
  }

  /** Events that were observed just now. */
  observed(events: readonly Event[]): void {
    const active = this.#active;
    if (active === undefined) return;
    const { path, sha256 } = active.item;
    for (const { doc } of events) {
      const isFile = doc.file?.path === path && doc.file.hash?.sha256 === sha256;
      const isLoad = doc.file === undefined && doc.process?.args?.includes(path) === true;
      if (!isFile && !isLoad) continue;
      const now = this.#options.clock.now();
      if (isFile) active.fileSeen ??= now;
      else active.loadSeen ??= now;
      const kind = doc.launchwarden?.sensor?.kind;
      if (kind !== undefined) active.sensors.add(kind);
    }
  }

  /** Alerts that were committed just now. */
  committed(alerts: readonly Alert[]): void {
    const active = this.#active;
    if (active === undefined || active.alert !== undefined) return;
    const alert = alerts.find(
      ({ ruleId, doc }) => ruleId === ruleOf[active.item.kind] && speaksOf(doc, active.item.path),
    );
    if (alert === undefined) return;
    active.alert = alert.id;
    active.judged = alert.created;
    active.stored = this.#options.clock.now();
  }

  /** Documents that a destination acknowledged. */
  delivered(destination: string, ids: readonly string[]): void {
    const active = this.#active;
    if (active?.alert === undefined || !ids.includes(active.alert)) return;
    if (!active.delivered.has(destination)) active.delivered.set(destination, this.#options.clock.now());
  }

  #begin(): CanaryBegun {
    const { clock, place, ruleTrouble } = this.#options;
    if (this.#active !== undefined)
      throw new UserError('canary/running', 'a canary is under way', { hint: 'Wait for its end.' });
    const rule = ruleOf[place.kind];
    const why = ruleTrouble(rule);
    if (why !== undefined)
      throw new UserError('canary/rule-off', `the rule that the canary proves does not run: ${why}`, {
        hint: `Switch it on ("launchwarden rules enable ${rule}") and restart the agent.`,
      });
    const item = makeCanaryItem(place);
    const started = clock.now();
    const { label, path, sha256 } = item;
    const until = started + longestMs * 1000;
    this.#announced = [
      ...this.#announced,
      { label, path, sha256, from: started - beforeMicros, until },
    ].slice(-mostAnnounced);
    // Before it exists: a restart in the middle must know it, too.
    this.#keepAnnounced();
    this.#active = {
      item,
      started,
      trigger: this.#launched ? 'schedule' : 'command',
      timer: clock.after(longestMs, () => this.#finish([])),
      sensors: new Set(),
      delivered: new Map(),
      closed: new Set(),
    };
    this.#launched = false;
    return { item };
  }

  #flying(args: unknown): Active {
    const label = (args as { label?: unknown } | null)?.label;
    if (this.#active !== undefined && this.#active.item.label === label) return this.#active;
    throw new UserError('canary/unknown', 'that canary is not under way', {
      hint: 'The agent was restarted meanwhile, or it took too long. Run it again.',
    });
  }

  #progress(active: Active): CanaryProgress {
    const { destinations } = this.#options;
    const steps = this.#steps(active);
    const complete = active.stored !== undefined && active.delivered.size >= destinations.length;
    return {
      steps,
      complete: complete && steps.every(({ ok }) => ok),
      loadSeen: active.loadSeen !== undefined,
    };
  }

  /** What is done of the agent's own links. */
  #steps(active: Active): CanaryStep[] {
    const { store, destinations } = this.#options;
    const { fileSeen, loadSeen, judged, stored, alert, sensors, delivered } = active;
    const done = (link: CanaryLink, at: Micros, more: Partial<CanaryStep> = {}): CanaryStep => {
      return { link, ok: true, at: formatMicros(at), ...more };
    };
    const steps: CanaryStep[] = [];
    if (fileSeen !== undefined && loadSeen !== undefined)
      steps.push(done('seen', Math.max(fileSeen, loadSeen), { detail: `by ${[...sensors].join(' and ')}` }));
    if (judged !== undefined) steps.push(done('judged', judged));
    if (stored !== undefined && alert !== undefined && store.condition().held_alerts === 0)
      steps.push(done('stored', stored, { detail: `alert ${alert}` }));
    for (const [destination, at] of delivered) steps.push(done('delivered', at, { destination }));
    if (stored !== undefined && destinations.length === 0)
      steps.push(
        done('delivered', stored, { detail: 'no destination is configured: the chain ends in the store' }),
      );
    return steps;
  }

  #end(args: unknown): CanaryEnded {
    this.#flying(args);
    const { steps, aborted } = args as CanaryEnd;
    const own = Array.isArray(steps) ? steps.slice(0, 10) : [];
    return { result: this.#finish(own, aborted === true) };
  }

  #finish(own: readonly CanaryStep[], aborted = false): CanaryResult {
    const { clock, store, log } = this.#options;
    const active = this.#active as Active;
    active.timer.cancel();
    const now = clock.now();
    const steps = this.#allSteps(active, own);
    const before = this.#last;
    const lastOk = before?.ok === true ? before.started : before?.last_ok;
    const result: CanaryResult = {
      label: active.item.label,
      path: active.item.path,
      trigger: active.trigger,
      started: formatMicros(active.started),
      ended: formatMicros(now),
      ok: steps.every(({ ok }) => ok),
      steps,
      ...(active.alert === undefined ? {} : { alert: active.alert }),
      ...(lastOk === undefined ? {} : { last_ok: lastOk }),
    };
    this.#active = undefined;
    this.#announced = this.#announced.map((one) =>
      one.label === active.item.label ? { ...one, until: now + afterMicros } : one,
    );
    this.#keepAnnounced();
    if (aborted) return result;
    this.#last = result;
    this.#triedAt = active.started;
    try {
      store.meta.set(lastCanaryKey, JSON.stringify(result));
    } catch (error) {
      log.error({ error: messageOf(error) }, 'the result of the canary could not be stored');
    }
    if (result.ok) log.info({ label: result.label, alert: result.alert }, 'the canary went through');
    else this.#tellFailure(result, now);
    return result;
  }

  #tellFailure(result: CanaryResult, now: Micros): void {
    const since = parseTime(result.last_ok ?? result.started)?.time ?? now;
    const detail = brokenText(result) ?? 'it was not finished';
    const blinded = true;
    this.#options.failed({ sensor: 'agent', reason: 'canary-failed', from: since, to: now, detail, blinded });
  }

  /** Every link in order; the first that was not passed says why, and those behind it are left out. */
  #allSteps(active: Active, own: readonly CanaryStep[]): CanaryStep[] {
    const { destinations, destinationTrouble } = this.#options;
    const known = [...own, ...this.#steps(active)];
    const of = (link: CanaryLink) => known.filter((step) => step.link === link);
    const steps: CanaryStep[] = [];
    const broken = () => steps.some(({ ok }) => !ok);
    const need = (link: CanaryLink, why: () => Pick<CanaryStep, 'detail' | 'cure'>) => {
      const found = of(link);
      steps.push(...found);
      if (found.length === 0 && !broken()) steps.push({ link, ok: false, ...why() });
    };
    need('written', () => unfinished);
    need('loaded', () => unfinished);
    need('seen', () => this.#unseen(active));
    if (active.exchanged)
      steps.push({
        ...{ link: 'seen', ok: false },
        detail: `something else stood at ${active.item.path} while the canary was under way`,
        cure: 'look at the alerts about that path: somebody tried to hide behind it',
      });
    need('judged', () => ({
      detail: 'it was seen, and the rule did not alert',
      cure: 'look for an exception that hides it ("launchwarden exceptions list") and for a flood ("launchwarden alerts list")',
    }));
    need('stored', () => ({
      detail: `the alert is in memory alone: ${this.#options.store.condition().reason ?? 'the store cannot be written'}`,
      cure: 'look at "launchwarden status": is the disk full, or the database locked?',
    }));
    steps.push(...of('delivered'));
    if (!broken())
      for (const destination of destinations)
        if (!active.delivered.has(destination))
          steps.push({
            link: 'delivered',
            destination,
            ok: false,
            detail: destinationTrouble(destination) ?? 'it did not acknowledge the alert in time',
            cure: `run "launchwarden forward test ${destination}"`,
          });
    const removed = of('removed');
    steps.push(...removed);
    if (removed.length === 0 && of('written').some(({ ok }) => ok))
      steps.push({ link: 'removed', ok: false, ...unfinished });
    const written = of('written')[0]?.at;
    return steps.map((step) => countedFrom(written, step));
  }

  #unseen({ fileSeen, loadSeen }: Active): Pick<CanaryStep, 'detail' | 'cure'> {
    const what = [
      ...(fileSeen === undefined ? ['the file'] : []),
      ...(loadSeen === undefined ? ['the launchctl call'] : []),
    ].join(' and ');
    const why = this.#options.sightTrouble();
    return {
      detail: `no sensor saw ${what}${why === undefined ? '' : `: ${why}`}`,
      cure: 'look at "launchwarden status" and "launchwarden coverage": does it have Full Disk Access?',
    };
  }

  #keepAnnounced(): void {
    try {
      this.#options.store.meta.set(announcedKey, JSON.stringify(this.#announced));
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, 'the canary could not be announced in the store');
    }
  }

  #tick(everyMs: number): void {
    const { clock, launch } = this.#options;
    if (this.#active !== undefined || clock.now() - this.#triedAt < everyMs * 1000) return;
    this.#triedAt = clock.now();
    this.#launched = true;
    launch((error) => {
      if (!this.#launched) return;
      this.#launched = false;
      const now = clock.now();
      const detail = `it could not be run: ${messageOf(error)}`;
      const from = parseTime(
        this.#last?.ok === true ? this.#last.started : (this.#last?.last_ok ?? ''),
      )?.time;
      this.#options.failed({
        ...{ sensor: 'agent', reason: 'canary-failed', from: from ?? now, to: now, detail },
        blinded: true,
      });
    });
  }
}

const unfinished = {
  detail: 'the command ended, or was ended, before that',
  cure: 'run "launchwarden canary" again',
};

function speaksOf(doc: EcsDocument, path: string): boolean {
  const { candidates } = (doc.launchwarden?.['alert'] ?? {}) as { candidates?: readonly { path?: string }[] };
  return doc.file?.path === path || candidates?.some((one) => one.path === path) === true;
}

function readAnnounced(text: string | undefined): AnnouncedCanary[] {
  try {
    const list = JSON.parse(text ?? '[]') as readonly (Partial<AnnouncedCanary> | null)[];
    return list.filter(
      (one): one is AnnouncedCanary =>
        [one?.label, one?.path, one?.sha256].every((part) => typeof part === 'string') &&
        [one?.from, one?.until].every((part) => Number.isSafeInteger(part)),
    );
  } catch {
    return [];
  }
}
