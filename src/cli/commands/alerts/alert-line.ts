import type { Alert } from '../../../event/alert.js';
import type { Severity } from '../../../event/rule-meta.js';
import { type Output, safe } from '../../output/output.js';
import type { StyleName } from '../../output/style.js';
import type { Column } from '../../output/table.js';

export const severityStyle: Record<Severity, StyleName> = {
  low: 'cyan',
  medium: 'yellow',
  high: 'red',
  critical: 'magenta',
};

export const alertColumns = ({ times }: Pick<Output, 'times'>): readonly Column[] => [
  { title: 'ID', style: () => 'bold' },
  { title: `TIME (${times.zone})` },
  { title: 'PRIORITY', style: (text) => severityStyle[text.split(' ')[0] as Severity] },
  { title: 'SEVERITY', style: (text) => severityStyle[text as Severity] },
  { title: 'STATUS', style: (text) => (text === 'open' ? undefined : 'dim') },
  { title: 'RULE', flexible: true },
  { title: 'SUBJECT', flexible: true },
];

/** What the alert is about, in one text: the file, else the command, else why it was made. */
export function subjectOf({ doc }: Alert): string {
  return safe(doc.file?.path) ?? safe(doc.process?.command_line) ?? safe(doc.event?.['reason']) ?? '';
}

/** The first characters of an id: enough to name it, since commands take any beginning that only one has. */
export function shortId(id: string): string {
  return id.slice(0, 12);
}

export function alertRow(alert: Alert, { times }: Pick<Output, 'times'>): string[] {
  return [
    safe(shortId(alert.id)) ?? '',
    times.at(alert.time),
    `${alert.priority.level} ${alert.priority.score}`,
    alert.severity,
    alert.status,
    safe(alert.ruleName) ?? '',
    subjectOf(alert),
  ];
}
