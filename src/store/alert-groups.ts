import type { Micros } from '../base/time.js';
import { levelOf } from '../event/priority.js';
import { type Severity, severities } from '../event/rule-meta.js';

/** The alerts about one persistent item, or one that is about none. */
export interface AlertGroup {
  /** Undefined for an alert that is about no item. */
  readonly item: string | undefined;
  /** Of the alerts that a query asks for: how many, the highest severity and priority, the event time of the newest. */
  readonly alerts: number;
  readonly severity: Severity;
  readonly score: number;
  readonly level: Severity;
  readonly time: Micros;
  /** Their ids: first the one with the highest priority, of several the newest. */
  readonly ids: readonly string[];
}

export interface GroupRow {
  readonly id: string;
  readonly item: string;
  readonly priority: number;
  readonly severity: Severity;
  readonly time: Micros;
}

/** Groups of rows that come newest first; the groups are in the order of their newest alert, or by priority. */
export function groupsOf(rows: readonly GroupRow[], order: 'time' | 'priority'): AlertGroup[] {
  const groups = new Map<string, GroupRow[]>();
  for (const row of rows) {
    const key = row.item === '' ? `#${row.id}` : row.item;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  const all = [...groups.values()].map(groupOf);
  return order === 'time' ? all : all.sort((a, b) => b.score - a.score || b.time - a.time);
}

function groupOf(rows: readonly GroupRow[]): AlertGroup {
  const ranked = [...rows].sort((a, b) => b.priority - a.priority || b.time - a.time);
  const [top] = ranked as [GroupRow];
  const severity = rows.reduce<Severity>(
    (most, row) => (severities.indexOf(row.severity) > severities.indexOf(most) ? row.severity : most),
    'low',
  );
  return {
    item: top.item === '' ? undefined : top.item,
    alerts: rows.length,
    severity,
    score: top.priority,
    level: levelOf(top.priority),
    time: rows.reduce((newest, { time }) => Math.max(newest, time), 0),
    ids: ranked.map(({ id }) => id),
  };
}
