import type { Clock } from '../base/clock.js';
import type { Micros } from '../base/time.js';
import type { FileContent } from '../event/event.js';
import { all, type Db, one } from './sqlite.js';

export interface EvidenceMeta {
  /** When it was first kept. */
  readonly time: Micros;
  /** macOS path that it was read from. */
  readonly path?: string;
}

export interface Evidence {
  readonly sha256: string;
  /** `truncated` when the file was larger than what was read; the hash is then the whole file's all the same. */
  readonly content: FileContent;
  readonly meta: EvidenceMeta;
  /** True when an alert speaks of it: it is given up last. */
  readonly pinned: boolean;
}

/** File contents by their hash, bounded in total: what no alert speaks of goes first, the oldest of that first. */
export class EvidenceStore {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #sql;

  constructor(db: Db, how: { readonly clock: Clock; readonly maxBytes: number }) {
    this.#db = db;
    this.#clock = how.clock;
    this.#maxBytes = how.maxBytes;
    this.#sql = {
      put: db.prepare(
        `INSERT OR IGNORE INTO evidence (sha256, time, size, pinned, meta, bytes)
          VALUES (:sha256, :time, :size, 0, :meta, :bytes)`,
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

  /** Keeps the bytes of a file; the same hash again changes nothing. Returns how many others had to go. */
  put(sha256: string, content: FileContent, meta: { readonly path?: string } = {}): number {
    return this.#db
      .transaction(() => {
        const time = this.#clock.now();
        const { bytes, size, truncated } = content;
        const added = this.#sql.put.run({
          sha256,
          time,
          size: bytes.byteLength,
          meta: JSON.stringify({ time, fileSize: size, truncated, ...meta }),
          bytes,
        });
        return added.changes === 0 ? 0 : this.#evict(sha256);
      })
      .immediate();
  }

  /** An alert speaks of it. */
  pin(sha256: string): void {
    this.#sql.pin.run(sha256);
  }

  get(sha256: string): Evidence | undefined {
    type Row = { sha256: string; pinned: number; meta: string; bytes: Buffer };
    const row = one<Row>(this.#sql.get, sha256);
    if (row === undefined) return undefined;
    type Stored = EvidenceMeta & { fileSize: number; truncated: boolean };
    const { fileSize, truncated, ...meta } = JSON.parse(row.meta) as Stored;
    const content = { bytes: row.bytes, size: fileSize, truncated };
    return { sha256: row.sha256, content, meta, pinned: row.pinned === 1 };
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
