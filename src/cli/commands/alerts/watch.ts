import { setTimeout as wait } from 'node:timers/promises';
import { ExitCode } from '../../../base/errors.js';
import type { Alert } from '../../../event/alert.js';
import type { AlertQuery } from '../../../store/index.js';
import { defineCommand, flag } from '../../define-command.js';
import { type Output, safe } from '../../output/output.js';
import { pad, shorten } from '../../output/width.js';
import { alertFields, alertSchema } from './alert-document.js';
import { severityStyle, shortId, subjectOf } from './alert-line.js';
import { alertQuery, filterOptions } from './filters.js';
import { showLive } from './live.js';

const pollMs = 250;
const pageSize = 200;

function includes<T>(wanted: T | readonly T[] | undefined, value: T): boolean {
  return wanted === undefined || (Array.isArray(wanted) ? wanted.includes(value) : wanted === value);
}

function matches(query: AlertQuery, alert: Alert): boolean {
  return (
    (query.since === undefined || alert.time >= query.since) &&
    (query.until === undefined || alert.time < query.until) &&
    includes(query.severity, alert.severity) &&
    includes(query.status, alert.status) &&
    includes(query.rule, alert.ruleId)
  );
}

/** What happened to it, in one word. */
function changeOf(alert: Alert): string {
  const lastNote = alert.notes.at(-1);
  if (lastNote !== undefined && lastNote.time === alert.updated) return lastNote.kind;
  return alert.revision === 1 ? 'new' : 'grew';
}

function line(alert: Alert, out: Output): string {
  const parts = [
    `${out.times.at(alert.time)} ${out.times.zone}`,
    out.style('bold', safe(shortId(alert.id)) ?? ''),
    out.style(
      severityStyle[alert.priority.level],
      pad(`${alert.priority.level} ${alert.priority.score}`, 12),
    ),
    pad(changeOf(alert), 12),
  ];
  const used = 20 + out.times.zone.length + 12 + 12 + 12 + 4 * 2;
  const rest = `${safe(alert.ruleName) ?? ''}: ${subjectOf(alert)}`;
  return [...parts, out.width === undefined ? rest : shorten(rest, Math.max(20, out.width - used))].join(
    '  ',
  );
}

export const alertsWatch = defineCommand({
  description:
    'Follows the database until interrupted (exit code 0). On a terminal: the open alerts as a list that stays up to date. Elsewhere,\n' +
    'and with --lines or --since: a line for each change; an alert that grows or is worked on is printed again.',
  options: {
    ...filterOptions,
    lines: flag('--lines', 'a line for each change, on a terminal too'),
    json: flag('--json', 'one JSON document a line (NDJSON)'),
  },
  examples: [
    { line: 'launchwarden alerts watch', says: 'what waits, always up to date' },
    { line: 'launchwarden alerts watch --severity medium,high,critical', says: 'from now on' },
    { line: 'launchwarden alerts watch --since 1h --json', says: 'the last hour, then what comes' },
  ],
  needs: 'read access to the data directory (root, when the agent runs as a daemon)',
  endless: true,
  async handler({ context, options }) {
    const { out } = context;
    const query = await alertQuery(context, options);
    const signal = context.io.interruption();
    const { width, height } = out;
    const live = width !== undefined && height !== undefined && !options.lines && !options.json;
    if (live && options.since === undefined) {
      await context.withStore((store) => showLive({ context, store, query, signal }));
      return ExitCode.ok;
    }
    await context.withStore(async (store) => {
      let seq = options.since === undefined ? store.alerts.lastChange() : 0;
      while (!signal.aborted) {
        const changes = store.alerts.changesSince(seq, pageSize);
        seq = changes.seq;
        for (const alert of changes.alerts) {
          if (!matches(query, alert)) continue;
          if (options.json) out.document(alertSchema, alertFields(alert));
          else out.line(line(alert, out));
        }
        if (changes.alerts.length < pageSize) await wait(pollMs, undefined, { signal }).catch(() => {});
      }
    });
    return ExitCode.ok;
  },
});
