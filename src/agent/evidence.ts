import type { Clock, Timer } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { RootMap } from '../base/root.js';
import { parseTime } from '../base/time.js';
import type { CodeSignatureFields, FileFields } from '../event/document.js';
import type { Event, FileContent, Observation } from '../event/event.js';
import { persistentItemId } from '../event/ids.js';
import type { ExtendedAttribute, SeenState } from '../event/version.js';
import { kindOf, type ReadState, readBundle, type ScannedItem, StateReader } from '../inventory/index.js';
import type { Found, MechanismPlaces } from '../mechanisms/index.js';
import { lookAt } from '../sensors/file-watch/index.js';
import { evidenceOwner, type ItemPath, objectBytes, type Store } from '../store/index.js';

/** Bytes of one file that are kept whole, and of a larger one. */
const maxBytes = 16 * 1024 * 1024;
const headBytes = 64 * 1024;
/** Paths of one user that wait to be read, and programs of one item. */
const maxWaiting = 2_048;
const maxOfItem = 32;
/** A bundle is read once nothing in it changed for so long, milliseconds, and at the latest after `maxSettleMs`. */
const settleMs = 1_000;
const maxSettleMs = 5_000;
/** Reading what did not change just now takes at most this share of the time. */
const share = 0.1;
const minPauseMs = 20;
/** After so much of it comes a pause, milliseconds. */
const sliceMs = 4;
/** Paths as they were last found, so that most of a scan costs nothing. */
const maxStamps = 20_000;

interface Job {
  readonly path: string;
  /** The item's file or bundle that leads to it. */
  readonly item: string;
  readonly itemId: string;
  readonly role: ItemPath['role'];
  readonly confidential: boolean;
  readonly bundle: boolean;
  /** It changed just now: it goes first, and is not slowed down. */
  urgent: boolean;
  /** Steady milliseconds: not before, and since when it waits. */
  due: number;
  readonly since: number;
}

export interface EvidenceKeeperOptions {
  readonly store: Pick<Store, 'evidence' | 'versions' | 'transaction'>;
  readonly root: RootMap;
  readonly clock: Clock;
  readonly log: Logger;
  readonly places: MechanismPlaces;
  readonly attributes?: ((descriptor: number) => readonly ExtendedAttribute[] | undefined) | undefined;
}

/**
 * Keeps every version of what is watched: the bytes that a sensor carried away at once, and in the background what items
 * run and what bundles hold. Fair by user, bounded, never in a hurry but for what just changed.
 */
export class EvidenceKeeper {
  readonly #options: EvidenceKeeperOptions;
  readonly #reader: StateReader;
  readonly #abort = new AbortController();
  /** By user, in the order in which they have their turns. */
  readonly #waiting = new Map<string, Map<string, Job>>();
  readonly #stamps = new Map<string, string>();
  /** Stamps of the inventory's entries. */
  readonly #scanned = new Map<string, string>();
  readonly #counters = { recorded: 0, read: 0, waiting: 0, dropped: 0, failed: 0 };
  #turn: Timer | undefined;
  #running: Promise<void> | undefined;

  constructor(options: EvidenceKeeperOptions) {
    this.#options = options;
    const { root, store, attributes } = options;
    this.#reader = new StateReader({
      root,
      attributes,
      largeFrom: objectBytes,
      begin: () => store.evidence.begin(),
    });
  }

  status(): Readonly<Record<string, number>> {
    return { ...this.#counters };
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#turn?.cancel();
    await this.#running;
  }

  /** A sensor carried the content away: it is kept, and what the file was with it. Throws what the store throws. */
  observed({ event, content }: Observation): void {
    const { file } = event.doc;
    if (file?.path === undefined) return;
    const { path } = file;
    const { store, clock, places } = this.#options;
    const found = places.find(path);
    if (event.doc.event?.type?.includes('deletion') === true) {
      if (found !== undefined) store.versions.gone(path, clock.now());
      return;
    }
    const sha256 = file.hash?.sha256;
    if (content === undefined || sha256 === undefined || found?.mechanism.confidential === true) return;
    const ofItem = found !== undefined && found.path === path;
    const owner = evidenceOwner(file);
    store.transaction(() => {
      store.evidence.put(sha256, content, { path, ...(owner === undefined ? {} : { owner }) });
      const state = seenState(file, content, ofItem);
      if (found === undefined || state === undefined) return;
      const role = ofItem ? 'item' : 'part';
      const of = [{ itemId: persistentItemId(found.mechanism.id, found.path), role }] as const;
      this.#counters.recorded += store.versions.record([{ state, of }], clock.now()).length;
    });
  }

  /** Events, enriched: what their items run, and bundles, are read soon. */
  noticed(events: readonly Event[]): void {
    for (const { doc } of events) {
      const { persistence, program } = doc.launchwarden ?? {};
      if (persistence?.path !== undefined) {
        const found = this.#options.places.find(persistence.path);
        if (found !== undefined) this.#item(found, persistence.runs ?? [], true);
      }
      for (const item of program?.of?.slice(0, maxOfItem) ?? []) {
        const found = this.#options.places.find(item);
        const path = doc.file?.path;
        if (found !== undefined && path !== undefined) this.#program(found, path, true);
      }
    }
  }

  /** Items as a scan found them: those that are as they were at the last one cost nothing. */
  scanned(items: readonly ScannedItem[]): void {
    for (const { entries } of items)
      for (const { path, key, runs, stamp, item_id: itemId } of entries) {
        const entry = `${itemId} ${key}`;
        if (this.#scanned.get(entry) === stamp) continue;
        if (this.#scanned.size >= maxStamps) this.#scanned.clear();
        this.#scanned.set(entry, stamp);
        const found = this.#options.places.find(path);
        if (found !== undefined) this.#item(found, runs, false);
      }
  }

  /** Who signed what stands at a path now. */
  signed(path: string, signature: Readonly<CodeSignatureFields>): void {
    const { versions } = this.#options.store;
    const newest = versions.newest(path);
    if (newest !== undefined && newest.gone === undefined && newest.signature === undefined)
      versions.learned(newest.id, { signature });
  }

  #item(found: Found, runs: readonly string[], urgent: boolean): void {
    const bundle = found.place.what === 'bundles';
    const wait = bundle && urgent ? settleMs : 0;
    this.#add(found, { path: found.path, role: 'item', bundle, urgent, wait });
    for (const program of runs.slice(0, maxOfItem)) this.#program(found, program, urgent);
  }

  #program(found: Found, path: string, urgent: boolean): void {
    // What stands in the bundle is read with it.
    if (!path.startsWith('/') || path === found.path || path.startsWith(`${found.path}/`)) return;
    this.#add(found, { path, role: 'runs', bundle: false, urgent, wait: 0 });
  }

  #add(
    found: Found,
    job: Pick<Job, 'path' | 'role' | 'bundle' | 'urgent'> & { readonly wait: number },
  ): void {
    if (this.#abort.signal.aborted) return;
    const { path, urgent, wait } = job;
    const steady = this.#options.clock.monotonic();
    const owner = evidenceOwner({ path: found.path, uid: '0' }) ?? '';
    const jobs = this.#waiting.get(owner) ?? new Map<string, Job>();
    this.#waiting.set(owner, jobs);
    const known = jobs.get(path);
    if (known !== undefined) {
      known.urgent ||= urgent;
      known.due = Math.min(steady + wait, known.since + maxSettleMs);
    } else if (jobs.size >= maxWaiting) {
      this.#counters.dropped++;
      return;
    } else {
      this.#counters.waiting++;
      jobs.set(path, {
        ...{ path, role: job.role, bundle: job.bundle, urgent },
        item: found.path,
        itemId: persistentItemId(found.mechanism.id, found.path),
        confidential: found.mechanism.confidential === true,
        due: steady + wait,
        since: steady,
      });
    }
    this.#arm(urgent ? wait : minPauseMs);
  }

  #arm(ms: number): void {
    if (this.#running !== undefined || this.#abort.signal.aborted) return;
    this.#turn?.cancel();
    this.#turn = this.#options.clock.after(ms, () => {
      this.#turn = undefined;
      this.#running = this.#work().finally(() => {
        this.#running = undefined;
        const next = this.#nextDue();
        if (next !== undefined) this.#arm(Math.max(minPauseMs, next - this.#options.clock.monotonic()));
      });
    });
  }

  #nextDue(): number | undefined {
    let due: number | undefined;
    for (const jobs of this.#waiting.values())
      for (const job of jobs.values()) due = Math.min(due ?? job.due, job.due);
    return due;
  }

  async #work(): Promise<void> {
    const { clock, log } = this.#options;
    let begun = clock.monotonic();
    for (let job = this.#take(); job !== undefined; job = this.#take()) {
      try {
        await this.#read(job);
      } catch (error) {
        this.#counters.failed++;
        log.warn({ path: job.path, error: messageOf(error) }, 'evidence could not be kept');
      }
      if (this.#abort.signal.aborted) return;
      const spent = clock.monotonic() - begun;
      // Most of what a scan found is as it was, and takes no time.
      if (!job.urgent && spent < sliceMs) continue;
      const pause = job.urgent ? 0 : Math.max(minPauseMs, spent / share);
      await new Promise<void>((resolve) => clock.after(pause, resolve));
      begun = clock.monotonic();
    }
  }

  /** The next that is due: urgent ones first, users in turn. */
  #take(): Job | undefined {
    const steady = this.#options.clock.monotonic();
    for (const urgent of [true, false])
      for (const [owner, jobs] of this.#waiting)
        for (const job of jobs.values()) {
          if (job.urgent !== urgent || job.due > steady) continue;
          jobs.delete(job.path);
          this.#waiting.delete(owner);
          if (jobs.size > 0) this.#waiting.set(owner, jobs);
          this.#counters.waiting--;
          return job;
        }
    return undefined;
  }

  async #read(job: Job): Promise<void> {
    const { store, root, clock } = this.#options;
    const { path, item, itemId, role, bundle, confidential } = job;
    const of = [{ itemId, role }];
    // What a sensor carried away is kept already; of a flood nothing is read twice.
    if (!bundle && this.#isKnown(path, itemId)) return;
    const how = { item, maxBytes, headBytes, confidential, signal: this.#abort.signal };
    this.#counters.read++;
    if (bundle) {
      const read = await readBundle(path, {
        ...how,
        root,
        reader: this.#reader,
        onFile: async (file, hasHistory) => {
          this.#keep(file, hasHistory ? [{ itemId, role: 'part' }] : []);
        },
      });
      if (read !== undefined) this.#keep(read.manifest, of);
      else if (lookAt(root.toHost(path)) === undefined) store.versions.gone(path, clock.now());
      return;
    }
    const read = await this.#reader.read(path, { ...how, runs: role === 'runs' });
    if (this.#abort.signal.aborted) return;
    if (read !== undefined) this.#keep(read, of);
    else if (lookAt(root.toHost(path)) === undefined) store.versions.gone(path, clock.now());
  }

  #keep({ state, content, large }: ReadState, of: readonly Omit<ItemPath, 'path'>[]): void {
    const { store, clock } = this.#options;
    const { path, sha256 } = state;
    const owner = evidenceOwner({ path, uid: String(state.uid) });
    const source = { path, ...(owner === undefined ? {} : { owner }) };
    store.transaction(() => {
      if (sha256 !== undefined && content !== undefined) store.evidence.put(sha256, content, source);
      if (sha256 !== undefined && large === true) store.evidence.putObject(sha256, state.size, source);
      if (of.length > 0)
        this.#counters.recorded += store.versions.record([{ state, of }], clock.now()).length;
    });
    content?.release?.();
    if (of.length > 0) this.#stamp(path, stampOf(state));
  }

  /** True when nothing has moved since the newest version, and the item is known to have it. */
  #isKnown(path: string, itemId: string): boolean {
    const { store } = this.#options;
    const way = this.#reader.rights.follow(path);
    const seen = way === undefined ? undefined : lookAt(way.host);
    if (typeof seen !== 'object') return false;
    const stamp = stampOf(seen);
    const isSame = this.#stamps.get(path) === stamp || stampOf(store.versions.newest(path)) === stamp;
    if (!isSame) return false;
    this.#stamp(path, stamp);
    return store.versions.itemsOf(path).some((one) => one.itemId === itemId);
  }

  #stamp(path: string, stamp: string): void {
    if (this.#stamps.size >= maxStamps) this.#stamps.clear();
    this.#stamps.set(path, stamp);
  }
}

function stampOf(seen: Pick<SeenState, 'inode' | 'ctime' | 'size' | 'mode' | 'uid'> | undefined): string {
  return seen === undefined ? '' : `${seen.inode}:${seen.ctime}:${seen.size}:${seen.mode}:${seen.uid}`;
}

/** What a file event says of the file; undefined when it says too little. */
function seenState(file: FileFields, content: FileContent, isItem: boolean): SeenState | undefined {
  const mtime = nanosOf(file.mtime);
  const ctime = nanosOf(file.ctime);
  const mode = Number.parseInt(file.mode ?? '', 8);
  const [uid, gid] = [Number(file.uid), Number(file.gid)];
  if (
    file.path === undefined ||
    file.hash?.sha256 === undefined ||
    mtime === undefined ||
    ctime === undefined
  )
    return undefined;
  if (![mode, uid, gid].every(Number.isSafeInteger)) return undefined;
  const birth = nanosOf(file.created);
  return {
    path: file.path,
    kind: isItem ? kindOf(content.bytes, false) : 'bundle-file',
    type: file.type === 'symlink' ? 'symlink' : 'file',
    ...(file.target_path === undefined ? {} : { link: file.target_path }),
    sha256: file.hash.sha256,
    size: content.size,
    ...{ mode, uid, gid, mtime, ctime },
    ...(file.inode === undefined ? {} : { inode: file.inode }),
    ...(birth === undefined ? {} : { birth }),
    ...(content.attributes === undefined ? {} : { xattrs: content.attributes }),
    ...(content.truncated ? { notTaken: 'too-large' } : {}),
  };
}

function nanosOf(text: string | undefined): bigint | undefined {
  const parsed = parseTime(text);
  return parsed === undefined ? undefined : BigInt(parsed.time) * 1000n + BigInt(parsed.nanos);
}
