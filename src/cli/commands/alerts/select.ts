import { things } from '../../../base/count.js';
import { ExitCode, UserError } from '../../../base/errors.js';
import type { AlertStatus } from '../../../event/alert.js';
import type { AlertQuery } from '../../../store/index.js';
import type { CommandContext } from '../../context.js';
import { flag, type OptionValues, value } from '../../define-command.js';
import { counted } from '../../output/output.js';
import { tableLines } from '../../output/table.js';
import { wholeNumber } from '../../values.js';
import { alertColumns, alertRow } from './alert-line.js';
import { alertQuery, filterOptions, isFiltered } from './filters.js';
import { findAlertId } from './find.js';

/** What every command takes that changes alerts. */
export const changeOptions = {
  ...filterOptions,
  yes: flag('--yes', 'do it: to all that a filter finds, or to one that is named by less than 8 characters'),
  count: value('--count N', 'with --yes: only if the filter finds so many', wholeNumber('--count', 0)),
  json: flag('--json', 'what was changed as JSON documents, one a line'),
} as const;

/** The alerts that a change is about: those that were named, or all that a filter finds. */
export interface Selection {
  readonly ids: readonly string[];
  readonly byFilter: boolean;
}

const previewed = 10;
const mostAtOnce = 1_000_000;

/**
 * Ids that were named, or found by a filter. Undefined when a filter was given without `--yes`: what it finds was shown, and
 * nothing is to be changed. Throws a UserError.
 */
export async function selectAlerts(
  context: CommandContext,
  written: readonly string[],
  how: {
    readonly options: OptionValues<typeof changeOptions>;
    /** What is to be done, for people: `close`. */
    readonly verb: string;
    /** Which ones a filter means that names no status. */
    readonly status: readonly AlertStatus[];
  },
): Promise<Selection | undefined> {
  const { options, verb, status } = how;
  const { yes } = options;
  if (!isFiltered(options)) {
    if (written.length === 0)
      throw new UserError('alerts/which', `it is not said which alerts to ${verb}`, {
        hint: 'Name their ids, or a filter such as --rule or --since: see "launchwarden alerts list".',
      });
    if (options.count !== undefined)
      throw new UserError('alerts/which', '--count goes with a filter, not with ids');
    const ids = await context.withStore((store) =>
      written.map((one) => findAlertId(store, one, { change: true, yes })),
    );
    return { ids: [...new Set(ids)], byFilter: false };
  }
  if (written.length > 0)
    throw new UserError('alerts/which', 'ids and a filter do not go together', {
      hint: 'Name the ids alone, or leave them out.',
    });
  const asked = await alertQuery(context, options);
  const query: AlertQuery = { status, ...asked, limit: mostAtOnce };
  const ids = await context.withStore((store) => store.alerts.idsOf(query));
  if (options.count !== undefined && options.count !== ids.length)
    throw new UserError(
      'alerts/count-changed',
      `the filter finds ${things(ids.length, 'alert')}, not ${counted(options.count)}: nothing was changed`,
      { exitCode: ExitCode.checkFailed, hint: 'Look at them again: the same command without --yes.' },
    );
  if (yes || ids.length === 0) {
    if (ids.length === 0 && !options.json) context.out.line('No alerts: the filter finds none.');
    return { ids, byFilter: true };
  }
  await preview(context, ids, how);
  return undefined;
}

async function preview(
  context: CommandContext,
  ids: readonly string[],
  { options, verb }: { readonly options: { readonly json: boolean }; readonly verb: string },
): Promise<void> {
  const { out } = context;
  if (options.json) {
    out.document('alerts-preview/1', { action: verb, count: ids.length, alert_ids: ids.slice(0, 1_000) });
    return;
  }
  await context.withStore((store) => {
    const shown = ids.slice(0, previewed).flatMap((id) => store.alerts.get(id) ?? []);
    for (const line of tableLines(
      alertColumns(out),
      shown.map((alert) => alertRow(alert, out)),
      out,
    ))
      out.line(line);
  });
  if (ids.length > previewed) out.line(`… and ${counted(ids.length - previewed)} more`);
  const what = ids.length === 1 ? 'this alert' : `these ${counted(ids.length)} alerts`;
  out.line(`Nothing was changed. To ${verb} ${what}: the same command with --yes --count ${ids.length}`);
}
