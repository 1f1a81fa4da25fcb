import type { Micros } from '../base/time.js';
import type { Baseline, KnownEntry } from '../event/baseline.js';
import type { InventoryEntry } from '../event/inventory.js';
import type { EvidenceStore } from './evidence.js';
import { all, type Db, one } from './sqlite.js';

interface Row {
  readonly name: string;
  readonly time: number;
  readonly author: string;
  readonly reason: string;
  readonly entries: number;
}

interface EntryRow {
  readonly item: string;
  readonly key: string;
  readonly time: number;
  readonly author: string;
  readonly reason: string;
  readonly body: string;
}

/** Who accepts something, and why. */
export interface Acceptance {
  readonly time: Micros;
  readonly author: string;
  readonly reason: string;
}

/** States that were called known good, each under a name, in launchwarden.db; what they hold of evidence is not given up. */
export class Baselines {
  readonly #db: Db;
  readonly #evidence: Pick<EvidenceStore, 'holdAll' | 'release'>;
  readonly #sql;

  constructor(db: Db, evidence: Pick<EvidenceStore, 'holdAll' | 'release'>) {
    this.#db = db;
    this.#evidence = evidence;
    const columns = `b.name, b.time, b.author, b.reason,
      (SELECT count(*) FROM baseline_entries e WHERE e.baseline = b.name) AS entries`;
    this.#sql = {
      list: db.prepare(`SELECT ${columns} FROM baselines b ORDER BY b.time DESC, b.name`),
      get: db.prepare(`SELECT ${columns} FROM baselines b WHERE b.name = ?`),
      entries: db.prepare('SELECT * FROM baseline_entries WHERE baseline = ? ORDER BY item, key'),
      ofItem: db.prepare('SELECT * FROM baseline_entries WHERE baseline = ? AND item = ? ORDER BY key'),
      add: db.prepare('INSERT OR REPLACE INTO baselines (name, time, author, reason) VALUES (?, ?, ?, ?)'),
      put: db.prepare(
        `INSERT OR REPLACE INTO baseline_entries (baseline, item, key, time, author, reason, body)
          VALUES (?, ?, ?, ?, ?, ?, ?)`,
      ),
      forget: db.prepare('DELETE FROM baseline_entries WHERE baseline = ? AND item = ?'),
      clear: db.prepare('DELETE FROM baseline_entries WHERE baseline = ?'),
      remove: db.prepare('DELETE FROM baselines WHERE name = ?'),
    };
  }

  /** The newest first. */
  list(): Baseline[] {
    return all<Row & object>(this.#sql.list);
  }

  get(name: string): Baseline | undefined {
    return one<Row>(this.#sql.get, name);
  }

  /** The one that counts when none is named. */
  newest(): Baseline | undefined {
    return this.list()[0];
  }

  entries(name: string): KnownEntry[] {
    return all<EntryRow & object>(this.#sql.entries, name).flatMap((row) => entryOf(row) ?? []);
  }

  ofItem(name: string, itemId: string): KnownEntry[] {
    return all<EntryRow & object>(this.#sql.ofItem, name, itemId).flatMap((row) => entryOf(row) ?? []);
  }

  /** Takes these as known good, in the place of a baseline of the same name. */
  save(name: string, entries: readonly InventoryEntry[], by: Acceptance): void {
    this.#db
      .transaction(() => {
        this.#sql.clear.run(name);
        this.#sql.add.run(name, by.time, by.author.slice(0, 200), by.reason.slice(0, 2_000));
        for (const entry of entries) this.#put(name, entry, by);
        this.#hold(name);
      })
      .immediate();
  }

  /** Accepts some items as they are: of each all of its entries; none when it is gone. False when there is no such baseline. */
  approve(
    name: string,
    items: readonly { readonly itemId: string; readonly entries: readonly InventoryEntry[] }[],
    by: Acceptance,
  ): boolean {
    return this.#db
      .transaction(() => {
        if (this.get(name) === undefined) return false;
        for (const { itemId, entries } of items) {
          this.#sql.forget.run(name, itemId);
          for (const entry of entries) this.#put(name, entry, by);
        }
        this.#hold(name);
        return true;
      })
      .immediate();
  }

  remove(name: string): boolean {
    return this.#db
      .transaction(() => {
        this.#sql.clear.run(name);
        this.#evidence.release(holderOf(name));
        return this.#sql.remove.run(name).changes > 0;
      })
      .immediate();
  }

  #put(name: string, entry: InventoryEntry, { time, author, reason }: Acceptance): void {
    const body = JSON.stringify(entry);
    this.#sql.put.run(
      name,
      entry.item_id,
      entry.key,
      time,
      author.slice(0, 200),
      reason.slice(0, 2_000),
      body,
    );
  }

  #hold(name: string): void {
    const hashes = this.entries(name).flatMap(({ entry }) => [entry.sha256, entry.program_sha256]);
    this.#evidence.release(holderOf(name));
    this.#evidence.holdAll(
      hashes.filter((one) => one !== undefined),
      holderOf(name),
    );
  }
}

function holderOf(name: string): string {
  return `baseline:${name}`;
}

/** Undefined of a damaged row, which keeps nobody from reading the others. */
function entryOf({ item, key, time, author, reason, body }: EntryRow): KnownEntry | undefined {
  try {
    const entry = JSON.parse(body) as InventoryEntry | null;
    if (typeof entry?.path !== 'string' || typeof entry.mechanism !== 'string') return undefined;
    return { entry: { ...entry, item_id: item, key }, time, author, reason };
  } catch {
    return undefined;
  }
}
