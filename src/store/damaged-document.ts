import { formatMicros } from '../base/time.js';
import type { EcsDocument } from '../event/document.js';
import { type Severity, severityScore } from '../event/rule-meta.js';

/** The columns of an alert that say what it is about. */
export interface AlertFacts {
  readonly id: string;
  readonly rule_id: string;
  readonly rule_name: string;
  readonly severity: Severity;
  readonly risk_score: number;
  readonly time: number;
  readonly created: number;
}

/** What stands for the document of an alert whose own cannot be read any more: the alert itself stays known. */
export function damagedDocument(alert: AlertFacts): EcsDocument {
  const { id, rule_id, rule_name, severity, risk_score, time, created } = alert;
  return {
    '@timestamp': formatMicros(time),
    message: rule_name,
    ecs: { version: '8.11.0' },
    data_stream: { type: 'logs', dataset: 'launchwarden.alerts', namespace: 'default' },
    event: {
      kind: 'alert',
      module: 'launchwarden',
      dataset: 'launchwarden.alerts',
      category: ['intrusion_detection'],
      type: ['info'],
      action: 'rule-match',
      id,
      created: formatMicros(created),
      severity: severityScore[severity] ?? severityScore.high,
      risk_score,
      reason: 'the stored document of this alert is damaged',
    },
    rule: { id: rule_id, uuid: rule_id, name: rule_name },
    launchwarden: {
      alert: {
        kind: 'match',
        damaged: true,
        repeats: 0,
        suppressed: 0,
        candidates: [],
        candidate_count: 0,
        sensors: [],
      },
    },
  };
}
