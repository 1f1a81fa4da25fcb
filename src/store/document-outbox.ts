import { parseTime } from '../base/time.js';
import type { EcsDocument } from '../event/document.js';
import { DeadLetterTable } from './dead-letters.js';
import type { Destinations, Tally } from './destinations.js';
import type { Ledger } from './ledger.js';
import {
  type Lane,
  type LaneDepth,
  lanes,
  type OutboxRow,
  type Settled,
  type Settlement,
  type TakeLimits,
} from './outbox.js';
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

/** No row waits longer by itself (the longest Retry-After is an hour): a later time is that of a clock since set back. */
export const longestWaitMs = 7_200_000;

export function laneNumber(lane: Lane): number {
  return lanes.indexOf(lane);
}

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
      ready: db.prepare(
        `SELECT o.doc AS seq, o.bytes, o.attempts, d.id, d.revision, d.body FROM outbox o
          JOIN documents d ON d.seq = o.doc
          WHERE o.dest = ? AND o.lane = ? AND o.doc > ? AND (o.next_ms <= ? OR o.next_ms > ?) ORDER BY o.doc LIMIT ?`,
      ),
      next: db.prepare('SELECT min(next_ms) AS next FROM outbox WHERE dest = ? AND lane = ?'),
      depth: db.prepare(
        'SELECT count(*) AS rows, coalesce(sum(bytes), 0) AS bytes, min(doc) AS first FROM outbox WHERE dest = ? AND lane = ?',
      ),
      body: db.prepare('SELECT id, revision, body FROM documents WHERE seq = ?'),
      remove: db.prepare('DELETE FROM outbox WHERE dest = ? AND lane = ? AND doc = ?'),
      retry: db.prepare(
        'UPDATE outbox SET attempts = attempts + 1, next_ms = ? WHERE dest = ? AND lane = ? AND doc = ?',
      ),
      row: db.prepare('SELECT attempts FROM outbox WHERE dest = ? AND lane = ? AND doc = ?'),
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
      this.#sql.enqueue.run(this.#destinations.id(name), laneNumber(to.lane), seq, bytes);
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
    const { now, after = 0 } = limits;
    const most = Math.max(1, Math.min(limits.maxItems, 1e6));
    type Ready = Omit<OutboxRow, 'lane'> & { bytes: number };
    const rows = this.#db.attempt(() => {
      const ready = this.#sql.ready.iterate(dest, laneNumber(lane), after, now, now + longestWaitMs, most);
      return withinBytes(ready as Iterable<Ready>, limits);
    });
    return rows.map(({ bytes, ...row }) => ({ ...row, lane }));
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
        // A row that a cap took while it was in flight was counted as evicted: it is not counted again.
        const present = settlements.filter(({ seq }) => one(this.#sql.row, dest, number, seq) !== undefined);
        for (const settlement of present) {
          const { seq } = settlement;
          if (settlement.outcome === 'retry') {
            this.#sql.retry.run(settlement.notBefore, dest, number, seq);
            continue;
          }
          if (settlement.outcome === 'dead') {
            const { attempts } = one<{ attempts: number }>(this.#sql.row, dest, number, seq)!;
            const document = one<{ id: string; revision: number }>(this.#sql.body, seq)!;
            const { reason } = settlement;
            this.#dead.add({
              dest,
              lane: number,
              seq,
              ...document,
              body: null,
              attempts: attempts + 1,
              died: now,
              reason,
            });
          }
          this.#sql.remove.run(dest, number, seq);
          if (settlement.outcome !== 'dead') this.#sql.drop.run({ seq });
        }
        this.#destinations.tally(dest, countSettlements(present));
      })
      .immediate();
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

  /** Gives up rows until the reserve holds: status first, then alerts of the lowest severity, the oldest of those first. */
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
