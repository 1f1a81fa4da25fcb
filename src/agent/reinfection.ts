import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Micros } from '../base/time.js';
import { type Alert, agentAuthor } from '../event/alert.js';
import type { EcsDocument } from '../event/document.js';
import { type Event, wallTime } from '../event/event.js';
import { signerValue } from '../respond/index.js';
import type { ReinfectionWatch, Store } from '../store/index.js';

/** Further events of the same kind within so long are counted and not told, microseconds. */
const quietMicros = 60_000_000;
/** So long after we placed an object, what appears below it is ours, microseconds. */
const ownMicros = 10_000_000;
const mostPlaced = 1_000;
/** Folders above a path that may be the bundle that is watched. */
const mostAbove = 8;

export interface ReinfectionOptions {
  readonly store: Pick<Store, 'alerts' | 'reinfection'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly destinations: readonly string[];
  /** Called when an alert was revised. */
  revised(): void;
}

interface Hit {
  readonly watch: ReinfectionWatch;
  /** For people: what was seen. */
  readonly what: string;
}

/**
 * Compares what is observed with what responses watch for. What comes back opens the alert of the response again, with the
 * link. What launchwarden itself puts somewhere never counts.
 */
export class Reinfection {
  readonly #options: ReinfectionOptions;
  /** By kind and value. */
  #watches = new Map<string, ReinfectionWatch[]>();
  readonly #toldAt = new Map<string, Micros>();
  /** Alerts that were told of already. */
  readonly #known = new Set<string>();
  readonly #placed = new Map<string, { readonly ino: string; readonly time: Micros }>();

  constructor(options: ReinfectionOptions) {
    this.#options = options;
  }

  /** Reads what is armed. */
  load(): void {
    const watches = new Map<string, ReinfectionWatch[]>();
    for (const one of this.#options.store.reinfection.list()) {
      const key = keyOf(one.kind, one.value);
      watches.set(key, [...(watches.get(key) ?? []), one]);
    }
    this.#watches = watches;
  }

  get armed(): number {
    return this.#watches.size;
  }

  /** An object of ours is about to appear. */
  placed(path: string, ino: string): void {
    this.#placed.set(fold(path), { ino, time: this.#options.clock.now() });
    for (const oldest of this.#placed.keys()) {
      if (this.#placed.size <= mostPlaced) return;
      this.#placed.delete(oldest);
    }
  }

  /** Events that were observed just now. */
  observed(events: readonly Event[]): void {
    if (this.#watches.size === 0) return;
    for (const event of events) {
      if (isQuiet(event.doc) || this.#isOwn(event.doc)) continue;
      const time = wallTime(event);
      for (const { watch, what } of this.#hitsOf(event.doc, time)) {
        this.#count(watch, time);
        const last = this.#toldAt.get(watch.response);
        if (last !== undefined && time - last < quietMicros) continue;
        this.#toldAt.set(watch.response, time);
        this.#open(
          watch,
          `it came back: ${what} (event ${event.id}); response ${watch.response} watches for that`,
        );
      }
    }
  }

  /** Alerts that were committed just now, new or grown. */
  committed(alerts: readonly Alert[]): void {
    for (const alert of alerts) {
      if (alert.revision !== 1 || this.#known.has(alert.id)) continue;
      if (this.#isOwn(alert.doc)) {
        this.#note(
          alert.id,
          'launchwarden itself put this file there: a response was undone, or a version restored',
        );
        continue;
      }
      if (this.#watches.size === 0) continue;
      const told = new Set<string>();
      for (const { watch, what } of this.#hitsOf(alert.doc, alert.time)) {
        if (told.has(watch.alert) || watch.alert === alert.id || watch.alert === '') continue;
        told.add(watch.alert);
        this.#open(
          watch,
          `it came back: alert ${alert.id} (${alert.ruleName}): ${what}; response ${watch.response} watches for that`,
        );
        this.#note(
          alert.id,
          `this came back: response ${watch.response} to alert ${watch.alert} had taken it away (${what})`,
        );
      }
      this.#known.add(alert.id);
      if (this.#known.size > mostPlaced) this.#known.delete(this.#known.values().next().value as string);
    }
  }

  #hitsOf(doc: EcsDocument, time: Micros): Hit[] {
    const hits = new Map<string, Hit>();
    for (const { kind, value, what } of signsOf(doc)) {
      for (const watch of this.#watches.get(keyOf(kind, value)) ?? [])
        if (time > watch.armed && !hits.has(watch.response)) hits.set(watch.response, { watch, what });
    }
    return [...hits.values()];
  }

  #isOwn({ file }: EcsDocument): boolean {
    if (this.#placed.size === 0 || typeof file?.path !== 'string') return false;
    const path = fold(file.path);
    const placed = this.#placed.get(path);
    if (placed !== undefined) return placed.ino === file.inode;
    const now = this.#options.clock.now();
    return foldersAbove(path).some((one) => {
      const above = this.#placed.get(one);
      return above !== undefined && now - above.time < ownMicros;
    });
  }

  #count(watch: ReinfectionWatch, time: Micros): void {
    try {
      this.#options.store.reinfection.hit(watch, time);
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, 'a hit of a watch could not be counted');
    }
  }

  /** Opens the alert of a watch again; one that is open, or worked on, keeps its state and gets the line. */
  #open(watch: ReinfectionWatch, text: string): void {
    const { store, log, destinations, revised } = this.#options;
    log.warn(
      { response: watch.response, alert: watch.alert, kind: watch.kind },
      'what was responded to came back',
    );
    if (watch.alert === '') return;
    try {
      const alert = store.alerts.get(watch.alert);
      if (alert === undefined) return;
      const action = alert.status === 'closed' ? 'open' : 'response';
      store.alerts.change(watch.alert, { author: agentAuthor, action, text }, destinations);
      revised();
    } catch (error) {
      log.error({ alert: watch.alert, error: messageOf(error) }, 'an alert could not be opened again');
    }
  }

  #note(id: string, text: string): void {
    const { store, log, destinations, revised } = this.#options;
    try {
      store.alerts.change(id, { author: agentAuthor, action: 'response', text }, destinations);
      revised();
    } catch (error) {
      log.error({ alert: id, error: messageOf(error) }, 'a line about a response could not be kept');
    }
  }
}

function keyOf(kind: ReinfectionWatch['kind'], value: string): string {
  return `${kind}\0${kind === 'path' ? fold(value) : value}`;
}

/** Volumes of a Mac compare names without regard to case and composition. */
function fold(path: string): string {
  return path.normalize('NFC').toLowerCase();
}

function foldersAbove(path: string): string[] {
  const above: string[] = [];
  for (let at = path.lastIndexOf('/'); at > 0 && above.length < mostAbove; at = path.lastIndexOf('/', at - 1))
    above.push(path.slice(0, at));
  return above;
}

/** What goes, and what only was found there, has not come back. */
function isQuiet({ event }: EcsDocument): boolean {
  const types: unknown = event?.type;
  return Array.isArray(types) && (types.includes('deletion') || types.every((one) => one === 'info'));
}

interface Sign {
  readonly kind: ReinfectionWatch['kind'];
  readonly value: string;
  readonly what: string;
}

/** What of a document may be watched for. Documents may hold anything. */
function signsOf({ file, process, launchwarden }: EcsDocument): Sign[] {
  const signs: Sign[] = [];
  const add = (kind: Sign['kind'], value: unknown, what: (text: string) => string) => {
    if (typeof value === 'string' && value !== '')
      signs.push({ kind, value, what: what(value.slice(0, 512)) });
  };
  const path: unknown = file?.path;
  if (typeof path === 'string')
    for (const one of [path, ...foldersAbove(path)])
      add('path', one, () => `${path.slice(0, 512)} was written`);
  add('path', process?.executable, (text) => `${text} runs`);
  add('path', launchwarden?.job?.plist_path, (text) => `launchd loaded ${text}`);
  const labels = [
    launchwarden?.plist?.label,
    launchwarden?.persistence?.label,
    launchwarden?.job?.label,
  ].flat();
  for (const label of labels) add('label', label, (text) => `an item with the label ${text}`);
  for (const hash of [file?.hash?.sha256, process?.hash?.sha256])
    add('sha256', hash, (text) => `the same content (sha256 ${text})`);
  for (const signer of [process?.code_signature, launchwarden?.plist?.code_signature])
    if (typeof signer?.team_id === 'string' && signer.team_id !== '')
      add('signer', signerValue(signer.team_id, signer.signing_id), (text) => `the same signer (${text})`);
  return signs;
}
