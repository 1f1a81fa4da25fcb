import type { Micros } from '../base/time.js';
import type { EcsDocument } from '../event/document.js';
import { type Event, timesOf, wallTime } from '../event/event.js';
import { firstTimed, idAfterTime, idOf, timedKey } from './event-key.js';
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

/** What `nearest` and `search` found. */
export interface EventsFound {
  /** In the order of detection. */
  readonly events: readonly Event[];
  /** Events of the range; of a search, those that were looked through. */
  readonly rows: number;
  /** False when there are more that were left out, or not looked through. */
  readonly complete: boolean;
}

export interface PruneResult {
  readonly deleted: number;
  /** Bytes in use afterwards. */
  readonly bytes: number;
}

const pageRows = 500;
/** Events whose text is looked through at once, between two looks at the clock. */
const searchedRows = 2_000;
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
      timesBack: db.prepare(
        'SELECT DISTINCT time FROM events WHERE time >= ? AND time < ? ORDER BY time DESC LIMIT ?',
      ),
      beginning: db.prepare(`SELECT ${columns} FROM events WHERE id >= ? AND id < ? ORDER BY id LIMIT ?`),
      // Of the index alone, which holds no documents.
      timedBeginning: db.prepare(
        `SELECT seq FROM events WHERE id >= '${firstTimed}' AND substr(${idAfterTime('id')}, 1, ?) = ? LIMIT ?`,
      ),
      page: db.prepare(
        `SELECT ${columns} FROM events WHERE time >= ? AND time <= ?
          ORDER BY time, nanos, sequence IS NULL, sequence, seq`,
      ),
      newest: db.prepare('SELECT max(seq) AS seq FROM events'),
      storedAfter: db.prepare(
        `SELECT seq FROM events WHERE seq > ? AND time < ?
          ORDER BY time, nanos, sequence IS NULL, sequence, seq`,
      ),
      isStored: db.prepare('SELECT 1 FROM events WHERE id = ?'),
      bySeq: db.prepare(`SELECT ${columns} FROM events WHERE seq = ?`),
      count: db.prepare('SELECT count(*) AS rows, min(time) AS first, max(time) AS last FROM events'),
      before: db.prepare(
        `SELECT ${columns} FROM events WHERE time >= ? AND time < ? ORDER BY time DESC, seq DESC LIMIT ?`,
      ),
      after: db.prepare(
        `SELECT ${columns} FROM events WHERE time >= ? AND time < ? ORDER BY time, seq LIMIT ?`,
      ),
      rows: db.prepare('SELECT count(*) AS rows FROM events WHERE time >= ? AND time < ?'),
      stretch: db.prepare(
        `SELECT count(*) AS rows, min(time) AS first FROM
          (SELECT time FROM events WHERE time >= ? AND time < ? ORDER BY time DESC LIMIT ${searchedRows})`,
      ),
      deleteOldest: db.prepare(
        'DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE time < ? ORDER BY time LIMIT ?) RETURNING seq',
      ),
    };
  }

  /**
   * Stores a batch in one transaction. Returns those that were not stored before, in the order given. `isPassing`: of events
   * that are told once and that nobody but a person will ask for by their ids.
   */
  append(batch: readonly Event[], isPassing: (event: Event) => boolean = never): Event[] {
    return this.#db
      .transaction(() =>
        batch.filter((event) => this.#insert(event, isPassing(event) ? timedKey(event) : undefined)),
      )
      .immediate();
  }

  /** The newer document of an event that is stored (an amendment); stores it when it is not. */
  replace(event: Event): void {
    this.#db
      .transaction(() => {
        const body = JSON.stringify(event.doc);
        const keys = [event.id, timedKey(event) ?? event.id];
        if (!keys.some((key) => this.#sql.replace.run(body, key).changes > 0)) this.#insert(event);
      })
      .immediate();
  }

  /** Not one that was stored in passing: `find` finds that, too. */
  get(id: string): Event | undefined {
    const row = one<EventRow>(this.#sql.byId, id);
    return row !== undefined && idOf(row.id) === id ? asEvent(row) : undefined;
  }

  /** Walks a large part of an index when it is not there: for a person who asks, not for the agent. */
  find(id: string): Event | undefined {
    return this.get(id) ?? this.#passingOf(id);
  }

  #passingOf(id: string): Event | undefined {
    return this.#timedBeginning(id, 1).find((event) => event.id === id);
  }

  /** Events whose ids begin so, at most `limit`. */
  beginningWith(beginning: string, limit: number): Event[] {
    const rows = all<EventRow>(this.#sql.beginning, beginning, `${beginning}\u{10ffff}`, limit);
    const found = rows.filter(({ id }) => idOf(id) === id).flatMap((row) => asEvent(row) ?? []);
    return [...found, ...this.#timedBeginning(beginning, limit - found.length)];
  }

  /** As `scan`, the newest first. */
  *scanBack(range: EventRange = {}): Generator<Event> {
    const from = range.from ?? Number.MIN_SAFE_INTEGER;
    let to = range.to ?? Number.MAX_SAFE_INTEGER;
    for (;;) {
      const times = all<{ time: number }>(this.#sql.timesBack, from, to, pageRows);
      const first = times.at(-1)?.time;
      if (first === undefined) return;
      yield* all<EventRow>(this.#sql.page, first, to - 1)
        .reverse()
        .flatMap((row) => asEvent(row) ?? []);
      to = first;
    }
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

  /** The events with `from <= time < to` that are nearest to `time`, at most `most` before it and as many from it on. */
  nearest(
    time: Micros,
    { from, to }: { readonly from: Micros; readonly to: Micros },
    most: number,
  ): EventsFound {
    const earlier = all<EventRow>(this.#sql.before, from, Math.min(time, to), most).reverse();
    const later = all<EventRow>(this.#sql.after, Math.max(time, from), to, most);
    const rows = one<{ rows: number }>(this.#sql.rows, from, to)?.rows ?? 0;
    const events = [...earlier, ...later].flatMap((row) => asEvent(row) ?? []);
    return { events, rows, complete: earlier.length + later.length >= rows };
  }

  /**
   * Events with `from <= time < to` whose text holds one of `texts`, the newest `limit` of them. The newest are looked
   * through first, until `expired` says that there is no more time.
   */
  search(
    texts: readonly string[],
    range: { readonly from: Micros; readonly to: Micros },
    how: { readonly limit: number; readonly expired: () => boolean },
  ): EventsFound {
    // As the text stands in the document.
    const needles = texts.map((text) => JSON.stringify(text).slice(1, -1)).filter((text) => text !== '');
    if (needles.length === 0) return { events: [], rows: 0, complete: true };
    const holds = needles.map(() => 'instr(body, ?) > 0').join(' OR ');
    const find = this.#db.prepare(
      `SELECT seq, id, time, nanos, sequence, body FROM events WHERE time >= ? AND time < ? AND (${holds})
        ORDER BY time DESC, seq DESC LIMIT ?`,
    );
    const found: EventRow[] = [];
    let [rows, to] = [0, range.to];
    for (;;) {
      const stretch = one<{ rows: number; first: number | null }>(this.#sql.stretch, range.from, to);
      if (stretch === undefined || stretch.first === null) break;
      const left = how.limit - found.length;
      if (left <= 0 || how.expired()) return { events: eventsOf(found), rows, complete: false };
      found.push(...all<EventRow>(find, stretch.first, to, ...needles, left));
      rows += stretch.rows;
      to = stretch.first;
    }
    return { events: eventsOf(found), rows, complete: true };
  }

  /** The number of the event that was stored last: numbers grow. 0 when there is none. */
  newest(): number {
    return one<{ seq: number | null }>(this.#sql.newest)?.seq ?? 0;
  }

  /** Events that were stored after the one of this number, with `time < to`, in the order of detection. */
  *storedAfter(seq: number, to: Micros): Generator<Event> {
    for (const found of all<{ seq: number }>(this.#sql.storedAfter, seq, to)) {
      const row = one<EventRow>(this.#sql.bySeq, found.seq);
      const event = row && asEvent(row);
      if (event !== undefined) yield event;
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

  #timedBeginning(beginning: string, limit: number): Event[] {
    if (limit <= 0) return [];
    const length = [...beginning].length;
    return all<{ seq: number }>(this.#sql.timedBeginning, length, beginning, limit).flatMap(({ seq }) => {
      const row = one<EventRow>(this.#sql.bySeq, seq);
      return (row && asEvent(row)) ?? [];
    });
  }

  #insert(event: Event, key = event.id): boolean {
    const sequence = Number.isFinite(event.sequence) ? event.sequence : null;
    // A rule that has a use for it came into force after it was stored in passing.
    const other = key === event.id ? timedKey(event) : undefined;
    if (other !== undefined && one(this.#sql.isStored, other) !== undefined) return false;
    const body = JSON.stringify(event.doc);
    return this.#sql.insert.run(key, wallTime(event), event.nanos, sequence, body).changes === 1;
  }
}

const never = () => false;

/** Rows from the newest to the oldest, as events in their order. */
function eventsOf(rows: readonly EventRow[]): Event[] {
  return rows.flatMap((row) => asEvent(row) ?? []).reverse();
}

/** Undefined of a damaged row, which keeps nobody from reading the others. */
function asEvent(row: EventRow): Event | undefined {
  const { time, nanos, sequence } = row;
  const id = idOf(row.id);
  try {
    const doc = JSON.parse(row.body) as EcsDocument | null;
    if (typeof doc !== 'object' || doc === null || !Number.isSafeInteger(time)) return undefined;
    return { id, ...timesOf(doc, time), nanos, sequence: sequence ?? Number.POSITIVE_INFINITY, doc };
  } catch {
    return undefined;
  }
}
