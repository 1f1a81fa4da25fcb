import type BetterSqlite3 from 'better-sqlite3';

/** A connection of the driver. */
export type Connection = BetterSqlite3.Database;

export interface RunResult {
  readonly changes: number;
  readonly lastInsertRowid: number | bigint;
}

/** A statement that outlives its connection: after a switch it is prepared anew when it is used next. */
export interface Statement {
  run(...parameters: unknown[]): RunResult;
  get(...parameters: unknown[]): unknown;
  all(...parameters: unknown[]): unknown[];
  /** Not tried again by itself, since rows were handed out: call it inside `attempt`. */
  iterate(...parameters: unknown[]): IterableIterator<unknown>;
}

/**
 * Called with what a statement or a whole transaction failed with, when nothing is open any more. True when the
 * connection was mended or replaced and the same work may be tried again.
 */
export type Mend = (error: unknown) => boolean;

/** The work is tried so often: each failure may be met by another remedy (space is freed, then memory is used). */
const tries = 4;

/**
 * One database, whichever connection serves it at present: its file, a new file after the old one was set aside, or
 * memory while no file can be written. Whoever prepared statements on it notices nothing of a switch.
 */
export class Database {
  #current: Connection | undefined;
  readonly #open: () => Connection;
  #generation = 0;
  #mend: Mend | undefined;
  // SQLite ends a transaction by itself on some errors: whether one is open cannot be asked of the connection.
  #depth = 0;

  /** A connection, or what opens it when it is used first; what that throws is thrown at each use. */
  constructor(connection: Connection | (() => Connection)) {
    this.#current = typeof connection === 'function' ? undefined : connection;
    this.#open = typeof connection === 'function' ? connection : () => connection;
  }

  get connection(): Connection {
    this.#current ??= this.#open();
    return this.#current;
  }

  /** One more after each switch: what was remembered of the database may be wrong then. */
  get generation(): number {
    return this.#generation;
  }

  /** True while memory serves in place of the file. */
  get inMemory(): boolean {
    return this.connection.memory;
  }

  get name(): string {
    return this.connection.name;
  }

  /** Without it errors are thrown as they are. */
  mendWith(mend: Mend): void {
    this.#mend = mend;
  }

  /** From now on another connection serves. The caller closes the old one. */
  switchTo(connection: Connection): void {
    this.#current = connection;
    this.#generation++;
  }

  prepare(sql: string): Statement {
    let generation = -1;
    let prepared: BetterSqlite3.Statement<unknown[]> | undefined;
    const statement = () => {
      if (prepared === undefined || generation !== this.#generation) {
        prepared = this.connection.prepare(sql);
        generation = this.#generation;
      }
      return prepared;
    };
    return {
      run: (...parameters) => this.attempt(() => statement().run(...parameters)),
      get: (...parameters) => this.attempt(() => statement().get(...parameters)),
      all: (...parameters) => this.attempt(() => statement().all(...parameters)),
      iterate: (...parameters) => statement().iterate(...parameters),
    };
  }

  /** `immediate()` runs all of `run` as one transaction, inside the caller's when there is one. */
  transaction<T>(run: () => T): { immediate(): T } {
    return {
      immediate: () =>
        this.attempt(() => {
          this.#depth++;
          try {
            return this.connection.transaction(run).immediate();
          } finally {
            this.#depth--;
          }
        }),
    };
  }

  /** Runs several reads on one view of the file, whatever is written meanwhile. Not for more than a moment. */
  reading<T>(run: () => T): T {
    return this.attempt(() => this.connection.transaction(run).deferred());
  }

  pragma(source: string, options?: { readonly simple?: boolean }): unknown {
    return this.attempt(() => this.connection.pragma(source, options));
  }

  close(): void {
    this.#current?.close();
  }

  /** Runs `work`, and once more after each failure that was mended. Inside a transaction the outermost decides. */
  attempt<T>(work: () => T): T {
    for (let left = tries; ; left--) {
      try {
        return work();
      } catch (error) {
        if (left <= 1 || !this.#meet(error)) throw error;
      }
    }
  }

  #meet(error: unknown): boolean {
    return this.#depth === 0 && this.#mend !== undefined && this.#mend(error);
  }
}
