import { existsSync, renameSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../base/clock.js';
import { UserError } from '../base/errors.js';
import { Alerts } from './alerts.js';
import { Destinations } from './destinations.js';
import { DocumentOutbox } from './document-outbox.js';
import { EventOutbox } from './event-outbox.js';
import { Events } from './events.js';
import { EvidenceStore } from './evidence.js';
import { prepareFolder } from './folder.js';
import { Items } from './items.js';
import { Ledger } from './ledger.js';
import { type FolderLock, lockFolder } from './lock.js';
import { migrate } from './migrate.js';
import type { Outbox } from './outbox.js';
import { Gaps, Meta } from './records.js';
import { eventsSchema, mainSchema } from './schema.js';
import { type Db, openDatabase, storeError } from './sqlite.js';
import { SqliteOutbox } from './sqlite-outbox.js';
import { Terms } from './terms.js';

export interface StoreOptions {
  readonly dataDir: string;
  /** Reads beside a running agent: takes no lock and writes nothing. False when absent. */
  readonly readOnly?: boolean;
  readonly clock: Clock;
  /** How long to wait for another process, milliseconds; 2000 when absent. */
  readonly busyMs?: number;
  /** Bytes of evidence kept in total; 64 MiB when absent. */
  readonly evidenceBytes?: number;
  /** Terms remembered per new_terms rule; 100,000 when absent. */
  readonly maxTerms?: number;
}

/** Everything that one data folder holds. A writable store is the only one on its folder, in any process. */
export interface Store {
  readonly dataDir: string;
  readonly readOnly: boolean;
  readonly alerts: Alerts;
  readonly events: Events;
  readonly evidence: EvidenceStore;
  readonly outbox: Outbox;
  readonly items: Items;
  readonly gaps: Gaps;
  readonly termHistory: Terms;
  /** In launchwarden.db: survives a power cut once set. */
  readonly meta: Meta;
  /** In events.db, in step with `events` and `items`: for what is only true together with them. */
  readonly progress: Meta;
  /** What was found and mended when it was opened, one sentence each. */
  readonly warnings: readonly string[];
  /** One transaction of launchwarden.db around several calls; `events.transaction` is the other file's. */
  transaction<T>(run: () => T): T;
  /** Reads both files completely. Empty when they are sound. */
  check(): string[];
  /** Ends every use and frees the lock. */
  close(): void;
}

function openMain(options: StoreOptions, readOnly: boolean): Db {
  const file = path.join(options.dataDir, 'launchwarden.db');
  return openOne(file, { readOnly, busyMs: options.busyMs ?? 2000, synchronous: 'FULL', schema: mainSchema });
}

function openEvents(options: StoreOptions, readOnly: boolean): Db {
  const file = path.join(options.dataDir, 'events.db');
  return openOne(file, {
    readOnly,
    busyMs: options.busyMs ?? 2000,
    synchronous: 'NORMAL',
    schema: eventsSchema,
  });
}

function openOne(
  file: string,
  how: {
    readonly readOnly: boolean;
    readonly busyMs: number;
    readonly synchronous: 'FULL' | 'NORMAL';
    readonly schema: readonly string[];
  },
): Db {
  const db = openDatabase(file, how);
  try {
    if (!how.readOnly) {
      db.pragma('auto_vacuum = INCREMENTAL');
      db.pragma('journal_mode = WAL');
      db.pragma(`synchronous = ${how.synchronous}`);
      db.pragma('journal_size_limit = 16777216');
      // On macOS fsync alone does not reach the platter (fcntl(2), F_FULLFSYNC); a no-op elsewhere.
      if (how.synchronous === 'FULL') db.pragma('fullfsync = ON');
    }
    db.pragma('temp_store = MEMORY');
    migrate(db, how.schema, file);
    return db;
  } catch (error) {
    db.close();
    throw error instanceof UserError ? error : (storeError(error, file) ?? error);
  }
}

/** Raw events are worth less than a running agent: a damaged file is set aside, not fatal. */
function openOrReplaceEvents(options: StoreOptions, readOnly: boolean, warnings: string[]): Db {
  try {
    return openEvents(options, readOnly);
  } catch (error) {
    if (readOnly || !(error instanceof UserError) || error.code !== 'store/corrupt') throw error;
    const file = path.join(options.dataDir, 'events.db');
    const aside = `${file}.damaged-${options.clock.now()}`;
    for (const tail of ['', '-wal', '-shm']) {
      if (existsSync(file + tail)) renameSync(file + tail, aside + tail);
    }
    warnings.push(`events.db was damaged and is set aside as ${path.basename(aside)}; raw events begin anew`);
    return openEvents(options, readOnly);
  }
}

function checkDatabase(db: Db): string[] {
  const rows = db.pragma('integrity_check(20)') as { integrity_check: string }[];
  const name = path.basename(db.name);
  return rows
    .map((row) => row.integrity_check)
    .flatMap((text) => (text === 'ok' ? [] : [`${name}: ${text}`]));
}

/**
 * Opens the data folder, which is made when missing. Throws a UserError: store/no-binding, store/locked (names the
 * holder's pid), store/none, store/no-access, store/open-folder, store/foreign-folder, store/newer-schema, ...
 */
export function openStore(options: StoreOptions): Store {
  const readOnly = options.readOnly === true;
  prepareFolder(options.dataDir, readOnly);
  const warnings: string[] = [];
  let lock: FolderLock | undefined;
  const opened: Db[] = [];
  const close = () => {
    for (const db of opened.splice(0)) db.close();
    lock?.release();
    lock = undefined;
  };
  try {
    if (!readOnly) lock = lockFolder(options.dataDir, options.busyMs ?? 2000);
    const main = openMain(options, readOnly);
    opened.push(main);
    const events = openOrReplaceEvents(options, readOnly, warnings);
    opened.push(events);
    const ledger = new Ledger(main);
    if (!readOnly && ledger.read().chainId === '') ledger.update(() => undefined);
    const destinations = new Destinations(main);
    const documents = new DocumentOutbox(main, { destinations, ledger });
    const maxBytes = options.evidenceBytes ?? 64 * 1024 * 1024;
    const evidence = new EvidenceStore(main, { clock: options.clock, maxBytes });
    const eventOutbox = new EventOutbox(events);
    return {
      dataDir: options.dataDir,
      readOnly,
      alerts: new Alerts(main, { clock: options.clock, outbox: documents, evidence, ledger }),
      events: new Events(events, eventOutbox),
      evidence,
      outbox: new SqliteOutbox({ main, destinations, documents, events: eventOutbox }),
      items: new Items(events),
      gaps: new Gaps(main),
      termHistory: new Terms(events, options.maxTerms ?? 100_000),
      meta: new Meta(main),
      progress: new Meta(events),
      warnings,
      transaction: (run) => main.transaction(run).immediate(),
      check: () => [...checkDatabase(main), ...checkDatabase(events)],
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}
