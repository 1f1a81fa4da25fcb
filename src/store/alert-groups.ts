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
  /** Their ids, at most 100: first the one with the highest priority, of several the newest. */
  readonly ids: readonly string[];
}

/** The alerts of a group that have one severity. */
export interface GroupRow {
  readonly severity: Severity;
  readonly alerts: number;
  /** The highest. */
  readonly priority: number;
  /** Of the newest. */
  readonly time: Micros;
}

export function groupOf(
  item: string | undefined,
  rows: readonly GroupRow[],
  ids: readonly string[],
): AlertGroup {
  const score = rows.reduce((most, { priority }) => Math.max(most, priority), 0);
  return {
    item,
    alerts: rows.reduce((sum, { alerts }) => sum + alerts, 0),
    severity: rows.reduce<Severity>(
      (most, { severity }) => (severities.indexOf(severity) > severities.indexOf(most) ? severity : most),
      'low',
    ),
    score,
    level: levelOf(score),
    time: rows.reduce((newest, { time }) => Math.max(newest, time), 0),
    ids,
  };
}
