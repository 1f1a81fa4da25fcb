import os from 'node:os';
import path from 'node:path';
import { things } from '../../base/count.js';
import { ExitCode, UserError } from '../../base/errors.js';
import { formatMicros } from '../../base/time.js';
import type { Alert } from '../../event/alert.js';
import { mechanisms } from '../../mechanisms/index.js';
import type { CommandContext } from '../context.js';
import { defineCommand, flag, value } from '../define-command.js';
import { commandLine } from '../given-flags.js';
import { safe } from '../output/output.js';
import { tableLines } from '../output/table.js';
import { type HostItem, type HostReport, hostPage } from '../report/host-report.js';
import { writePage } from '../report/write-page.js';
import { filePath } from '../values.js';
import { alertColumns, alertRow } from './alerts/alert-line.js';
import { coverageOf, telemetry } from './coverage.js';
import { mechanismName } from './inventory/document.js';
import { isSystem, judged } from './inventory/list.js';
import { readInventory } from './inventory/read.js';

const mostAlerts = 200;

export const report = defineCommand({
  description:
    'One page about the whole Mac: what is persistent here, since when and from whom, the open alerts, and what the running\n' +
    'sensors can and cannot see. It runs no scripts, loads nothing, and can be printed. About one alert: alerts report.',
  options: {
    host: flag('--host', 'about this Mac'),
    html: value('--html FILE', 'write the page into this new file', filePath('--html')),
    force: flag('--force', 'replace the file when it is there'),
    json: flag('--json', 'the same as one JSON document'),
  },
  examples: [
    { line: 'sudo launchwarden report --host --html mac.html', says: 'a page for a browser' },
    { line: 'sudo launchwarden report --host', says: 'the figures alone, on the terminal' },
  ],
  needs: 'read access to the data directory, or without an agent to the files themselves (root)',
  async handler({ context, options: { host, html, force, json } }) {
    if (!host)
      throw new UserError('report/nothing', 'nothing is named that the report is to be about', {
        hint: 'Add --host for this Mac; "launchwarden alerts report ID" is about one alert.',
      });
    const { io, out } = context;
    const made = await hostReport(context);
    if (json) out.document('host-report/1', fields(made));
    else if (html === undefined) print(context, made);
    if (html === undefined) return ExitCode.ok;
    const file = path.resolve(io.cwd, html);
    writePage(file, hostPage(made), force);
    if (!json) out.line(`Written to ${file}`);
    return ExitCode.ok;
  },
});

async function hostReport(context: CommandContext): Promise<HostReport> {
  const { rows, from } = await readInventory(context, { refresh: false, live: false });
  const all = await judged(context, rows);
  const own = all.filter((one) => !isSystem(one) && one.row.gone === undefined);
  const order = new Map(mechanisms.map(({ id }, index) => [id, index]));
  const place = (id: string) => order.get(id) ?? order.size;
  const items = own
    .sort(
      (a, b) =>
        place(a.row.entry.mechanism) - place(b.row.entry.mechanism) ||
        (a.row.entry.path < b.row.entry.path ? -1 : 1),
    )
    .map(
      ({ row, verdict }): HostItem => ({
        row,
        mechanism: mechanismName(row.entry.mechanism),
        verdict: verdict.word,
        level: verdict.level,
      }),
    );
  const { alerts, open } = await openOnes(context);
  const seen = await telemetry(context);
  const { rules } = await coverageOf(context, seen);
  const { root } = await context.settings();
  const named = alerts.find(({ doc }) => typeof doc.host?.name === 'string')?.doc.host?.name;
  return {
    ...{ from, items, alerts, open },
    host: named ?? (root === undefined ? os.hostname() : root),
    simulated: root !== undefined,
    system: all.filter(isSystem).length,
    coverage: {
      running: seen.from === 'agent',
      tier: seen.tier,
      sensors: seen.kinds,
      notes: [
        ...(seen.reason === undefined ? [] : [seen.reason]),
        ...seen.blind.map(({ place: where, reason }) => `blind in ${where}: ${reason}`),
        ...seen.notes,
      ],
      rules: rules.map(({ rule, coverage, off, steps }) => ({
        ...{ name: rule.meta.name, coverage, off },
        reasons: steps.flatMap(({ reasons }) => reasons),
      })),
    },
    version: context.version,
    now: context.clock.now(),
  };
}

/** Without a data folder nobody knows of any. */
async function openOnes(
  context: CommandContext,
): Promise<{ readonly alerts: readonly Alert[]; readonly open: number | undefined }> {
  const query = { status: ['open', 'acknowledged'] } as const;
  return context
    .withStore((store) => ({
      alerts: store.alerts.list({ ...query, sort: 'priority', limit: mostAlerts }),
      open: store.alerts.count(query),
    }))
    .catch((error: unknown) => {
      if (error instanceof UserError && error.code === 'store/none') return { alerts: [], open: undefined };
      throw error;
    });
}

function print(context: CommandContext, { host, items, open, alerts, coverage, system }: HostReport): void {
  const { out } = context;
  const odd = items.filter(({ verdict }) => verdict === 'alert' || verdict === 'odd').length;
  out.line(out.style('bold', `What persists on ${safe(host) ?? 'this Mac'}`));
  out.line(
    `${things(items.length, 'item')} (${system} of macOS itself left out), ${odd} odd or with an alert, ${open === undefined ? 'alerts are not known: no agent has stored any here' : things(open, 'open alert')}.`,
  );
  const blind = coverage.rules.filter((one) => one.coverage === 'blind').length;
  out.line(
    `${coverage.running ? 'Tier' : 'No agent runs; it could run with tier'} ${coverage.tier ?? 'none'}; ${blind} of ${things(coverage.rules.length, 'rule')} ${blind === 1 ? 'sees' : 'see'} nothing.`,
  );
  if (alerts.length > 0) {
    out.line();
    for (const line of tableLines(
      alertColumns(out),
      alerts.slice(0, 20).map((alert) => alertRow(alert, out)),
      out,
    ))
      out.line(line);
  }
  out.line();
  out.line(`Everything: ${commandLine(context, 'report --host --html mac.html')}`);
}

function fields({ host, simulated, from, items, system, alerts, open, coverage }: HostReport): object {
  return {
    ...{ host, simulated, from, open_alerts: open ?? null, system_items_left_out: system },
    items: items.map(({ row: { entry, firstSeen, changed, baseline, by }, mechanism, verdict, level }) => {
      const { stamp: _, ...rest } = entry;
      return {
        ...rest,
        mechanism_name: mechanism,
        first_seen: formatMicros(firstSeen),
        changed: formatMicros(changed),
        baseline,
        by: by ?? null,
        verdict,
        level: level ?? null,
      };
    }),
    alerts: alerts.map(({ id, ruleName, priority, status, time }) => ({
      ...{ id, rule_name: ruleName, status, priority: priority.score, level: priority.level },
      time: formatMicros(time),
    })),
    coverage: { ...coverage, rules: coverage.rules.map(({ off, ...one }) => ({ ...one, off: off ?? null })) },
  };
}
