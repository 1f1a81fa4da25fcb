import { formatMicros } from '../../../base/time.js';
import type { InventoryRow } from '../../../event/inventory.js';
import { mechanisms } from '../../../mechanisms/index.js';
import type { InventoryVerdict } from './verdict.js';

export const inventorySchema = 'inventory/1';

/** Names of mechanisms, for people. */
export function mechanismName(id: string): string {
  return mechanisms.find((one) => one.id === id)?.name ?? id;
}

/** One entry as a JSON document. */
export function inventoryFields(row: InventoryRow, verdict: InventoryVerdict): object {
  const { stamp: _, ...entry } = row.entry;
  const mechanism = mechanisms.find((one) => one.id === entry.mechanism);
  return {
    ...entry,
    mechanism_name: mechanism?.name ?? entry.mechanism,
    techniques: mechanism?.techniques ?? [],
    first_seen: formatMicros(row.firstSeen),
    last_seen: formatMicros(row.lastSeen),
    changed: formatMicros(row.changed),
    gone: row.gone === undefined ? null : formatMicros(row.gone),
    baseline: row.baseline,
    by: row.by ?? null,
    verdict: verdict.word,
    level: verdict.level ?? null,
    alerts: verdict.alerts,
  };
}
