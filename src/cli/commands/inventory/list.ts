import { ExitCode, UserError } from '../../../base/errors.js';
import { didYouMean } from '../../../base/nearest.js';
import type { InventoryRow } from '../../../event/inventory.js';
import { mechanisms } from '../../../mechanisms/index.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag, list, value } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { type Column, tableLines } from '../../output/table.js';
import type { Times } from '../../output/when.js';
import { timePoint } from '../../values.js';
import { withoutStore } from '../../without-store.js';
import { severityStyle, shortId } from '../alerts/alert-line.js';
import { inventoryFields, inventorySchema, mechanismName } from './document.js';
import { readInventory, readOptions } from './read.js';
import { type InventoryVerdict, openAlerts, verdictOf } from './verdict.js';

const columnsIn = (times: Times): readonly Column[] => [
  { title: 'ITEM', style: () => 'bold' },
  { title: 'MECHANISM' },
  {
    title: 'VERDICT',
    style: (text) => severityStyle[text.split(' ')[1] as keyof typeof severityStyle] ?? 'dim',
  },
  { title: `FIRST SEEN (${times.zone})` },
  { title: 'LABEL', flexible: true },
  { title: 'RUNS', flexible: true },
  { title: 'PATH', flexible: true },
];

export interface Judged {
  readonly row: InventoryRow;
  readonly verdict: InventoryVerdict;
}

/** Each entry with what is to be thought of it. */
export async function judged(context: CommandContext, rows: readonly InventoryRow[]): Promise<Judged[]> {
  const alerts = await context
    .withStore((store) => openAlerts(store))
    .catch(withoutStore(new Map<string, never>()));
  return rows.map((row) => ({ row, verdict: verdictOf(row, alerts) }));
}

function row({ row: { entry, firstSeen, baseline }, verdict }: Judged, times: Times): string[] {
  return [
    shortId(entry.item_id),
    mechanismName(entry.mechanism),
    verdict.level === undefined ? verdict.word : `${verdict.word} ${verdict.level}`,
    baseline ? 'before' : times.at(firstSeen).slice(0, 16),
    safe(entry.label) ?? '',
    safe(entry.program ?? entry.runs[0]) ?? '',
    safe(entry.path) ?? '',
  ];
}

/** On the sealed volume: a part of macOS, unless something is odd about it. */
export function isSystem({ row: { entry }, verdict }: Judged): boolean {
  return entry.path.startsWith('/System/') && verdict.word === 'quiet';
}

function mechanismId(text: string): string {
  const ids = mechanisms.map(({ id }) => id);
  if (ids.includes(text)) return text;
  throw new UserError('inventory/unknown-mechanism', `there is no mechanism "${text.slice(0, 100)}"`, {
    hint: didYouMean(text, ids) ?? `Known: ${ids.join(', ')}.`,
  });
}

export const inventoryList = defineCommand({
  description:
    'One line an entry: a launch item, a line of a table of cron, a bundle. As the running agent keeps it; without one the\n' +
    'machine is read, or the tree of --root. VERDICT: "alert" when one is open about the item, "odd" when its findings weigh\n' +
    'something, "quiet" otherwise. FIRST SEEN "before": it was there at the first inventory. With --json the columns of\n' +
    "osquery's tables launchd and startup_items stand in objects of these names.",
  options: {
    mechanism: list('--mechanism NAME', 'only these: launch-daemon, cron, ...', mechanismId),
    since: value('--since TIME', 'only what is new, or has changed, since then', timePoint('--since')),
    all: flag('--all', "the system's own items too, and what is gone"),
    ...readOptions,
    json: flag('--json', 'one JSON document an entry (NDJSON)'),
  },
  examples: [
    { line: 'sudo launchwarden inventory list', says: 'everything that persists, but for macOS itself' },
    { line: 'sudo launchwarden inventory list --since 7d', says: 'what came or changed this week' },
    { line: 'launchwarden inventory list --root /Volumes/Backup --json', says: 'of another volume' },
  ],
  needs: 'read access to the data directory, or without an agent to the files themselves (root)',
  async handler({ context, options }) {
    const { out } = context;
    const { rows } = await readInventory(context, options);
    const since = options.since?.(context.clock.now());
    const wanted = (await judged(context, rows)).filter(
      (one) =>
        (options.all || (one.row.gone === undefined && !isSystem(one))) &&
        ((options.mechanism ?? []).length === 0 || options.mechanism?.includes(one.row.entry.mechanism)) &&
        (since === undefined || one.row.changed >= since),
    );
    const order = new Map(mechanisms.map(({ id }, index) => [id, index]));
    const place = ({ row: { entry } }: Judged) => order.get(entry.mechanism) ?? order.size;
    wanted.sort((a, b) => place(a) - place(b) || (a.row.entry.path < b.row.entry.path ? -1 : 1));
    if (options.json) {
      for (const one of wanted) out.document(inventorySchema, inventoryFields(one.row, one.verdict));
      return ExitCode.ok;
    }
    if (wanted.length === 0) out.line('Nothing persists here.');
    else
      for (const line of tableLines(
        columnsIn(out.times),
        wanted.map((one) => row(one, out.times)),
        out,
      ))
        out.line(line);
    return ExitCode.ok;
  },
});
