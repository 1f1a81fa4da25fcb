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
  /** The watcher's own text about the event that told of it last. */
  readonly told?: string | undefined;
}

/** An item as it is now, or that it is gone. */
export type ItemChange = RememberedItem | { readonly path: string; readonly gone: true };

const types: readonly string[] = ['file', 'dir', 'symlink', 'fifo', 'socket', 'device'];

interface ItemRow extends Omit<RememberedItem, 'ctimeNanos' | 'sha256' | 'told'> {
  readonly ctime_nanos: string;
  readonly sha256: string | null;
  readonly told: string | null;
}

/** In events.db: wrap `apply` and `append` of the events they belong to in `events.transaction`, and they stand or fall together. */
export class Items {
  readonly #db: Db;
  readonly #sql;

  constructor(db: Db) {
    this.#db = db;
    this.#sql = {
      load: db.prepare('SELECT * FROM items ORDER BY path'),
      put: db.prepare(
        `INSERT OR REPLACE INTO items (path, inode, ctime_nanos, size, mode, uid, gid, type, sha256, told)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      remove: db.prepare('DELETE FROM items WHERE path = ?'),
    };
  }

  load(): RememberedItem[] {
    return all<ItemRow>(this.#sql.load).flatMap(({ ctime_nanos, sha256, told, ...rest }) => {
      // A damaged row is one that was never remembered.
      if (!/^-?\d{1,20}$/.test(ctime_nanos) || !types.includes(rest.type)) return [];
      return [
        {
          ...rest,
          ctimeNanos: BigInt(ctime_nanos),
          ...(sha256 === null ? {} : { sha256 }),
          ...(told === null ? {} : { told }),
        },
      ];
    });
  }

  /** In the order given, in one transaction. */
  apply(changes: readonly ItemChange[]): void {
    this.#db
      .transaction(() => {
        for (const change of changes) {
          if ('gone' in change) {
            // While memory serves, the file still has it: that it is gone is noted until it is written.
            if (this.#db.inMemory) this.#sql.put.run(change.path, '', '0', 0, 0, 0, 0, 'gone', null, null);
            else this.#sql.remove.run(change.path);
            continue;
          }
          const { path, inode, ctimeNanos, size, mode, uid, gid, type, sha256, told } = change;
          const ctime = String(ctimeNanos);
          this.#sql.put.run(path, inode, ctime, size, mode, uid, gid, type, sha256 ?? null, told ?? null);
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
