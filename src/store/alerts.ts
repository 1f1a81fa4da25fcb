import type { Clock } from '../base/clock.js';
import { UserError } from '../base/errors.js';
import type { Micros } from '../base/time.js';
import {
  type Alert,
  type AlertContext,
  type AlertNote,
  type AlertStatus,
  agentAuthor,
  alertDocument,
  alertStatuses,
  type CloseReason,
  closeReasons,
  type Detection,
  type Settled,
  type StoryFields,
  withPriority,
} from '../event/alert.js';
import { type ChainEnd, type ChainFields, chained, linkDigest, revisedDigest } from '../event/chain.js';
import type { EcsDocument } from '../event/document.js';
import type { Event } from '../event/event.js';
import { levelOf, priorityIn } from '../event/priority.js';
import { type Severity, severityScore } from '../event/rule-meta.js';
import { itemOf } from '../event/story.js';
import { type AlertGroup, type GroupRow, groupColumns, groupOf } from './alert-groups.js';
import { alertFields, amendedDocument, eventIdsOf, grownDocument, hashesOf } from './alert-growth.js';
import { type AlertStats, alertStats } from './alert-stats.js';
import {
  afterChange,
  type TriageChange,
  type TriageOutcome,
  tagsOf,
  tagText,
  type WorkflowState,
  workflowFields,
} from './alert-workflow.js';
import { damagedDocument } from './damaged-document.js';
import type { DocumentOutbox } from './document-outbox.js';
import type { EvidenceStore } from './evidence.js';
import type { Ledger } from './ledger.js';
import { all, type Db, one } from './sqlite.js';

export type AlertChange = 'new' | 'grown' | 'same';

export interface AlertQuery {
  /** Event time, inclusive. */
  readonly since?: Micros;
  /** Event time, exclusive. */
  readonly until?: Micros;
  readonly severity?: Severity | readonly Severity[];
  readonly status?: AlertStatus | readonly AlertStatus[];
  readonly rule?: string | readonly string[];
  readonly assignee?: string | readonly string[];
  /** All of them. */
  readonly tag?: string | readonly string[];
  /** `user.name` of the document. */
  readonly user?: string | readonly string[];
  readonly closedAs?: CloseReason | readonly CloseReason[];
  /** `launchwarden.persistence.item_id`. */
  readonly item?: string;
  /** Id of an alert: only what stands after it in the list (older ones), for the next page. */
  readonly before?: string;
  /** The newest first, or what has the highest priority; `time` when absent. */
  readonly sort?: 'time' | 'priority';
  /** 1000 when absent. */
  readonly limit?: number;
}

interface AlertRow {
  seq: number;
  id: string;
  revision: number;
  rule_id: string;
  rule_name: string;
  severity: Severity;
  risk_score: number;
  priority: number;
  time: number;
  created: number;
  updated: number;
  status: AlertStatus;
  change: number;
  doc: number;
  item: string;
  closed_as: string;
  closed_at: number | null;
  assignee: string;
  tags: string;
  body: string;
}

/** Alerts that `groups` looks at, and ids that it names of one group. */
const mostGrouped = 200_000;
const mostOfGroup = 100;
/** Contents of an item's versions that a new alert keeps. */
const maxVersionsNeeded = 64;
/** Beyond it alerts are not counted one by one: a person waits for the number. */
export const mostCounted = 20_000;
/** Alerts that wait for a person, of which `waiting` looks at no more. */
const mostWaiting = 100_000;

const columns = `a.seq, a.id, a.revision, a.rule_id, a.rule_name, a.severity, a.risk_score, a.priority, a.time, a.created,
  a.updated, a.status, a.change, a.doc, a.item, a.closed_as, a.closed_at, a.assignee, a.tags, d.body FROM alerts a JOIN documents d ON d.seq = a.doc`;

/** Names of the destinations that are told; of a document, where they depend on it. */
export type Receivers = readonly string[] | ((doc: EcsDocument) => readonly string[]);

interface Commit {
  readonly id: string;
  readonly revision: number;
  readonly severity: Severity;
  readonly doc: EcsDocument;
  readonly destinations: readonly string[];
}

function asList<T>(value: T | readonly T[] | undefined): readonly T[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value as T];
}

/** Alerts with their documents, triage state and notes. Each method is one transaction. */
export class Alerts {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #outbox: DocumentOutbox;
  readonly #evidence: EvidenceStore;
  readonly #ledger: Ledger;
  readonly #sql;

  constructor(
    db: Db,
    parts: {
      readonly clock: Clock;
      readonly outbox: DocumentOutbox;
      readonly evidence: EvidenceStore;
      readonly ledger: Ledger;
    },
  ) {
    this.#db = db;
    this.#clock = parts.clock;
    this.#outbox = parts.outbox;
    this.#evidence = parts.evidence;
    this.#ledger = parts.ledger;
    this.#sql = {
      byId: db.prepare(`SELECT ${columns} WHERE a.id = ?`),
      bySeq: db.prepare(`SELECT ${columns} WHERE a.seq = ?`),
      byPrefix: db.prepare(`SELECT ${columns} WHERE a.id >= ? AND a.id < ? ORDER BY a.id LIMIT 6`),
      since: db.prepare('SELECT seq FROM alerts WHERE change > ? ORDER BY change LIMIT ?'),
      insert: db.prepare(
        `INSERT INTO alerts (id, revision, rule_id, rule_name, severity, risk_score, priority, time, created, updated,
          status, change, doc, item, user) VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?, ?, ?)`,
      ),
      grow: db.prepare(
        `UPDATE alerts SET revision = ?, rule_name = ?, priority = ?, time = ?, updated = ?, change = ?, doc = ?,
          item = ?, user = ? WHERE seq = ?`,
      ),
      move: db.prepare(
        `UPDATE alerts SET status = ?, closed_as = ?, closed_at = ?, assignee = ?, tags = ?, updated = ?, change = ?
          WHERE seq = ?`,
      ),
      assign: db.prepare('UPDATE alerts SET item = ? WHERE id = ?'),
      rename: db.prepare('UPDATE alerts SET item = ? WHERE item = ?'),
      link: db.prepare('INSERT OR IGNORE INTO alert_events (event, alert) VALUES (?, ?)'),
      linked: db.prepare('SELECT alert FROM alert_events WHERE event = ? ORDER BY alert'),
      amend: db.prepare('UPDATE alert_events SET amended = 1 WHERE event = ?'),
      amended: db.prepare('SELECT event FROM alert_events WHERE event = ? AND alert = ? AND amended = 1'),
      note: db.prepare(
        'INSERT INTO notes (alert, time, author, kind, text, value) VALUES (?, ?, ?, ?, ?, ?)',
      ),
      notes: db.prepare('SELECT time, author, kind, text, value FROM notes WHERE alert = ? ORDER BY seq'),
      ids: db.prepare('SELECT id FROM alerts ORDER BY change DESC LIMIT ?'),
      idsLike: db.prepare('SELECT id FROM alerts WHERE id >= ? AND id < ? ORDER BY id LIMIT ?'),
      waiting: db.prepare(
        `SELECT status, priority, count(*) AS alerts FROM
          (SELECT status, priority FROM alerts WHERE status <> 'closed' LIMIT ${mostWaiting}) GROUP BY status, priority`,
      ),
      counts: db.prepare('SELECT status, severity, count(*) AS rows FROM alerts GROUP BY status, severity'),
      prune: db.prepare(
        "SELECT seq, doc FROM alerts WHERE status = 'closed' AND updated < ? ORDER BY updated LIMIT 500",
      ),
      remove: db.prepare('DELETE FROM alerts WHERE seq = ?'),
      versions: db.prepare(
        `SELECT v.sha256 FROM version_paths p JOIN versions v
            ON v.seq IN (SELECT seq FROM versions WHERE path = p.path ORDER BY seq DESC LIMIT 2)
          WHERE p.item = ? AND v.sha256 IS NOT NULL LIMIT ${maxVersionsNeeded}`,
      ),
      need: db.prepare('INSERT OR IGNORE INTO alert_hashes (sha256, alert) VALUES (?, ?)'),
      removeNeeds: db.prepare('DELETE FROM alert_hashes WHERE alert = ?'),
      removeNotes: db.prepare('DELETE FROM notes WHERE alert = ?'),
      removeAnswers: db.prepare('DELETE FROM investigations WHERE alert = ?'),
      removeLink: db.prepare('DELETE FROM alert_events WHERE event = ? AND alert = ?'),
    };
  }

  /**
   * Commits what detection found, together with an outbox row for each destination. The same or less than is stored
   * changes nothing; more makes the next revision and sends that.
   */
  upsert(
    detection: Detection,
    context: AlertContext,
    destinations: readonly string[],
  ): { readonly alert: Alert; readonly change: AlertChange } {
    return this.#db
      .transaction(() => {
        const found = one<AlertRow>(this.#sql.byId, detection.id);
        const row = found && factsOf(found);
        if (row === undefined) return this.#insert(detection, context, destinations);
        const stored = documentOf(row);
        const doc = grownDocument(stored, detection, {
          version: stored.agent?.version ?? context.version,
          agentId: stored.agent?.id ?? context.agentId,
          created: row.created,
          sensors: context.sensors,
          simulated: stored.labels?.['launchwarden_simulated'] === true,
          amended: this.#amendedOf(row.seq, stored),
        });
        if (doc === undefined) return { alert: this.#alert(row), change: 'same' as const };
        this.#grow(row, doc, {
          destinations,
          time: Math.max(detection.time, row.time),
          now: context.created,
        });
        return { alert: this.#read(row.seq), change: 'grown' as const };
      })
      .immediate();
  }

  /** Puts an event's newer document into every alert that embeds it. Returns how many grew by it. */
  amendEvent(event: Event, destinations: readonly string[]): number {
    return this.#db
      .transaction(() => {
        let grown = 0;
        for (const { alert } of all<{ alert: number }>(this.#sql.linked, event.id)) {
          const found = one<AlertRow>(this.#sql.bySeq, alert);
          const row = found && factsOf(found);
          const doc = row && amendedDocument(documentOf(row), event);
          if (row === undefined || doc === undefined) continue;
          this.#grow(row, doc, { destinations, time: row.time, now: this.#clock.now() });
          grown++;
        }
        this.#sql.amend.run(event.id);
        return grown;
      })
      .immediate();
  }

  /** Newest event first. */
  list(query: AlertQuery = {}): Alert[] {
    const byPriority = query.sort === 'priority';
    const { filter, values } = this.#filterOf(query);
    if (filter === undefined) return [];
    const statement = this.#db.prepare(
      `SELECT ${columns} ${filter} ORDER BY ${byPriority ? 'a.priority DESC, ' : ''}a.time DESC, a.seq DESC LIMIT ?`,
    );
    return all<AlertRow>(statement, ...values, query.limit ?? 1000).map((row) => this.#alert(row));
  }

  /** How many a query asks for; of more than `mostCounted` one more than that. */
  count(query: AlertQuery = {}): number {
    const { filter, values } = this.#filterOf(query);
    if (filter === undefined) return 0;
    const some = `SELECT 1 FROM alerts a ${filter} LIMIT ${mostCounted + 1}`;
    return (
      one<{ rows: number }>(this.#db.prepare(`SELECT count(*) AS rows FROM (${some})`), ...values)?.rows ?? 0
    );
  }

  /** Alerts that are not closed, by status and level of priority; at most `mostWaiting` are counted. */
  waiting(): { readonly status: AlertStatus; readonly level: Severity; readonly alerts: number }[] {
    const rows = all<{ status: AlertStatus; priority: number; alerts: number }>(this.#sql.waiting);
    const counts = new Map<string, { status: AlertStatus; level: Severity; alerts: number }>();
    for (const { status, priority, alerts } of rows) {
      const level = levelOf(priority);
      const known = counts.get(`${status} ${level}`);
      if (known === undefined) counts.set(`${status} ${level}`, { status, level, alerts });
      else known.alerts += alerts;
    }
    return [...counts.values()];
  }

  /** Whether a query asks for any. */
  any(query: AlertQuery): boolean {
    const { filter, values } = this.#filterOf(query);
    return (
      filter !== undefined &&
      one(this.#db.prepare(`SELECT 1 FROM alerts a ${filter} LIMIT 1`), ...values) !== undefined
    );
  }

  /** What a query asks for, counted; `now` for the age of those that wait. */
  stats(query: AlertQuery, now: Micros): AlertStats {
    const { filter = 'WHERE 0', values } = this.#filterOf(query);
    return alertStats(this.#db, filter, values, now);
  }

  /** The ids of what a query asks for, newest event first; `limit` 1000 when absent. */
  idsOf(query: AlertQuery = {}): string[] {
    const { filter, values } = this.#filterOf(query);
    if (filter === undefined) return [];
    const statement = this.#db.prepare(
      `SELECT a.id FROM alerts a ${filter} ORDER BY a.time DESC, a.seq DESC LIMIT ?`,
    );
    return all<{ id: string }>(statement, ...values, query.limit ?? 1000).map(({ id }) => id);
  }

  /**
   * What a query asks for, one group for each persistent item, in the order of their newest or gravest alerts: at most its
   * `limit` (1000 when absent) of them, each with at most `mostIds` ids. At most `mostGrouped` alerts are looked at; `more`
   * says that there are others.
   */
  groups(
    query: AlertQuery = {},
    mostIds = mostOfGroup,
  ): { readonly groups: readonly AlertGroup[]; readonly more: boolean } {
    const { filter, values } = this.#filterOf(query);
    if (filter === undefined) return { groups: [], more: false };
    const limit = query.limit ?? 1000;
    const first = query.sort === 'priority' ? 'a.priority DESC, ' : '';
    const walk = this.#db.prepare(
      `SELECT a.id, a.item FROM alerts a ${filter} ORDER BY ${first}a.time DESC, a.seq DESC LIMIT ?`,
    );
    const keys = this.#db.attempt(() => {
      const found = new Map<string, { readonly id: string; readonly item: string }>();
      for (const row of walk.iterate(...values, mostGrouped) as Iterable<{ id: string; item: string }>) {
        const key = row.item === '' ? `#${row.id}` : row.item;
        if (found.has(key)) continue;
        found.set(key, row);
        if (found.size > limit) break;
      }
      return [...found.values()];
    });
    const and = filter === '' ? 'WHERE' : `${filter} AND`;
    const counts = this.#db.prepare(`SELECT ${groupColumns} FROM alerts a ${and} a.item = ?`);
    const ids = this.#db.prepare(
      `SELECT a.id FROM alerts a ${and} a.item = ? ORDER BY a.priority DESC, a.time DESC, a.seq DESC LIMIT ?`,
    );
    const single = this.#db.prepare(`SELECT ${groupColumns} FROM alerts a WHERE a.id = ?`);
    const groups = keys.slice(0, limit).map(({ id, item }) => {
      if (item === '') return groupOf(undefined, one<GroupRow>(single, id) as GroupRow, [id]);
      const named = all<{ id: string }>(ids, ...values, item, mostIds).map((row) => row.id);
      return groupOf(item, one<GroupRow>(counts, ...values, item) as GroupRow, named);
    });
    return { groups, more: keys.length > limit };
  }

  /** The condition of a query; undefined when it follows an alert that is not there. */
  #filterOf(query: AlertQuery): { readonly filter: string | undefined; readonly values: unknown[] } {
    const where: string[] = [];
    const values: unknown[] = [];
    const within = (column: string, wanted: readonly string[]) => {
      if (wanted.length === 0) return;
      where.push(`${column} IN (${wanted.map(() => '?').join(', ')})`);
      values.push(...wanted);
    };
    if (query.since !== undefined) where.push('a.time >= ?') && values.push(query.since);
    if (query.until !== undefined) where.push('a.time < ?') && values.push(query.until);
    within('a.severity', asList(query.severity));
    const status = asList(query.status);
    // As the partial indexes say it.
    if (status.length === 2 && !status.includes('closed')) where.push("a.status <> 'closed'");
    else if (status.length === 1 && status[0] === 'closed') where.push("a.status = 'closed'");
    else within('a.status', status);
    within('a.rule_id', asList(query.rule));
    within('a.assignee', asList(query.assignee));
    within('a.user', asList(query.user));
    within('a.closed_as', asList(query.closedAs));
    for (const tag of asList(query.tag)) where.push('instr(a.tags, ?) > 0') && values.push(` ${tag} `);
    if (query.item !== undefined) within('a.item', [query.item]);
    if (query.before !== undefined) {
      const last = this.#find(query.before);
      if (last === undefined) return { filter: undefined, values };
      const byPriority = query.sort === 'priority';
      const after = '(a.time < ? OR (a.time = ? AND a.seq < ?))';
      where.push(byPriority ? `(a.priority < ? OR (a.priority = ? AND ${after}))` : after);
      if (byPriority) values.push(last.priority, last.priority);
      values.push(last.time, last.time, last.seq);
    }
    return { filter: where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`, values };
  }

  /** By id or by a beginning that only one has; a beginning that several have is a UserError that names them. */
  get(idOrPrefix: string): Alert | undefined {
    const row = this.#find(idOrPrefix);
    return row === undefined ? undefined : this.#alert(row);
  }

  /** The most recently changed ids, for "did you mean". */
  ids(limit = 1000): string[] {
    return all<{ id: string }>(this.#sql.ids, limit).map(({ id }) => id);
  }

  /** Ids that begin so, at most `limit` of them. */
  idsLike(beginning: string, limit: number): string[] {
    return all<{ id: string }>(this.#sql.idsLike, beginning, `${beginning}\u{10ffff}`, limit).map(
      ({ id }) => id,
    );
  }

  /** `change` to a state. Undefined when there is no such alert. */
  setStatus(
    id: string,
    status: AlertStatus,
    by: { readonly author: string; readonly text: string },
  ): Alert | undefined {
    return this.change(id, { ...by, action: status })?.alert;
  }

  addNote(id: string, by: { readonly author: string; readonly text: string }): Alert | undefined {
    return this.change(id, { ...by, action: 'note' })?.alert;
  }

  /**
   * Does what a person wants done to an alert, keeps it as a note, and tells the destinations by a revision. What is so
   * already changes nothing. Undefined when there is no such alert.
   */
  change(
    id: string,
    change: TriageChange,
    destinations: Receivers = [],
  ): { readonly alert: Alert; readonly outcome: TriageOutcome } | undefined {
    return this.#db
      .transaction(() => {
        const row = this.#find(id);
        if (row === undefined) return undefined;
        const outcome = this.#change(factsOf(row), change, destinations);
        return { alert: this.#read(row.seq), outcome };
      })
      .immediate();
  }

  /** `change` of each of several alerts in one transaction; undefined stands for one that is not there. */
  changeAll(
    ids: readonly string[],
    change: TriageChange,
    destinations: Receivers = [],
  ): ({ readonly alert: Alert; readonly outcome: TriageOutcome } | undefined)[] {
    return this.#db.transaction(() => ids.map((id) => this.change(id, change, destinations))).immediate();
  }

  /**
   * Writes into an open alert that nobody has worked on why it needs nobody, and with `close` closes it; without a reason
   * takes that back, and opens it again when the agent had closed it. The destinations are told by a revision. Undefined
   * when there is nothing to change.
   */
  settle(
    id: string,
    settled: Settled | undefined,
    { destinations, close }: { readonly destinations: readonly string[]; readonly close: boolean },
  ): Alert | undefined {
    return this.#db
      .transaction(() => {
        const found = one<AlertRow>(this.#sql.byId, id);
        const row = found && factsOf(found);
        if (row === undefined) return undefined;
        const doc = documentOf(row);
        const { settled: old, ...fields } = alertFields(doc);
        const moves = all<AlertNote & object>(this.#sql.notes, row.seq).filter(({ kind }) => isStatus(kind));
        const isClosed = row.status === 'closed' && moves.at(-1)?.author === agentAuthor;
        if (settled === undefined ? old === undefined : row.status !== 'open' || moves.length > 0)
          return undefined;
        if (settled !== undefined && old?.text === settled.text) return undefined;
        const alert = settled === undefined ? fields : { ...fields, settled };
        const next = withPriority({ ...doc, launchwarden: { ...doc.launchwarden, alert } });
        if (settled === undefined ? !isClosed : !close) {
          this.#grow(row, next, { destinations, time: row.time, now: this.#clock.now() });
          return this.#read(row.seq);
        }
        const action = settled === undefined ? 'open' : 'closed';
        const text = settled === undefined ? 'there is more to it now' : `${settled.reason}: ${settled.text}`;
        this.#change(row, { author: agentAuthor, text, action }, destinations, next);
        return this.#read(row.seq);
      })
      .immediate();
  }

  /**
   * Writes into an alert where its item is in its life now: `launchwarden.story`. The destinations get a revision. False
   * when it says so already, or is closed.
   */
  tellStory(id: string, story: StoryFields, destinations: readonly string[]): boolean {
    return this.#db
      .transaction(() => {
        const found = one<AlertRow>(this.#sql.byId, id);
        const row = found && factsOf(found);
        if (row === undefined || row.status === 'closed') return false;
        const doc = documentOf(row);
        if ((doc.launchwarden?.['story'] as Partial<StoryFields> | undefined)?.stage === story.stage)
          return false;
        const next = { ...doc, launchwarden: { ...doc.launchwarden, story } };
        this.#grow(row, next, { destinations, time: row.time, now: this.#clock.now() });
        return true;
      })
      .immediate();
  }

  /** Puts the alerts of one item into the story of another: it was only that one's temporary name. */
  moveItem(from: string, to: string): number {
    return this.#db.transaction(() => this.#sql.rename.run(to, from).changes).immediate();
  }

  /** Puts one alert, which is about no item of its own, into the story of an item. */
  assignItem(id: string, item: string): void {
    this.#sql.assign.run(item, id);
  }

  /** The alerts whose documents speak of an event. */
  ofEvent(eventId: string): Alert[] {
    return all<{ alert: number }>(this.#sql.linked, eventId).flatMap(({ alert }) => {
      const row = one<AlertRow>(this.#sql.bySeq, alert);
      return row === undefined ? [] : [this.#alert(row)];
    });
  }

  /** What changed after `seq` (0: everything), oldest change first, and the number to ask with next time. */
  changesSince(seq: number, limit = 1000): { readonly alerts: Alert[]; readonly seq: number } {
    // Most calls find nothing new: the ledger says so without a look at the alerts.
    if (this.lastChange() <= seq) return { alerts: [], seq };
    // One without its document is damaged, and passed over.
    const rows = all<{ seq: number }>(this.#sql.since, seq, limit).flatMap(
      (row) => one<AlertRow>(this.#sql.bySeq, row.seq) ?? [],
    );
    return { alerts: rows.map((row) => this.#alert(row)), seq: rows.at(-1)?.change ?? seq };
  }

  /** The number of the newest change: `changesSince` with it gives only what comes from now on. */
  lastChange(): number {
    return this.#ledger.read().change;
  }

  counts(): { status: AlertStatus; severity: Severity; rows: number }[] {
    return all(this.#sql.counts);
  }

  /**
   * The chain over every document committed: how many, and the digest that the last one carries in
   * `launchwarden.chain.digest`. `id` is drawn once per database, so that a wiped database is seen as one; `before` says
   * how the chain before ended.
   */
  chain(): ChainEnd & { readonly before?: ChainEnd } {
    return this.#ledger.chain();
  }

  /** Forgets closed alerts that nothing touched since `before`, at most 500 a call. Returns how many. */
  prune(before: Micros): number {
    return this.#db
      .transaction(() => {
        const rows = all<{ seq: number; doc: number }>(this.#sql.prune, before);
        for (const { seq, doc } of rows) {
          const alert = this.#read(seq);
          for (const event of eventIdsOf(alert.doc)) this.#sql.removeLink.run(event, seq);
          this.#sql.removeNotes.run(seq);
          this.#sql.removeAnswers.run(alert.id);
          this.#sql.removeNeeds.run(seq);
          this.#sql.remove.run(seq);
          this.#outbox.release(doc);
        }
        return rows.length;
      })
      .immediate();
  }

  #insert(detection: Detection, context: AlertContext, destinations: readonly string[]) {
    const { rule, id, time } = detection;
    const { created } = context;
    const doc = alertDocument(detection, context);
    const { seq, change } = this.#commit({ id, revision: 1, severity: rule.severity, doc, destinations });
    const { severity, riskScore, name } = rule;
    const priority = priorityIn(doc, severity);
    const added = this.#sql.insert.run(
      id,
      rule.id,
      name,
      severity,
      riskScore,
      priority.score,
      time,
      created,
      created,
      change,
      seq,
      itemOf(doc) ?? '',
      userOf(doc),
    );
    this.#bind(Number(added.lastInsertRowid), doc);
    this.#needVersions(Number(added.lastInsertRowid), itemOf(doc) ?? '');
    const alert: Alert = {
      ...{ id, revision: 1, ruleId: rule.id, ruleName: name, severity, riskScore, priority, time },
      ...{ created, updated: created, status: 'open', tags: [], doc, notes: [] },
      ...aboutItem(itemOf(doc)),
    };
    return { alert, change: 'new' as const };
  }

  /**
   * Stores a grown document in the place of the one before. The alert keeps its link of the chain, which its first
   * document made: a revision that was replaced before it was sent leaves no hole in the chain.
   */
  #grow(
    row: AlertRow,
    doc: EcsDocument,
    how: { readonly destinations: readonly string[]; readonly time: Micros; readonly now: Micros },
  ): void {
    const { id, rule_name, doc: seq } = row;
    const { severity } = factsOf(row);
    const revision = row.revision + 1;
    alertFields(doc).revision = revision;
    const before = documentOf(row);
    const chain = before.launchwarden?.['chain'] as ChainFields | undefined;
    const body =
      chain === undefined
        ? JSON.stringify(doc)
        : chained(doc, (content) => ({ ...chain, revised: revisedDigest(chain.digest, revision, content) }));
    const { change } = this.#ledger.update((ledger) => ledger.change++);
    const document = { seq, id, revision, rank: severityScore[severity], body };
    this.#outbox.revise(document, how.destinations, Math.floor(this.#clock.now() / 1000));
    // What was moved to the story of another item stays there.
    const item = itemOf(doc) === itemOf(before) ? row.item : (itemOf(doc) ?? '');
    const { score } = priorityIn(doc, severity);
    this.#sql.grow.run(
      revision,
      rule_name,
      score,
      how.time,
      how.now,
      change,
      seq,
      item,
      userOf(doc),
      row.seq,
    );
    this.#bind(row.seq, doc);
  }

  /** What the document speaks of: its events, to be amended, and the files it names, to be kept. */
  #bind(alert: number, doc: EcsDocument): void {
    const score = Number(doc.event?.['severity'] ?? 1);
    for (const event of eventIdsOf(doc)) this.#sql.link.run(event, alert);
    for (const sha256 of hashesOf(doc)) {
      this.#sql.need.run(sha256, alert);
      this.#evidence.pin(sha256, score);
    }
  }

  /** What its item was, and what it is: to be compared, and to be restored. */
  #needVersions(alert: number, item: string): void {
    if (item === '') return;
    for (const { sha256 } of all<{ sha256: string }>(this.#sql.versions, item)) {
      this.#sql.need.run(sha256, alert);
      this.#evidence.pin(sha256);
    }
  }

  /** Writes a document with its place in the chain, and its outbox rows. Returns its number and the change's. */
  #commit(commit: Commit): { readonly seq: number; readonly change: number } {
    const { id, revision, doc } = commit;
    alertFields(doc).revision = revision;
    let body = '';
    const ledger = this.#ledger.update((row) => {
      const [previous, index] = [row.chainHead, row.chainLength + 1];
      body = chained(doc, (content) => {
        const link = { id: row.chainId, index, previous, content };
        const first = index === 1 && row.chainBefore !== '';
        row.chainHead = linkDigest(link, id);
        return {
          ...{ ...link, digest: row.chainHead },
          ...(first ? { before: JSON.parse(row.chainBefore) as ChainEnd } : {}),
        };
      });
      row.chainLength = index;
      row.change++;
      row.doc++;
    });
    const rank = severityScore[commit.severity];
    const document = { seq: ledger.doc, id, revision, rank, body };
    this.#outbox.insert(document, { lane: 'alert', destinations: commit.destinations, kept: true });
    return { seq: ledger.doc, change: ledger.change };
  }

  /** `next`: a document that is to be stored whatever becomes of the change. */
  #change(row: AlertRow, change: TriageChange, receivers: Receivers, next?: EcsDocument): TriageOutcome {
    const now = this.#clock.now();
    const before = stateOf(row);
    const { outcome, state } = afterChange(before, change, now);
    const doc = next ?? wholeDocument(row);
    if (outcome === 'changed') {
      const { author, action, text, value = '' } = change;
      this.#sql.note.run(row.seq, now, author.slice(0, 200), action, text.slice(0, 65_536), value);
    }
    if (doc !== undefined && (outcome === 'changed' || next !== undefined)) {
      const notes = all<AlertNote & object>(this.#sql.notes, row.seq);
      const alert = {
        ...alertFields(doc),
        ...(notes.length === 0 ? {} : { workflow: workflowFields(state, notes) }),
      };
      const told = { ...doc, launchwarden: { ...doc.launchwarden, alert } };
      const destinations = typeof receivers === 'function' ? receivers(doc) : receivers;
      this.#grow(row, told, { destinations, time: row.time, now });
    }
    if (outcome !== 'changed') return outcome;
    const { status, closedAs, closedAt, assignee, tags } = state;
    const number = this.#ledger.update((ledger) => ledger.change++).change;
    this.#sql.move.run(status, closedAs, closedAt, assignee, tagText(tags), now, number, row.seq);
    return outcome;
  }

  #amendedOf(seq: number, doc: EcsDocument): ReadonlySet<string> {
    return new Set(eventIdsOf(doc).filter((event) => one(this.#sql.amended, event, seq) !== undefined));
  }

  #find(idOrPrefix: string): AlertRow | undefined {
    const exact = one<AlertRow>(this.#sql.byId, idOrPrefix);
    if (exact !== undefined || idOrPrefix === '') return exact;
    const rows = all<AlertRow>(this.#sql.byPrefix, idOrPrefix, `${idOrPrefix}\u{10ffff}`);
    if (rows.length < 2) return rows[0];
    throw new UserError(
      'store/ambiguous-id',
      `${rows.length > 5 ? 'more than 5' : rows.length} alerts have an id that begins with ${idOrPrefix}`,
      {
        hint: `Write more of it: ${rows
          .slice(0, 5)
          .map((row) => row.id)
          .join(', ')}.`,
      },
    );
  }

  #row(seq: number): AlertRow {
    const row = one<AlertRow>(this.#sql.bySeq, seq);
    if (row !== undefined) return row;
    throw Object.assign(new Error(`alert ${seq} has no document`), { code: 'SQLITE_CORRUPT' });
  }

  #read(seq: number): Alert {
    return this.#alert(this.#row(seq));
  }

  #alert(row: AlertRow): Alert {
    const facts = factsOf(row);
    const doc = documentOf(row);
    return {
      id: row.id,
      revision: facts.revision,
      ruleId: row.rule_id,
      ruleName: row.rule_name,
      severity: facts.severity,
      riskScore: facts.risk_score,
      priority: priorityIn(doc, facts.severity),
      time: facts.time,
      created: facts.created,
      updated: timeOf(row.updated),
      ...workflowOf(row),
      doc,
      ...aboutItem(row.item),
      notes: all<AlertNote & object>(this.#sql.notes, row.seq),
    };
  }
}

const isStatus = (text: unknown): text is AlertStatus => alertStatuses.some((status) => status === text);
const isReason = (text: unknown): text is CloseReason => closeReasons.some((reason) => reason === text);

/** The columns of a row that people's work is kept in, whatever a failing disk made of them. */
function stateOf(row: AlertRow): WorkflowState {
  return {
    status: isStatus(row.status) ? row.status : 'open',
    closedAs: isReason(row.closed_as) ? row.closed_as : '',
    closedAt: Number.isSafeInteger(row.closed_at) ? row.closed_at : null,
    assignee: typeof row.assignee === 'string' ? row.assignee : '',
    tags: tagsOf(row.tags),
  };
}

function workflowOf(row: AlertRow): Pick<Alert, 'status' | 'closedAs' | 'closedAt' | 'assignee' | 'tags'> {
  const { status, closedAs, closedAt, assignee, tags } = stateOf(row);
  return {
    status,
    ...(closedAs === '' ? {} : { closedAs }),
    ...(closedAt === null ? {} : { closedAt }),
    ...(assignee === '' ? {} : { assignee }),
    tags,
  };
}

/** `user.name` of a document, else its id; empty when it names nobody. */
function userOf({ user }: EcsDocument): string {
  const name: unknown = user?.name ?? user?.id;
  return typeof name === 'string' ? name.slice(0, 200) : '';
}

function aboutItem(item: string | undefined): Pick<Alert, 'item'> {
  return item === undefined || item === '' ? {} : { item };
}

function timeOf(value: unknown): Micros {
  return Number.isSafeInteger(value) ? (value as Micros) : 0;
}

/** The columns, whatever a failing disk made of them: a damaged row keeps nobody from reading the others. */
function factsOf(row: AlertRow): AlertRow {
  return {
    ...row,
    revision: Number.isSafeInteger(row.revision) ? row.revision : 1,
    severity: severityScore[row.severity] === undefined ? 'high' : row.severity,
    risk_score: Number.isFinite(row.risk_score) ? row.risk_score : severityScore.high,
    time: timeOf(row.time),
    created: timeOf(row.created),
  };
}

function documentOf(row: AlertRow): EcsDocument {
  return wholeDocument(row) ?? damagedDocument(factsOf(row));
}

/** Undefined of one that a failing disk made illegible: what is left of it is not written over. */
function wholeDocument(row: AlertRow): EcsDocument | undefined {
  try {
    const doc = JSON.parse(row.body) as EcsDocument | null;
    return isWhole(doc) ? doc : undefined;
  } catch {
    return undefined;
  }
}

/** Has what is read of it without a look whether it is there. */
function isWhole(doc: EcsDocument | null): doc is EcsDocument {
  if (typeof doc !== 'object' || doc === null) return false;
  const fields = doc.launchwarden?.['alert'] as Partial<ReturnType<typeof alertFields>> | undefined;
  return Array.isArray(fields?.candidates) && Array.isArray(fields.sensors);
}
