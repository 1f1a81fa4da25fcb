import { ExitCode } from '../../../base/errors.js';
import { formatMicros } from '../../../base/time.js';
import type { Alert } from '../../../event/alert.js';
import type { AlertQuery, Store } from '../../../store/index.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { csvLine } from '../../output/csv.js';
import { at } from '../../output/read.js';
import { oneOf, wholeNumber } from '../../values.js';
import { alertFields, alertSchema } from './alert-document.js';
import { alertQuery, filterOptions } from './filters.js';
import { eachPage } from './pages.js';

function text(doc: unknown, path: string): string {
  const found = at(doc, path);
  if (Array.isArray(found)) return found.filter((one) => typeof one === 'string').join(' ');
  return found === undefined || found === null ? '' : String(found);
}

const columns: readonly (readonly [title: string, cell: (alert: Alert) => string | number | undefined])[] = [
  ['id', ({ id }) => id],
  ['time', ({ time }) => formatMicros(time)],
  ['created', ({ created }) => formatMicros(created)],
  ['updated', ({ updated }) => formatMicros(updated)],
  ['status', ({ status }) => status],
  ['closed_as', ({ closedAs }) => closedAs],
  ['closed_at', ({ closedAt }) => (closedAt === undefined ? undefined : formatMicros(closedAt))],
  ['assignee', ({ assignee }) => assignee],
  ['tags', ({ tags }) => tags.join(' ')],
  ['priority', ({ priority }) => priority.score],
  ['priority_level', ({ priority }) => priority.level],
  ['severity', ({ severity }) => severity],
  ['risk_score', ({ riskScore }) => riskScore],
  ['rule_id', ({ ruleId }) => ruleId],
  ['rule_name', ({ ruleName }) => ruleName],
  ['host', ({ doc }) => text(doc, 'host.name')],
  ['user', ({ doc }) => text(doc, 'user.name')],
  ['file_path', ({ doc }) => text(doc, 'file.path')],
  ['sha256', ({ doc }) => text(doc, 'file.hash.sha256')],
  ['label', ({ doc }) => text(doc, 'launchwarden.plist.label')],
  ['process', ({ doc }) => text(doc, 'process.executable')],
  ['command_line', ({ doc }) => text(doc, 'process.command_line')],
  ['findings', ({ doc }) => text(doc, 'launchwarden.findings')],
  ['reason', ({ doc }) => text(doc, 'event.reason')],
];

export const alertsExport = defineCommand({
  description:
    'Writes every alert that the filters let through, closed ones too, newest first, to standard output. CSV has one line an alert and is\n' +
    'inert in a spreadsheet: what would begin a formula there has an apostrophe before it.',
  options: {
    ...filterOptions,
    format: value('--format FORMAT', 'ndjson (default) or csv', oneOf('--format', ['ndjson', 'csv'])),
    limit: value('--limit N', 'at most so many', wholeNumber('--limit', 1)),
    json: flag('--json', 'as --format ndjson'),
  },
  examples: [
    { line: 'launchwarden alerts export --since 30d --format csv', says: 'for a spreadsheet' },
    { line: 'launchwarden alerts export --closed-as true-positive', says: 'with the ECS documents' },
  ],
  needs: 'read access to the data directory (root, when the agent runs as a daemon)',
  async handler({ context, options }) {
    const { out, io } = context;
    const asked = await alertQuery(context, options);
    const query: AlertQuery = { ...asked, limit: options.limit ?? Number.MAX_SAFE_INTEGER };
    const csv = options.format === 'csv' && !options.json;
    if (csv) io.stdout.write(csvLine(columns.map(([title]) => title)));
    await context.withStore((store: Store) =>
      eachPage(store, query, (page) => {
        for (const alert of page) {
          if (csv) io.stdout.write(csvLine(columns.map(([, cell]) => cell(alert))));
          else out.document(alertSchema, alertFields(alert));
        }
      }),
    );
    return ExitCode.ok;
  },
});
