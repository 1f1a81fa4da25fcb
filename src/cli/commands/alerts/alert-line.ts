import type { Alert } from '../../../event/alert.js';
import { meaningOf } from '../../../event/priority.js';
import type { Severity } from '../../../event/rule-meta.js';
import { type Output, safe } from '../../output/output.js';
import { at, listAt, objectsAt, textAt } from '../../output/read.js';
import type { StyleName } from '../../output/style.js';
import type { Column, tableLines } from '../../output/table.js';

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
  { title: 'SUBJECT', flexible: true, path: true },
];

/** What was done to the file of an alert, for readers: the event keeps the action as Elastic's rules know it. */
function changeWord({ doc }: Alert): string | undefined {
  const id = at(doc, 'launchwarden.alert.file_event_id');
  const event = objectsAt(doc, 'Events').find((one) => id !== undefined && at(one, 'event.id') === id);
  const types = listAt(event, 'event.type');
  if (types.includes('creation')) return 'created';
  if (types.includes('deletion')) return 'deleted';
  if (textAt(event, 'event.action') === 'rename') return 'renamed';
  return types.includes('change') ? 'changed' : undefined;
}

/** So many findings stand in a listing, the weightiest. */
const shownFindings = 5;

/** What was done and by whom, and what speaks against it, as sentences with their weights; empty when nothing is known. */
export function whyText(alert: Alert): string {
  const word = changeWord(alert);
  const user = safe(alert.doc.user?.name);
  const what = word === undefined ? [] : [user === undefined ? word : `${word}, user ${user}`];
  const reasons = alert.priority.reasons.slice(0, shownFindings).map(({ word: finding, weight }) => {
    return `${weight < 0 ? '' : '+'}${weight} ${safe(meaningOf(finding) ?? finding) ?? ''}`;
  });
  return [...what, ...reasons].join('; ').replaceAll('.; ', '; ');
}

/** How a table of alerts is printed: on a terminal with what speaks against each below its row. */
export function withWhy(out: Output, alerts: readonly Alert[]): Parameters<typeof tableLines>[2] {
  if (out.width === undefined) return out;
  const below = alerts.map((alert) => {
    const why = whyText(alert);
    return why === '' ? undefined : why;
  });
  return { style: out.style, width: out.width, below };
}

/** The findings as words with their weights: where a line is read by a program. */
export function findingWords({ priority }: Alert): string {
  return priority.reasons
    .slice(0, shownFindings)
    .map(({ word, weight }) => `${safe(word) ?? ''}${weight < 0 ? '' : '+'}${weight}`)
    .join(' ');
}

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
