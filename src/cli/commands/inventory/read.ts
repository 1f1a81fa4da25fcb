import { userHomes } from '../../../agent/homes.js';
import { homesIn } from '../../../agent/inventory.js';
import { silentLogger } from '../../../base/log.js';
import { entryContent, type InventoryEntry, type InventoryRow, isHidden } from '../../../event/inventory.js';
import { InventoryScan } from '../../../inventory/index.js';
import { mechanisms } from '../../../mechanisms/index.js';
import type { CommandContext } from '../../context.js';
import { flag } from '../../define-command.js';
import { observedRoot } from '../../observed-root.js';
import { safe } from '../../output/output.js';
import { withoutStore } from '../../without-store.js';

export const readOptions = {
  refresh: flag('--refresh', 'have the agent read everything first'),
  live: flag('--live', 'read this machine, or the tree of --root, also when an agent runs'),
};

export interface ReadInventory {
  readonly rows: readonly InventoryRow[];
  /** `agent`: as the running agent keeps it. `machine`: as it was just read. */
  readonly from: 'agent' | 'machine';
  /** Whether an agent has kept an inventory: without one nothing is known of what was there before. */
  readonly hasPast: boolean;
}

/** The inventory that the running agent keeps; without one the machine is read, and history taken from what was stored. */
export async function readInventory(
  context: CommandContext,
  { refresh, live }: { readonly refresh: boolean; readonly live: boolean },
): Promise<ReadInventory> {
  if (!live) {
    const kept = await keptByAgent(context, refresh);
    if (kept !== undefined) return { rows: kept, from: 'agent', hasPast: true };
  }
  const stored = await context.withStore((store) => store.inventory.list()).catch(withoutStore([]));
  return { rows: await readMachine(context, stored), from: 'machine', hasPast: stored.length > 0 };
}

async function keptByAgent(context: CommandContext, refresh: boolean): Promise<InventoryRow[] | undefined> {
  const running = await context.askDaemon('status', undefined).catch(() => undefined);
  if (running === undefined) return undefined;
  const list = () => context.withStore((store) => store.inventory.list());
  const rows = refresh ? [] : await list();
  if (rows.length > 0) return rows;
  await context.askDaemon('inventory.refresh', undefined);
  return list();
}

async function readMachine(
  context: CommandContext,
  stored: readonly InventoryRow[],
): Promise<InventoryRow[]> {
  const { clock } = context;
  const root = await observedRoot(context);
  const homes = [...homesIn(root), ...userHomes(root, clock, silentLogger)().map(({ path }) => path)];
  const known = new Map<string, InventoryEntry[]>();
  for (const { entry, gone } of stored)
    if (gone === undefined) known.set(entry.item_id, [...(known.get(entry.item_id) ?? []), entry]);
  const now = clock.now();
  const before = new Map(stored.map((row) => [rowKey(row.entry), row]));
  const rows: InventoryRow[] = [];
  const scan = new InventoryScan({ root, mechanisms, homes, known });
  for (const item of scan.all())
    for (const entry of item?.entries ?? []) {
      const row = before.get(rowKey(entry));
      before.delete(rowKey(entry));
      rows.push(rowNow(entry, row, { now, first: stored.length === 0 }));
    }
  const { refused } = scan;
  for (const row of before.values())
    rows.push(row.gone !== undefined || isHidden(row.entry.path, refused) ? row : { ...row, gone: now });
  if (refused.length > 0) context.io.stderr.write(`${refusedText(refused)}\n`);
  return rows;
}

function rowNow(
  entry: InventoryEntry,
  row: InventoryRow | undefined,
  { now, first }: { readonly now: number; readonly first: boolean },
): InventoryRow {
  if (row === undefined) return { entry, firstSeen: now, lastSeen: now, changed: now, baseline: first };
  const same = row.gone === undefined && entryContent(row.entry) === entryContent(entry);
  const { gone: _, ...rest } = row;
  const { signer } = row.entry;
  return {
    ...rest,
    entry: same && signer !== undefined ? { ...entry, signer } : entry,
    lastSeen: now,
    changed: same ? row.changed : now,
  };
}

/** What is not seen is said. */
function refusedText(refused: readonly string[]): string {
  const some = refused.slice(0, 5).map((one) => safe(one) ?? '/');
  const more = refused.length > some.length ? ` and ${refused.length - some.length} more` : '';
  return `not all of it: ${some.join(', ')}${more} cannot be read whole (by this user, or for too many entries)`;
}

export function rowKey({ item_id, key }: Pick<InventoryEntry, 'item_id' | 'key'>): string {
  return `${item_id}\0${key}`;
}
