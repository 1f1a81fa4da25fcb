import { damagedDocument } from './damaged-document.js';
import type { Connection } from './database.js';
import type { DatabaseKind } from './database-file.js';
import {
  type EventsBase,
  heldAlerts,
  heldEvents,
  type MainBase,
  mergeEvents,
  mergeMain,
  packMain,
  seedEvents,
  seedMain,
} from './hold.js';
import { migrate } from './migrate.js';
import { eventsSchema, mainSchema } from './schema.js';

const mib = 1024 * 1024;

type Open = (busyMs: number) => Connection;

/** launchwarden.db */
export function mainKind(open: Open): DatabaseKind<MainBase> {
  return {
    open,
    lay: (memory) => migrate(memory, mainSchema, 'launchwarden.db'),
    seed: seedMain,
    merge: mergeMain,
    held: heldAlerts,
    shed: shedMain,
    pack: packMain,
    mend: mendMain,
    first: [
      'meta',
      'ledger',
      'destinations',
      'documents',
      'alerts',
      'outbox',
      'alert_events',
      'notes',
      'inventory',
      'baselines',
      'baseline_entries',
      'investigations',
      'reinfection',
    ],
    last: ['gaps', 'dead_letters', 'versions', 'evidence'],
    memoryBytes: 64 * mib,
  };
}

/** events.db */
export function eventsKind(open: Open): DatabaseKind<EventsBase> {
  // Only a start asks for what the file watcher remembered.
  let withItems = true;
  return {
    open: (busyMs) => {
      const connection = open(busyMs);
      withItems = false;
      return connection;
    },
    lay: (memory) => migrate(memory, eventsSchema, 'events.db'),
    seed: (source, memory, jump) => {
      const base = seedEvents(source, memory, { jump, withItems });
      withItems = false;
      return base;
    },
    merge: mergeEvents,
    held: heldEvents,
    shed: shedEvents,
    mend: (file) => {
      file.exec('DELETE FROM event_outbox WHERE doc NOT IN (SELECT seq FROM events)');
    },
    first: ['meta', 'items', 'terms', 'event_counts'],
    last: ['events', 'event_outbox'],
    memoryBytes: 32 * mib,
  };
}

function shedEvents(memory: Connection, { seq }: EventsBase): number | undefined {
  const { rows } = memory.prepare('SELECT count(*) AS rows FROM events').get() as { rows: number };
  if (rows < 8) return undefined;
  const gone = memory
    .prepare('DELETE FROM events WHERE seq IN (SELECT seq FROM events ORDER BY seq LIMIT ?) RETURNING seq')
    .all(Math.ceil(rows / 4)) as { seq: number }[];
  memory.exec('DELETE FROM event_outbox WHERE doc NOT IN (SELECT seq FROM events)');
  return gone.filter((row) => row.seq > seq).length;
}

/** Evidence first, then alerts that every destination has. */
function shedMain(memory: Connection, { change }: MainBase): number | undefined {
  const evidence = memory.prepare('DELETE FROM evidence').run().changes;
  if (evidence > 0) return evidence;
  const sent = memory
    .prepare(
      `SELECT a.seq, a.doc, a.change FROM alerts a JOIN documents d ON d.seq = a.doc
        WHERE NOT EXISTS (SELECT 1 FROM destinations t, outbox o WHERE o.dest = t.id AND o.lane = 1 AND o.doc = a.doc)
        ORDER BY d.rank, a.change LIMIT 100`,
    )
    .all() as { seq: number; doc: number; change: number }[];
  if (sent.length === 0) return undefined;
  for (const { seq, doc } of sent) {
    memory.prepare('DELETE FROM alerts WHERE seq = ?').run(seq);
    memory.prepare('DELETE FROM documents WHERE seq = ?').run(doc);
  }
  return sent.filter((row) => row.change > change).length;
}

/** Numbers that are given next must be unused, and every alert must have a document. A lost chain the ledger begins anew. */
function mendMain(file: Connection): void {
  const number = (sql: string) => Number(Object.values(file.prepare(sql).get() as object)[0] ?? 0);
  const doc = Math.max(
    number('SELECT max(doc) FROM ledger'),
    number('SELECT max(seq) FROM documents'),
    number('SELECT max(doc) FROM alerts'),
    number('SELECT max(doc) FROM outbox'),
    number('SELECT max(doc) FROM dead_letters WHERE lane IN (0, 1)'),
  );
  const change = Math.max(number('SELECT max(change) FROM ledger'), number('SELECT max(change) FROM alerts'));
  file
    .prepare(
      `INSERT INTO ledger (id, doc, change, chain_id, chain_length, chain_head) VALUES (1, :doc, :change, '', 0, '')
        ON CONFLICT (id) DO UPDATE SET doc = excluded.doc, change = excluded.change`,
    )
    .run({ doc, change });
  const bare = file
    .prepare('SELECT * FROM alerts WHERE doc NOT IN (SELECT seq FROM documents)')
    .all() as Parameters<typeof damagedDocument>[0][] &
    { doc: number; revision: number; risk_score: number }[];
  const add = file.prepare(
    'INSERT INTO documents (seq, id, revision, rank, kept, body) VALUES (?, ?, ?, ?, 1, ?)',
  );
  for (const alert of bare)
    add.run(alert.doc, alert.id, alert.revision, alert.risk_score, JSON.stringify(damagedDocument(alert)));
  file.exec('DELETE FROM outbox WHERE lane IN (0, 1) AND doc NOT IN (SELECT seq FROM documents)');
}
