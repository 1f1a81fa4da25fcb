import { laneOf } from './lane-number.js';
import type { DeadFilter, DeadLetter } from './outbox.js';
import { all, type Db, one } from './sqlite.js';

export interface DeadRow {
  dest: number;
  lane: number;
  seq: number;
  id: string;
  revision: number;
  /** The document itself where it is kept nowhere else (raw events); null where `documents` has it. */
  body: string | null;
  attempts: number;
  died: number;
  reason: string;
}

/** Rows that a destination will never take. */
export class DeadLetterTable {
  readonly #db: Db;
  readonly #sql;

  constructor(db: Db) {
    this.#db = db;
    this.#sql = {
      add: db.prepare(
        `INSERT OR REPLACE INTO dead_letters (dest, lane, doc, id, revision, body, attempts, died, reason)
          VALUES (:dest, :lane, :seq, :id, :revision, :body, :attempts, :died, :reason)`,
      ),
      remove: db.prepare('DELETE FROM dead_letters WHERE dest = ? AND lane = ? AND doc = ?'),
      document: db.prepare('SELECT body FROM documents WHERE seq = ?'),
      excess: db.prepare(
        'SELECT dest, lane, doc AS seq, id, revision, body, attempts, died, reason FROM dead_letters ORDER BY died DESC, doc DESC LIMIT -1 OFFSET ?',
      ),
    };
  }

  add(row: DeadRow): void {
    this.#sql.add.run({ ...row, reason: row.reason.slice(0, 1000) });
  }

  find(filter: DeadFilter & { readonly diedBefore?: number } = {}): (DeadRow & { destination: string })[] {
    const where: string[] = [];
    const values: unknown[] = [];
    if (filter.destination !== undefined) where.push('t.name = ?') && values.push(filter.destination);
    if (filter.id !== undefined)
      where.push('substr(l.id, 1, ?) = ?') && values.push(filter.id.length, filter.id);
    if (filter.diedBefore !== undefined) where.push('l.died < ?') && values.push(filter.diedBefore);
    const condition = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`;
    return all(
      this.#db.prepare(
        `SELECT t.name AS destination, l.dest, l.lane, l.doc AS seq, l.id, l.revision, l.body, l.attempts, l.died, l.reason
          FROM dead_letters l JOIN destinations t ON t.id = l.dest ${condition}
          ORDER BY l.died, l.lane, l.doc LIMIT ?`,
      ),
      ...values,
      filter.limit ?? -1,
    );
  }

  remove(row: DeadRow): void {
    this.#sql.remove.run(row.dest, row.lane, row.seq);
  }

  body(row: DeadRow): string | undefined {
    return row.body ?? one<{ body: string }>(this.#sql.document, row.seq)?.body;
  }

  /** What stands beyond the newest `keep`. */
  beyond(keep: number): DeadRow[] {
    return all(this.#sql.excess, keep);
  }
}

export function asLetter(row: DeadRow & { destination: string }): DeadLetter {
  const { destination, seq, id, revision, attempts, died, reason } = row;
  return { destination, lane: laneOf(row.lane), seq, id, revision, attempts, died, reason };
}
