import { hashParts } from '../base/digest.js';
import type { Micros } from '../base/time.js';
import { type Db, one } from './sqlite.js';

interface TermRow {
  first: number;
  previous: number | null;
  last: number;
}

/** What new_terms rules have seen, across restarts; at most `maxTerms` a rule, the longest unseen go first. */
export class Terms {
  readonly #db: Db;
  readonly #maxTerms: number;
  readonly #sql;

  constructor(db: Db, maxTerms: number) {
    this.#db = db;
    this.#maxTerms = maxTerms;
    this.#sql = {
      get: db.prepare('SELECT first, previous, last FROM terms WHERE rule = ? AND key = ?'),
      add: db.prepare('INSERT INTO terms (rule, key, first, previous, last) VALUES (?, ?, ?, NULL, ?)'),
      set: db.prepare('UPDATE terms SET first = ?, previous = ?, last = ? WHERE rule = ? AND key = ?'),
      count: db.prepare('SELECT count(*) AS rows FROM terms WHERE rule = ?'),
      trim: db.prepare(
        'DELETE FROM terms WHERE rule = ? AND key IN (SELECT key FROM terms WHERE rule = ? ORDER BY last LIMIT ?)',
      ),
    };
  }

  /**
   * Notes that a rule saw the key at `time`. Returns when it had seen it last before that, or undefined when it never
   * had. The same call again (events fed again after a crash) gives the same answer.
   */
  seen(ruleId: string, key: string, time: Micros): Micros | undefined {
    const hash = hashParts([key]);
    return this.#db
      .transaction(() => {
        const row = one<TermRow>(this.#sql.get, ruleId, hash);
        if (row === undefined) {
          this.#trim(ruleId);
          this.#sql.add.run(ruleId, hash, time, time);
          return undefined;
        }
        if (time > row.last) this.#sql.set.run(row.first, row.last, time, ruleId, hash);
        else if (time < row.first) this.#sql.set.run(time, row.previous, row.last, ruleId, hash);
        const earlier = [row.first, row.previous, row.last].filter((known) => known !== null && known < time);
        return earlier.length === 0 ? undefined : Math.max(...(earlier as number[]));
      })
      .immediate();
  }

  #trim(ruleId: string): void {
    const { rows } = one<{ rows: number }>(this.#sql.count, ruleId)!;
    if (rows >= this.#maxTerms) this.#sql.trim.run(ruleId, ruleId, Math.ceil(this.#maxTerms / 10));
  }
}
