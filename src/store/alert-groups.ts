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
  /** Their ids, at most as many as were asked for: first the one with the highest priority, of several the newest. */
  readonly ids: readonly string[];
}

/** A group as the database counts it. */
export interface GroupRow {
  readonly alerts: number;
  /** The highest, as an index of `severities`. */
  readonly severity: number;
  /** The highest. */
  readonly priority: number;
  /** Of the newest. */
  readonly time: Micros;
}

/** The columns of a GroupRow, of alerts `a`. */
export const groupColumns = `count(*) AS alerts, max(a.priority) AS priority, max(a.time) AS time,
  max(CASE a.severity ${severities.map((word, rank) => `WHEN '${word}' THEN ${rank}`).join(' ')} ELSE 0 END) AS severity`;

export function groupOf(
  item: string | undefined,
  { alerts, severity, priority, time }: GroupRow,
  ids: readonly string[],
): AlertGroup {
  const level = levelOf(priority);
  return { item, alerts, severity: severities[severity] ?? 'low', score: priority, level, time, ids };
}
