import { ExitCode } from '../../../base/errors.js';
import { formatMicros } from '../../../base/time.js';
import type { Alert } from '../../../event/alert.js';
import type { Severity } from '../../../event/rule-meta.js';
import type { AlertQuery, Store } from '../../../store/index.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { safe } from '../../output/output.js';
import type { StyleName } from '../../output/style.js';
import { type Column, tableLines } from '../../output/table.js';
import { oneOf, wholeNumber } from '../../values.js';
import { alertFields, alertSchema } from './alert-document.js';
import { alertQuery, filterOptions } from './filters.js';

// Documents are read in pages, so that a listing of any length takes the memory of one.
const pageSize = 200;
const defaultLimit = 100;

export const severityStyle: Record<Severity, StyleName> = {
  low: 'cyan',
  medium: 'yellow',
  high: 'red',
  critical: 'magenta',
};

export const alertColumns: readonly Column[] = [
  { title: 'ID', style: () => 'bold' },
  { title: 'TIME (UTC)' },
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

export function alertRow(alert: Alert): string[] {
  return [
    safe(shortId(alert.id)) ?? '',
    formatMicros(alert.time).slice(0, 19).replace('T', ' '),
    `${alert.priority.level} ${alert.priority.score}`,
    alert.severity,
    alert.status,
    safe(alert.ruleName) ?? '',
    subjectOf(alert),
  ];
}

/** Hands over the alerts of a query page by page, in its order. */
function eachPage(store: Store, query: AlertQuery, take: (page: readonly Alert[]) => void): void {
  let left = query.limit ?? 0;
  let before: string | undefined;
  while (left > 0) {
    const limit = Math.min(left, pageSize);
    const page = store.alerts.list({ ...query, limit, ...(before === undefined ? {} : { before }) });
    take(page);
    left -= page.length;
    before = page.at(-1)?.id;
    if (page.length < limit) return;
  }
}

export const alertsList = defineCommand({
  description: 'Without --limit the newest 100 are listed.',
  options: {
    ...filterOptions,
    sort: value('--sort ORDER', 'time (default) or priority', oneOf('--sort', ['time', 'priority'])),
    limit: value('--limit N', 'at most so many', wholeNumber('--limit', 1)),
    json: flag('--json', 'one JSON document a line (NDJSON)'),
  },
  examples: [
    {
      line: 'launchwarden alerts list --since 24h --status open',
      says: 'what came in since yesterday and waits',
    },
    { line: 'launchwarden alerts list --sort priority', says: 'what to look at first' },
    { line: 'launchwarden alerts list --severity medium,high --json', says: 'for a script' },
  ],
  needs: 'read access to the data directory (root, when the agent runs as a daemon)',
  async handler({ context, options }) {
    const { out } = context;
    const query = {
      ...(await alertQuery(context, options)),
      ...(options.sort === undefined ? {} : { sort: options.sort }),
      limit: options.limit ?? defaultLimit,
    };
    const rows: string[][] = [];
    await context.withStore((store) => {
      eachPage(store, query, (page) => {
        if (options.json) for (const alert of page) out.document(alertSchema, alertFields(alert));
        else rows.push(...page.map(alertRow));
      });
    });
    if (options.json) return ExitCode.ok;
    if (rows.length === 0) out.line('No alerts.');
    else for (const line of tableLines(alertColumns, rows, out)) out.line(line);
    return ExitCode.ok;
  },
});
