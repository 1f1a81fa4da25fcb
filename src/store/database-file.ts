import { existsSync, lstatSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../base/clock.js';
import { things } from '../base/count.js';
import { errnoOf, messageOf } from '../base/errors.js';
import type { Micros } from '../base/time.js';
import { setAside } from './aside.js';
import { type Carried, carryRows } from './carry.js';
import type { FileState, StoreNotice } from './condition.js';
import { type Connection, Database } from './database.js';
import { freeBytes, type Reserve } from './reserve.js';
import { openBytes, openDatabase, openMemory, type Trouble, troubleOf } from './sqlite.js';

/** What one of the two databases is made of, and how memory serves in its place. */
export interface DatabaseKind<Base> {
  /** Opens the file, made when missing, at the newest schema. */
  open(busyMs: number): Connection;
  /** Gives an empty database the newest schema. */
  lay(memory: Connection): void;
  /** Copies into memory what the agent goes on with. `source`: the file, when it can be read. */
  seed(source: Connection | undefined, memory: Connection, jump: number): Base;
  /** Puts what changed in memory into the file, all or nothing. */
  merge(memory: Connection, file: Connection, base: Base): void;
  /** How many alerts or events are in memory alone. */
  held(memory: Connection, base: Base): number;
  /** Makes room in memory when it is full. Returns how many rows were lost by that; undefined when nothing can go. */
  shed(memory: Connection, base: Base): number | undefined;
  /** What is in memory alone, packed through an empty database of the same schema. */
  pack?(memory: Connection, empty: Connection, base: Base): Buffer;
  /** After rows were carried over from a damaged file: makes them fit together again. */
  mend(file: Connection): void;
  /** Tables in the order of their worth, and the large ones that come last. */
  readonly first: readonly string[];
  readonly last: readonly string[];
  readonly memoryBytes: number;
}

export interface DatabaseFileOptions<Base> {
  readonly file: string;
  readonly clock: Clock;
  readonly kind: DatabaseKind<Base>;
  /** Given to the database that must not fail first. */
  readonly reserve?: Reserve;
  /** False while the folder's lock is not ours: nothing may be written to files. */
  readonly mayWrite: () => boolean;
}

/** A statement waits so long for another process before memory takes over, milliseconds: sensors wait as well. */
const busyMs = 30;
const firstRetryMs = 250;
const longestRetryMs = 5_000;
/** To ask for a lock costs next to nothing, and what memory holds must not be there alone for longer than it has to. */
const longestBusyMs = 1_000;
/** A damaged file of more bytes is read in place only. */
const mostInMemory = 64 * 1024 * 1024;
/** What is over sooner, and lost nothing, need not be told. */
const quietMs = 2_000;
/** What a damaged file may take of the agent's time, milliseconds. */
const carryMs = 3_000;
/** A file that is damaged more often within the hour stands on a failing disk: memory serves for a while. */
const mostRepairs = 3;
const repairsWithinMs = 3_600_000;
const salvageRetryMs = 60_000;
const failingRetryMs = 600_000;
/** So many errors of reading or writing within so long, and the file counts as damaged. */
const mostFaults = 5;
const faultsWithinMs = 600_000;
/** So much room must be free before a full disk is tried again, or the reserve is taken again. */
/** A -wal of fewer pages gives too little room for another try. */
const leastLogPages = 16;
const spareBytes = 256 * 1024;

/**
 * One database of the agent, which always works: in its file, or in memory while the file cannot be written. A damaged
 * file is set aside whole, and what can be read of it is carried over into a new one.
 */
export class DatabaseFile<Base> {
  readonly db: Database;
  readonly #options: DatabaseFileOptions<Base>;
  readonly #name: string;
  /** Open beside the memory that serves in its place, when it may be used again as it is. */
  #file: Connection | undefined;
  #base: Base | undefined;
  /** Rows still to be carried over from here into the next file. */
  #salvage: string | undefined;
  #state: FileState = 'ok';
  #reason: string | null = null;
  #since: Micros = 0;
  #told = false;
  #retryAt = 0;
  #retryMs = firstRetryMs;
  readonly #faults: number[] = [];
  readonly #repairs: number[] = [];
  /** A conflict of numbers is mended once: what conflicts again is no damage of the file. */
  #conflictMended = false;
  /** `#changes` when the -wal was last put into the file for want of room. */
  #reusedAt = -1;
  #lost = 0;
  #lostSince = 0;
  readonly #notices: StoreNotice[] = [];

  /** Opens the file, or memory in its place. Throws what is no trouble with the file (`store/no-binding`). */
  constructor(options: DatabaseFileOptions<Base>) {
    this.#options = options;
    this.#name = path.basename(options.file);
    this.#since = options.clock.now();
    this.db = new Database(this.#openFirst());
    this.db.mendWith((error) => this.#mend(error));
  }

  get state(): FileState {
    return this.#state;
  }

  get reason(): string | null {
    return this.#reason;
  }

  get since(): Micros {
    return this.#since;
  }

  /** Rows that did not fit into memory, since the start. */
  get lost(): number {
    return this.#lost;
  }

  /** Memory serves in place of the file. */
  get inMemory(): boolean {
    return this.#base !== undefined;
  }

  get held(): number {
    return this.#base === undefined ? 0 : this.#options.kind.held(this.db.connection, this.#base);
  }

  takeNotices(): StoreNotice[] {
    return this.#notices.splice(0);
  }

  /** To be called now and then: tries the file again, and tells what lasts. `force`: whatever the back-off says. */
  tend(force = false): void {
    const { clock, reserve } = this.#options;
    if (this.#state === 'reserve' && reserve !== undefined && this.#hasRoom(spareBytes + 4 * reserve.bytes)) {
      reserve.take();
      this.#setState('ok', null);
    }
    if (this.#base === undefined) {
      this.#keepLog();
      return;
    }
    if (force || clock.monotonic() >= this.#retryAt) this.#retry();
    if (this.inMemory && !this.#told && clock.now() - this.#since > quietMs * 1000) {
      this.#told = true;
      this.#notice('store-refused', this.#since, { detail: `${this.#reason}; what comes is kept in memory` });
    }
  }

  /** Changes whenever what is in memory alone does; empty when nothing is. */
  get heldMark(): string {
    if (this.held === 0) return '';
    return `${this.db.generation}:${this.#changes()}`;
  }

  /** What is in memory alone; undefined when nothing is. */
  pack(): Buffer | undefined {
    const { kind } = this.#options;
    if (this.#base === undefined || this.held === 0) return undefined;
    const empty = openMemory(kind.memoryBytes);
    try {
      kind.lay(empty);
      return kind.pack?.(this.db.connection, empty, this.#base);
    } finally {
      empty.close();
    }
  }

  /** Tries once more, then ends. Returns what is in memory alone, when there is any. */
  close(): Buffer | undefined {
    if (this.#base !== undefined) {
      this.#options.reserve?.release();
      this.tend(true);
    }
    const left = this.pack();
    closeQuietly(this.#file);
    this.#file = undefined;
    closeQuietly(this.db.connection);
    return left;
  }

  /** Somebody removed the -wal or -shm: SQLite would go on writing to a file that nobody finds. */
  #keepLog(): void {
    const { file, kind } = this.#options;
    const gone = ['-wal', '-shm'].filter(
      (tail) => lstatSync(file + tail, { throwIfNoEntry: false }) === undefined,
    );
    if (gone.length === 0 || lstatSync(file, { throwIfNoEntry: false }) === undefined) return;
    const old = this.db.connection;
    try {
      const [{ busy }] = old.pragma('wal_checkpoint(TRUNCATE)') as [Checkpoint];
      if (busy !== 0) return;
    } catch (error) {
      this.#mend(error);
      return;
    }
    closeQuietly(old);
    try {
      this.db.switchTo(kind.open(busyMs));
    } catch (error) {
      this.db.switchTo(this.#memory(undefined, error));
    }
    const names = gone.map((tail) => this.#name + tail).join(' and ');
    const detail = `${names} was removed; what it held was saved`;
    this.#notice('store-damaged', this.#options.clock.now(), { detail });
  }

  #openFirst(): Connection {
    const { kind, mayWrite } = this.#options;
    try {
      if (!mayWrite()) throw Object.assign(new Error('the data folder cannot be locked'), { code: 'EROFS' });
      this.#asideWhenEmptied();
      return kind.open(busyMs);
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble === undefined) throw error;
      const { file } = this.#options;
      const source = this.#openForReading(file) ?? openWithoutLog(file);
      try {
        const repaired = trouble === 'damaged' ? this.#repair(error) : undefined;
        return repaired ?? this.#memory(source, error);
      } finally {
        closeQuietly(source);
      }
    }
  }

  /** SQLite takes an empty or missing file for a new database, and removes the -wal that lies beside it. */
  #asideWhenEmptied(): void {
    const { file } = this.#options;
    const stat = lstatSync(file, { throwIfNoEntry: false });
    if (stat !== undefined && (!stat.isFile() || stat.size > 0)) return;
    const log = lstatSync(`${file}-wal`, { throwIfNoEntry: false });
    if (log === undefined || log.size === 0) return;
    const what = stat === undefined ? 'gone' : 'empty';
    throw Object.assign(new Error(`${this.#name} is ${what}`), { code: 'SQLITE_NOTADB' });
  }

  /** True when the work may be tried again. */
  #mend(error: unknown): boolean {
    const { reserve, kind } = this.#options;
    const trouble = troubleOf(error);
    if (trouble === undefined) return false;
    if (this.#base !== undefined) {
      if (trouble !== 'full') return false;
      const lost = kind.shed(this.db.connection, this.#base);
      this.#lost += lost ?? 0;
      return lost !== undefined;
    }
    if (trouble === 'damaged' || (trouble === 'conflict' && !this.#conflictMended)) {
      if (trouble === 'conflict') this.#conflictMended = true;
      this.#leaveDamaged(error);
      return true;
    }
    if (trouble === 'conflict') return false;
    if (trouble === 'full' && this.#state === 'ok' && reserve?.release() === true) {
      this.#setState('reserve', `${this.#name}: the disk is full`);
      this.#reuseLog();
      return true;
    }
    if (trouble === 'full' && this.#state === 'reserve' && this.#reuseLog()) return true;
    if (this.#isFaulty(error)) {
      this.#leaveDamaged(error);
      return true;
    }
    const connection = this.db.connection;
    this.db.switchTo(this.#memory(connection, error));
    if (trouble === 'refused') closeQuietly(connection);
    else {
      this.#file = connection;
      connection.pragma('busy_timeout = 0');
    }
    return true;
  }

  /** The disk fails again and again at what is in this file. */
  #isFaulty(error: unknown): boolean {
    if (errnoOf(error)?.startsWith('SQLITE_IOERR') !== true) return false;
    const now = this.#options.clock.monotonic();
    this.#faults.push(now);
    while (now - (this.#faults[0] ?? now) > faultsWithinMs) this.#faults.shift();
    if (this.#faults.length <= mostFaults) return false;
    this.#faults.length = 0;
    return true;
  }

  /** From a connection to a damaged file to one that works. */
  #leaveDamaged(error: unknown): void {
    const old = this.db.connection;
    const source = this.#openForReading(this.#options.file);
    // Closed while another one is open, so that what the -wal holds is not put into the file.
    closeQuietly(old);
    this.db.switchTo(this.#repair(error) ?? this.#memory(source, error));
    closeQuietly(source);
  }

  /** Sets the file aside and opens a new one with what could be read; undefined when there can be none now. */
  #repair(error: unknown): Connection | undefined {
    const { file, clock, kind, mayWrite } = this.#options;
    if (!mayWrite() || this.#failing()) return undefined;
    const newer = errnoOf(error) === 'store/newer-schema';
    try {
      const aside = setAside(file, newer ? 'newer-schema' : 'damaged', clock.now());
      this.#repairs.push(clock.monotonic());
      this.#salvage = aside;
      const what = newer ? 'was written by a newer version' : `is damaged (${reasonOf(error)})`;
      const detail = `${this.#name} ${what} and is set aside as ${path.basename(aside)}`;
      const opened = kind.open(busyMs);
      try {
        this.#carryOver(opened, detail);
      } catch (cause) {
        closeQuietly(opened);
        throw cause;
      }
      return opened;
    } catch (cause) {
      if (troubleOf(cause) === undefined && errnoOf(cause) === undefined) throw cause;
      return undefined;
    }
  }

  #failing(): boolean {
    const { clock } = this.#options;
    const recent = this.#repairs.filter((time) => clock.monotonic() - time < repairsWithinMs);
    return recent.length >= mostRepairs;
  }

  /** Carries over what can be read of the file that was set aside, and tells what became of it. */
  #carryOver(target: Connection, detail: string): void {
    const { clock, kind } = this.#options;
    const aside = this.#salvage as string;
    const begun = clock.now();
    const deadline = clock.monotonic() + carryMs;
    const expired = () => clock.monotonic() > deadline;
    const roomy = this.#hasRoom(2 * (lstatSync(aside, { throwIfNoEntry: false })?.size ?? 0));
    const { first, last } = kind;
    const carry = (source: Connection | undefined): Carried | undefined => {
      if (source === undefined) return undefined;
      try {
        return target.transaction(() => carryRows(source, target, { first, last, roomy, expired }))();
      } finally {
        closeQuietly(source);
      }
    };
    let carried = carry(this.#openForReading(aside));
    // Perhaps the -wal belongs to another database, and the file is whole without it.
    if ((carried === undefined || carried.unread.size > 0) && existsSync(`${aside}-wal`)) {
      const alone = carry(openWithoutLog(aside));
      if (alone !== undefined)
        carried = {
          ...alone,
          rows: alone.rows + (carried?.rows ?? 0),
          cut: alone.cut || carried?.cut === true,
        };
    }
    target.transaction(() => kind.mend(target))();
    this.#salvage = undefined;
    const unread =
      carried === undefined || carried.rows === 0 ? 'nothing of it could be read' : describe(carried);
    this.#notice('store-damaged', begun, { detail: `${detail}: ${unread}` });
  }

  #openForReading(file: string): Connection | undefined {
    let connection: Connection | undefined;
    try {
      connection = openDatabase(file, { readOnly: true, busyMs: 0 });
      // Entries of the schema that make no sense are passed over, instead of all that the file holds.
      connection.unsafeMode(true);
      connection.pragma('writable_schema = ON');
      holdOpen(connection);
      return connection;
    } catch {
      closeQuietly(connection);
      return undefined;
    }
  }

  /** A new database in memory that serves in place of the file from now on. */
  #memory(source: Connection | undefined, error: unknown): Connection {
    const { kind, clock } = this.#options;
    const trouble = this.#troubleOf(error);
    const memory = openMemory(kind.memoryBytes);
    kind.lay(memory);
    this.#base = kind.seed(source, memory, Math.floor(clock.now() / 1000));
    const state = trouble === 'damaged' || trouble === 'conflict' ? 'refused' : trouble;
    this.#setState(state, `${this.#name}: ${sentence(trouble, error)}`);
    this.#told = false;
    this.#lostSince = this.#lost;
    this.#retryMs = firstRetryMs;
    this.#retryAt = clock.monotonic() + (this.#failing() ? failingRetryMs : firstRetryMs);
    return memory;
  }

  #retry(): void {
    const { clock, kind, mayWrite } = this.#options;
    // To carry rows over again takes its time.
    const longest = this.#state === 'busy' ? longestBusyMs : longestRetryMs;
    this.#retryMs = this.#salvage === undefined ? Math.min(this.#retryMs * 2, longest) : salvageRetryMs;
    this.#retryAt = clock.monotonic() + this.#retryMs;
    if (!mayWrite()) return;
    if (this.#state === 'full' && !this.#hasRoom(spareBytes)) return;
    const memory = this.db.connection;
    const base = this.#base as Base;
    let file = this.#file;
    try {
      if (file === undefined) {
        this.#asideWhenEmptied();
        file = kind.open(0);
      }
      if (this.#salvage !== undefined)
        this.#carryOver(
          file,
          `${this.#name} was damaged and is set aside as ${path.basename(this.#salvage)}`,
        );
      kind.merge(memory, file, base);
    } catch (error) {
      file = this.#afterFailedRetry(error, file);
      if (file === undefined) return;
    }
    file.pragma(`busy_timeout = ${busyMs}`);
    this.#file = undefined;
    this.#base = undefined;
    this.db.switchTo(file);
    memory.close();
    this.#tellRestored();
  }

  /** The file with what memory held, when it had to be set aside; undefined when memory goes on serving. */
  #afterFailedRetry(error: unknown, file: Connection | undefined): Connection | undefined {
    const trouble = troubleOf(error);
    if (trouble === 'damaged' || trouble === 'conflict') {
      const source = this.#openForReading(this.#options.file);
      closeQuietly(file);
      this.#file = undefined;
      const repaired = this.#repair(error);
      closeQuietly(source);
      try {
        if (repaired !== undefined)
          this.#options.kind.merge(this.db.connection, repaired, this.#base as Base);
        return repaired;
      } catch (again) {
        closeQuietly(repaired);
        this.#setReason(again);
        return undefined;
      }
    }
    this.#setReason(error);
    if (trouble === 'full' || trouble === 'busy') this.#file = file;
    else {
      closeQuietly(file);
      this.#file = undefined;
    }
    return undefined;
  }

  #setReason(error: unknown): void {
    const trouble = this.#troubleOf(error);
    this.#state = trouble === 'damaged' || trouble === 'conflict' ? 'refused' : trouble;
    this.#reason = `${this.#name}: ${sentence(trouble, error)}`;
  }

  #tellRestored(): void {
    const lost = this.#lost - this.#lostSince;
    if (this.#told || lost > 0) {
      const what = lost > 0 ? 'some of what came did not fit into memory' : 'nothing is missing';
      const detail = `${this.#reason}; it is written again, and ${what}`;
      this.#notice('store-refused', this.#since, { detail, ...(lost > 0 ? { lost } : {}) });
    }
    this.#setState('ok', null);
  }

  #setState(state: FileState, reason: string | null): void {
    this.#state = state;
    this.#reason = reason;
    this.#since = this.#options.clock.now();
  }

  #notice(
    reason: StoreNotice['reason'],
    from: Micros,
    { detail, lost }: { readonly detail: string; readonly lost?: number },
  ): void {
    const to = this.#options.clock.now();
    this.#notices.push({
      reason,
      from: Math.min(from, to),
      to,
      detail,
      ...(lost === undefined ? {} : { lost }),
    });
  }

  /** Puts what the -wal holds into the file, so that the -wal need not grow. False when that gives no room. */
  #reuseLog(): boolean {
    const changes = this.#changes();
    if (changes === this.#reusedAt) return false;
    this.#reusedAt = changes;
    try {
      const [result] = this.db.connection.pragma('wal_checkpoint(RESTART)') as Checkpoint[];
      return result?.busy === 0 && result.log > leastLogPages && result.log === result.checkpointed;
    } catch {
      // It grows then.
      return false;
    }
  }

  /** On a full disk some writes, of the -shm for one, fail like those to a broken one. */
  #troubleOf(error: unknown): Trouble {
    const trouble = troubleOf(error) ?? 'refused';
    const fault = errnoOf(error)?.startsWith('SQLITE_IOERR') === true;
    return fault && !this.#hasRoom(64 * 1024) ? 'full' : trouble;
  }

  /** Rows that this connection has changed. */
  #changes(): number {
    return (this.db.connection.prepare('SELECT total_changes() AS n').get() as { n: number }).n;
  }

  #hasRoom(bytes: number): boolean {
    const free = freeBytes(path.dirname(this.#options.file));
    return free === undefined || free > bytes;
  }
}

/** Closes a connection to a file that is perhaps damaged: what the -wal holds is not put into the file. */
export function closeUnmerged(connection: Connection, file: string): void {
  let other: Connection | undefined;
  try {
    other = openDatabase(file, { readOnly: true, busyMs: 0 });
    holdOpen(other);
  } catch {
    // Nothing to hold it open with.
  }
  closeQuietly(connection);
  closeQuietly(other);
}

/** Reads once: from then on another connection's end leaves the -wal as it is. */
function holdOpen(connection: Connection): void {
  try {
    connection.prepare('SELECT count(*) FROM sqlite_master').get();
  } catch {
    // Whatever it reads: the lock is held.
  }
}

/** The database as it stands in the file itself, read into memory; undefined when that is too much. */
function openWithoutLog(file: string): Connection | undefined {
  try {
    if (lstatSync(file).size > mostInMemory) return undefined;
    const bytes = readFileSync(file);
    // Bytes 18 and 19 of the header: 2 means that there is a -wal (https://www.sqlite.org/fileformat.html).
    bytes.fill(1, 18, 20);
    return openBytes(bytes);
  } catch {
    return undefined;
  }
}

/** What `PRAGMA wal_checkpoint` answers: pages in the -wal, and how many of them are in the file. */
interface Checkpoint {
  readonly busy: number;
  readonly log: number;
  readonly checkpointed: number;
}

function closeQuietly(connection: Connection | undefined): void {
  try {
    connection?.close();
  } catch {
    // A connection to a file that fails may fail at its end as well.
  }
}

function reasonOf(error: unknown): string {
  return messageOf(error).slice(0, 200);
}

function sentence(trouble: Trouble, error: unknown): string {
  if (trouble === 'full') return 'the disk is full';
  if (trouble === 'busy') return 'another process holds a lock on it';
  return reasonOf(error);
}

function describe({ rows, unread, cut }: Carried): string {
  const parts = [`${things(rows, 'row was', 'rows were')} carried over`];
  if (unread.size > 0) parts.push(`not all of ${[...unread].join(', ')} could be read`);
  if (cut) parts.push('the rest would have taken too long or too much room');
  return parts.join(', ');
}
