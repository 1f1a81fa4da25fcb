import { ExitCode, UserError } from '../../../base/errors.js';
import type { InventoryRow } from '../../../event/inventory.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { type Column, tableLines } from '../../output/table.js';
import { filePath, timePoint } from '../../values.js';
import { shortId } from '../alerts/alert-line.js';
import { mechanismName } from './document.js';
import { type ExportedEntry, readExported } from './exported.js';
import { readInventory, readOptions, rowKey } from './read.js';

const dayMicros = 86_400 * 1e6;

type Kind = 'added' | 'changed' | 'gone';

interface Difference {
  readonly kind: Kind;
  readonly entry: Pick<ExportedEntry, 'item_id' | 'key' | 'mechanism' | 'path' | 'label' | 'runs'>;
  /** Names of what is different. */
  readonly fields: readonly string[];
}

const columns: readonly Column[] = [
  { title: 'CHANGE', style: (text) => (text === 'gone' ? 'dim' : text === 'added' ? 'yellow' : 'cyan') },
  { title: 'ITEM', style: () => 'bold' },
  { title: 'MECHANISM' },
  { title: 'DIFFERENT' },
  { title: 'LABEL', flexible: true },
  { title: 'RUNS', flexible: true },
  { title: 'PATH', flexible: true },
];

/** By what the agent saw of each entry. */
function since(rows: readonly InventoryRow[], from: number): Difference[] {
  return rows.flatMap(({ entry, firstSeen, changed, gone, baseline }): Difference[] => {
    if (gone !== undefined) return gone >= from ? [{ kind: 'gone', entry, fields: [] }] : [];
    if (firstSeen >= from && !baseline) return [{ kind: 'added', entry, fields: [] }];
    return changed >= from && changed > firstSeen ? [{ kind: 'changed', entry, fields: [] }] : [];
  });
}

function against(rows: readonly InventoryRow[], exported: readonly ExportedEntry[]): Difference[] {
  const before = new Map(exported.filter(({ gone }) => gone === null).map((one) => [rowKey(one), one]));
  const found: Difference[] = [];
  for (const { entry, gone } of rows) {
    if (gone !== undefined) continue;
    const old = before.get(rowKey(entry));
    before.delete(rowKey(entry));
    if (old === undefined) found.push({ kind: 'added', entry, fields: [] });
    else {
      const fields = (['label', 'runs', 'when', 'sha256', 'program_sha256'] as const).filter(
        (name) => JSON.stringify(old[name]) !== JSON.stringify(entry[name]),
      );
      if (fields.length > 0) found.push({ kind: 'changed', entry, fields });
    }
  }
  return [
    ...found,
    ...[...before.values()].map((entry): Difference => ({ kind: 'gone', entry, fields: [] })),
  ];
}

export const inventoryDiff = defineCommand({
  description:
    'What was added, changed or went away: since a time, as the agent saw it (the last day when nothing is said), or against a\n' +
    'file that "inventory export" wrote. Exit code 0 also when nothing differs.',
  options: {
    since: value('--since TIME', '2h, 2026-01-31T12:00:00Z', timePoint('--since')),
    against: value('--against FILE', 'an exported inventory', filePath('--against')),
    ...readOptions,
    json: flag('--json', 'one JSON document a difference (NDJSON)'),
  },
  examples: [
    { line: 'sudo launchwarden inventory diff --since 2h', says: 'what a colleague installed just now' },
    { line: 'sudo launchwarden inventory diff --against before.ndjson', says: 'what an installer brought' },
  ],
  needs: 'read access to the data directory, or without an agent to the files themselves (root)',
  async handler({ context, options }) {
    const { out } = context;
    const exported = options.against === undefined ? undefined : readExported(options.against);
    const { rows, hasPast } = await readInventory(context, options);
    if (exported === undefined && !hasPast)
      throw new UserError(
        'inventory/no-past',
        'no agent has kept an inventory: what was there before is not known',
        {
          hint: 'Name one that "inventory export" wrote with --against, start the agent, or name its --data-dir.',
        },
      );
    const now = context.clock.now();
    const found =
      exported === undefined ? since(rows, options.since?.(now) ?? now - dayMicros) : against(rows, exported);
    if (options.json)
      for (const { kind, entry, fields } of found)
        out.document('inventory-diff/1', { change: kind, fields, ...plain(entry) });
    else if (found.length === 0) out.line('Nothing differs.');
    else for (const line of tableLines(columns, found.map(cellsOf), out)) out.line(line);
    return ExitCode.ok;
  },
});

function plain({ item_id, key, mechanism, path, label, runs }: Difference['entry']): object {
  return { item_id, key, mechanism, path, ...(label === undefined ? {} : { label }), runs };
}

function cellsOf({ kind, entry, fields }: Difference): string[] {
  return [
    kind,
    shortId(entry.item_id),
    mechanismName(entry.mechanism),
    fields.join(', '),
    safe(entry.label) ?? '',
    safe(entry.runs[0]) ?? '',
    safe(entry.path) ?? '',
  ];
}
