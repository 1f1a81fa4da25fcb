import type { Micros } from '../base/time.js';
import { all, type Db, one } from './sqlite.js';

export interface Counted {
  readonly name: string;
  readonly alerts: number;
  /** Of them: open or acknowledged. */
  readonly waiting: number;
}

/** Alerts of a query, counted. */
export interface AlertStats {
  readonly alerts: number;
  readonly status: readonly Counted[];
  readonly severity: readonly Counted[];
  /** By level. */
  readonly priority: readonly Counted[];
  /** `name`: the newest name of the rule; the ones with the most alerts. */
  readonly rules: readonly (Counted & { readonly id: string })[];
  /** Name empty: the alert names none. */
  readonly users: readonly Counted[];
  readonly assignees: readonly Counted[];
  /** Of closed ones; name empty: no reason was given. */
  readonly closedAs: readonly Counted[];
  /** Of those that wait, by the time since they were stored; `below` in microseconds, the last without. */
  readonly age: readonly { readonly below: number | undefined; readonly alerts: number }[];
  /** From being stored to being closed, microseconds; undefined when none is closed. */
  readonly toClose:
    | { readonly alerts: number; readonly median: number; readonly p90: number; readonly most: number }
    | undefined;
}

const hour = 3_600_000_000;
const ages = [hour, 24 * hour, 7 * 24 * hour, 30 * 24 * hour];
const mostNames = 20;

/** `filter`: a WHERE clause about `alerts a`, or empty. */
export function alertStats(db: Db, filter: string, values: readonly unknown[], now: Micros): AlertStats {
  const by = (expression: string, limit = mostNames) =>
    all<Counted>(
      db.prepare(
        `SELECT ${expression} AS name, count(*) AS alerts, sum(a.status <> 'closed') AS waiting FROM alerts a ${filter}
          GROUP BY 1 ORDER BY alerts DESC, name LIMIT ?`,
      ),
      ...values,
      limit,
    );
  const and = filter === '' ? 'WHERE' : `${filter} AND`;
  const level = `CASE WHEN a.priority >= 80 THEN 'critical' WHEN a.priority >= 60 THEN 'high'
    WHEN a.priority >= 40 THEN 'medium' ELSE 'low' END`;
  const bucket = `CASE ${ages.map((age, index) => `WHEN a.created > ${now - age} THEN ${index}`).join(' ')} ELSE ${ages.length} END`;
  const waiting = new Map(
    all<{ bucket: number; alerts: number }>(
      db.prepare(
        `SELECT ${bucket} AS bucket, count(*) AS alerts FROM alerts a ${and} a.status <> 'closed' GROUP BY 1`,
      ),
      ...values,
    ).map((row) => [row.bucket, row.alerts]),
  );
  return {
    alerts:
      one<{ rows: number }>(db.prepare(`SELECT count(*) AS rows FROM alerts a ${filter}`), ...values)?.rows ??
      0,
    status: by('a.status'),
    severity: by('a.severity'),
    priority: by(level),
    rules: all<Counted & { id: string }>(
      db.prepare(
        `SELECT a.rule_id AS id, a.rule_name AS name, max(a.seq) AS newest, count(*) AS alerts,
          sum(a.status <> 'closed') AS waiting FROM alerts a ${filter} GROUP BY 1 ORDER BY alerts DESC, id LIMIT ?`,
      ),
      ...values,
      mostNames,
    ),
    users: by('a.user'),
    assignees: by('a.assignee'),
    closedAs: all<Counted>(
      db.prepare(
        `SELECT a.closed_as AS name, count(*) AS alerts, 0 AS waiting FROM alerts a ${and} a.status = 'closed'
          GROUP BY 1 ORDER BY alerts DESC, name`,
      ),
      ...values,
    ),
    age: [...ages, undefined].map((below, index) => ({ below, alerts: waiting.get(index) ?? 0 })),
    toClose: timeToClose(db, and, values),
  };
}

function timeToClose(db: Db, and: string, values: readonly unknown[]): AlertStats['toClose'] {
  const closed = `FROM alerts a ${and} a.status = 'closed' AND a.closed_at >= a.created`;
  const alerts = one<{ rows: number }>(db.prepare(`SELECT count(*) AS rows ${closed}`), ...values)?.rows ?? 0;
  if (alerts === 0) return undefined;
  const nth = db.prepare(`SELECT a.closed_at - a.created AS took ${closed} ORDER BY took LIMIT 1 OFFSET ?`);
  const at = (share: number) =>
    one<{ took: number }>(nth, ...values, Math.min(alerts - 1, Math.floor(alerts * share)))?.took ?? 0;
  return { alerts, median: at(0.5), p90: at(0.9), most: at(1) };
}
