import { mostItems } from '../../../agent/baseline.js';
import { things } from '../../../base/count.js';
import { ExitCode, UserError } from '../../../base/errors.js';
import { quote } from '../../../base/escape.js';
import type { InventoryEntry } from '../../../event/inventory.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { readInventory } from '../inventory/read.js';
import { changeBaseline, nameOf } from './change.js';
import { chosenBaseline } from './diff.js';

/** Ids of the items that are called so: an id or its beginning, a path, a label. Throws a UserError. */
function itemsOf(entries: readonly InventoryEntry[], written: string): string {
  const found = new Map(
    entries
      .filter(
        ({ item_id, path, label }) =>
          (written.length >= 8 && item_id.startsWith(written)) || path === written || label === written,
      )
      .map((entry) => [entry.item_id, entry]),
  );
  const [only] = found.keys();
  if (only !== undefined && found.size === 1) return only;
  const problem =
    found.size === 0 ? 'there is no item' : `${things(found.size, 'item is', 'items are')} called`;
  throw new UserError('baseline/unknown-item', `${problem} ${quote(written, 100)}`, {
    hint:
      found.size === 0
        ? 'Name it by its path, label, or 8 characters of its id: see "launchwarden baseline diff".'
        : `Name one of them by its path: ${[...found.values()]
            .slice(0, 5)
            .map(({ path }) => safe(path))
            .join(', ')}.`,
  });
}

export const baselineApprove = defineCommand({
  description:
    'Takes single items into a baseline as they are now, in the place of what was known of them; one that is gone is taken out.\n' +
    'Everything else in the baseline stays.',
  arguments: [{ name: 'ITEM...', summary: 'id of an item or 8 characters of it, a path, or a label' }],
  options: {
    baseline: value('--baseline NAME', 'which one; the newest when left out', nameOf('--baseline')),
    reason: value('--reason TEXT', 'why it is good', (text) => text),
    json: flag('--json', 'one JSON document an item (NDJSON)'),
  },
  examples: [
    {
      line: 'sudo launchwarden baseline approve com.example.updater --reason "rolled out by IT"',
      says: 'a new item',
    },
  ],
  needs: 'root, when the agent runs as a daemon (it writes for us, through its socket)',
  async handler({ context, options, args }) {
    const baseline = await chosenBaseline(context, options.baseline);
    const { rows } = await readInventory(context, { refresh: true, live: false });
    const known = await context.withStore((store) => store.baselines.entries(baseline.name));
    const entries = [...rows, ...known].map(({ entry }) => entry);
    const items = [...new Set(args.map((written) => itemsOf(entries, written)))];
    if (items.length > mostItems)
      throw new UserError('baseline/too-many', `${items.length} items are more than ${mostItems}`, {
        hint: 'Approve some of them, then the others; or save a new baseline.',
      });
    const { name } = baseline;
    await changeBaseline(context, { action: 'approve', name, items, reason: options.reason ?? '' }, rows);
    const present = new Set(rows.filter(({ gone }) => gone === undefined).map(({ entry }) => entry.item_id));
    for (const id of items) {
      const path = entries.find(({ item_id }) => item_id === id)?.path;
      if (options.json)
        context.out.document('baseline-approved/1', {
          baseline: name,
          item_id: id,
          path,
          gone: !present.has(id),
        });
      else
        context.out.line(
          `${present.has(id) ? 'approved' : 'taken out'}  ${safe(path) ?? ''}  in "${baseline.name}"`,
        );
    }
    return ExitCode.ok;
  },
});
