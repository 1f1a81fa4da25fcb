import type { Micros } from '../base/time.js';
import { all, type Db, one } from './sqlite.js';

export interface EvidenceMeta {
  /** When it was seen. */
  readonly time: Micros;
  /** macOS path that it was read from. */
  readonly path: string;
  /** Size of the whole file in bytes; more than what is kept when that was cut. */
  readonly fileSize: number;
  readonly truncated: boolean;
  /** True for evidence of an alert: it is given up last. */
  readonly pinned?: boolean;
}

export interface Evidence {
  readonly sha256: string;
  readonly bytes: Uint8Array;
  readonly meta: EvidenceMeta;
}

/** File contents by their hash, bounded in total: what no alert speaks of goes first, the oldest of that first. */
export class EvidenceStore {
  readonly #db: Db;
  readonly #maxBytes: number;
  readonly #sql;

  constructor(db: Db, maxBytes: number) {
    this.#db = db;
    this.#maxBytes = maxBytes;
    this.#sql = {
      put: db.prepare(
        `INSERT INTO evidence (sha256, time, size, pinned, meta, bytes) VALUES (?, ?, ?, ?, ?, ?)
          ON CONFLICT (sha256) DO UPDATE SET pinned = max(pinned, excluded.pinned)`,
      ),
      pin: db.prepare('UPDATE evidence SET pinned = 1 WHERE sha256 = ?'),
      get: db.prepare('SELECT sha256, pinned, meta, bytes FROM evidence WHERE sha256 = ?'),
      total: db.prepare('SELECT coalesce(sum(size), 0) AS bytes FROM evidence'),
      weakest: db.prepare(
        'SELECT sha256, size FROM evidence WHERE sha256 <> ? ORDER BY pinned, time LIMIT 50',
      ),
      remove: db.prepare('DELETE FROM evidence WHERE sha256 = ?'),
    };
  }

  /** Keeps the bytes; the same hash again only adds its pin. Returns how many others had to go. */
  put(sha256: string, bytes: Uint8Array, meta: EvidenceMeta): number {
    return this.#db
      .transaction(() => {
        const pinned = meta.pinned === true ? 1 : 0;
        this.#sql.put.run(sha256, meta.time, bytes.byteLength, pinned, JSON.stringify(meta), bytes);
        return this.#evict(sha256);
      })
      .immediate();
  }

  /** An alert speaks of it now. */
  pin(sha256: string): void {
    this.#sql.pin.run(sha256);
  }

  get(sha256: string): Evidence | undefined {
    type Row = { sha256: string; pinned: number; meta: string; bytes: Buffer };
    const row = one<Row>(this.#sql.get, sha256);
    if (row === undefined) return undefined;
    const meta = { ...(JSON.parse(row.meta) as EvidenceMeta), pinned: row.pinned === 1 };
    return { sha256: row.sha256, bytes: row.bytes, meta };
  }

  #evict(keep: string): number {
    let total = one<{ bytes: number }>(this.#sql.total)!.bytes;
    let gone = 0;
    while (total > this.#maxBytes) {
      const rows = all<{ sha256: string; size: number }>(this.#sql.weakest, keep);
      if (rows.length === 0) break;
      for (const { sha256, size } of rows) {
        if (total <= this.#maxBytes) break;
        this.#sql.remove.run(sha256);
        total -= size;
        gone++;
      }
    }
    return gone;
  }
}
