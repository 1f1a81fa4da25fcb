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
  readonly type: 'file' | 'dir' | 'symlink' | 'fifo' | 'socket' | 'device';
  readonly sha256?: string | undefined;
}

/** An item as it is now, or that it is gone. */
export type ItemChange = RememberedItem | { readonly path: string; readonly gone: true };

type ItemRow = Omit<RememberedItem, 'ctimeNanos' | 'sha256'> & { ctime_nanos: string; sha256: string | null };

/** In events.db: wrap `apply` and `append` of the events they belong to in `events.transaction`, and they stand or fall together. */
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

  /** In the order given, in one transaction. */
  apply(changes: readonly ItemChange[]): void {
    this.#db
      .transaction(() => {
        for (const change of changes) {
          if ('gone' in change) {
            this.#sql.remove.run(change.path);
            continue;
          }
          const { path, inode, ctimeNanos, size, mode, uid, gid, type, sha256 } = change;
          this.#sql.put.run(path, inode, String(ctimeNanos), size, mode, uid, gid, type, sha256 ?? null);
        }
      })
      .immediate();
  }

  put(item: RememberedItem): void {
    this.apply([item]);
  }

  remove(path: string): void {
    this.apply([{ path, gone: true }]);
  }
}
