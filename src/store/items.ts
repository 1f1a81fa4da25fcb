import { all, type Db } from './sqlite.js';

/** What the file watcher remembers of one file or folder, to find after a restart what changed meanwhile. */
export interface RememberedItem {
  readonly path: string;
  readonly inode: string;
  readonly ctimeNanos: bigint;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly type: string;
  readonly sha256?: string;
}

type ItemRow = Omit<RememberedItem, 'ctimeNanos' | 'sha256'> & { ctime_nanos: string; sha256: string | null };

/** In events.db: wrap `put` and `append` of the event it belongs to in `events.transaction`, and they stand or fall together. */
export class Items {
  readonly #db: Db;
  readonly #sql;

  constructor(db: Db) {
    this.#db = db;
    this.#sql = {
      load: db.prepare('SELECT * FROM items ORDER BY path'),
      put: db.prepare(
        `INSERT OR REPLACE INTO items (path, inode, ctime_nanos, size, mode, uid, gid, type, sha256)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      remove: db.prepare('DELETE FROM items WHERE path = ?'),
    };
  }

  load(): RememberedItem[] {
    return all<ItemRow>(this.#sql.load).map(({ ctime_nanos, sha256, ...rest }) => ({
      ...rest,
      ctimeNanos: BigInt(ctime_nanos),
      ...(sha256 === null ? {} : { sha256 }),
    }));
  }

  put(items: RememberedItem | readonly RememberedItem[]): void {
    const list = Array.isArray(items) ? (items as readonly RememberedItem[]) : [items as RememberedItem];
    this.#db
      .transaction(() => {
        for (const item of list) {
          const { path, inode, ctimeNanos, size, mode, uid, gid, type, sha256 } = item;
          this.#sql.put.run(path, inode, String(ctimeNanos), size, mode, uid, gid, type, sha256 ?? null);
        }
      })
      .immediate();
  }

  remove(paths: string | readonly string[]): void {
    const list = typeof paths === 'string' ? [paths] : paths;
    this.#db
      .transaction(() => {
        for (const path of list) this.#sql.remove.run(path);
      })
      .immediate();
  }
}
