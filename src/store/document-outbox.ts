import { parseTime } from '../base/time.js';
import type { EcsDocument } from '../event/document.js';
import { DeadLetterTable } from './dead-letters.js';
import type { Destinations, Tally } from './destinations.js';
import { laneNumber } from './lane-number.js';
import type { Ledger } from './ledger.js';
import type { LaneDepth, OutboxRow, Settled, Settlement, TakeLimits } from './outbox.js';
import { all, type Db, one } from './sqlite.js';

/** A document to be stored: `rank` orders what a full lane gives up first (the risk of its severity). */
export interface NewDocument {
  readonly seq: number;
  readonly id: string;
  readonly revision: number;
  readonly rank: number;
  readonly body: string;
}

export type DocumentLane = 'status' | 'alert';

/** The shortest time between two revisions of one alert at a destination: what grows in between is sent as one. */
export const updateIntervalMs = 10_000;

/** No row waits longer by itself (the longest Retry-After is an hour): a later time is that of a clock since set back. */
export const longestWaitMs = 7_200_000;

/** Rows within the limits, the first one always. */
export function withinBytes<T extends { bytes: number }>(rows: Iterable<T>, limits: TakeLimits): T[] {
  const taken: T[] = [];
  let bytes = 0;
  for (const row of rows) {
    if (taken.length > 0 && (taken.length >= limits.maxItems || bytes + row.bytes > limits.maxBytes)) break;
    taken.push(row);
    bytes += row.bytes;
  }
  return taken;
}

export function countSettlements(settlements: readonly Settlement[]): Partial<Tally> {
  const count = (outcome: Settlement['outcome']) =>
    settlements.filter((one) => one.outcome === outcome).length;
  return {
    delivered: count('delivered'),
    duplicates: count('duplicate'),
    warnings: settlements.filter((one) => one.outcome === 'delivered' && one.warning !== undefined).length,
    dead: count('dead'),
  };
}

/** When a document says it was made, milliseconds since 1970. */
export function createdOf(body: string): number | undefined {
  let doc: EcsDocument | null;
  try {
    doc = JSON.parse(body) as EcsDocument | null;
  } catch {
    return undefined;
  }
  const created = parseTime(doc?.event?.created ?? doc?.['@timestamp']);
  return created === undefined ? undefined : Math.floor(created.time / 1000);
}

interface SentRow {
  id: string;
  revision: number;
  attempts: number;
  updateOf: number;
}

/**
 * The lanes whose documents stand in launchwarden.db. A document lives as long as an alert shows it (`kept`), a row
 * waits to send it or a dead letter names it.
 */
export class DocumentOutbox {
  readonly #db: Db;
  readonly #destinations: Destinations;
  readonly #ledger: Ledger;
  readonly #dead: DeadLetterTable;
  readonly #sql;

  constructor(db: Db, parts: { readonly destinations: Destinations; readonly ledger: Ledger }) {
    this.#db = db;
    this.#destinations = parts.destinations;
    this.#ledger = parts.ledger;
    this.#dead = new DeadLetterTable(db);
    this.#sql = {
      document: db.prepare(
        'INSERT INTO documents (seq, id, revision, rank, kept, body) VALUES (?, ?, ?, ?, ?, ?)',
      ),
      enqueue: db.prepare('INSERT OR IGNORE INTO outbox (dest, lane, doc, bytes) VALUES (?, ?, ?, ?)'),
      revise: db.prepare('UPDATE documents SET revision = ?, rank = ?, body = ? WHERE seq = ?'),
      // A row that still waits keeps its place and its time, and what the destination knows of the alert.
      requeue: db.prepare(
        `INSERT INTO outbox (dest, lane, doc, bytes, update_of, next_ms)
          SELECT :dest, :lane, :doc, :bytes, known, CASE known WHEN 1 THEN :next ELSE 0 END FROM (
            SELECT t.first_doc <= :doc AND NOT EXISTS (
              SELECT 1 FROM dead_letters l WHERE l.dest = t.id AND l.lane = :lane AND l.doc = :doc
            ) AS known FROM destinations t WHERE t.id = :dest
          ) WHERE true
          ON CONFLICT (dest, lane, doc) DO UPDATE SET bytes = excluded.bytes`,
      ),
      again: db.prepare(
        'UPDATE outbox SET attempts = 0, update_of = max(update_of, ?), next_ms = ? WHERE dest = ? AND lane = ? AND doc = ?',
      ),
      allReady: db.prepare('UPDATE outbox SET next_ms = 0 WHERE dest = ? AND next_ms > 0'),
      ready: db.prepare(
        `SELECT o.doc AS seq, o.bytes, o.attempts, o.update_of AS updateOf, d.id, d.revision, d.body FROM outbox o
          JOIN documents d ON d.seq = o.doc
          WHERE o.dest = ? AND o.lane = ? AND (o.next_ms <= ? OR o.next_ms > ?) ORDER BY o.doc LIMIT ?`,
      ),
      only: db.prepare(
        `SELECT o.doc AS seq, o.bytes, o.attempts, o.update_of AS updateOf, d.id, d.revision, d.body FROM outbox o
          JOIN documents d ON d.seq = o.doc WHERE o.dest = ? AND o.lane = ? AND o.doc = ?`,
      ),
      next: db.prepare('SELECT min(next_ms) AS next FROM outbox WHERE dest = ? AND lane = ?'),
      depth: db.prepare(
        'SELECT count(*) AS rows, coalesce(sum(bytes), 0) AS bytes, min(doc) AS first FROM outbox WHERE dest = ? AND lane = ?',
      ),
      body: db.prepare('SELECT id, revision, body FROM documents WHERE seq = ?'),
      remove: db.prepare('DELETE FROM outbox WHERE dest = ? AND lane = ? AND doc = ?'),
      retry: db.prepare(
        'UPDATE outbox SET attempts = attempts + ?, next_ms = ? WHERE dest = ? AND lane = ? AND doc = ?',
      ),
      row: db.prepare(
        `SELECT o.attempts, o.update_of AS updateOf, d.id, d.revision FROM outbox o
          JOIN documents d ON d.seq = o.doc WHERE o.dest = ? AND o.lane = ? AND o.doc = ?`,
      ),
      unkeep: db.prepare('UPDATE documents SET kept = 0 WHERE seq = ?'),
      drop: db.prepare(
        `DELETE FROM documents WHERE seq = :seq AND kept = 0
          AND NOT EXISTS (SELECT 1 FROM destinations t, outbox o WHERE o.dest = t.id AND o.lane IN (0, 1) AND o.doc = :seq)
          AND NOT EXISTS (SELECT 1 FROM destinations t, dead_letters l WHERE l.dest = t.id AND l.lane IN (0, 1) AND l.doc = :seq)`,
      ),
      weakest: db.prepare(
        `SELECT o.lane, o.doc FROM outbox o JOIN documents d ON d.seq = o.doc
          WHERE o.dest = ? AND o.lane IN (0, 1) ORDER BY d.rank, o.doc LIMIT ?`,
      ),
      load: db.prepare(
        'SELECT count(*) AS rows, coalesce(sum(bytes), 0) AS bytes FROM outbox WHERE dest = ? AND lane IN (0, 1)',
      ),
      allRows: db.prepare('SELECT lane, doc FROM outbox WHERE dest = ?'),
    };
  }

  /** Stores a document under a number from the ledger, and its rows, inside the caller's transaction. */
  insert(
    document: NewDocument,
    to: { readonly lane: DocumentLane; readonly destinations: readonly string[]; readonly kept: boolean },
  ): void {
    const { seq, id, revision, rank, body } = document;
    this.#sql.document.run(seq, id, revision, rank, to.kept ? 1 : 0, body);
    const bytes = Buffer.byteLength(body);
    for (const name of to.destinations) {
      this.#sql.enqueue.run(this.#destinations.id(name, seq), laneNumber(to.lane), seq, bytes);
    }
  }

  /**
   * Puts a later revision of an alert in the place of the stored one, inside the caller's transaction. Where the alert
   * still waits, its row now sends this revision; where it was delivered, an update waits for `updateIntervalMs` so that
   * a flood of revisions is one row. `now`: milliseconds since 1970.
   */
  revise(document: NewDocument, destinations: readonly string[], now: number): void {
    const { seq, revision, rank, body } = document;
    this.#sql.revise.run(revision, rank, body, seq);
    const bytes = Buffer.byteLength(body);
    const [lane, next] = [laneNumber('alert'), now + updateIntervalMs];
    for (const name of destinations) {
      const dest = this.#destinations.id(name);
      this.#sql.requeue.run({ dest, lane, doc: seq, bytes, next });
    }
  }

  /** An alert shows this document no longer: it goes once nobody waits for it. */
  release(seq: number): void {
    this.#sql.unkeep.run(seq);
    this.#sql.drop.run({ seq });
  }

  /** The document goes unless an alert, a row or a dead letter still needs it. */
  drop(seq: number): void {
    this.#sql.drop.run({ seq });
  }

  /** Puts a dead letter's document back into the queue. */
  restore(destination: string, lane: DocumentLane, seq: number): boolean {
    const document = one<{ body: string }>(this.#sql.body, seq);
    if (document === undefined) return false;
    const bytes = Buffer.byteLength(document.body);
    return (
      this.#sql.enqueue.run(this.#destinations.id(destination), laneNumber(lane), seq, bytes).changes === 1
    );
  }

  take(destination: string, lane: DocumentLane, limits: TakeLimits): OutboxRow[] {
    const dest = this.#destinations.known(destination);
    if (dest === undefined) return [];
    const { now, only } = limits;
    const number = laneNumber(lane);
    const most = Math.max(1, Math.min(limits.maxItems, 1e6));
    type Ready = Omit<OutboxRow, 'lane' | 'update'> & { bytes: number; updateOf: number };
    const rows = this.#db.attempt(() => {
      const ready =
        only === undefined
          ? this.#sql.ready.iterate(dest, number, now, now + longestWaitMs, most)
          : this.#sql.only.iterate(dest, number, only);
      return withinBytes(ready as Iterable<Ready>, limits);
    });
    return rows.map(({ bytes, updateOf, ...row }) =>
      updateOf === 1 ? { ...row, lane, update: true } : { ...row, lane },
    );
  }

  /** Ends every wait of the destination's rows. */
  ready(destination: string): void {
    const dest = this.#destinations.known(destination);
    if (dest !== undefined) this.#sql.allReady.run(dest);
  }

  nextReady(destination: string, lane: DocumentLane): number | undefined {
    const dest = this.#destinations.known(destination);
    if (dest === undefined) return undefined;
    return one<{ next: number | null }>(this.#sql.next, dest, laneNumber(lane))?.next ?? undefined;
  }

  depth(destination: string, lane: DocumentLane): LaneDepth {
    const dest = this.#destinations.known(destination);
    if (dest === undefined) return { rows: 0, bytes: 0 };
    const row = one<{ rows: number; bytes: number; first: number | null }>(
      this.#sql.depth,
      dest,
      laneNumber(lane),
    );
    const first = row?.first == null ? undefined : one<{ body: string }>(this.#sql.body, row.first);
    const oldest = first && createdOf(first.body);
    return { rows: row?.rows ?? 0, bytes: row?.bytes ?? 0, ...(oldest === undefined ? {} : { oldest }) };
  }

  settle(destination: string, lane: DocumentLane, { settlements, now }: Settled): void {
    this.#db
      .transaction(() => {
        const dest = this.#destinations.id(destination);
        const number = laneNumber(lane);
        const present: Settlement[] = [];
        for (const settlement of settlements) {
          const row = one<SentRow>(this.#sql.row, dest, number, settlement.seq);
          // A row that a cap took while it was in flight was counted as evicted: it is not counted again.
          if (row === undefined) continue;
          this.#settleOne(settlement, row, { dest, lane: number, now });
          // A rejection of a revision that is no longer the newest is none of the document.
          if (settlement.outcome !== 'dead' || row.revision === settlement.revision) present.push(settlement);
        }
        this.#destinations.tally(dest, countSettlements(present));
      })
      .immediate();
  }

  #settleOne(
    settlement: Settlement,
    row: SentRow,
    at: { readonly dest: number; readonly lane: number; readonly now: number },
  ): void {
    const { seq, revision, outcome } = settlement;
    const { dest, lane, now } = at;
    if (outcome === 'retry' && (settlement.charged !== true || row.revision === revision)) {
      this.#sql.retry.run(settlement.charged === true ? 1 : 0, settlement.notBefore, dest, lane, seq);
      return;
    }
    const taken = outcome === 'delivered' || outcome === 'duplicate';
    const older = outcome === 'duplicate' && row.revision > 1 && row.updateOf === 0;
    if (row.revision !== revision || older) {
      this.#sql.again.run(taken ? 1 : 0, taken ? now + updateIntervalMs : 0, dest, lane, seq);
      return;
    }
    if (outcome === 'dead') {
      const { id, attempts } = row;
      const { reason } = settlement;
      this.#dead.add({
        dest,
        lane,
        seq,
        id,
        revision,
        body: null,
        attempts: attempts + 1,
        died: now,
        reason,
      });
    }
    this.#sql.remove.run(dest, lane, seq);
    if (taken) this.#sql.drop.run({ seq });
  }

  /** A document of our own, in the status lane. */
  add(document: { readonly id: string; readonly body: string }, destinations: readonly string[]): void {
    if (destinations.length === 0) return;
    this.#db
      .transaction(() => {
        const { doc: seq } = this.#ledger.update((row) => row.doc++);
        this.insert(
          { ...document, seq, revision: 1, rank: 0 },
          { lane: 'status', destinations, kept: false },
        );
      })
      .immediate();
  }

  /**
   * Gives up rows until the reserve holds: status first, then alerts of the lowest severity, the oldest of those first.
   * An alert is as old as its first document, however often it grew.
   */
  enforce(destination: string, caps: { readonly rows: number; readonly bytes: number }): number {
    const dest = this.#destinations.known(destination);
    if (dest === undefined) return 0;
    return this.#db
      .transaction(() => {
        let evicted = 0;
        for (;;) {
          const load = one<{ rows: number; bytes: number }>(this.#sql.load, dest)!;
          if (load.rows <= caps.rows && load.bytes <= caps.bytes) break;
          const average = Math.max(1, load.bytes / load.rows);
          const excess = Math.max(load.rows - caps.rows, Math.ceil((load.bytes - caps.bytes) / average));
          evicted += this.#evict(dest, all(this.#sql.weakest, dest, Math.max(1, Math.ceil(excess * 0.9))));
        }
        if (evicted > 0) this.#destinations.tally(dest, { evicted });
        return evicted;
      })
      .immediate();
  }

  /** Gives up every row of a destination. */
  giveUp(destination: string): number {
    const dest = this.#destinations.known(destination);
    if (dest === undefined) return 0;
    const evicted = this.#evict(dest, all(this.#sql.allRows, dest));
    if (evicted > 0) this.#destinations.tally(dest, { evicted });
    return evicted;
  }

  #evict(dest: number, rows: readonly { lane?: number; doc?: number }[]): number {
    for (const { lane, doc } of rows) {
      this.#sql.remove.run(dest, lane, doc);
      this.#sql.drop.run({ seq: doc });
    }
    return rows.length;
  }
}
