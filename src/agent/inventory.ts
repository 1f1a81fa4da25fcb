import { readdirSync } from 'node:fs';
import type { Clock, Timer } from '../base/clock.js';
import { messageOf, UserError } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import { canonicalMacPath, type RootMap } from '../base/root.js';
import type { CodeSignatureFields, EcsDocument } from '../event/document.js';
import type { Event } from '../event/event.js';
import { type InventoryEntry, type InventoryWriter, isHidden } from '../event/inventory.js';
import { InventoryScan, type ScannedItem } from '../inventory/index.js';
import type { Mechanism, MechanismPlaces } from '../mechanisms/index.js';
import type { InventoryChange, Store } from '../store/index.js';

/** How often everything is read, milliseconds, and how soon after a start and after an event of an item. */
const refreshMs = 3_600_000;
const startMs = 3_000;
const noticeMs = 1_000;
/** While events keep coming, alerts go first, and the items wait for so long at most. */
const longestNoticeMs = 5_000;
/** How often it is tried whether the database can be written again, milliseconds. */
const heldMs = 1_000;
/** A slice of reading, and the pause after it, milliseconds: it never takes more than a small part of a processor. */
const sliceMs = 8;
const pauseMs = 40;
/** The same soon after an event: what has just begun may go on, and nobody's alert is to wait for it. */
const soonSliceMs = 2;
const soonPauseMs = 10;
/** Items that are stored in one transaction. */
const batch = 200;
/** Items of events that are read in one slice at most. */
const noticedBatch = 32;
/** Slices of them before the first scan is stored: what is left of a flood then counts for the baseline. */
const earlySlices = 8;
/** Slices of them that whoever asks for all waits for. */
const latestSlices = 50;
/** Items of events that wait to be read. */
const maxNoticed = 4_096;
/** Programs that codesign is asked about after one scan. */
const maxSigned = 64;

export interface InventoryKeeperOptions {
  readonly store: Pick<Store, 'inventory' | 'generation'>;
  readonly root: RootMap;
  readonly clock: Clock;
  readonly log: Logger;
  readonly mechanisms: readonly Mechanism[];
  readonly places: MechanismPlaces;
  /** Canonical paths of homes that do not stand in /Users. */
  readonly homes: () => readonly string[];
  /** Who signed a program that an item at a path runs; undefined where nobody can be asked. */
  readonly signer?: (program: string, item: string) => Promise<CodeSignatureFields | undefined>;
  /** Whether everything may be read now, once an hour; otherwise when `catchUp` is called. */
  readonly affords?: () => boolean;
  /** Items as they were just read. */
  readonly onScanned?: (items: readonly ScannedItem[]) => void;
  /** All of it was read, and signers were asked for. */
  readonly onRefreshed?: () => void;
  /** What a scan found different, except for the first one; `away`: no agent ran when it happened. */
  readonly onChanges?: (
    changes: readonly InventoryChange[],
    how: { readonly away: boolean; readonly since: number | undefined },
  ) => void;
}

export interface RefreshResult {
  readonly items: number;
  readonly added: number;
  readonly changed: number;
  readonly gone: number;
}

/** Keeps the inventory: all of it soon after the start, hourly and on demand, and an item soon after each of its events. */
export class InventoryKeeper {
  readonly #options: InventoryKeeperOptions;
  /** Paths of items of which there was an event, and who did it. */
  readonly #noticed = new Map<string, InventoryWriter | undefined>();
  #timers: Timer[] = [];
  #notice: Timer | undefined;
  /** When there was the first of the events whose items wait, and the last. */
  #noticedFrom = 0;
  #noticedTo = 0;
  #noticing: InventoryScan | undefined;
  /** Items of which there was an event before the first scan came to them: no part of the baseline. */
  readonly #early = new Map<string, { readonly path: string; readonly by: InventoryWriter | undefined }>();
  #running: Promise<RefreshResult> | undefined;
  /** Too many events at once: everything is read once what is known of them is. */
  #overflowed = false;
  #putOff = false;
  #stopped = false;
  #scans = 0;
  #items = 0;
  #last: number | undefined;
  #refused: readonly string[] = [];

  constructor(options: InventoryKeeperOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock } = this.#options;
    const scan = () => void this.#begin().catch(() => {});
    const hourly = () => {
      this.#putOff = this.#options.affords?.() === false;
      if (!this.#putOff) scan();
    };
    this.#timers = [clock.after(startMs, scan), clock.every(refreshMs, hourly)];
  }

  /** Does what was put off. */
  catchUp(): void {
    if (!this.#putOff || this.#stopped) return;
    this.#putOff = false;
    void this.#begin().catch(() => {});
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) timer.cancel();
    this.#notice?.cancel();
  }

  /** `last`: microseconds. `refused`: places that were not read whole. */
  status(): object {
    return {
      scans: this.#scans,
      items: this.#items,
      last: this.#last ?? null,
      refused: this.#refused.slice(0, 20),
      running: this.#running !== undefined,
    };
  }

  /** Events, enriched: their items are read anew a moment later. */
  noticed(events: readonly Event[]): void {
    for (const { doc } of events) {
      const path = doc.launchwarden?.persistence?.path;
      if (path === undefined) continue;
      if (this.#noticed.size >= maxNoticed) {
        this.#overflowed = true;
        continue;
      }
      this.#noticedTo = this.#options.clock.monotonic();
      if (this.#noticed.size === 0) this.#noticedFrom = this.#noticedTo;
      this.#noticed.set(path, writerOf(doc) ?? this.#noticed.get(path));
    }
    this.#noticeSoon();
  }

  #noticeSoon(): void {
    if (this.#noticed.size > 0 && !this.#stopped)
      this.#notice ??= this.#options.clock.after(noticeMs, () => this.#readNoticed());
  }

  /**
   * Reads everything. One at a time: who asks meanwhile gets the answer of the one that runs. It may have passed a place before
   * something came there, so that items of which there was an event are read after it.
   */
  async refresh(): Promise<RefreshResult> {
    if (this.#options.store.inventory.held)
      throw new UserError('inventory/store-held', 'the inventory waits for its database', {
        hint: '"launchwarden status" says why the database cannot be written. The inventory is read once it can.',
      });
    const result = await this.#begin();
    for (let slice = 0; slice < latestSlices && this.#noticed.size > 0 && !this.#stopped; slice++) {
      if (slice > 0) await new Promise<void>((resolve) => this.#options.clock.after(pauseMs, resolve));
      if (!this.#options.store.inventory.held) this.#readSlice();
    }
    return result;
  }

  #begin(): Promise<RefreshResult> {
    this.#running ??= this.#refreshed()
      .catch((error: unknown) => {
        this.#options.log.error({ error: messageOf(error) }, 'the inventory could not be refreshed');
        throw error;
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  #readNoticed(): void {
    this.#notice = undefined;
    const { clock, store, log } = this.#options;
    const due = Math.min(this.#noticedTo + noticeMs, this.#noticedFrom + longestNoticeMs);
    if (clock.monotonic() < due) {
      this.#notice = clock.after(due - clock.monotonic(), () => this.#readNoticed());
      return;
    }
    try {
      if (!store.inventory.held) this.#readSlice(soonSliceMs);
    } catch (error) {
      log.error({ error: messageOf(error) }, 'items of the inventory could not be read');
    }
    if (this.#noticed.size > 0) {
      const wait = store.inventory.held ? heldMs : soonPauseMs;
      if (!this.#stopped) this.#notice = clock.after(wait, () => this.#readNoticed());
      return;
    }
    this.#noticing = undefined;
    if (!this.#overflowed) return;
    this.#overflowed = false;
    void this.#begin().catch(() => {});
  }

  /** Reads some of what is noticed, in one slice of time. */
  #readSlice(ms = sliceMs): void {
    const { clock, places, store } = this.#options;
    // Its buffers and what it knows of programs serve until all that is noticed was read.
    this.#noticing ??= this.#scan();
    const scan = this.#noticing;
    const items: ScannedItem[] = [];
    const by = new Map<string, InventoryWriter>();
    const read: [string, InventoryWriter | undefined][] = [];
    const begun = clock.monotonic();
    for (const [path, writer] of this.#noticed) {
      this.#noticed.delete(path);
      read.push([path, writer]);
      const found = places.find(path);
      if (found !== undefined) {
        const item = scan.one(found);
        items.push(item);
        if (writer !== undefined) by.set(item.itemId, writer);
        if (this.#isFirst)
          this.#early.set(item.itemId, { path, by: writer ?? this.#early.get(item.itemId)?.by });
      }
      if (read.length >= noticedBatch || clock.monotonic() - begun >= ms) break;
    }
    // The first scan will find them, and there is no baseline before it.
    if (!this.#isFirst) store.inventory.apply(items, clock.now(), { by });
    // What memory was told in the place of the database is forgotten.
    if (store.inventory.held)
      for (const [path, writer] of read) this.#noticed.set(path, writer ?? this.#noticed.get(path));
  }

  #scan(known?: ReadonlyMap<string, readonly InventoryEntry[]>): InventoryScan {
    const { root, mechanisms, homes } = this.#options;
    const all = [...homesIn(root), ...homes()];
    return new InventoryScan({ root, mechanisms, homes: all, ...(known === undefined ? {} : { known }) });
  }

  async #refreshed(): Promise<RefreshResult> {
    const { clock, store } = this.#options;
    const changes: InventoryChange[] = [];
    for (;;) {
      while (store.inventory.held && !this.#stopped)
        await new Promise<void>((resolve) => clock.after(heldMs, resolve));
      const result = await this.#refresh(changes);
      if (result !== undefined) return result;
    }
  }

  /** Undefined when memory took the place of the database meanwhile: what it was told is forgotten. */
  async #refresh(changes: InventoryChange[]): Promise<RefreshResult | undefined> {
    const { clock, store, onChanges, onScanned } = this.#options;
    const generation = store.generation();
    const baseline = this.#isFirst;
    const rows = store.inventory.list();
    const away = this.#scans === 0;
    const since = this.#last ?? newestOf(rows);
    const known = new Map<string, InventoryEntry[]>();
    for (const { entry, gone } of rows)
      if (gone === undefined) known.set(entry.item_id, [...(known.get(entry.item_id) ?? []), entry]);
    let items: ScannedItem[] = [];
    const seen = new Set<string>();
    let count = 0;
    const put = (): boolean => {
      const made = baseline ? this.#applyFirst(items) : store.inventory.apply(items, clock.now());
      if (store.generation() !== generation && !this.#stopped) return false;
      changes.push(...made);
      onScanned?.(items);
      items = [];
      return true;
    };
    const scan = this.#scan(known);
    for await (const item of this.#sliced(scan.all())) {
      seen.add(item.itemId);
      if (item.entries.length > 0) count++;
      items.push(item);
      if (items.length >= batch && !put()) return undefined;
    }
    // What cannot be read is not gone.
    if (!this.#stopped)
      for (const [itemId, [entry]] of known)
        if (!seen.has(itemId) && !isHidden(entry?.path ?? '', scan.refused))
          items.push({ itemId, entries: [] });
    if (!put()) return undefined;
    this.#scans++;
    // The scan had passed their place before they came there.
    for (const [itemId, { path, by }] of this.#early) if (!seen.has(itemId)) this.#noticed.set(path, by);
    this.#early.clear();
    this.#noticeSoon();
    this.#items = count;
    this.#last = clock.now();
    this.#refused = scan.refused;
    if (scan.refused.length > 0)
      this.#options.log.warn({ places: scan.refused.slice(0, 20) }, 'not all of the inventory could be read');
    if (!baseline && changes.length > 0) onChanges?.(changes, { away, since });
    await this.#askSigners();
    this.#options.onRefreshed?.();
    const ofKind = (kind: InventoryChange['kind']) => changes.filter((one) => one.kind === kind).length;
    return { items: count, added: ofKind('added'), changed: ofKind('changed'), gone: ofKind('gone') };
  }

  /** Nothing is known yet, and what the scan finds is the baseline. */
  get #isFirst(): boolean {
    return this.#scans === 0 && this.#options.store.inventory.empty;
  }

  #applyFirst(items: readonly ScannedItem[]): InventoryChange[] {
    const { clock, store } = this.#options;
    for (let slice = 0; slice < earlySlices && this.#noticed.size > 0; slice++) this.#readSlice();
    const by = new Map(
      [...this.#early].flatMap(([id, { by }]) => (by === undefined ? [] : [[id, by] as const])),
    );
    const isEarly = ({ itemId }: ScannedItem) => this.#early.has(itemId);
    return [
      ...store.inventory.apply(items.filter(isEarly), clock.now(), { by }),
      ...store.inventory.apply(
        items.filter((item) => !isEarly(item)),
        clock.now(),
        { baseline: true },
      ),
    ];
  }

  /** Between slices everything else gets its turn. */
  async *#sliced(steps: Generator<ScannedItem | undefined>): AsyncGenerator<ScannedItem> {
    const { clock } = this.#options;
    let begun = clock.monotonic();
    for (const item of steps) {
      if (this.#stopped) return;
      if (item !== undefined) yield item;
      if (clock.monotonic() - begun < sliceMs) continue;
      await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
      begun = clock.monotonic();
    }
  }

  async #askSigners(): Promise<void> {
    const { signer, store, clock } = this.#options;
    if (signer === undefined) return;
    const unsigned = store.inventory
      .list()
      .filter(
        ({ entry, gone }) => gone === undefined && entry.signer === undefined && entry.program !== undefined,
      );
    for (const { entry } of unsigned.slice(0, maxSigned)) {
      if (this.#stopped) return;
      const known = await signer(entry.program as string, entry.path);
      if (known === undefined) return;
      const others = store.inventory.of(entry.item_id).filter(({ gone }) => gone === undefined);
      const entries = others.map((row) =>
        row.entry.key === entry.key && row.entry.stamp === entry.stamp
          ? { ...row.entry, signer: known }
          : row.entry,
      );
      store.inventory.apply([{ itemId: entry.item_id, entries }], clock.now());
    }
  }
}

function newestOf(rows: readonly { readonly lastSeen: number }[]): number | undefined {
  return rows.length === 0 ? undefined : Math.max(...rows.map(({ lastSeen }) => lastSeen));
}

/** Homes in /Users, and root's. */
export function homesIn(root: RootMap): string[] {
  try {
    const names = readdirSync(root.toHost('/Users'), { withFileTypes: true });
    const users = names.filter((entry) => entry.isDirectory()).map(({ name }) => `/Users/${name}`);
    return ['/private/var/root', ...users.map((path) => canonicalMacPath(path))];
  } catch {
    return ['/private/var/root'];
  }
}

function writerOf({ process, user }: EcsDocument): InventoryWriter | undefined {
  if (process === undefined) return undefined;
  const { executable, pid, code_signature: signature } = process;
  return {
    ...(executable === undefined ? {} : { executable }),
    ...(pid === undefined ? {} : { pid }),
    ...(user?.name === undefined ? {} : { user: user.name }),
    ...(signature?.signing_id === undefined ? {} : { signing_id: signature.signing_id }),
    ...(signature?.team_id === undefined ? {} : { team_id: signature.team_id }),
  };
}
