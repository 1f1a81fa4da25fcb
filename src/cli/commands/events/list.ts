import { things } from '../../../base/count.js';
import { ExitCode } from '../../../base/errors.js';
import { formatMicros, type Micros } from '../../../base/time.js';
import { type Event, wallTime } from '../../../event/event.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { tableLines } from '../../output/table.js';
import { wholeNumber } from '../../values.js';
import { eventFields, eventSchema } from './event-document.js';
import { eventCells, eventColumns } from './event-row.js';
import { selection, selectOptions } from './select.js';

const defaultLimit = 100;
/** Enough of an id to name it. */
const shortLength = 12;

export const eventsList = defineCommand({
  description:
    'The newest recorded events that every option takes, the newest last. Recorded is what the sensors saw of processes and of\n' +
    'watched files; the oldest events go when there are too many ([retention] events).',
  options: {
    ...selectOptions,
    limit: value('--limit NUMBER', `the newest ones (${defaultLimit})`, wholeNumber('--limit', 1, 1_000_000)),
    json: flag('--json', 'one JSON document an event (NDJSON)'),
  },
  examples: [
    { line: 'launchwarden events list --since 10m', says: 'what happened just now' },
    {
      line: 'launchwarden events list --path LaunchAgents --user alice',
      says: 'around launch agents of one user',
    },
    { line: 'launchwarden events list --filter "process.name: launchctl"', says: 'any condition in KQL' },
  ],
  needs: 'read access to the data directory',
  async handler({ context, options }) {
    const { out } = context;
    const { range, wants } = selection(options, context.clock.now());
    const limit = options.limit ?? defaultLimit;
    const found: Event[] = [];
    let searched = 0;
    let more = false;
    const extent = await context.withStore((store) => {
      for (const event of store.events.scanBack(range)) {
        searched++;
        if (!wants(event)) continue;
        more = found.length >= limit;
        if (more) break;
        found.push(event);
      }
      return store.events.extent();
    });
    found.reverse();
    if (options.json) {
      for (const event of found) out.document(eventSchema, eventFields(event));
      return ExitCode.ok;
    }
    if (found.length === 0) {
      out.line(noneLine(searched, extent));
      return ExitCode.ok;
    }
    const rows = found.map((event) => [
      safe(event.id.slice(0, shortLength)) ?? '',
      ...eventCells(event.doc, out),
    ]);
    for (const line of tableLines(eventColumns(out), rows, out)) out.line(line);
    if (more) {
      const first = out.times.at(wallTime(found[0] as Event));
      out.line(
        `Showing the newest ${found.length}, back to ${first} (${out.times.zone}): --limit or --until shows more.`,
      );
    }
    return ExitCode.ok;
  },
});

/** Which events there are, so that none is told from nothing recorded. */
function noneLine(
  searched: number,
  { rows, first, last }: { readonly rows: number; readonly first?: Micros; readonly last?: Micros },
): string {
  if (rows === 0 || first === undefined || last === undefined) return 'Nothing has been recorded yet.';
  const day = (time: Micros) => `${formatMicros(time).slice(0, 19)}Z`;
  const all = `${things(rows, 'event')} from ${day(first)} to ${day(last)} ${rows === 1 ? 'is' : 'are'} recorded`;
  return searched === 0
    ? `No event lies in that time: ${all}.`
    : `None of ${searched.toLocaleString('en')} events in that time is such a one: ${all}.`;
}
