/**
 * launchwarden.db: what must never be lost. A document is kept once, whoever it goes to; `outbox` rows name it. The
 * key of an outbox row is its place in the queue, so that the table needs no index besides.
 */
export const mainSchema: readonly string[] = [
  `
  CREATE TABLE documents (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    kept INTEGER NOT NULL,
    body TEXT NOT NULL
  );
  CREATE TABLE alerts (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    rule_id TEXT NOT NULL,
    rule_name TEXT NOT NULL,
    severity TEXT NOT NULL,
    risk_score INTEGER NOT NULL,
    time INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    status TEXT NOT NULL,
    change INTEGER NOT NULL,
    doc INTEGER NOT NULL
  );
  CREATE INDEX alerts_time ON alerts (time);
  CREATE TABLE alert_events (
    event TEXT NOT NULL,
    alert INTEGER NOT NULL,
    amended INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (event, alert)
  ) WITHOUT ROWID;
  CREATE TABLE notes (
    seq INTEGER PRIMARY KEY,
    alert INTEGER NOT NULL,
    time INTEGER NOT NULL,
    author TEXT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL
  );
  CREATE INDEX notes_alert ON notes (alert);
  CREATE TABLE ledger (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    doc INTEGER NOT NULL,
    change INTEGER NOT NULL,
    chain_id TEXT NOT NULL,
    chain_length INTEGER NOT NULL,
    chain_head TEXT NOT NULL
  );
  CREATE TABLE destinations (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    parked_since INTEGER,
    paused_until INTEGER,
    pause_reason TEXT,
    fails INTEGER NOT NULL DEFAULT 0,
    last_ok INTEGER,
    last_error TEXT,
    last_error_at INTEGER,
    delivered INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0,
    warnings INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    evicted INTEGER NOT NULL DEFAULT 0
  );
  CREATE TABLE outbox (
    dest INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    doc INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_ms INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (dest, lane, doc)
  ) WITHOUT ROWID;
  CREATE TABLE dead_letters (
    dest INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    doc INTEGER NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    body TEXT,
    attempts INTEGER NOT NULL,
    died INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (dest, lane, doc)
  ) WITHOUT ROWID;
  CREATE TABLE gaps (
    seq INTEGER PRIMARY KEY,
    sensor TEXT NOT NULL,
    reason TEXT NOT NULL,
    from_time INTEGER NOT NULL,
    to_time INTEGER NOT NULL,
    lost INTEGER,
    detail TEXT NOT NULL
  );
  CREATE TABLE evidence (
    sha256 TEXT PRIMARY KEY,
    time INTEGER NOT NULL,
    size INTEGER NOT NULL,
    pinned INTEGER NOT NULL,
    meta TEXT NOT NULL,
    bytes BLOB NOT NULL
  );
  CREATE INDEX evidence_age ON evidence (pinned, time, size);
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  `,
  // Whose quota a content counts against, and a hash of the path that it was first read from.
  `
  ALTER TABLE evidence ADD COLUMN owner TEXT NOT NULL DEFAULT '';
  ALTER TABLE evidence ADD COLUMN item TEXT NOT NULL DEFAULT '';
  CREATE INDEX evidence_owner ON evidence (owner, pinned, time, size, item);
  CREATE INDEX evidence_item ON evidence (item, pinned, time);
  `,
  // An alert keeps one document as it grows. `update_of`: the destination has got an earlier revision of it.
  // `first_doc`: older documents were stored before the destination was known, and never queued for it.
  `
  ALTER TABLE outbox ADD COLUMN update_of INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE destinations ADD COLUMN first_doc INTEGER NOT NULL DEFAULT 0;
  `,
  // Of an alert from before: what its severity alone gives.
  `
  ALTER TABLE alerts ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
  UPDATE alerts SET priority = CASE severity WHEN 'critical' THEN 80 WHEN 'high' THEN 60 WHEN 'medium' THEN 40 ELSE 10 END;
  `,
  // How often each exception hid something.
  `
  CREATE TABLE exception_hits (
    id TEXT PRIMARY KEY,
    hits INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL
  ) WITHOUT ROWID;
  `,
  // Every persistent item with its history; `body` is an InventoryEntry.
  `
  CREATE TABLE inventory (
    item TEXT NOT NULL,
    key TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    gone INTEGER,
    baseline INTEGER NOT NULL,
    writer TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (item, key)
  ) WITHOUT ROWID;
  `,
  // The persistent item that an alert is about; empty when it is about none.
  "ALTER TABLE alerts ADD COLUMN item TEXT NOT NULL DEFAULT ''",
  // What was found out about an alert; `body` is a list of answers (`event/investigation.ts`).
  `
  CREATE TABLE investigations (
    alert TEXT PRIMARY KEY,
    time INTEGER NOT NULL,
    author TEXT NOT NULL,
    body TEXT NOT NULL
  ) WITHOUT ROWID;
  `,
  // Every state that a watched file was seen in; `body` is what it was besides, as JSON. `version_paths`: what belongs to
  // an item. `alert_hashes`: contents that an alert needs; `evidence_holds`: those that somebody else does.
  `
  CREATE TABLE versions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL,
    kind TEXT NOT NULL,
    time INTEGER NOT NULL,
    last INTEGER NOT NULL,
    gone INTEGER,
    digest TEXT NOT NULL,
    sha256 TEXT,
    size INTEGER NOT NULL,
    owner TEXT NOT NULL,
    body TEXT NOT NULL
  );
  CREATE INDEX versions_path ON versions (path, seq);
  CREATE INDEX versions_hash ON versions (sha256);
  CREATE INDEX versions_owner ON versions (owner, seq);
  CREATE TABLE version_paths (
    item TEXT NOT NULL,
    path TEXT NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (item, path)
  ) WITHOUT ROWID;
  CREATE INDEX version_paths_path ON version_paths (path, item);
  CREATE TABLE alert_hashes (
    sha256 TEXT NOT NULL,
    alert INTEGER NOT NULL,
    PRIMARY KEY (sha256, alert)
  ) WITHOUT ROWID;
  CREATE INDEX alert_hashes_alert ON alert_hashes (alert);
  CREATE TABLE evidence_holds (
    sha256 TEXT NOT NULL,
    holder TEXT NOT NULL,
    PRIMARY KEY (sha256, holder)
  ) WITHOUT ROWID;
  CREATE INDEX evidence_holds_holder ON evidence_holds (holder);
  CREATE INDEX IF NOT EXISTS alerts_item ON alerts (item);
  `,
  // What people do to an alert, and whose it is about. `tags`: each between two blanks. Of alerts that are not closed a
  // listing finds the newest and the gravest without reading the others.
  `
  ALTER TABLE alerts ADD COLUMN closed_as TEXT NOT NULL DEFAULT '';
  ALTER TABLE alerts ADD COLUMN closed_at INTEGER;
  ALTER TABLE alerts ADD COLUMN assignee TEXT NOT NULL DEFAULT '';
  ALTER TABLE alerts ADD COLUMN tags TEXT NOT NULL DEFAULT '';
  ALTER TABLE alerts ADD COLUMN user TEXT NOT NULL DEFAULT '';
  ALTER TABLE notes ADD COLUMN value TEXT NOT NULL DEFAULT '';
  UPDATE alerts SET closed_at = updated WHERE status = 'closed';
  CREATE INDEX alerts_waiting ON alerts (time) WHERE status <> 'closed';
  CREATE INDEX alerts_urgent ON alerts (priority, time) WHERE status <> 'closed';
  CREATE INDEX alerts_closed ON alerts (updated) WHERE status = 'closed';
  `,
  // What responses watch for afterwards, to tell when it comes back.
  `
  CREATE TABLE reinfection (
    response TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    alert TEXT NOT NULL,
    armed INTEGER NOT NULL,
    hits INTEGER NOT NULL DEFAULT 0,
    last INTEGER,
    PRIMARY KEY (response, kind, value)
  ) WITHOUT ROWID;
  `,
  // States that were called known good; `body` is an InventoryEntry.
  `
  CREATE TABLE baselines (
    name TEXT PRIMARY KEY,
    time INTEGER NOT NULL,
    author TEXT NOT NULL,
    reason TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE baseline_entries (
    baseline TEXT NOT NULL,
    item TEXT NOT NULL,
    key TEXT NOT NULL,
    time INTEGER NOT NULL,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (baseline, item, key)
  ) WITHOUT ROWID;
  `,
  // What a line of the listing says of an item, without its rows.
  `
  CREATE INDEX alerts_story ON alerts (item, priority, time, severity) WHERE status <> 'closed';
  `,
  // How the chain before this one ended, as JSON: a new database goes on from what stood beside the old one.
  `
  ALTER TABLE ledger ADD COLUMN chain_before TEXT NOT NULL DEFAULT '';
  `,
];

/**
 * events.db: raw observations, pruned by size; a flood of them must not slow down a commit of an alert. What the file
 * watcher remembers stands here too, so that an item and its event are kept or lost together when the power fails.
 */
export const eventsSchema: readonly string[] = [
  `
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    time INTEGER NOT NULL,
    nanos INTEGER NOT NULL,
    sequence REAL,
    body TEXT NOT NULL
  );
  CREATE INDEX events_time ON events (time);
  CREATE TABLE event_outbox (
    dest TEXT NOT NULL,
    doc INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_ms INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (dest, doc)
  ) WITHOUT ROWID;
  CREATE TABLE event_counts (
    dest TEXT PRIMARY KEY,
    delivered INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0,
    warnings INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    evicted INTEGER NOT NULL DEFAULT 0
  ) WITHOUT ROWID;
  CREATE TABLE items (
    path TEXT PRIMARY KEY,
    inode TEXT NOT NULL,
    ctime_nanos TEXT NOT NULL,
    size INTEGER NOT NULL,
    mode INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    gid INTEGER NOT NULL,
    type TEXT NOT NULL,
    sha256 TEXT
  ) WITHOUT ROWID;
  CREATE TABLE terms (
    rule TEXT NOT NULL,
    key TEXT NOT NULL,
    first INTEGER NOT NULL,
    previous INTEGER,
    last INTEGER NOT NULL,
    PRIMARY KEY (rule, key)
  ) WITHOUT ROWID;
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  `,
  // What happened to each persistent item. `detail`: what it is, what it was, and its steps, as JSON.
  `
  CREATE TABLE stories (
    item TEXT PRIMARY KEY,
    mechanism TEXT NOT NULL,
    path TEXT NOT NULL,
    label TEXT NOT NULL,
    stage TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    updates INTEGER NOT NULL,
    known INTEGER,
    detail TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX stories_last ON stories (last);
  `,
  // By what event the watcher told of an item last, in its own words.
  `
  ALTER TABLE items ADD COLUMN told TEXT;
  `,
];
