import type { DestinationState, DestinationStatePatch } from './outbox.js';
import { all, type Db, one } from './sqlite.js';

interface DestinationRow {
  id: number;
  name: string;
  parked_since: number | null;
  paused_until: number | null;
  pause_reason: string | null;
  fails: number;
  last_ok: number | null;
  last_error: string | null;
  last_error_at: number | null;
  delivered: number;
  duplicates: number;
  warnings: number;
  dead: number;
  evicted: number;
}

export interface Tally {
  readonly delivered: number;
  readonly duplicates: number;
  readonly warnings: number;
  readonly dead: number;
  readonly evicted: number;
}

export const emptyTally: Tally = { delivered: 0, duplicates: 0, warnings: 0, dead: 0, evicted: 0 };

const patchColumns: Record<keyof DestinationStatePatch, string> = {
  pausedUntil: 'paused_until',
  pauseReason: 'pause_reason',
  fails: 'fails',
  lastOk: 'last_ok',
  lastError: 'last_error',
  lastErrorAt: 'last_error_at',
};

/** The table of destinations: their numbers in outbox rows, their state and what was counted. */
export class Destinations {
  readonly #db: Db;
  readonly #ids = new Map<string, number>();
  #generation = 0;
  readonly #sql;

  constructor(db: Db) {
    this.#db = db;
    this.#sql = {
      byName: db.prepare('SELECT * FROM destinations WHERE name = ?'),
      idOf: db.prepare('SELECT id FROM destinations WHERE name = ?'),
      all: db.prepare('SELECT * FROM destinations ORDER BY name'),
      add: db.prepare(
        'INSERT OR IGNORE INTO destinations (name, first_doc) VALUES (?, coalesce(?, (SELECT doc + 1 FROM ledger), 1))',
      ),
      park: db.prepare('UPDATE destinations SET parked_since = ? WHERE id = ? AND parked_since IS NULL'),
      unpark: db.prepare('UPDATE destinations SET parked_since = NULL WHERE id = ?'),
      tally: db.prepare(
        `UPDATE destinations SET delivered = delivered + ?, duplicates = duplicates + ?, warnings = warnings + ?,
          dead = dead + ?, evicted = evicted + ? WHERE id = ?`,
      ),
    };
  }

  /**
   * The number of a destination; it gets one when it has none. `firstDoc`: the first document that is queued for a new
   * one; the next one to be stored when absent.
   */
  id(name: string, firstDoc?: number): number {
    return this.known(name) ?? Number(this.#sql.add.run(name, firstDoc ?? null).lastInsertRowid);
  }

  /** The number of a destination that has one: for reading, which must not write. */
  known(name: string): number | undefined {
    // Another connection serves: its numbers may be others.
    if (this.#generation !== this.#db.generation) this.#ids.clear();
    this.#generation = this.#db.generation;
    const known = this.#ids.get(name) ?? one<{ id: number }>(this.#sql.idOf, name)?.id;
    // Only what was read is remembered: a number that was just given may be rolled back.
    if (known !== undefined) this.#ids.set(name, known);
    return known;
  }

  names(): string[] {
    return all<DestinationRow>(this.#sql.all).map(({ name }) => name);
  }

  state(name: string): DestinationState | undefined {
    const row = one<DestinationRow>(this.#sql.byName, name);
    return row && asState(row);
  }

  /** Parks every destination that is not named, takes the named ones up again. */
  configure(names: readonly string[], now: number): void {
    for (const name of names) this.#sql.unpark.run(this.id(name));
    for (const row of all<DestinationRow>(this.#sql.all)) {
      if (!names.includes(row.name)) this.#sql.park.run(now, row.id);
    }
  }

  parkedBefore(time: number): string[] {
    return all<DestinationRow>(this.#sql.all)
      .filter(({ parked_since }) => parked_since !== null && parked_since < time)
      .map(({ name }) => name);
  }

  patch(name: string, patch: DestinationStatePatch): void {
    const entries = Object.entries(patch) as [
      keyof DestinationStatePatch,
      string | number | null | undefined,
    ][];
    const given = entries.filter(([, value]) => value !== undefined);
    if (given.length === 0) return;
    const sets = given.map(([key]) => `${patchColumns[key]} = ?`).join(', ');
    this.#db
      .prepare(`UPDATE destinations SET ${sets} WHERE id = ?`)
      .run(...given.map(([, value]) => value), this.id(name));
  }

  tally(id: number, add: Partial<Tally>): void {
    const { delivered, duplicates, warnings, dead, evicted } = { ...emptyTally, ...add };
    this.#sql.tally.run(delivered, duplicates, warnings, dead, evicted, id);
  }
}

function asState(row: DestinationRow): DestinationState {
  const { name, fails, delivered, duplicates, warnings, dead, evicted } = row;
  return {
    name,
    fails,
    delivered,
    duplicates,
    warnings,
    dead,
    evicted,
    ...(row.parked_since === null ? {} : { parkedSince: row.parked_since }),
    ...(row.paused_until === null ? {} : { pausedUntil: row.paused_until }),
    ...(row.pause_reason === null ? {} : { pauseReason: row.pause_reason }),
    ...(row.last_ok === null ? {} : { lastOk: row.last_ok }),
    ...(row.last_error === null ? {} : { lastError: row.last_error }),
    ...(row.last_error_at === null ? {} : { lastErrorAt: row.last_error_at }),
  };
}
