import { canonicalMacPath } from '../../base/root.js';
import {
  type Addon,
  type NativeFileEventOptions,
  type NativeFileEventSource,
  unpack,
} from '../addon/index.js';
import type { Folder } from './tree.js';
import type { WakeUps, WatchersOptions } from './watchers.js';

/** What FSEvents say beside "something happened there" (FSEvents.h), and what it means. */
const losses: readonly { readonly flag: number; readonly why: string; readonly dropped: boolean }[] = [
  { flag: 0x4, why: 'the kernel dropped file events', dropped: true },
  { flag: 0x2, why: 'the system dropped file events on their way', dropped: true },
  { flag: 0x8, why: 'the ids of file events wrapped around', dropped: true },
  { flag: 0x20, why: 'a watched folder, or one above it, became another one', dropped: false },
  { flag: 0x40, why: 'a volume was mounted', dropped: false },
  { flag: 0x80, why: 'a volume was unmounted', dropped: false },
  { flag: 0x1, why: 'file events were merged', dropped: true },
];
const historyDone = 0x10;

/** Where an agent that starts again goes on from. */
export interface FileEventMark {
  /** Id of the last event that was received, decimal. */
  readonly id: string;
  /** Which history that id belongs to. */
  readonly history: string;
}

export interface FsEventsOptions extends WatchersOptions {
  readonly addon: Pick<Addon, 'FileEventSource'>;
  /** A `FileEventDouble`, for tests. */
  readonly double?: object | undefined;
  /** The path on this machine of a macOS path. */
  readonly toHost: (macPath: string) => string;
  /** From where the history of the volumes is wanted. */
  readonly since?: FileEventMark | undefined;
  /** Something happened at a path far below an entered folder: on the way there are folders that are not entered. */
  readonly onDeep: (folder: Folder, path: string) => void;
  /** Something happened, before the start, at an entry of a folder. */
  readonly onHistory: (folder: Folder, name: string) => void;
  /** Events were lost, or may have been. `since`: steady milliseconds after which; undefined for just now. */
  readonly onLost: (detail: string, since?: number) => void;
  /** The system dropped the stream's history: what came and went before the start is not known. */
  readonly onNoHistory: (detail: string) => void;
}

/**
 * FSEvents as what wakes: one stream on fixed paths for the whole life of the agent. An entered folder is only looked up
 * here, so that a folder that comes or goes costs nothing and loses nothing. What an event is about is decided by the
 * poll that it asks for.
 */
export class FsEventWakeUps implements WakeUps {
  /** Outside of what the stream was opened on: a home that was found later. */
  readonly blind = new Set<Folder>();
  readonly openingSince = undefined;
  readonly opensWays = false;
  readonly #options: FsEventsOptions;
  #source: NativeFileEventSource | undefined;
  #streamed: readonly string[] = [];
  /** Entered folders by their place; two may lead there when one of them is a link. */
  readonly #folders = new Map<string, Set<Folder>>();
  #history = '';
  /** Events up to the first HistoryDone happened before the start. */
  #replaying = false;
  /** What came of the history before the folder was entered that it is about. */
  #early: string[] = [];
  #dropped = 0;
  #last = '0';
  /** When events were taken last, and the time before that, steady milliseconds. */
  #taken = 0;
  #takenBefore = 0;

  constructor(options: FsEventsOptions) {
    this.#options = options;
  }

  /**
   * Opens the stream, once. `places`: folders that matter, macOS paths; a component `*` stands for any name. `names`:
   * what matters there, in the same form. Undefined when it runs, else why it does not.
   */
  start(places: readonly string[], names: readonly string[] = places): string | undefined {
    const { addon, double, toHost, since, onNoHistory } = this.#options;
    this.#streamed = streamPaths(places).map(toHost);
    const make = (more: Partial<NativeFileEventOptions>) =>
      new addon.FileEventSource(
        { paths: this.#streamed, patterns: names.map(toHost), ...more },
        () => this.#take(),
        double,
      );
    // Which history there is can be asked only of a source, and what it is opened with depends on the answer.
    const fresh = make({});
    this.#history = fresh.history(toHost('/Users'));
    this.#replaying = since !== undefined && this.#history !== '' && since.history === this.#history;
    this.#last = this.#replaying ? (since?.id ?? '0') : fresh.currentId();
    this.#source = this.#replaying ? make({ since: this.#last }) : fresh;
    this.#taken = this.#options.clock.monotonic();
    this.#takenBefore = this.#taken;
    const trouble = this.#source.start();
    if (trouble === undefined && since !== undefined && !this.#replaying)
      onNoHistory(
        'the volume keeps another history of file events than before, or none: what came and went meanwhile is not known',
      );
    return trouble;
  }

  stop(): void {
    this.#source?.stop();
  }

  /** Where to go on from; undefined while that is not known. */
  get mark(): FileEventMark | undefined {
    if (this.#replaying || this.#history === '') return undefined;
    return { id: this.#last, history: this.#history };
  }

  counters(): Readonly<Record<string, number>> {
    const counters = this.#source?.counters() ?? {};
    return Object.fromEntries(Object.entries(counters).map(([name, count]) => [`fs_events_${name}`, count]));
  }

  open(folder: Folder): void {
    if (
      !this.#streamed.some(
        (one) => folder.host === one || leadsTo(folder.host, one) || leadsTo(one, folder.host),
      )
    )
      this.blind.add(folder);
    const key = keyOf(folder.host);
    const known = this.#folders.get(key);
    if (known === undefined) this.#folders.set(key, new Set([folder]));
    else known.add(folder);
    queueMicrotask(() => {
      if (!folder.closed) this.#options.onReady(folder);
    });
    this.#early = this.#early.filter((path) => keyOf(parentOf(path)) !== key || !this.#past(path));
  }

  close(folder: Folder): Promise<void> {
    this.blind.delete(folder);
    const key = keyOf(folder.host);
    const known = this.#folders.get(key);
    known?.delete(folder);
    if (known?.size === 0) this.#folders.delete(key);
    return Promise.resolve();
  }

  #take(): void {
    const source = this.#source;
    if (source === undefined) return;
    const { clock, onLost } = this.#options;
    for (let batch = source.take(); batch !== undefined; batch = source.take()) {
      unpack(batch, ({ numbers: [flags = 0], strings: [id = '0', path = '/'] }) =>
        this.#event(flags, id, path),
      );
    }
    const lossSince = this.#takenBefore;
    this.#takenBefore = this.#taken;
    this.#taken = clock.monotonic();
    const { dropped = 0 } = source.counters();
    if (dropped === this.#dropped) return;
    const count = dropped - this.#dropped;
    this.#dropped = dropped;
    onLost(`${count} file events came faster than the agent took them`, lossSince);
  }

  #event(flags: number, id: string, path: string): void {
    // A change of the root has none.
    if (id !== '0') this.#last = id;
    if ((flags & historyDone) !== 0) {
      this.#replaying = false;
      return;
    }
    const loss = losses.find(({ flag }) => (flags & flag) !== 0);
    // The event before the loss may have been taken last time; it came after the time before that.
    if (loss !== undefined)
      this.#options.onLost(
        `${loss.why}: ${canonicalMacPath(path)}`,
        loss.dropped ? this.#takenBefore : undefined,
      );
    if (!this.#replaying) this.#wake(path);
    else if (!this.#past(path) && this.#early.length < maxEarly) this.#early.push(path);
  }

  /** The nearest entered folder on the way to a path is where something can have changed. */
  #wake(path: string): void {
    const { onWake, onDeep } = this.#options;
    for (const folder of this.#folders.get(keyOf(path)) ?? []) onWake(folder, undefined);
    for (let at = path; at !== '/'; at = parentOf(at)) {
      const folders = this.#folders.get(keyOf(parentOf(at)));
      if (folders === undefined) continue;
      for (const folder of folders) {
        onWake(folder, at.slice(at.lastIndexOf('/') + 1));
        if (at !== path) onDeep(folder, path);
      }
      return;
    }
  }

  /** False when no entered folder holds the path. */
  #past(path: string): boolean {
    const folders = this.#folders.get(keyOf(parentOf(path)));
    for (const folder of folders ?? [])
      this.#options.onHistory(folder, path.slice(path.lastIndexOf('/') + 1));
    return folders !== undefined;
  }
}

/** Paths of the history that wait for their folders to be entered. */
const maxEarly = 10_000;

/** What a stream is opened on: the folders above the first name that may be any. None inside another one. */
export function streamPaths(patterns: readonly string[]): string[] {
  const fixed = patterns.map((pattern) => {
    const names = pattern.split('/').filter((name) => name !== '');
    const any = names.findIndex((name) => /[*?]/.test(name));
    return `/${names.slice(0, any < 0 ? names.length : any).join('/')}`;
  });
  const sorted = [...new Set(fixed)].sort();
  return sorted.filter((one) => !sorted.some((other) => other !== one && leadsTo(other, one)));
}

function leadsTo(above: string, below: string): boolean {
  return above === '/' || below.startsWith(`${above}/`);
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** Volumes of a Mac compare names without regard to case and to how accents are composed. */
function keyOf(host: string): string {
  return canonicalMacPath(host).normalize('NFC').toLowerCase();
}
