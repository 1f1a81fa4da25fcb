import type { Micros } from '../base/time.js';
import {
  entryContent,
  type InventoryEntry,
  type InventoryRow,
  type InventoryWriter,
} from '../event/inventory.js';
import { all, type Db, one } from './sqlite.js';

interface Row {
  item: string;
  key: string;
  first_seen: number;
  last_seen: number;
  changed: number;
  gone: number | null;
  baseline: number;
  writer: string | null;
  body: string;
}

/** How the entries of an item differ from those that were stored. */
export interface InventoryChange {
  readonly kind: 'added' | 'changed' | 'gone';
  readonly entry: InventoryEntry;
  /** Of a change: what was stored. */
  readonly before?: InventoryEntry;
}

/** Gone entries are remembered so long, microseconds. */
const keepGone = 90 * 86_400 * 1e6;

/** Every persistent item of this Mac with its history, in launchwarden.db: when something came must outlive events. */
export class Inventory {
  readonly #db: Db;
  readonly #sql;

  constructor(db: Db) {
    this.#db = db;
    this.#sql = {
      list: db.prepare('SELECT * FROM inventory ORDER BY item, key'),
      of: db.prepare('SELECT * FROM inventory WHERE item = ? ORDER BY key'),
      put: db.prepare(
        `INSERT OR REPLACE INTO inventory (item, key, first_seen, last_seen, changed, gone, baseline, writer, body)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      count: db.prepare('SELECT count(*) AS rows FROM inventory'),
      prune: db.prepare('DELETE FROM inventory WHERE gone < ?'),
    };
  }

  /** True until the first inventory was stored. */
  get empty(): boolean {
    return (one<{ rows: number }>(this.#sql.count)?.rows ?? 0) === 0;
  }

  /** Memory serves in place of the file. It knows nothing of the inventory, and what it is told of it is forgotten. */
  get held(): boolean {
    return this.#db.inMemory;
  }

  list(): InventoryRow[] {
    return all<Row & object>(this.#sql.list).flatMap((row) => rowOf(row) ?? []);
  }

  of(itemId: string): InventoryRow[] {
    return all<Row & object>(this.#sql.of, itemId).flatMap((row) => rowOf(row) ?? []);
  }

  /**
   * Takes what was found of some items at `now`: of each item all of its entries; none when nothing is there any more.
   * Returns what differs. One transaction.
   */
  apply(
    items: readonly { readonly itemId: string; readonly entries: readonly InventoryEntry[] }[],
    now: Micros,
    how: { readonly baseline?: boolean; readonly by?: ReadonlyMap<string, InventoryWriter> } = {},
  ): InventoryChange[] {
    const changes: InventoryChange[] = [];
    this.#db
      .transaction(() => {
        changes.length = 0;
        for (const { itemId, entries } of items) {
          const before = new Map(this.of(itemId).map((row) => [row.entry.key, row]));
          for (const entry of entries) {
            const known = before.get(entry.key);
            before.delete(entry.key);
            const change = this.#take(entry, known, {
              now,
              baseline: how.baseline === true,
              by: how.by?.get(itemId),
            });
            if (change === undefined) continue;
            changes.push({ kind: change, entry, ...(known === undefined ? {} : { before: known.entry }) });
          }
          for (const row of before.values()) {
            if (row.gone !== undefined) continue;
            changes.push({ kind: 'gone', entry: row.entry });
            this.#put({ ...row, gone: now });
          }
        }
        this.#sql.prune.run(now - keepGone);
      })
      .immediate();
    return changes;
  }

  #take(
    entry: InventoryEntry,
    known: InventoryRow | undefined,
    { now, baseline, by }: { now: Micros; baseline: boolean; by: InventoryWriter | undefined },
  ): InventoryChange['kind'] | undefined {
    // Who signed it is asked once: what was not asked anew is still known.
    const same = known !== undefined && entryContent(known.entry) === entryContent(entry);
    const signer = entry.signer ?? (same ? known.entry.signer : undefined);
    const stored = signer === undefined ? entry : { ...entry, signer };
    const back = known?.gone !== undefined;
    const writer = by ?? (same && !back ? known.by : undefined);
    const isNew = known === undefined || back;
    this.#put({
      entry: stored,
      firstSeen: known?.firstSeen ?? now,
      lastSeen: now,
      changed: known !== undefined && same && !back ? known.changed : now,
      baseline: known?.baseline ?? baseline,
      ...(writer === undefined ? {} : { by: writer }),
    });
    if (isNew) return 'added';
    return same ? undefined : 'changed';
  }

  #put({ entry, firstSeen, lastSeen, changed, gone, baseline, by }: InventoryRow): void {
    this.#sql.put.run(
      entry.item_id,
      entry.key,
      firstSeen,
      lastSeen,
      changed,
      gone ?? null,
      baseline ? 1 : 0,
      by === undefined ? null : JSON.stringify(by),
      JSON.stringify(entry),
    );
  }
}

/** Undefined of a damaged row, which keeps nobody from reading the others. */
function rowOf(row: Row): InventoryRow | undefined {
  try {
    const entry = JSON.parse(row.body) as InventoryEntry | null;
    if (typeof entry?.path !== 'string' || typeof entry.mechanism !== 'string') return undefined;
    const by = row.writer === null ? undefined : (JSON.parse(row.writer) as InventoryWriter);
    return {
      entry: { ...entry, item_id: row.item, key: row.key },
      firstSeen: row.first_seen,
      lastSeen: row.last_seen,
      changed: row.changed,
      baseline: row.baseline === 1,
      ...(row.gone === null ? {} : { gone: row.gone }),
      ...(by === undefined ? {} : { by }),
    };
  } catch {
    return undefined;
  }
}
