import { ExitCode, UserError } from '../../../base/errors.js';
import { formatMicros } from '../../../base/time.js';
import type { Baseline } from '../../../event/baseline.js';
import {
  compareWithKnown,
  type EntryComparison,
  type KnownGoodVerdict,
} from '../../../respond/known-good.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { type Column, tableLines } from '../../output/table.js';
import { shortId } from '../alerts/alert-line.js';
import { mechanismName } from '../inventory/document.js';
import { readInventory, readOptions } from '../inventory/read.js';
import { nameOf } from './change.js';

const looks = { new: 'red', changed: 'red', gone: 'yellow', updated: 'cyan', same: 'dim' } as const;
const order: readonly KnownGoodVerdict[] = ['new', 'changed', 'gone', 'updated'];

const columns: readonly Column[] = [
  { title: 'STATE', style: (text) => looks[text as KnownGoodVerdict] },
  { title: 'ITEM', style: () => 'bold' },
  { title: 'MECHANISM' },
  { title: 'DIFFERENT', flexible: true },
  { title: 'LABEL', flexible: true },
  { title: 'RUNS', flexible: true, path: true },
  { title: 'PATH', flexible: true, path: true },
];

/** The baseline of this name, else the newest. Throws a UserError. */
export async function chosenBaseline(context: CommandContext, name: string | undefined): Promise<Baseline> {
  const found = await context.withStore((store) =>
    name === undefined ? store.baselines.newest() : store.baselines.get(name),
  );
  if (found !== undefined) return found;
  throw new UserError(
    'baseline/unknown',
    name === undefined ? 'nothing was called known good yet' : `there is no baseline "${name}"`,
    {
      hint:
        name === undefined
          ? 'Save the state of now with "launchwarden baseline save", when it is good.'
          : 'See "launchwarden baseline list".',
    },
  );
}

export const baselineDiff = defineCommand({
  description:
    'What persists now, compared with what is known good. STATE: "new" and "gone"; "updated" when it has the same label, runs the\n' +
    'same things in the same way, and what it runs has other bytes that the same signer signed; "changed" when anything else\n' +
    'differs, or nobody knows who signed it. Exit code 1 when anything is new, changed or gone.',
  arguments: [
    {
      name: '[NAME]',
      summary: 'a baseline, the newest when left out',
      check: (text) => void nameOf('NAME')(text),
    },
  ],
  options: {
    all: flag('--all', "the system's own items too"),
    ...readOptions,
    json: flag('--json', 'one JSON document a difference (NDJSON)'),
  },
  examples: [
    { line: 'sudo launchwarden baseline diff', says: 'what came since the newest baseline' },
    { line: 'sudo launchwarden baseline diff 2026-q1 --refresh', says: 'after everything was read anew' },
  ],
  needs: 'read access to the data directory, or without an agent to the files themselves (root)',
  async handler({ context, options, args: [name] }) {
    const { out } = context;
    const baseline = await chosenBaseline(context, name);
    const { rows } = await readInventory(context, options);
    const known = await context.withStore((store) => store.baselines.entries(baseline.name));
    const found = compareWithKnown(rows, known)
      .filter(
        ({ verdict, entry }) => verdict !== 'same' && (options.all || !entry.path.startsWith('/System/')),
      )
      .sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
    if (options.json) for (const one of found) out.document('baseline-diff/1', fieldsOf(one, baseline));
    else if (found.length === 0) out.line(`Everything is as "${baseline.name}" knows it.`);
    else for (const line of tableLines(columns, found.map(cellsOf), out)) out.line(line);
    return found.some(({ verdict }) => verdict !== 'updated') ? ExitCode.checkFailed : ExitCode.ok;
  },
});

function cellsOf({ verdict, entry, fields }: EntryComparison): string[] {
  return [
    verdict,
    shortId(entry.item_id),
    mechanismName(entry.mechanism),
    fields.join(', '),
    safe(entry.label) ?? '',
    safe(entry.runs[0]) ?? '',
    safe(entry.path) ?? '',
  ];
}

function fieldsOf({ verdict, entry, known, fields }: EntryComparison, baseline: Baseline): object {
  const { item_id, key, mechanism, path, label, runs } = entry;
  const before = known?.entry as unknown as Record<string, unknown> | undefined;
  const now = entry as unknown as Record<string, unknown>;
  return {
    baseline: baseline.name,
    state: verdict,
    item_id,
    key,
    mechanism,
    path,
    ...(label === undefined ? {} : { label }),
    runs,
    differences: fields.map((field) => ({
      field,
      before: before?.[field] ?? null,
      after: now[field] ?? null,
    })),
    approved: known === undefined ? null : formatMicros(known.time),
    approved_by: known?.author ?? null,
  };
}
