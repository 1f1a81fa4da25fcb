import type { InventoryEntry } from '../event/inventory.js';
import type { RunningItem } from '../sensors/file-watch/index.js';

/** What the entries of the inventory run, by the file or bundle that they stand in. */
export function runningItems(entries: Iterable<InventoryEntry>): RunningItem[] {
  const items = new Map<string, { readonly labels: Set<string>; readonly runs: Set<string> }>();
  for (const { path, label, runs } of entries) {
    const item = items.get(path) ?? { labels: new Set(), runs: new Set() };
    items.set(path, item);
    if (label !== undefined) item.labels.add(label);
    for (const one of runs) item.runs.add(one);
  }
  return [...items].map(([path, { labels, runs }]) => ({ path, labels: [...labels], runs: [...runs] }));
}
