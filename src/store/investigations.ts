import { type Investigation, isAnswer } from '../event/investigation.js';
import { type Db, one } from './sqlite.js';

interface Row {
  alert: string;
  time: number;
  author: string;
  body: string;
}

/** The newest answers about each alert. They are forgotten with their alert. */
export class Investigations {
  readonly #sql;

  constructor(db: Db) {
    this.#sql = {
      get: db.prepare('SELECT alert, time, author, body FROM investigations WHERE alert = ?'),
      put: db.prepare(
        `INSERT OR REPLACE INTO investigations (alert, time, author, body)
          SELECT id, ?, ?, ? FROM alerts WHERE id = ?`,
      ),
    };
  }

  /** `alert`: its whole id. */
  get(alert: string): Investigation | undefined {
    const row = one<Row>(this.#sql.get, alert);
    return row && investigationOf(row);
  }

  /** Replaces what was answered before. False when there is no such alert. */
  put({ alert, time, author, answers }: Investigation): boolean {
    return this.#sql.put.run(time, author, JSON.stringify(answers), alert).changes === 1;
  }
}

/** Undefined of a damaged row: it can be asked again. */
function investigationOf({ alert, time, author, body }: Row): Investigation | undefined {
  try {
    const answers: unknown = JSON.parse(body);
    return Array.isArray(answers) && answers.every(isAnswer) ? { alert, time, author, answers } : undefined;
  } catch {
    return undefined;
  }
}
