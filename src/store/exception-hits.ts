import type { Micros } from '../base/time.js';
import { all, type Db } from './sqlite.js';

/** How often an exception hid something, and the event times of the first and the last one. */
export interface ExceptionHits {
  readonly id: string;
  readonly hits: number;
  readonly first: Micros;
  readonly last: Micros;
}

/** Counts of exceptions. They outlive their files: an exception that is read again goes on from its count. */
export class ExceptionHitStore {
  readonly #sql;

  constructor(db: Db) {
    this.#sql = {
      add: db.prepare(
        `INSERT INTO exception_hits (id, hits, first, last) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
          hits = hits + excluded.hits, first = min(first, excluded.first), last = max(last, excluded.last)`,
      ),
      list: db.prepare('SELECT id, hits, first, last FROM exception_hits ORDER BY id'),
      remove: db.prepare('DELETE FROM exception_hits WHERE id = ?'),
    };
  }

  add({ id, hits, first, last }: ExceptionHits): void {
    this.#sql.add.run(id, hits, first, last);
  }

  list(): ExceptionHits[] {
    return all<ExceptionHits & object>(this.#sql.list);
  }

  remove(id: string): void {
    this.#sql.remove.run(id);
  }
}
