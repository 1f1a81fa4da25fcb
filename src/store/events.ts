import type { Micros } from '../base/time.js';
import type { EcsDocument } from '../event/document.js';
import { type Event, timesOf, wallTime } from '../event/event.js';
import type { EventOutbox } from './event-outbox.js';
import { all, type Db, one } from './sqlite.js';

interface EventRow {
  seq: number;
  id: string;
  time: number;
  nanos: number;
  sequence: number | null;
  body: string;
}

export interface EventRange {
  /** Event time, inclusive. */
  readonly from?: Micros;
  /** Event time, exclusive. */
  readonly to?: Micros;
}

export interface PruneResult {
  readonly deleted: number;
  /** Bytes in use afterwards. */
  readonly bytes: number;
}

const pageRows = 500;
/** Past this multiple of the cap, events go even though detection may still want them: a full disk helps nobody. */
const hardCap = 2;

/** Raw events, in the order of detection when read. Pruned by size, the oldest first. */
export class Events {
  readonly #db: Db;
  readonly #outbox: EventOutbox;
  readonly #sql;

  constructor(db: Db, outbox: EventOutbox) {
    this.#db = db;
    this.#outbox = outbox;
    const columns = 'seq, id, time, nanos, sequence, body';
    this.#sql = {
      insert: db.prepare(
        'INSERT OR IGNORE INTO events (id, time, nanos, sequence, body) VALUES (?, ?, ?, ?, ?)',
      ),
      replace: db.prepare('UPDATE events SET body = ? WHERE id = ?'),
      byId: db.prepare(`SELECT ${columns} FROM events WHERE id = ?`),
      times: db.prepare(
        'SELECT DISTINCT time FROM events WHERE time >= ? AND time < ? ORDER BY time LIMIT ?',
      ),
      page: db.prepare(
        `SELECT ${columns} FROM events WHERE time >= ? AND time <= ?
          ORDER BY time, nanos, sequence IS NULL, sequence, seq`,
      ),
      count: db.prepare('SELECT count(*) AS rows, min(time) AS first, max(time) AS last FROM events'),
      deleteOldest: db.prepare(
        'DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE time < ? ORDER BY time LIMIT ?) RETURNING seq',
      ),
    };
  }

  /** Stores a batch in one transaction. Returns those that were not stored before, in the order given. */
  append(batch: readonly Event[]): Event[] {
    return this.#db.transaction(() => batch.filter((event) => this.#insert(event))).immediate();
  }

  /** The newer document of an event that is stored (an amendment); stores it when it is not. */
  replace(event: Event): void {
    this.#db
      .transaction(() => {
        if (this.#sql.replace.run(JSON.stringify(event.doc), event.id).changes === 0) this.#insert(event);
      })
      .immediate();
  }

  get(id: string): Event | undefined {
    const row = one<EventRow>(this.#sql.byId, id);
    return row && asEvent(row);
  }

  /** Events with `from <= time < to` in the order of detection, for rebuilding what was open when we stopped. */
  between(from: Micros, to: Micros): Generator<Event> {
    return this.scan({ from, to });
  }

  /**
   * Every stored event of a range in the order of detection. Read in pages, so that other statements may run in between;
   * what is stored or pruned meanwhile may or may not be seen.
   */
  *scan(range: EventRange = {}): Generator<Event> {
    const to = range.to ?? Number.MAX_SAFE_INTEGER;
    let from = range.from ?? Number.MIN_SAFE_INTEGER;
    for (;;) {
      // A page ends between two times: events of one time are never torn apart, so their order needs no cursor.
      const times = all<{ time: number }>(this.#sql.times, from, to, pageRows);
      const last = times.at(-1)?.time;
      if (last === undefined) return;
      for (const row of all<EventRow>(this.#sql.page, from, last)) {
        const event = asEvent(row);
        if (event !== undefined) yield event;
      }
      from = last + 1;
    }
  }

  /** How many, and the event times of the first and the last. */
  extent(): { readonly rows: number; readonly first?: Micros; readonly last?: Micros } {
    const row = one<{ rows: number; first: number | null; last: number | null }>(this.#sql.count)!;
    return row.first === null || row.last === null
      ? { rows: 0 }
      : { rows: row.rows, first: row.first, last: row.last };
  }

  /** Bytes in use in events.db, free pages not counted. */
  bytes(): number {
    const value = (name: string) => this.#db.pragma(name, { simple: true }) as number;
    return (value('page_count') - value('freelist_count')) * value('page_size');
  }

  /**
   * Deletes the oldest events until at most `maxBytes` are in use, but none from `keepAfter` on unless twice the cap is
   * reached. Short transactions, so that nobody waits.
   */
  prune(maxBytes: number, keepAfter: Micros): PruneResult {
    let deleted = 0;
    for (;;) {
      const bytes = this.bytes();
      if (bytes <= maxBytes) break;
      const before = bytes > maxBytes * hardCap ? Number.MAX_SAFE_INTEGER : keepAfter;
      const rows = this.extent().rows;
      const share = Math.ceil((rows * (bytes - maxBytes)) / bytes);
      const gone = this.#deleteOldest(before, Math.min(2000, Math.max(50, share)));
      if (gone === 0) break;
      deleted += gone;
    }
    if (deleted > 0) this.#db.pragma('incremental_vacuum');
    return { deleted, bytes: this.bytes() };
  }

  transaction<T>(run: () => T): T {
    return this.#db.transaction(run).immediate();
  }

  #deleteOldest(before: Micros, rows: number): number {
    return this.#db
      .transaction(() => {
        const gone = all<{ seq: number }>(this.#sql.deleteOldest, before, rows).map(({ seq }) => seq);
        this.#outbox.forget(gone);
        return gone.length;
      })
      .immediate();
  }

  #insert(event: Event): boolean {
    const sequence = Number.isFinite(event.sequence) ? event.sequence : null;
    const body = JSON.stringify(event.doc);
    return this.#sql.insert.run(event.id, wallTime(event), event.nanos, sequence, body).changes === 1;
  }
}

/** Undefined of a damaged row, which keeps nobody from reading the others. */
function asEvent(row: EventRow): Event | undefined {
  const { id, time, nanos, sequence } = row;
  try {
    const doc = JSON.parse(row.body) as EcsDocument | null;
    if (typeof doc !== 'object' || doc === null || !Number.isSafeInteger(time)) return undefined;
    return { id, ...timesOf(doc, time), nanos, sequence: sequence ?? Number.POSITIVE_INFINITY, doc };
  } catch {
    return undefined;
  }
}
