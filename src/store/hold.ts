import type { EcsDocument } from '../event/document.js';
import { hashesOf } from './alert-growth.js';
import type { Connection } from './database.js';
import { otherKey } from './event-key.js';

/**
 * While a file cannot be written, memory serves in its place: an empty database of the same schema with what the agent
 * needs of the file (`seed...`), whose changes go into the file once it can be written again (`merge...`). The inventory
 * is not among that: it waits for the file (`Inventory.held`).
 */

/** Alerts and waiting documents that are copied: enough for alerts that still grow, and for a short backlog. */
const recentAlerts = 300;
const recentWaiting = 300;
const recentEvents = 500;
const recentStories = 5_000;
const mostTerms = 200_000;

type Row = Record<string, unknown>;

/** Where the copy ended: what is beyond is new, and only in memory. */
export interface MainBase {
  readonly doc: number;
  readonly change: number;
  readonly note: number;
  readonly gap: number;
  /** False when the file could not be read: what is counted in memory then is added to it, not put in its place. */
  readonly copied: boolean;
  /** Rows of the outbox that were copied: `dest`, `lane`, `doc`. */
  readonly waiting: readonly (readonly [number, number, number])[];
  /** What responses watched for when memory began. */
  readonly watches: readonly Row[];
}

export interface EventsBase {
  readonly seq: number;
}

function rowsOf(connection: Connection, sql: string, ...parameters: unknown[]): Row[] {
  return connection.prepare(sql).all(...parameters) as Row[];
}

/** The copied rows; none when the source cannot be read, so that what can be read serves. */
function copy(source: Connection | undefined, target: Connection, table: string, rest = ''): Row[] {
  if (source === undefined) return [];
  try {
    const rows = rowsOf(source, `SELECT t.* FROM ${table} t ${rest}`);
    insertAll(target, table, rows);
    return rows;
  } catch {
    return [];
  }
}

function insertAll(target: Connection, table: string, rows: readonly Row[], how = 'OR IGNORE'): number {
  const [first] = rows;
  if (first === undefined) return 0;
  const names = Object.keys(first);
  const insert = target.prepare(
    `INSERT ${how} INTO ${table} (${names.map((name) => `"${name}"`).join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
  );
  let added = 0;
  for (const row of rows) added += insert.run(...names.map((name) => row[name])).changes;
  return added;
}

function newest(connection: Connection, sql: string): number {
  return Number(Object.values(rowsOf(connection, sql)[0] ?? {})[0] ?? 0);
}

/** `jump`: a number larger than any that was ever given, for a file whose own numbers cannot be read. */
export function seedMain(source: Connection | undefined, memory: Connection, jump: number): MainBase {
  return memory.transaction(() => {
    copy(source, memory, 'meta');
    copy(source, memory, 'destinations');
    const [ledger] = copy(source, memory, 'ledger');
    const copied = typeof ledger?.['doc'] === 'number' && typeof ledger['change'] === 'number';
    if (!copied)
      insertAll(
        memory,
        'ledger',
        [{ id: 1, doc: jump, change: jump, chain_id: '', chain_length: 0, chain_head: '' }],
        'OR REPLACE',
      );
    copy(source, memory, 'alerts', `ORDER BY t.change DESC LIMIT ${recentAlerts}`);
    // New rows get numbers after the largest.
    copy(source, memory, 'alerts', 'ORDER BY t.seq DESC LIMIT 1');
    const shown = 'WHERE t.seq IN (SELECT value FROM json_each(?))';
    const wanted = JSON.stringify(rowsOf(memory, 'SELECT doc FROM alerts').map(({ doc }) => doc));
    const seqs = JSON.stringify(rowsOf(memory, 'SELECT seq FROM alerts').map(({ seq }) => seq));
    if (copied) copy(source, memory, 'outbox', `ORDER BY t.doc DESC LIMIT ${recentWaiting}`);
    if (copied) copy(source, memory, 'exception_hits');
    const watches = copy(source, memory, 'reinfection');
    if (source !== undefined) {
      try {
        insertAll(memory, 'documents', rowsOf(source, `SELECT t.* FROM documents t ${shown}`, wanted));
        // What is sent of an alert that grows depends on what its destinations have of it.
        const about = 'WHERE t.lane IN (0, 1) AND t.doc IN (SELECT value FROM json_each(?))';
        for (const table of copied ? ['outbox', 'dead_letters'] : [])
          insertAll(memory, table, rowsOf(source, `SELECT t.* FROM ${table} t ${about}`, wanted));
        const waiting = JSON.stringify(rowsOf(memory, 'SELECT doc FROM outbox').map(({ doc }) => doc));
        insertAll(memory, 'documents', rowsOf(source, `SELECT t.* FROM documents t ${shown}`, waiting));
        const links = 'SELECT t.* FROM alert_events t WHERE t.alert IN (SELECT value FROM json_each(?))';
        insertAll(memory, 'alert_events', rowsOf(source, links, seqs));
      } catch {
        // Alerts without their documents are as good as absent: they come again whole.
      }
    }
    memory.exec(`
      DELETE FROM outbox WHERE lane IN (0, 1) AND doc NOT IN (SELECT seq FROM documents);
      DELETE FROM alerts WHERE doc NOT IN (SELECT seq FROM documents)
        AND seq < (SELECT max(seq) FROM alerts);
    `);
    const kept = rowsOf(memory, 'SELECT dest, lane, doc FROM outbox');
    return {
      doc: newest(memory, 'SELECT doc FROM ledger'),
      change: newest(memory, 'SELECT change FROM ledger'),
      note: 0,
      gap: 0,
      copied,
      waiting: kept.map(({ dest, lane, doc }) => [Number(dest), Number(lane), Number(doc)] as const),
      watches,
    };
  })();
}

/** `withItems`: at a start, when the file watcher asks for what it remembered. */
export function seedEvents(
  source: Connection | undefined,
  memory: Connection,
  how: { readonly jump: number; readonly withItems: boolean },
): EventsBase {
  return memory.transaction(() => {
    copy(source, memory, 'meta');
    copy(source, memory, 'terms', `LIMIT ${mostTerms}`);
    copy(source, memory, 'event_counts');
    copy(source, memory, 'stories', `ORDER BY t.last DESC LIMIT ${recentStories}`);
    if (how.withItems) copy(source, memory, 'items');
    const events = copy(source, memory, 'events', `ORDER BY t.seq DESC LIMIT ${recentEvents}`);
    const [last] = events;
    const seq = typeof last?.['seq'] === 'number' ? last['seq'] : how.jump;
    if (last === undefined)
      memory.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('events', ?)").run(seq);
    return { seq };
  })();
}

/** How many alerts and events are in memory alone. */
export function heldAlerts(memory: Connection, base: MainBase): number {
  return newest(memory, `SELECT count(*) FROM alerts WHERE change > ${base.change}`);
}

export function heldEvents(memory: Connection, base: EventsBase): number {
  return newest(memory, `SELECT count(*) FROM events WHERE seq > ${base.seq}`);
}

/** Puts what changed in memory into the file, in one transaction: all of it or nothing. */
export function mergeMain(
  memory: Connection,
  file: Connection,
  base: MainBase,
  how: { readonly evidence: boolean } = { evidence: true },
): void {
  file
    .transaction(() => {
      const destinations = mergeDestinations(memory, file, base);
      insertAll(file, 'documents', rowsOf(memory, 'SELECT * FROM documents WHERE seq > ?', base.doc));
      mergeAlerts(memory, file, base);
      mergeOutbox(memory, file, { base, destinations });
      const known = base.copied ? 'OR REPLACE' : 'OR IGNORE';
      insertAll(file, 'meta', rowsOf(memory, 'SELECT * FROM meta'), known);
      const gaps = rowsOf(memory, 'SELECT * FROM gaps WHERE seq > ? ORDER BY seq', base.gap);
      insertAll(
        file,
        'gaps',
        gaps.map(({ seq, ...gap }) => gap),
      );
      if (how.evidence) insertAll(file, 'evidence', rowsOf(memory, 'SELECT * FROM evidence'));
      for (const table of ['baselines', 'baseline_entries'])
        insertAll(file, table, rowsOf(memory, `SELECT * FROM ${table}`), 'OR REPLACE');
      insertAll(file, 'evidence_holds', rowsOf(memory, 'SELECT * FROM evidence_holds'));
      insertAll(file, 'version_paths', rowsOf(memory, 'SELECT * FROM version_paths'));
      // In memory the numbers begin anew.
      insertAll(
        file,
        'versions',
        rowsOf(memory, 'SELECT * FROM versions ORDER BY seq').map(({ seq: _, ...version }) => version),
      );
      insertAll(file, 'investigations', rowsOf(memory, 'SELECT * FROM investigations'), 'OR REPLACE');
      mergeWatches(memory, file, base);
      mergeHits(memory, file, base);
      // Without a chain nothing was committed: the file's own goes on.
      const beyond = newest(file, 'SELECT doc FROM ledger');
      const ledger = rowsOf(memory, "SELECT * FROM ledger WHERE chain_id <> '' AND doc >= ?", beyond);
      insertAll(file, 'ledger', ledger, 'OR REPLACE');
    })
    .immediate();
}

/** Those that memory knew and has no more were disarmed. */
function mergeWatches(memory: Connection, file: Connection, { watches }: MainBase): void {
  const disarm = file.prepare('DELETE FROM reinfection WHERE response = ? AND kind = ? AND value = ?');
  for (const { response, kind, value } of watches) disarm.run(response, kind, value);
  insertAll(file, 'reinfection', rowsOf(memory, 'SELECT * FROM reinfection'), 'OR REPLACE');
}

function mergeHits(memory: Connection, file: Connection, { copied }: MainBase): void {
  const put = file.prepare(
    `INSERT INTO exception_hits (id, hits, first, last) VALUES (:id, :hits, :first, :last)
      ON CONFLICT (id) DO UPDATE SET hits = excluded.hits ${copied ? '' : '+ hits'},
        first = min(first, excluded.first), last = max(last, excluded.last)`,
  );
  for (const row of rowsOf(memory, 'SELECT * FROM exception_hits')) put.run(row);
}

const baseKey = 'held.base';

/** What is in memory alone, as a database of its own (without evidence): for the next start, should there be no other way. */
export function packMain(memory: Connection, empty: Connection, base: MainBase): Buffer {
  mergeMain(memory, empty, base, { evidence: false });
  const text = JSON.stringify({ ...base, waiting: [] } satisfies MainBase);
  empty.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)').run(baseKey, text);
  return empty.serialize();
}

/** Puts into the database what `packMain` packed. Returns how many alerts it held. */
export function unpackMain(packed: Connection, file: Connection): number {
  const { value } = packed.prepare('SELECT value FROM meta WHERE key = ?').get(baseKey) as { value: string };
  const base: MainBase = { watches: [], ...(JSON.parse(value) as Omit<MainBase, 'watches'>) };
  packed.exec('DELETE FROM meta');
  mergeMain(packed, file, base, { evidence: false });
  return heldAlerts(packed, base);
}

/** The numbers in the file of the destinations that memory knows. */
function mergeDestinations(memory: Connection, file: Connection, base: MainBase): Map<number, number> {
  const numbers = new Map<number, number>();
  const idOf = file.prepare('SELECT id FROM destinations WHERE name = ?');
  for (const row of rowsOf(memory, 'SELECT * FROM destinations')) {
    const { id, name, ...rest } = row;
    file
      .prepare('INSERT OR IGNORE INTO destinations (name, first_doc) VALUES (?, ?)')
      .run(name, rest['first_doc']);
    const number = (idOf.get(name) as { id: number }).id;
    numbers.set(Number(id), number);
    const counts = ['delivered', 'duplicates', 'warnings', 'dead', 'evicted'];
    const sets = Object.keys(rest).map((column) => {
      if (!base.copied && counts.includes(column)) return `"${column}" = "${column}" + ?`;
      return !base.copied && column === 'first_doc' ? 'first_doc = min(first_doc, ?)' : `"${column}" = ?`;
    });
    file
      .prepare(`UPDATE destinations SET ${sets.join(', ')} WHERE id = ?`)
      .run(...Object.values(rest), number);
  }
  return numbers;
}

function mergeAlerts(memory: Connection, file: Connection, base: MainBase): void {
  const byId = file.prepare('SELECT seq, doc, revision FROM alerts WHERE id = ?');
  const link = file.prepare('INSERT OR REPLACE INTO alert_events (event, alert, amended) VALUES (?, ?, ?)');
  const release = file.prepare('UPDATE documents SET kept = 0 WHERE seq = ?');
  const pin = file.prepare('UPDATE evidence SET pinned = max(pinned, ?) WHERE sha256 = ?');
  const need = file.prepare('INSERT OR IGNORE INTO alert_hashes (sha256, alert) VALUES (?, ?)');
  // An alert that is put into another story has not changed by that.
  const assign = file.prepare('UPDATE alerts SET item = :item WHERE id = :id AND item <> :item');
  for (const row of rowsOf(memory, 'SELECT id, item FROM alerts WHERE change <= ?', base.change))
    assign.run(row);
  const changed = rowsOf(memory, 'SELECT * FROM alerts WHERE change > ? ORDER BY change', base.change);
  for (const { seq, ...alert } of changed) {
    const known = byId.get(alert['id']) as { seq: number; doc: number; revision: number } | undefined;
    let number: number | bigint;
    if (known === undefined) {
      insertAll(file, 'alerts', [alert]);
      number = (byId.get(alert['id']) as { seq: number }).seq;
    } else if (known.revision >= Number(alert['revision'])) {
      // It was not copied, and memory knows less of it.
      if (known.doc !== alert['doc']) {
        release.run(alert['doc']);
        dropUnused(file, Number(alert['doc']));
      }
      continue;
    } else {
      number = known.seq;
      const sets = Object.keys(alert).map((column) => `"${column}" = ?`);
      file.prepare(`UPDATE alerts SET ${sets.join(', ')} WHERE seq = ?`).run(...Object.values(alert), number);
      if (known.doc !== alert['doc']) {
        release.run(known.doc);
        dropUnused(file, known.doc);
      }
    }
    for (const { event, amended } of rowsOf(memory, 'SELECT * FROM alert_events WHERE alert = ?', seq))
      link.run(event, number, amended);
    const notes = rowsOf(
      memory,
      'SELECT * FROM notes WHERE alert = ? AND seq > ? ORDER BY seq',
      seq,
      base.note,
    );
    insertAll(
      file,
      'notes',
      notes.map(({ seq: _, ...note }) => ({ ...note, alert: number })),
    );
    const [document] = rowsOf(memory, 'SELECT * FROM documents WHERE seq = ?', alert['doc']);
    // An alert that grew keeps the document that it had before memory served.
    if (document !== undefined && Number(alert['doc']) <= base.doc)
      insertAll(file, 'documents', [document], 'OR REPLACE');
    for (const hash of hashesIn(document?.['body'])) {
      need.run(hash, number);
      pin.run(Number(document?.['rank'] ?? 1), hash);
    }
  }
}

function hashesIn(body: unknown): readonly string[] {
  try {
    return hashesOf(JSON.parse(String(body)) as EcsDocument);
  } catch {
    return [];
  }
}

function dropUnused(file: Connection, doc: number): void {
  file
    .prepare(
      `DELETE FROM documents WHERE seq = :doc AND kept = 0
        AND NOT EXISTS (SELECT 1 FROM outbox WHERE lane IN (0, 1) AND doc = :doc)
        AND NOT EXISTS (SELECT 1 FROM dead_letters WHERE lane IN (0, 1) AND doc = :doc)`,
    )
    .run({ doc });
}

function mergeOutbox(
  memory: Connection,
  file: Connection,
  how: { readonly base: MainBase; readonly destinations: ReadonlyMap<number, number> },
): void {
  const { base, destinations } = how;
  const numbered = (rows: readonly Row[]) =>
    rows.flatMap((row) => {
      const dest = destinations.get(Number(row['dest']));
      return dest === undefined ? [] : [{ ...row, dest }];
    });
  const still = memory.prepare('SELECT * FROM outbox WHERE dest = ? AND lane = ? AND doc = ?');
  const settled = file.prepare('DELETE FROM outbox WHERE dest = ? AND lane = ? AND doc = ?');
  const tried = file.prepare(
    'UPDATE outbox SET attempts = ?, next_ms = ?, bytes = ?, update_of = ? WHERE dest = ? AND lane = ? AND doc = ?',
  );
  insertAll(file, 'outbox', numbered(rowsOf(memory, 'SELECT * FROM outbox WHERE doc > ?', base.doc)));
  insertAll(file, 'dead_letters', numbered(rowsOf(memory, 'SELECT * FROM dead_letters')));
  // Alerts that grew: what waits for them has the number of their first document.
  const copied = new Set(base.waiting.map((key) => key.join()));
  const grown = rowsOf(memory, 'SELECT * FROM outbox WHERE doc <= ?', base.doc).filter(
    ({ dest, lane, doc }) => !copied.has([dest, lane, doc].join()),
  );
  insertAll(file, 'outbox', numbered(grown));
  for (const [dest, lane, doc] of base.waiting) {
    const row = still.get(dest, lane, doc) as Row | undefined;
    if (row !== undefined) {
      tried.run(row['attempts'], row['next_ms'], row['bytes'], row['update_of'], dest, lane, doc);
      continue;
    }
    settled.run(dest, lane, doc);
    dropUnused(file, doc);
  }
  // Dead letters that were tried again meanwhile.
  file.exec(`DELETE FROM dead_letters WHERE lane IN (0, 1) AND EXISTS (SELECT 1 FROM outbox o
    WHERE o.dest = dead_letters.dest AND o.lane = dead_letters.lane AND o.doc = dead_letters.doc)`);
}

/** A story that memory began anew, since it had not been copied, knows less than the one in the file. */
function mergeStories(memory: Connection, file: Connection): void {
  const put = file.prepare(
    `INSERT INTO stories (item, mechanism, path, label, stage, first, last, updates, known, detail)
      VALUES (:item, :mechanism, :path, :label, :stage, :first, :last, :updates, :known, :detail)
      ON CONFLICT (item) DO UPDATE SET path = excluded.path, label = excluded.label, stage = excluded.stage,
        last = excluded.last, updates = excluded.updates, known = excluded.known, detail = excluded.detail
      WHERE excluded.first <= first AND (excluded.last, excluded.stage, excluded.updates, excluded.known, excluded.detail)
        IS NOT (last, stage, updates, known, detail)`,
  );
  for (const row of rowsOf(memory, 'SELECT * FROM stories')) put.run(row);
}

/** The like for events.db. Events get new numbers there, since others may have been given meanwhile. */
export function mergeEvents(memory: Connection, file: Connection, base: EventsBase): void {
  file
    .transaction(() => {
      const put = file.prepare(
        `INSERT INTO events (id, time, nanos, sequence, body) VALUES (:id, :time, :nanos, :sequence, :body)
          ON CONFLICT (id) DO UPDATE SET body = excluded.body WHERE body <> excluded.body`,
      );
      const replace = file.prepare('UPDATE events SET body = ? WHERE id = ?');
      type Row = { readonly id: string; readonly time: number; readonly body: string };
      for (const row of memory.prepare('SELECT id, time, nanos, sequence, body FROM events').all() as Row[]) {
        // Memory copies the newest alone, and does not know in which form an older one is stored.
        if (replace.run(row.body, otherKey(row)).changes === 0) put.run(row);
      }
      const gone = file.prepare('DELETE FROM items WHERE path = ?');
      for (const item of rowsOf(memory, 'SELECT * FROM items')) {
        if (item['type'] === 'gone') gone.run(item['path']);
        else insertAll(file, 'items', [item], 'OR REPLACE');
      }
      insertAll(file, 'terms', rowsOf(memory, 'SELECT * FROM terms'), 'OR REPLACE');
      insertAll(file, 'meta', rowsOf(memory, 'SELECT * FROM meta'), 'OR REPLACE');
      insertAll(file, 'event_counts', rowsOf(memory, 'SELECT * FROM event_counts'), 'OR REPLACE');
      mergeStories(memory, file);
      const waiting = rowsOf(
        memory,
        'SELECT o.dest, o.bytes, o.attempts, o.next_ms, e.id, e.time FROM event_outbox o JOIN events e ON e.seq = o.doc WHERE o.doc > ?',
        base.seq,
      );
      const enqueue = file.prepare(
        `INSERT OR IGNORE INTO event_outbox (dest, doc, bytes, attempts, next_ms)
          SELECT :dest, seq, :bytes, :attempts, :next_ms FROM events WHERE id IN (:id, :other)`,
      );
      for (const row of waiting)
        enqueue.run({ ...row, other: otherKey(row as { id: string; time: number }) });
    })
    .immediate();
}
