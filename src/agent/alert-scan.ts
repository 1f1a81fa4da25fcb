import { BoundedQueue } from '../base/bounded-queue.js';
import type { Clock, Timer } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { RootMap } from '../base/root.js';
import type { Settings } from '../config/index.js';
import type { Alert } from '../event/alert.js';
import type { EcsDocument, ScanFields } from '../event/document.js';
import type { Event } from '../event/event.js';
import { ContentScanner, type FileScan } from '../scan/index.js';
import type { Store } from '../store/index.js';

const maxQueued = 256;
/** Files of one event that are scanned. */
const maxFiles = 16;
/** Events that were scanned, by what they named then. */
const maxDone = 2_048;
const maxNamed = 20;
/** YARA's memory is given back after so long without an alert, milliseconds. */
const restMs = 60_000;
const maxText = 300;

export interface AlertScanOptions {
  readonly events: Pick<Store['events'], 'get'>;
  readonly settings: Settings['scan'];
  readonly root: RootMap;
  readonly clock: Clock;
  readonly log: Logger;
  /** Takes an event that tells more than the stored one of the same id. */
  amend(event: Event): void;
}

/**
 * Scans what an alert is about, the item and all that it runs, by the hash lists and YARA rules of `[scan]`, and tells a
 * match as an amendment of the event: the alert grows by findings and `launchwarden.scan`. Best effort, bounded; never
 * holds up an alert. Does nothing where nothing is configured.
 */
export class AlertScan {
  readonly #options: AlertScanOptions;
  readonly #counters = { scanned: 0, matched: 0, left: 0, dropped: 0 };
  readonly #queue = new BoundedQueue<string>(maxQueued);
  readonly #pending = new Set<string>();
  readonly #done = new Set<string>();
  readonly #stop = new AbortController();
  #scanner: ContentScanner | undefined;
  #refused: string | undefined;
  #running = false;
  #rest: Timer | undefined;

  #settings: Settings['scan'];

  constructor(options: AlertScanOptions) {
    this.#options = options;
    this.#settings = options.settings;
  }

  /** Other lists or limits: they are in force after the next `load`. */
  configure(settings: Settings['scan']): void {
    this.#settings = settings;
  }

  get #wanted(): boolean {
    const { alerts, hashes, yara } = this.#settings;
    return alerts && hashes.length + yara.length > 0;
  }

  /** Why alerts are not scanned, or not by everything, although that is configured. */
  get trouble(): string | undefined {
    if (!this.#wanted) return undefined;
    if (this.#refused !== undefined) return `alerts are not scanned: ${this.#refused}`;
    const refused = this.#scanner?.refused ?? [];
    const [first] = refused;
    if (first === undefined) return undefined;
    const more = refused.length === 1 ? '' : `, and ${refused.length - 1} more`;
    return `alerts are not scanned by all of [scan]: ${first.file}:${first.line ?? 1}: ${first.message}${more}`;
  }

  status(): object {
    if (!this.#wanted) return { off: 'no hash list or YARA rules are configured' };
    return { ...this.#counters, ...(this.#scanner?.counts ?? {}), trouble: this.trouble ?? null };
  }

  /** Reads lists and rules, again when they were read before. What cannot be used is logged, and said in `trouble`. */
  async load(): Promise<void> {
    if (!this.#wanted || this.#stop.signal.aborted) return;
    const { root, log } = this.#options;
    try {
      const scanner = await ContentScanner.open({ ...this.#settings, root });
      for (const { file, line, message } of scanner.refused.slice(0, maxNamed))
        log.warn({ file, line, reason: message }, 'not used by scans of alerts');
      const before = this.#scanner;
      this.#scanner = scanner;
      this.#refused = undefined;
      await before?.close();
      this.#done.clear();
      await this.#restLater();
      log.info({ ...scanner.counts }, 'alerts are scanned');
    } catch (error) {
      this.#refused = messageOf(error);
      log.error({ reason: this.#refused }, 'alerts are not scanned');
    }
    if (this.#stop.signal.aborted) await this.#scanner?.close();
    else this.#next();
  }

  /** Alerts that were committed just now. */
  committed(alerts: readonly Alert[]): void {
    if (!this.#wanted) return;
    for (const { doc } of alerts) for (const id of eventsOf(doc)) this.#ask(id);
  }

  /** An event that an alert embeds has another document than before. */
  amended(event: Event): void {
    if (this.#wanted && !this.#done.has(keyOf(event))) this.#ask(event.id);
  }

  /** Gives YARA's memory back, unless it is at work. */
  relieve(): void {
    if (!this.#running) void this.#scanner?.rest();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#rest?.cancel();
    await this.#scanner?.close();
  }

  #ask(eventId: string): void {
    if (this.#stop.signal.aborted || this.#pending.has(eventId)) return;
    if (!this.#queue.push(eventId)) {
      this.#counters.dropped++;
      return;
    }
    this.#pending.add(eventId);
    this.#next();
  }

  #next(): void {
    if (this.#running || this.#scanner === undefined || this.#stop.signal.aborted) return;
    const eventId = this.#queue.shift();
    if (eventId === undefined) return;
    this.#running = true;
    void this.#scan(eventId, this.#scanner)
      .catch((error: unknown) => {
        this.#options.log.error({ error: messageOf(error) }, 'an alert could not be scanned');
      })
      .finally(() => {
        this.#running = false;
        this.#pending.delete(eventId);
        this.#next();
      });
  }

  async #scan(eventId: string, scanner: ContentScanner): Promise<void> {
    const { events, amend } = this.#options;
    const before = events.get(eventId);
    if (before === undefined || this.#done.has(keyOf(before))) return;
    this.#remember(keyOf(before));
    const scans: FileScan[] = [];
    for (const path of pathsOf(before.doc)) {
      if (this.#stop.signal.aborted) return;
      const one = await scanner.scan(path, this.#stop.signal, namedBy(before.doc));
      if (one.missing !== true) scans.push(one);
    }
    await this.#restLater();
    this.#counters.scanned += scans.length;
    const fields = fieldsOf(scans);
    const now = events.get(eventId);
    if (fields === undefined || now === undefined || this.#stop.signal.aborted) return;
    if (fields.matched !== undefined) this.#counters.matched++;
    if (fields.left_out !== undefined) this.#counters.left++;
    const event = { ...now, doc: withScan(now.doc, fields) };
    this.#remember(keyOf(event));
    amend(event);
  }

  async #restLater(): Promise<void> {
    this.#rest?.cancel();
    this.#rest = this.#options.clock.after(restMs, () => {
      if (!this.#running) void this.#scanner?.rest();
    });
  }

  #remember(key: string): void {
    this.#done.delete(key);
    this.#done.add(key);
    for (const oldest of this.#done) {
      if (this.#done.size <= maxDone) return;
      this.#done.delete(oldest);
    }
  }
}

/** The file event of an alert, or without one the events that name files. */
function eventsOf(doc: EcsDocument): readonly string[] {
  const { file_event_id: file } = (doc.launchwarden?.['alert'] ?? {}) as { file_event_id?: unknown };
  const embedded = Array.isArray(doc['Events']) ? (doc['Events'] as EcsDocument[]) : [];
  if (typeof file === 'string') return [file];
  return embedded
    .filter((one) => pathsOf(one).length > 0)
    .map((one) => one.event?.id)
    .filter((id) => typeof id === 'string')
    .slice(0, 4);
}

/** What an event names, canonical paths: the item, what it runs, what launchctl was told to load. */
function pathsOf(doc: EcsDocument): readonly string[] {
  const { plist, persistence, job, process } = doc.launchwarden ?? {};
  const paths: unknown[] = [
    doc.file?.type === 'dir' ? undefined : doc.file?.path,
    plist?.program,
    ...list(plist?.runs),
    ...list(persistence?.runs),
    job?.program,
    job?.plist_path,
    ...list(process?.named_files).map((one) => {
      const { path, resolved } = (one ?? {}) as { path?: unknown; resolved?: unknown };
      return resolved ?? path;
    }),
  ];
  const absolute = paths.filter((one): one is string => typeof one === 'string' && one.startsWith('/'));
  return [...new Set(absolute)].slice(0, maxFiles);
}

/** Who named what an event names: an item, by its path, or the user of a process. */
function namedBy({ launchwarden, file, user }: EcsDocument): string | number | undefined {
  const item: unknown = launchwarden?.persistence?.path ?? launchwarden?.job?.plist_path ?? file?.path;
  if (typeof item === 'string' && item.startsWith('/')) return item;
  return /^\d{1,10}$/.test(String(user?.id)) ? Number(user?.id) : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** What was scanned: another content or program is scanned anew. */
function keyOf({ id, doc }: Event): string {
  return `${id} ${doc.file?.hash?.sha256 ?? ''} ${pathsOf(doc).join('\0')}`;
}

function fieldsOf(scans: readonly FileScan[]): ScanFields | undefined {
  const named = scans.filter(({ listed, yara }) => listed !== undefined || yara.length > 0);
  const left = scans.filter((one) => one.left !== undefined);
  if (named.length + left.length === 0) return undefined;
  const texts = (values: readonly (string | undefined)[]) => {
    const all = values.filter((one) => one !== undefined).map((one) => one.slice(0, maxText));
    return [...new Set(all)].slice(0, maxNamed);
  };
  const rules = texts(named.flatMap(({ yara }) => yara.map(({ rule }) => rule)));
  const listed = texts(named.map((one) => one.listed && (one.listed.name || one.listed.file)));
  return {
    ...(named.length === 0
      ? {}
      : {
          matched: texts(named.map(({ path }) => path)),
          sha256: texts(named.map(({ sha256 }) => sha256)),
        }),
    ...(rules.length === 0 ? {} : { yara: rules }),
    ...(listed.length === 0 ? {} : { listed }),
    ...(left.length === 0 ? {} : { left_out: texts(left.map((one) => `${one.path}: ${one.left}`)) }),
  };
}

function withScan(doc: EcsDocument, scan: ScanFields): EcsDocument {
  const { launchwarden } = doc;
  const words = [
    ...(scan.listed === undefined ? [] : ['known-bad-hash']),
    ...(scan.yara === undefined ? [] : ['yara-match']),
  ];
  const findings = [...new Set([...(launchwarden?.findings ?? []), ...words])];
  return {
    ...doc,
    launchwarden: { ...launchwarden, ...(findings.length === 0 ? {} : { findings }), scan },
  };
}
