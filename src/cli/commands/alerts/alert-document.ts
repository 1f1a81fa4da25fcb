import { formatMicros } from '../../../base/time.js';
import type { Alert } from '../../../event/alert.js';

export const alertSchema = 'alert/1';

/** The fields of a `launchwarden.alert/1` document: triage state, and the ECS document as it is forwarded. */
export function alertFields(alert: Alert): object {
  return {
    id: alert.id,
    revision: alert.revision,
    status: alert.status,
    severity: alert.severity,
    risk_score: alert.riskScore,
    priority: alert.priority,
    item: alert.item ?? null,
    rule_id: alert.ruleId,
    rule_name: alert.ruleName,
    time: formatMicros(alert.time),
    created: formatMicros(alert.created),
    updated: formatMicros(alert.updated),
    closed_as: alert.closedAs ?? null,
    closed_at: alert.closedAt === undefined ? null : formatMicros(alert.closedAt),
    assignee: alert.assignee ?? null,
    tags: alert.tags,
    notes: alert.notes.map(({ time, author, kind, value, text }) => ({
      time: formatMicros(time),
      author,
      kind,
      ...(value === '' ? {} : { value }),
      text,
    })),
    doc: alert.doc,
  };
}
