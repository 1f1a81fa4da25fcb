import type { Micros } from '../base/time.js';
import { all, type Db } from './sqlite.js';

/** A sign that what was responded to came back. */
export interface ReinfectionWatch {
  /** Id of the response that armed it. */
  readonly response: string;
  readonly kind: 'path' | 'label' | 'sha256' | 'signer';
  readonly value: string;
  /** Id of the alert that is opened again; empty when the response was about none. */
  readonly alert: string;
  readonly armed: Micros;
  readonly hits: number;
  readonly last?: Micros;
}

type Row = Omit<ReinfectionWatch, 'last'> & { readonly last: number | null };

/** What armed responses watch for. */
export class ReinfectionWatches {
  readonly #db: Db;
  readonly #sql;

  constructor(db: Db) {
    this.#db = db;
    this.#sql = {
      list: db.prepare(
        'SELECT response, kind, value, alert, armed, hits, last FROM reinfection ORDER BY armed',
      ),
      arm: db.prepare(
        `INSERT OR IGNORE INTO reinfection (response, kind, value, alert, armed) VALUES (?, ?, ?, ?, ?)`,
      ),
      disarm: db.prepare('DELETE FROM reinfection WHERE response = ?'),
      hit: db.prepare(
        'UPDATE reinfection SET hits = hits + 1, last = ? WHERE response = ? AND kind = ? AND value = ?',
      ),
    };
  }

  list(): ReinfectionWatch[] {
    return all<Row & object>(this.#sql.list).map(({ last, ...rest }) => ({
      ...rest,
      ...(last === null ? {} : { last }),
    }));
  }

  /** Arms all or none. */
  arm(
    watches: readonly Pick<ReinfectionWatch, 'response' | 'kind' | 'value' | 'alert'>[],
    now: Micros,
  ): void {
    this.#db
      .transaction(() => {
        for (const { response, kind, value, alert } of watches)
          this.#sql.arm.run(response, kind, value, alert, now);
      })
      .immediate();
  }

  /** How many were disarmed. */
  disarm(response: string): number {
    return this.#sql.disarm.run(response).changes;
  }

  hit({ response, kind, value }: Pick<ReinfectionWatch, 'response' | 'kind' | 'value'>, time: Micros): void {
    this.#sql.hit.run(time, response, kind, value);
  }
}
