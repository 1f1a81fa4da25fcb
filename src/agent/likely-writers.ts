import path from 'node:path';
import type { Clock, Timer } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { RunningProcess } from '../base/file-calls.js';
import type { Logger } from '../base/log.js';
import type { RootMap } from '../base/root.js';
import { formatMicros, type Micros, parseTime } from '../base/time.js';
import type { EcsDocument, LikelyWriterFields } from '../event/document.js';
import type { Event } from '../event/event.js';
import type { NativeHolders } from '../sensors/addon/index.js';
import { Rights } from '../sensors/file-watch/index.js';

/** One search looks for so many files, and for so long at most. */
const maxPaths = 8;
const budgetUs = 30_000;
/** Events that wait for a search; of more the oldest are given up. */
const maxWaiting = 32;
/** Searches take at most this share of the time of one processor. */
const share = 0.05;
/** A change of so long ago is of no writer that is still there. */
const maxAge = 2_000_000;
/** Events whose likely writers are remembered, and writers of one. */
const maxRemembered = 512;
const maxWriters = 4;
const maxCommand = 1_024;

export interface LikelyWritersOptions {
  readonly root: RootMap;
  readonly clock: Clock;
  readonly log: Logger;
  /** False while a sensor runs that knows who writes: then nobody guesses. */
  readonly wanted: () => boolean;
  /** The processes that hold these files of this machine, or their folders, open; undefined where nobody can tell. */
  readonly find: ((paths: readonly string[], budgetUs: number) => Promise<NativeHolders>) | undefined;
  /** What is known of processes now. */
  readonly processes?: ((pids: readonly number[]) => readonly RunningProcess[]) | undefined;
  readonly stored: (eventId: string) => Event | undefined;
  /** Takes an event that tells more than the stored one of the same id. */
  readonly amend: (event: Event) => void;
}

interface Waiting {
  readonly eventId: string;
  readonly path: string;
}

/**
 * Looks, the moment a file changed, which processes have it open for writing, or have its folder open: the likely writers,
 * where no sensor knows the certain one. The search runs on a thread of its own, seldom and briefly; nothing waits for it,
 * and its result is an amendment of the event. Nothing is done while nothing changes.
 */
export class LikelyWriters {
  readonly #options: LikelyWritersOptions;
  readonly #rights: Rights;
  readonly #counters = { searches: 0, found: 0, given_up: 0, cut: 0 };
  #waiting: Waiting[] = [];
  readonly #known = new Map<string, readonly LikelyWriterFields[]>();
  #searching = false;
  #notBefore = 0;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: LikelyWritersOptions) {
    this.#options = options;
    this.#rights = new Rights(options.root);
  }

  status(): Readonly<Record<string, number>> | { readonly off: string } {
    return this.#options.find === undefined
      ? { off: 'the native addon that can tell is not built' }
      : { ...this.#counters };
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** A sensor reports the change of a file: called before anything else is done about it. */
  changed({ id, time, doc }: Event): void {
    const { find, clock, wanted } = this.#options;
    if (find === undefined || this.#stopped || doc.process !== undefined || doc.file?.path === undefined)
      return;
    if (doc.event?.type?.includes('deletion') === true || !wanted()) return;
    // A revision of an event has the time of the first change.
    const changed = parseTime(doc.file.ctime)?.time ?? time;
    if (clock.now() - changed > maxAge) return;
    this.#waiting.push({ eventId: id, path: doc.file.path });
    if (this.#waiting.length > maxWaiting) {
      this.#waiting.shift();
      this.#counters.given_up++;
    }
    this.#next();
  }

  /** The event with what was found out about its writers by now: a newer document of it knows nothing of them. */
  completed(event: Event): Event {
    const writers = this.#known.get(event.id);
    return writers === undefined || event.doc.launchwarden?.likely_writers !== undefined
      ? event
      : { ...event, doc: withWriters(event.doc, writers) };
  }

  #next(): void {
    if (this.#searching || this.#waiting.length === 0 || this.#stopped || this.#timer !== undefined) return;
    const wait = this.#notBefore - this.#options.clock.monotonic();
    if (wait <= 0) void this.#search();
    else
      this.#timer = this.#options.clock.after(wait, () => {
        this.#timer = undefined;
        this.#next();
      });
  }

  async #search(): Promise<void> {
    const { find, clock, log, root } = this.#options;
    this.#searching = true;
    const wanted = this.#waiting.splice(0, maxPaths);
    try {
      const hosts = wanted.map((one) => this.#rights.follow(one.path)?.host ?? root.toHost(one.path));
      const result = await (find as NonNullable<typeof find>)(hosts, budgetUs);
      const now = clock.now();
      this.#counters.searches++;
      if (result.cut) this.#counters.cut++;
      this.#notBefore = clock.monotonic() + result.tookUs / 1_000 / share;
      if (!this.#stopped)
        for (const [index, one] of wanted.entries()) this.#take(one, result, { index, now });
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'who has a file open could not be found out');
      this.#notBefore = clock.monotonic() + 60_000;
    } finally {
      this.#searching = false;
      this.#next();
    }
  }

  #take(
    { eventId }: Waiting,
    { holders }: NativeHolders,
    { index, now }: { readonly index: number; readonly now: Micros },
  ): void {
    // Who merely reads it came after it: an indexer, launchd.
    const found = holders.filter((one) => one.path === index && one.how !== 'read');
    const best = found.some(({ how }) => how === 'write')
      ? found.filter(({ how }) => how === 'write')
      : found;
    if (best.length === 0) return;
    const writers = best.slice(0, maxWriters).map((one) => this.#described(one, now));
    this.#counters.found++;
    this.#known.set(eventId, writers);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= maxRemembered) break;
      this.#known.delete(oldest);
    }
    const event = this.#options.stored(eventId);
    if (event !== undefined && event.doc.process === undefined)
      this.#options.amend({ ...event, doc: withWriters(event.doc, writers) });
  }

  #described(holder: NativeHolders['holders'][number], now: Micros): LikelyWriterFields {
    const { root, processes } = this.#options;
    const [running] = processes?.([holder.pid]) ?? [];
    // Its pid may have been given out again since.
    const same = running !== undefined && running.executable === holder.executable;
    const executable = holder.executable === '' ? undefined : root.toMac(holder.executable);
    const args = same ? running.args?.map((one) => root.stripArgument(one)) : undefined;
    return {
      pid: holder.pid,
      ...(executable === undefined ? {} : { executable, name: path.posix.basename(executable) }),
      ...(args === undefined || args.length === 0
        ? {}
        : { command_line: args.join(' ').slice(0, maxCommand) }),
      user: { id: String(holder.uid) },
      how: holder.how === 'write' ? 'open-for-writing' : 'folder-open',
      seen: formatMicros(now),
    };
  }
}

function withWriters(doc: EcsDocument, writers: readonly LikelyWriterFields[]): EcsDocument {
  return { ...doc, launchwarden: { ...doc.launchwarden, likely_writers: [...writers] } };
}
