import { ExitCode } from '../../../base/errors.js';
import type { AlertQuery, Store } from '../../../store/index.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { tableLines } from '../../output/table.js';
import { oneOf, wholeNumber } from '../../values.js';
import { alertFields, alertSchema } from './alert-document.js';
import { alertColumns, alertRow } from './alert-line.js';
import { alertQuery, filterOptions } from './filters.js';
import { eachPage } from './pages.js';
import { storiesOf, storyColumns, storyFields, storyRow, storySchema } from './stories.js';

const defaultLimit = 100;

function printFlat(context: CommandContext, store: Store, query: AlertQuery, json: boolean): void {
  const { out } = context;
  const rows: string[][] = [];
  eachPage(store, query, (page) => {
    if (json) for (const alert of page) out.document(alertSchema, alertFields(alert));
    else rows.push(...page.map((alert) => alertRow(alert, out)));
  });
  if (json) return;
  if (rows.length === 0) out.line('No alerts.');
  else for (const line of tableLines(alertColumns(out), rows, out)) out.line(line);
}

function printStories(context: CommandContext, store: Store, query: AlertQuery, json: boolean): void {
  const { out } = context;
  const stories = storiesOf(store, query);
  if (json) {
    for (const story of stories.shown) out.document(storySchema, storyFields(story));
    return;
  }
  const closed =
    query.status === undefined ? store.alerts.list({ ...query, status: 'closed', limit: 1 }) : [];
  if (stories.shown.length === 0) out.line(closed.length === 0 ? 'No alerts.' : 'No open alerts.');
  else for (const line of tableLines(storyColumns, stories.shown.map(storyRow), out)) out.line(line);
  if (stories.all > stories.shown.length)
    out.line(out.style('dim', `Showing ${stories.shown.length} of ${stories.all}: --limit N shows more.`));
  if (closed.length > 0) out.line(out.style('dim', 'Closed alerts are not shown: --status closed.'));
}

export const alertsList = defineCommand({
  description:
    'One line for each persistent item, with where it is in its life, and one for each alert that is about none; closed ones\n' +
    'are left out unless --status asks for them. --flat and --json list the alerts themselves. Without --limit the newest 100.',
  options: {
    ...filterOptions,
    sort: value('--sort ORDER', 'time (default) or priority', oneOf('--sort', ['time', 'priority'])),
    flat: flag('--flat', 'the alerts, one line each'),
    stories: flag('--stories', 'with --json: the stories of items instead of alerts'),
    limit: value('--limit N', 'at most so many', wholeNumber('--limit', 1)),
    json: flag('--json', 'one JSON document a line (NDJSON)'),
  },
  examples: [
    { line: 'launchwarden alerts list --since 24h', says: 'what came in since yesterday and waits' },
    { line: 'launchwarden alerts list --sort priority', says: 'what to look at first' },
    { line: 'launchwarden alerts list --severity medium,high --json', says: 'for a script' },
  ],
  needs: 'read access to the data directory (root, when the agent runs as a daemon)',
  async handler({ context, options }) {
    const { flat, json, sort } = options;
    const asked = await alertQuery(context, options);
    const query = { ...asked, ...(sort === undefined ? {} : { sort }), limit: options.limit ?? defaultLimit };
    await context.withStore((store) => {
      if (flat || (json && !options.stories)) printFlat(context, store, query, json);
      else printStories(context, store, query, json);
    });
    return ExitCode.ok;
  },
});
