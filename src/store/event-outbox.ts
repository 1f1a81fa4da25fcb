import { emptyTally, type Tally } from './destinations.js';
import { countSettlements, createdOf, longestWaitMs, withinBytes } from './document-outbox.js';
import { type Identified, idOf, timedKey } from './event-key.js';
import type { LaneDepth, OutboxRow, Settlement, TakeLimits } from './outbox.js';
import { all, type Db, one } from './sqlite.js';

/** What a dead letter keeps of a raw event, whose own row may be pruned. */
export interface DeadEvent {
  readonly seq: number;
  readonly id: string;
  readonly body: string;
  readonly attempts: number;
  readonly reason: string;
}

/** The lane of raw events: rows name events of events.db, and what pruning takes from under them is counted. */
export class EventOutbox {
  readonly #db: Db;
  readonly #sql;

  constructor(db: Db) {
    this.#db = db;
    this.#sql = {
      enqueue: db.prepare(
        `INSERT OR IGNORE INTO event_outbox (dest, doc, bytes)
          SELECT ?, seq, length(CAST(body AS BLOB)) FROM events WHERE id IN (?, ?)`,
      ),
      ready: db.prepare(
        `SELECT o.doc AS seq, o.bytes, o.attempts, e.id, 1 AS revision, e.body FROM event_outbox o
          JOIN events e ON e.seq = o.doc WHERE o.dest = ? AND (o.next_ms <= ? OR o.next_ms > ?) ORDER BY o.doc LIMIT ?`,
      ),
      only: db.prepare(
        `SELECT o.doc AS seq, o.bytes, o.attempts, e.id, 1 AS revision, e.body FROM event_outbox o
          JOIN events e ON e.seq = o.doc WHERE o.dest = ? AND o.doc = ?`,
      ),
      next: db.prepare('SELECT min(next_ms) AS next FROM event_outbox WHERE dest = ?'),
      depth: db.prepare(
        'SELECT count(*) AS rows, coalesce(sum(bytes), 0) AS bytes, min(doc) AS first FROM event_outbox WHERE dest = ?',
      ),
      body: db.prepare('SELECT id, body FROM events WHERE seq = ?'),
      row: db.prepare('SELECT attempts FROM event_outbox WHERE dest = ? AND doc = ?'),
      remove: db.prepare('DELETE FROM event_outbox WHERE dest = ? AND doc = ?'),
      retry: db.prepare(
        'UPDATE event_outbox SET attempts = attempts + ?, next_ms = ? WHERE dest = ? AND doc = ?',
      ),
      allReady: db.prepare('UPDATE event_outbox SET next_ms = 0 WHERE dest = ? AND next_ms > 0'),
      oldest: db.prepare('SELECT doc FROM event_outbox WHERE dest = ? ORDER BY doc LIMIT ?'),
      newest: db.prepare('SELECT doc FROM event_outbox WHERE dest = ? ORDER BY doc DESC LIMIT ?'),
      tally: db.prepare(
        `INSERT INTO event_counts (dest, delivered, duplicates, warnings, dead, evicted) VALUES (?, ?, ?, ?, ?, ?)
          ON CONFLICT (dest) DO UPDATE SET delivered = delivered + excluded.delivered,
          duplicates = duplicates + excluded.duplicates, warnings = warnings + excluded.warnings,
          dead = dead + excluded.dead, evicted = evicted + excluded.evicted`,
      ),
      tallyOf: db.prepare(
        'SELECT delivered, duplicates, warnings, dead, evicted FROM event_counts WHERE dest = ?',
      ),
      dests: db.prepare('SELECT dest FROM event_counts'),
      know: db.prepare('INSERT OR IGNORE INTO event_counts (dest) VALUES (?)'),
      restore: db.prepare('INSERT OR IGNORE INTO event_outbox (dest, doc, bytes) VALUES (?, ?, ?)'),
    };
  }

  add(events: readonly Identified[], destinations: readonly string[]): number {
    if (destinations.length === 0) return 0;
    return this.#db
      .transaction(() => {
        let rows = 0;
        for (const destination of destinations) {
          this.#sql.know.run(destination);
          for (const event of events)
            rows += this.#sql.enqueue.run(destination, event.id, timedKey(event) ?? event.id).changes;
        }
        return rows;
      })
      .immediate();
  }

  take(destination: string, limits: TakeLimits): OutboxRow[] {
    const { now, only } = limits;
    const most = Math.max(1, Math.min(limits.maxItems, 1e6));
    type Ready = Omit<OutboxRow, 'lane'> & { bytes: number };
    const rows = this.#db.attempt(() => {
      const ready =
        only === undefined
          ? this.#sql.ready.iterate(destination, now, now + longestWaitMs, most)
          : this.#sql.only.iterate(destination, only);
      return withinBytes(ready as Iterable<Ready>, limits);
    });
    return rows.map(({ bytes, ...row }) => ({
      ...row,
      id: idOf(row.id),
      lane: 'event',
    }));
  }

  nextReady(destination: string): number | undefined {
    return one<{ next: number | null }>(this.#sql.next, destination)?.next ?? undefined;
  }

  depth(destination: string): LaneDepth {
    const row = one<{ rows: number; bytes: number; first: number | null }>(this.#sql.depth, destination);
    const first = row?.first == null ? undefined : one<{ body: string }>(this.#sql.body, row.first);
    const oldest = first && createdOf(first.body);
    return { rows: row?.rows ?? 0, bytes: row?.bytes ?? 0, ...(oldest === undefined ? {} : { oldest }) };
  }

  /** The documents of rows that are about to die, to be kept elsewhere before `settle` forgets them. */
  dying(destination: string, settlements: readonly Settlement[]): DeadEvent[] {
    return settlements.flatMap((settlement) => {
      if (settlement.outcome !== 'dead') return [];
      const { seq, reason } = settlement;
      const row = one<{ attempts: number }>(this.#sql.row, destination, seq);
      const event = one<{ id: string; body: string }>(this.#sql.body, seq);
      if (row === undefined || event === undefined) return [];
      return [{ seq, reason, attempts: row.attempts + 1, id: idOf(event.id), body: event.body }];
    });
  }

  settle(destination: string, settlements: readonly Settlement[]): void {
    this.#db
      .transaction(() => {
        const present = settlements.filter(({ seq }) => one(this.#sql.row, destination, seq) !== undefined);
        for (const settlement of present) {
          if (settlement.outcome === 'retry')
            this.#sql.retry.run(
              settlement.charged === true ? 1 : 0,
              settlement.notBefore,
              destination,
              settlement.seq,
            );
          else this.#sql.remove.run(destination, settlement.seq);
        }
        this.#count(destination, countSettlements(present));
      })
      .immediate();
  }

  /** Ends every wait of the destination's rows. */
  ready(destination: string): void {
    this.#sql.allReady.run(destination);
  }

  enforce(
    destination: string,
    caps: { readonly rows: number; readonly bytes: number; readonly newest: boolean },
  ): number {
    return this.#db
      .transaction(() => {
        let evicted = 0;
        for (;;) {
          const { rows, bytes } = this.depth(destination);
          if (rows <= caps.rows && bytes <= caps.bytes) break;
          const excess = Math.max(
            rows - caps.rows,
            Math.ceil((bytes - caps.bytes) / Math.max(1, bytes / rows)),
          );
          const pick = caps.newest ? this.#sql.newest : this.#sql.oldest;
          for (const { doc } of all<{ doc: number }>(
            pick,
            destination,
            Math.max(1, Math.ceil(excess * 0.9)),
          )) {
            this.#sql.remove.run(destination, doc);
            evicted++;
          }
        }
        if (evicted > 0) this.#count(destination, { evicted });
        return evicted;
      })
      .immediate();
  }

  giveUp(destination: string): number {
    return this.enforce(destination, { rows: 0, bytes: 0, newest: false });
  }

  /** Counts and forgets the rows of events that are being pruned; inside the pruning's transaction. */
  forget(events: readonly number[]): void {
    for (const { dest } of all<{ dest: string }>(this.#sql.dests)) {
      let evicted = 0;
      for (const seq of events) evicted += this.#sql.remove.run(dest, seq).changes;
      if (evicted > 0) this.#count(dest, { evicted });
    }
  }

  /** Puts a dead event back, if the event itself is still stored. */
  restore(destination: string, seq: number): boolean {
    const event = one<{ body: string }>(this.#sql.body, seq);
    if (event === undefined) return false;
    return this.#sql.restore.run(destination, seq, Buffer.byteLength(event.body)).changes === 1;
  }

  tally(destination: string): Tally {
    return one<Tally>(this.#sql.tallyOf, destination) ?? emptyTally;
  }

  #count(destination: string, add: Partial<Tally>): void {
    const { delivered, duplicates, warnings, dead, evicted } = { ...emptyTally, ...add };
    this.#sql.tally.run(destination, delivered, duplicates, warnings, dead, evicted);
  }
}
