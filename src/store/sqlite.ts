import { closeSync, constants, lstatSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import type BetterSqlite3 from 'better-sqlite3';
import { errnoOf, isDenied, messageOf, reasonOf, UserError } from '../base/errors.js';
import type { Connection, Database, Statement } from './database.js';
import { noAccessHint } from './folder.js';

export type Db = Database;
type Row = Record<string, unknown>;

export interface DatabaseOptions {
  readonly readOnly: boolean;
  /** How long a statement waits for another process's lock, in milliseconds. */
  readonly busyMs: number;
}

/** Loaded when a store is opened and not before: most commands need no database. */
function loadDriver(): typeof BetterSqlite3 {
  try {
    return createRequire(import.meta.url)('better-sqlite3') as typeof BetterSqlite3;
  } catch (error) {
    throw noBinding(error);
  }
}

function noBinding(cause: unknown): UserError {
  return new UserError(
    'store/no-binding',
    `the SQLite library cannot be loaded: ${messageOf(cause).split('\n')[0]}`,
    {
      hint: 'Its native part was not built for this Node.js. Run "node scripts/build.mjs" in the program\'s folder, or "npm rebuild better-sqlite3 --foreground-scripts".',
      cause,
    },
  );
}

function isBindingError(error: unknown): boolean {
  const code = errnoOf(error);
  return (
    code === 'MODULE_NOT_FOUND' ||
    code === 'ERR_DLOPEN_FAILED' ||
    /bindings file|NODE_MODULE_VERSION|invalid ELF|did not self-register/i.test(messageOf(error))
  );
}

// SQLite's own files (-wal, -shm, -journal) take the mode of the database. A file that exists is only looked at, never
// opened: closing any descriptor of it would drop the locks that another connection of this process holds on it.
function makePrivate(file: string, readOnly: boolean): void {
  // Throws where it may not be looked for: that is no database that is not there.
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat !== undefined) {
    if (!stat.isFile()) {
      throw new UserError('store/not-a-file', `${file} is not a regular file`, {
        hint: 'Choose another data directory, or move that away.',
      });
    }
    return;
  }
  if (readOnly) {
    throw new UserError('store/none', `there is no database at ${file}`, {
      hint: 'The agent has not run with this data directory yet: start it with "launchwarden run", or name another with --data-dir.',
    });
  }
  closeSync(
    openSync(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600),
  );
}

const readOnlyHint = 'Is its disk mounted read-only? If it belongs to another user, run with sudo.';

/** What a person can do about a failure of SQLite; undefined when it is none of those. */
export function storeError(error: unknown, file: string): UserError | undefined {
  const code = errnoOf(error) ?? '';
  const fail = (name: string, message: string, hint: string) =>
    new UserError(name, message, { hint, cause: error });
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) {
    return fail(
      'store/corrupt',
      `${file} is damaged or is no database`,
      'Move it away and restore it from a backup, or start the agent, which sets it aside and begins anew.',
    );
  }
  if (isDenied(error) || code === 'SQLITE_CANTOPEN' || code.startsWith('SQLITE_READONLY')) {
    const hint = code.startsWith('SQLITE_READONLY') ? readOnlyHint : noAccessHint;
    return fail('store/no-access', `${file} cannot be opened: ${reasonOf(error)}`, hint);
  }
  if (isDiskFull(error)) {
    return fail(
      'store/disk-full',
      `${file} cannot grow: the disk is full`,
      'Free some space; nothing that was committed is lost.',
    );
  }
  if (code.startsWith('SQLITE_BUSY')) {
    return fail('store/busy', `${file} is in use by another process`, 'Try again in a moment.');
  }
  return undefined;
}

/** True of the error of a write that found no space: nothing of it was written, and it may be tried again. */
export function isDiskFull(error: unknown): boolean {
  const code = errnoOf(error);
  return code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT';
}

/**
 * What kind of trouble a failure is: `damaged` (the file is no database of ours, or not a whole one), `conflict` (a row
 * is there that cannot be: the numbers or an index are wrong), `full`, `busy`, `refused` (cannot be opened, read or
 * written at present). Undefined of anything else, which is about the work and not about the file.
 */
export type Trouble = 'damaged' | 'conflict' | 'full' | 'busy' | 'refused';

const damagedCodes =
  /^(?:SQLITE_(?:CORRUPT|NOTADB|FORMAT|IOERR_CORRUPTFS|IOERR_DATA)|store\/(?:corrupt|not-a-file|newer-schema))/;
const refusedCodes =
  /^(?:SQLITE_(?:IOERR|READONLY|CANTOPEN|PERM|AUTH|NOLFS)|E(?:ACCES|PERM|ROFS|MFILE|NFILE|IO|NODEV|STALE)$|store\/no-access)/;
/** What SQLite says of our own statements when the schema is not ours. */
const foreignSchema =
  /no such (?:table|column|index)|has no column|already exists|malformed|no query solution/;

export function troubleOf(error: unknown): Trouble | undefined {
  const code = errnoOf(error) ?? '';
  if (damagedCodes.test(code)) return 'damaged';
  if (code === 'SQLITE_ERROR' && foreignSchema.test(messageOf(error))) return 'damaged';
  if (/^SQLITE_CONSTRAINT_(?:UNIQUE|PRIMARYKEY|ROWID)/.test(code)) return 'conflict';
  if (isDiskFull(error) || code === 'store/disk-full') return 'full';
  if (/^SQLITE_(?:BUSY|LOCKED|PROTOCOL)|^store\/busy/.test(code)) return 'busy';
  return refusedCodes.test(code) ? 'refused' : undefined;
}

/** Why SQLite cannot be used here; undefined when it can. A database in memory is made and dropped. */
export function driverProblem(): string | undefined {
  try {
    openMemory(4096 * 16).close();
    return undefined;
  } catch (error) {
    return (
      isBindingError(error) ? noBinding(error) : error instanceof Error ? error : new Error(String(error))
    ).message;
  }
}

/** An empty database that lives in memory, with at most so many bytes. */
export function openMemory(maxBytes: number): Connection {
  const Driver = loadDriver();
  const connection = new Driver(':memory:');
  connection.pragma(`max_page_count = ${Math.floor(maxBytes / 4096)}`);
  return connection;
}

/** The database that the bytes are, in memory (`serialize` of a connection). */
export function openBytes(bytes: Buffer): Connection {
  return new (loadDriver())(bytes);
}

/** Opens one database file, private to its owner. Throws a UserError for whatever a person can mend. */
export function openDatabase(file: string, options: DatabaseOptions): Connection {
  const Driver = loadDriver();
  try {
    makePrivate(file, options.readOnly);
    const db = new Driver(file, { readonly: options.readOnly, timeout: options.busyMs });
    db.pragma('trusted_schema = OFF');
    return db;
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (isBindingError(error)) throw noBinding(error);
    throw storeError(error, file) ?? error;
  }
}

/** One row, or undefined. */
export function one<T extends object = Row>(statement: Statement, ...parameters: unknown[]): T | undefined {
  return statement.get(...parameters) as T | undefined;
}

export function all<T extends object = Row>(statement: Statement, ...parameters: unknown[]): T[] {
  return statement.all(...parameters) as T[];
}
