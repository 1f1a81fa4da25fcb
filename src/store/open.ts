import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../base/clock.js';
import { things } from '../base/count.js';
import { errnoOf, UserError } from '../base/errors.js';
import { Alerts } from './alerts.js';
import { ChainAnchor } from './anchor.js';
import { Baselines } from './baselines.js';
import type { StoreCondition, StoreNotice } from './condition.js';
import { type Connection, Database } from './database.js';
import { closeUnmerged } from './database-file.js';
import { Destinations } from './destinations.js';
import { DocumentOutbox } from './document-outbox.js';
import { EventOutbox } from './event-outbox.js';
import { Events } from './events.js';
import { EvidenceStore } from './evidence.js';
import { ExceptionHitStore } from './exception-hits.js';
import { prepareFolder } from './folder.js';
import { Inventory } from './inventory.js';
import { Investigations } from './investigations.js';
import { Items } from './items.js';
import { Keeper, soundCondition } from './keeper.js';
import { Ledger } from './ledger.js';
import { lockFolder } from './lock.js';
import { migrate } from './migrate.js';
import { Objects } from './objects.js';
import type { Outbox } from './outbox.js';
import { openReadable } from './readable.js';
import { Gaps, Meta } from './records.js';
import { ReinfectionWatches } from './reinfection.js';
import { eventsSchema, mainSchema } from './schema.js';
import { type Db, openDatabase, storeError, troubleOf } from './sqlite.js';
import { SqliteOutbox } from './sqlite-outbox.js';
import { Stories } from './stories.js';
import { Terms } from './terms.js';
import { Versions } from './versions.js';

export interface StoreOptions {
  readonly dataDir: string;
  /** Reads beside a running agent: takes no lock and writes nothing. False when absent. */
  readonly readOnly?: boolean;
  /**
   * For the agent: a file that is damaged is set aside, and memory serves in place of one that cannot be opened or written.
   * Only an unsafe or missing folder, and another agent's lock, keep such a store from opening.
   */
  readonly keepGoing?: boolean;
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
  readonly versions: Versions;
  readonly outbox: Outbox;
  readonly items: Items;
  readonly inventory: Inventory;
  readonly baselines: Baselines;
  readonly investigations: Investigations;
  readonly reinfection: ReinfectionWatches;
  readonly stories: Stories;
  readonly exceptionHits: ExceptionHitStore;
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
  /** Several reads of launchwarden.db on one view of it. */
  reading<T>(run: () => T): T;
  /** With `keepGoing`, to be called a few times a second: tries again what could not be written. */
  tend(): void;
  /** What happened since the last call and is to be told, like a gap of observation. */
  takeNotices(): StoreNotice[];
  condition(): StoreCondition;
  /** Changes whenever other files may be in use than before. */
  generation(): number;
  /** Reads both files completely. Empty when they are sound. */
  check(): string[];
  /** Ends every use and frees the lock. */
  close(): void;
}

function openFile(
  file: string,
  how: {
    readonly readOnly: boolean;
    readonly busyMs: number;
    readonly synchronous: 'FULL' | 'NORMAL';
    readonly schema: readonly string[];
  },
): Connection {
  const db = openDatabase(file, how);
  try {
    refuseForeign(db, file);
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
    closeUnmerged(db, file);
    throw error instanceof UserError ? error : (storeError(error, file) ?? error);
  }
}

/** A database without our version that is not empty: another program's, or ours behind a -wal that is not its own. */
function refuseForeign(db: Connection, file: string): void {
  const value = (name: string) => db.pragma(name, { simple: true }) as number;
  if (value('user_version') !== 0 || value('page_count') <= 1) return;
  throw new UserError('store/corrupt', `${file} is no database of launchwarden, or was damaged`, {
    hint: 'Move it away and restore it from a backup, or start the agent, which sets it aside.',
  });
}

/** How often it is written down where the chain stands, milliseconds. */
const anchorMs = 10_000;
const agentKey = 'agent.id';
/** The newest chain of which was told that it begins anew. */
const toldKey = 'chain.told';

const main = { name: 'launchwarden.db', synchronous: 'FULL', schema: mainSchema } as const;
const events = { name: 'events.db', synchronous: 'NORMAL', schema: eventsSchema } as const;

function checkDatabase(db: Db): string[] {
  const rows = db.pragma('integrity_check(20)') as { integrity_check: string }[];
  const name = path.basename(db.name);
  return rows
    .map((row) => row.integrity_check)
    .flatMap((text) => (text === 'ok' ? [] : [`${name}: ${text}`]));
}

/** Both databases of a data folder, and what keeps them. */
interface Files {
  readonly main: Db;
  readonly events: Db;
  readonly warnings: readonly string[];
  readonly keeper?: Keeper;
  close(): void;
}

/** For the command line: what cannot be opened is a UserError. */
function openPlain(options: StoreOptions, readOnly: boolean): Files {
  const busyMs = options.busyMs ?? 2000;
  const closing: (() => void)[] = [];
  const close = () => {
    for (const one of closing.splice(0).reverse()) one();
  };
  const open = (what: typeof main | typeof events): Connection => {
    const file = path.join(options.dataDir, what.name);
    const how = { ...what, readOnly, busyMs };
    const opened = readOnly
      ? openReadable(file, (place, writable) => openFile(place, { ...how, readOnly: writable !== true }))
      : { connection: openFile(file, how), remove: () => {} };
    closing.push(() => {
      opened.connection.close();
      opened.remove();
    });
    return opened.connection;
  };
  // Whoever reads one file is not kept from it by the state of the other.
  const openMain = (): Db => {
    try {
      return new Database(open(main));
    } catch (error) {
      const unusable = troubleOf(error) === 'damaged' || errnoOf(error) === 'store/none';
      if (!readOnly || !unusable || !existsSync(path.join(options.dataDir, events.name))) throw error;
      return new Database(() => {
        throw error;
      });
    }
  };
  try {
    if (!readOnly) {
      const lock = lockFolder(options.dataDir, busyMs);
      closing.push(() => lock.release());
    }
    return {
      main: openMain(),
      events: new Database(readOnly ? () => open(events) : open(events)),
      warnings: [],
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** For the agent: whatever state the files are in. */
function openKept(options: StoreOptions): Files {
  const open = (what: typeof main | typeof events) => (busyMs: number) =>
    openFile(path.join(options.dataDir, what.name), { ...what, readOnly: false, busyMs });
  const keeper = new Keeper({ ...options, openMain: open(main), openEvents: open(events) });
  return {
    main: keeper.main.db,
    events: keeper.events.db,
    warnings: keeper.warnings,
    keeper,
    close: () => keeper.close(),
  };
}

/** That the chain of alerts begins anew, once for each chain. */
function chainNotices(parts: {
  readonly ledger: Ledger;
  readonly meta: Meta;
  readonly anchor: ChainAnchor;
  readonly clock: Clock;
  readonly dataDir: string;
}): StoreNotice[] {
  const { ledger, meta, anchor, clock, dataDir } = parts;
  const { id, length, before } = ledger.chain();
  const known = meta.get(toldKey) === id;
  if (!known) meta.set(toldKey, id);
  // Evidence is kept of alerts: where there is some, there was a database.
  const isNew = length === 0 && ledger.read().doc === 0;
  const lost = before === undefined && isNew && existsSync(path.join(dataDir, 'evidence'));
  if (known || (before === undefined && !lost)) return [];
  const was =
    before === undefined
      ? 'the one before is unknown'
      : `the one before, ${before.id}, had ${things(before.length, 'alert')}, the last with digest ${before.digest}`;
  const now = clock.now();
  return [
    {
      reason: 'store-lost',
      from: Math.min(anchor.time ?? now, now),
      to: now,
      detail: `the database was replaced, and the chain of alerts begins anew: ${was}`,
    },
  ];
}

/**
 * Opens the data folder, which is made when missing. Throws a UserError: store/no-binding, store/locked (names the
 * holder's pid), store/none, store/no-access, store/open-folder, store/foreign-folder, store/newer-schema, ...
 */
export function openStore(options: StoreOptions): Store {
  const readOnly = options.readOnly === true;
  prepareFolder(options.dataDir, readOnly);
  const files = options.keepGoing === true ? openKept(options) : openPlain(options, readOnly);
  const { main, events, keeper, warnings } = files;
  try {
    const anchor = new ChainAnchor(options.dataDir);
    const ledger = new Ledger(main, anchor);
    const meta = new Meta(main);
    const notices: StoreNotice[] = [];
    const remember = () => {
      // A chain that is in memory alone may never have been.
      if (readOnly || keeper?.main.inMemory === true) return;
      const { before: _, ...end } = ledger.chain();
      anchor.write(end, meta.get(agentKey));
    };
    if (!readOnly) {
      ledger.settle();
      if (meta.get(agentKey) === undefined && anchor.agent !== undefined) meta.set(agentKey, anchor.agent);
      if (keeper !== undefined) notices.push(...chainNotices({ ...options, ledger, meta, anchor }));
      remember();
    }
    const destinations = new Destinations(main);
    const documents = new DocumentOutbox(main, { destinations, ledger });
    const maxBytes = options.evidenceBytes ?? 64 * 1024 * 1024;
    const evidence = new EvidenceStore(main, {
      clock: options.clock,
      maxBytes,
      objects: new Objects(path.join(options.dataDir, 'evidence')),
      scarce: () => keeper?.scarce === true,
    });
    const eventOutbox = new EventOutbox(events);
    let open = true;
    let rememberedAt = options.clock.monotonic();
    return {
      dataDir: options.dataDir,
      readOnly,
      alerts: new Alerts(main, { clock: options.clock, outbox: documents, evidence, ledger }),
      events: new Events(events, eventOutbox),
      evidence,
      versions: new Versions(main, evidence),
      outbox: new SqliteOutbox({ main, destinations, documents, events: eventOutbox }),
      items: new Items(events),
      inventory: new Inventory(main),
      baselines: new Baselines(main, evidence),
      investigations: new Investigations(main),
      reinfection: new ReinfectionWatches(main),
      stories: new Stories(events),
      exceptionHits: new ExceptionHitStore(main),
      gaps: new Gaps(main),
      termHistory: new Terms(events, options.maxTerms ?? 100_000),
      meta,
      progress: new Meta(events),
      warnings,
      transaction: (run) => main.transaction(run).immediate(),
      reading: (run) => main.reading(run),
      check: () => [...checkDatabase(main), ...checkDatabase(events)],
      tend: () => {
        keeper?.tend();
        evidence.retry();
        const now = options.clock.monotonic();
        if (now - rememberedAt < anchorMs) return;
        rememberedAt = now;
        remember();
      },
      takeNotices: () => [...notices.splice(0), ...(keeper?.takeNotices() ?? []), ...evidence.takeNotices()],
      condition: () => keeper?.condition(evidence.lost) ?? soundCondition(options.dataDir),
      generation: () => keeper?.generation ?? 0,
      close: () => {
        if (!open) return;
        open = false;
        try {
          remember();
        } finally {
          files.close();
        }
      },
    };
  } catch (error) {
    files.close();
    throw error;
  }
}
