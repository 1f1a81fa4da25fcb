import type { Gap, SensorKind } from '../event/event.js';
import { all, type Db, one } from './sqlite.js';

interface GapRow {
  seq: number;
  sensor: string;
  reason: string;
  from_time: number;
  to_time: number;
  lost: number | null;
  detail: string;
}

export interface StoredGap extends Gap {
  readonly seq: number;
}

/** Stretches of time in which something may have been missed; the newest `keep` are kept. */
export class Gaps {
  readonly #db: Db;
  readonly #keep: number;
  readonly #sql;

  constructor(db: Db, keep = 10_000) {
    this.#db = db;
    this.#keep = keep;
    this.#sql = {
      add: db.prepare(
        'INSERT INTO gaps (sensor, reason, from_time, to_time, lost, detail) VALUES (?, ?, ?, ?, ?, ?)',
      ),
      trim: db.prepare('DELETE FROM gaps WHERE seq <= ?'),
      list: db.prepare('SELECT * FROM gaps WHERE to_time >= ? AND from_time < ? ORDER BY seq DESC LIMIT ?'),
    };
  }

  add(gap: Gap): StoredGap {
    return this.#db
      .transaction(() => {
        const { sensor, reason, from, to, lost, detail } = gap;
        const added = this.#sql.add.run(sensor, reason, from, to, lost ?? null, detail.slice(0, 2000));
        const seq = Number(added.lastInsertRowid);
        this.#sql.trim.run(seq - this.#keep);
        return { ...gap, seq };
      })
      .immediate();
  }

  /** Newest first; those that touch `since` (inclusive) to `until` (exclusive). */
  list(
    query: { readonly since?: number; readonly until?: number; readonly limit?: number } = {},
  ): StoredGap[] {
    const { since = Number.MIN_SAFE_INTEGER, until = Number.MAX_SAFE_INTEGER, limit = 1000 } = query;
    return all<GapRow>(this.#sql.list, since, until, limit).map((row) => ({
      seq: row.seq,
      sensor: row.sensor as SensorKind,
      reason: row.reason,
      from: row.from_time,
      to: row.to_time,
      detail: row.detail,
      ...(row.lost === null ? {} : { lost: row.lost }),
    }));
  }
}

/** Name of a text: the folder that the agent observed instead of the machine, empty for the machine. */
export const observedRootKey = 'observed_root';

/** Named texts: agent id, boot id, how far observation was complete, ... */
export class Meta {
  readonly #sql;

  constructor(db: Db) {
    this.#sql = {
      get: db.prepare('SELECT value FROM meta WHERE key = ?'),
      set: db.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)'),
      remove: db.prepare('DELETE FROM meta WHERE key = ?'),
    };
  }

  get(key: string): string | undefined {
    return one<{ value: string }>(this.#sql.get, key)?.value;
  }

  set(key: string, value: string): void {
    this.#sql.set.run(key, value);
  }

  remove(key: string): void {
    this.#sql.remove.run(key);
  }
}
