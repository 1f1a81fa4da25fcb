import { ExitCode } from '../../../base/errors.js';
import { escapeText } from '../../../base/escape.js';
import type { Alert, AlertStatus } from '../../../event/alert.js';
import { type AlertQuery, mostCounted, type Store } from '../../../store/index.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { counted } from '../../output/output.js';
import { tableLines } from '../../output/table.js';
import { oneOf, wholeNumber } from '../../values.js';
import { alertFields, alertSchema } from './alert-document.js';
import { alertColumns, alertRow, findingWords, withWhy } from './alert-line.js';
import { alertQuery, filterOptions } from './filters.js';
import { eachPage } from './pages.js';
import { storiesOf, storyFields, storyLines, storySchema } from './stories.js';

const defaultLimit = 100;
/** What a listing shows that is asked for no status. */
const notClosed: readonly AlertStatus[] = ['open', 'acknowledged'];

interface Listing {
  readonly context: CommandContext;
  readonly store: Store;
  readonly query: AlertQuery;
}

/** How many there are, in words. */
function totalText({ store, query }: Listing): string {
  const total = store.alerts.count(query);
  return total > mostCounted ? `more than ${counted(mostCounted)}` : counted(total);
}

/** On a terminal the newest, or the gravest, stand at the bottom, where a person looks after a long listing. */
function inOrder<T>(rows: readonly T[], { out }: CommandContext): readonly T[] {
  return out.width === undefined ? rows : [...rows].reverse();
}

function printFlat(listing: Listing, json: boolean): void {
  const { context, store, query } = listing;
  const { out, io } = context;
  const alerts: Alert[] = [];
  let shown = 0;
  eachPage(store, query, (page) => {
    shown += page.length;
    if (json) for (const alert of page) out.document(alertSchema, alertFields(alert));
    else alerts.push(...page);
  });
  const isFull = shown === query.limit && store.alerts.count(query) > shown;
  const text = `howing ${counted(shown)} of ${isFull ? totalText(listing) : ''} alerts: --limit N shows more`;
  if (json) {
    if (isFull) io.stderr.write(`launchwarden: s${text}\n`);
    return;
  }
  const rows = inOrder(alerts, context);
  if (shown === 0) sayNone(listing);
  else {
    const cells = rows.map((alert) => [
      ...alertRow(alert, out),
      ...(out.width === undefined ? [findingWords(alert)] : []),
    ]);
    const columns = [...alertColumns(out), ...(out.width === undefined ? [{ title: 'FINDINGS' }] : [])];
    out.line(tableLines(columns, cells, withWhy(out, rows)).join('\n'));
  }
  if (isFull) out.line(out.style('dim', `S${text}.`));
  sayClosed(listing);
}

function sayNone({ context, store, query }: Listing): void {
  const closed = query.status === notClosed && store.alerts.any({ ...query, status: 'closed' });
  context.out.line(closed ? 'No open alerts.' : 'No alerts.');
}

function sayClosed({ context, store, query }: Listing): void {
  const { out } = context;
  if (query.status !== notClosed || !store.alerts.any({ ...query, status: 'closed' })) return;
  out.line(out.style('dim', 'Closed alerts are not shown: --status closed, or all.'));
}

function printStories(listing: Listing, json: boolean): void {
  const { context, store, query } = listing;
  const { out, io } = context;
  const { shown: stories, more } = storiesOf(store, query, json ? undefined : 1);
  const alerts = stories.reduce((sum, { group }) => sum + group.alerts, 0);
  const text = () =>
    `howing ${counted(alerts)} of ${totalText(listing)} alerts in ${counted(stories.length)} ` +
    `${stories.length === 1 ? 'line' : 'lines'}: --limit N shows more`;
  if (json) {
    for (const story of stories) out.document(storySchema, storyFields(story));
    if (more) io.stderr.write(`launchwarden: s${text()}\n`);
    return;
  }
  const rows = inOrder(stories, context);
  if (rows.length === 0) sayNone(listing);
  else out.line(storyLines(rows, out).join('\n'));
  if (more) out.line(out.style('dim', `S${text()}.`));
  sayClosed(listing);
}

/** That there is nothing may be because nobody looks. */
async function warnOfSilence(context: CommandContext): Promise<void> {
  // One that refuses to answer runs.
  const answer = await context.askDaemon('status', undefined).catch(() => 'refused');
  if (answer !== undefined) return;
  const { dataDir } = await context.settings();
  context.io.stderr.write(
    `launchwarden: no agent runs on ${escapeText(dataDir)}: what happens now is not seen\n`,
  );
}

export const alertsList = defineCommand({
  description:
    'One line for each persistent item, with where it is in its life, and one for each alert that is about none; closed ones\n' +
    'are left out unless --status asks for them. --flat and --json list the alerts themselves. Without --limit the newest 100.\n' +
    'On a terminal the newest stand at the bottom, in local time, each with what speaks against it; elsewhere at the top, in UTC.',
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
    const query = {
      status: notClosed,
      ...asked,
      ...(sort === undefined ? {} : { sort }),
      limit: options.limit ?? defaultLimit,
    };
    const found = await context.withStore((store) => {
      const listing = { context, store, query };
      if (flat || (json && !options.stories)) printFlat(listing, json);
      else printStories(listing, json);
      return store.alerts.any(query);
    });
    if (!found) await warnOfSilence(context);
    return ExitCode.ok;
  },
});
