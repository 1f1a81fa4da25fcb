import { things } from '../../../base/count.js';
import { ExitCode } from '../../../base/errors.js';
import { formatDuration } from '../../../base/time.js';
import { severities } from '../../../event/rule-meta.js';
import type { AlertStats } from '../../../store/index.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag } from '../../define-command.js';
import { counted, safe } from '../../output/output.js';
import { tableLines } from '../../output/table.js';
import { alertQuery, filterOptions } from './filters.js';

type Row = { readonly name: string; readonly alerts: number; readonly waiting?: number };

function printTable({ out }: CommandContext, title: string, rows: readonly Row[]): void {
  if (rows.length === 0) return;
  out.line();
  const withWaiting = rows.some(({ waiting }) => waiting !== undefined);
  const columns = [
    { title, flexible: true },
    { title: 'ALERTS', right: true },
    ...(withWaiting ? [{ title: 'WAITING', right: true }] : []),
  ];
  const cells = rows.map(({ name, alerts, waiting }) => [
    safe(name) ?? '(none)',
    counted(alerts),
    ...(withWaiting ? [counted(waiting ?? 0)] : []),
  ]);
  for (const line of tableLines(columns, cells, out)) out.line(line);
}

const byGravity = (rows: AlertStats['severity']) =>
  [...rows].sort((a, b) => severities.indexOf(b.name as never) - severities.indexOf(a.name as never));

function ageText(below: number | undefined, before: number | undefined): string {
  if (below === undefined) return `more than ${formatDuration(before ?? 0)}`;
  return `less than ${formatDuration(below)}`;
}

function print(context: CommandContext, stats: AlertStats): void {
  const { out } = context;
  if (stats.alerts === 0) {
    out.line('No alerts.');
    return;
  }
  out.line(things(stats.alerts, 'alert'));
  printTable(
    context,
    'STATUS',
    stats.status.map(({ name, alerts }) => ({ name, alerts })),
  );
  printTable(context, 'PRIORITY', byGravity(stats.priority));
  printTable(context, 'SEVERITY', byGravity(stats.severity));
  printTable(context, 'RULE', stats.rules);
  printTable(context, 'USER', stats.users);
  printTable(context, 'ASSIGNEE', stats.assignees);
  printTable(
    context,
    'CLOSED AS',
    stats.closedAs.map(({ name, alerts }) => ({ name: name.replace('_', ' '), alerts })),
  );
  printTable(
    context,
    'WAITING FOR',
    stats.age.map(({ below, alerts }, index) => ({
      name: ageText(below, stats.age[index - 1]?.below),
      alerts,
    })),
  );
  const { toClose } = stats;
  if (toClose === undefined) return;
  const { alerts, median, p90, most } = toClose;
  out.line();
  out.line(
    `Time to close, of ${things(alerts, 'alert')}: half within ${formatDuration(median)}, nine in ten within ${formatDuration(p90)}, ` +
      `the longest ${formatDuration(most)}`,
  );
}

const seconds = (micros: number) => Math.round(micros / 1000) / 1000;

function fields({ age, toClose, closedAs, ...stats }: AlertStats): object {
  const bare = (rows: AlertStats['rules'] | AlertStats['users']) =>
    rows.map(({ alerts, waiting, name, ...rest }) => ({
      ...('id' in rest ? { id: rest.id } : {}),
      name,
      alerts,
      waiting,
    }));
  return {
    alerts: stats.alerts,
    status: bare(stats.status),
    priority: bare(stats.priority),
    severity: bare(stats.severity),
    rules: bare(stats.rules),
    users: bare(stats.users),
    assignees: bare(stats.assignees),
    closed_as: closedAs.map(({ name, alerts }) => ({ name, alerts })),
    waiting_for: age.map(({ below, alerts }) => ({
      less_than_seconds: below === undefined ? null : seconds(below),
      alerts,
    })),
    time_to_close:
      toClose === undefined
        ? null
        : {
            alerts: toClose.alerts,
            median_seconds: seconds(toClose.median),
            p90_seconds: seconds(toClose.p90),
            most_seconds: seconds(toClose.most),
          },
  };
}

export const alertsStats = defineCommand({
  description:
    'Counts alerts by status, priority, severity, rule, user and assignee, those that wait by age, and tells how long closing\n' +
    'took. Of rules, users and assignees the 20 with the most alerts. "Waiting" are those that are not closed.',
  options: { ...filterOptions, json: flag('--json', 'one JSON document') },
  examples: [
    { line: 'launchwarden alerts stats --since 7d', says: 'the week' },
    {
      line: 'launchwarden alerts stats --closed-as false-positive',
      says: 'which rules are wrong most often',
    },
  ],
  needs: 'read access to the data directory (root, when the agent runs as a daemon)',
  async handler({ context, options }) {
    const query = await alertQuery(context, options);
    const stats = await context.withStore((store) => store.alerts.stats(query, context.clock.now()));
    if (options.json) context.out.document('alert-stats/1', fields(stats));
    else print(context, stats);
    return ExitCode.ok;
  },
});
