import type { InventoryEntry, InventoryRow } from '../event/inventory.js';
import type { RunningItem } from '../sensors/file-watch/index.js';
import type { InventoryChange } from '../store/index.js';

interface Collected {
  readonly labels: Set<string>;
  readonly runs: Set<string>;
  readonly hashes: Record<string, string>;
}

/** What the entries of the inventory run, by the file or bundle that they stand in. */
export function runningItems(entries: Iterable<InventoryEntry>): RunningItem[] {
  const items = new Map<string, Collected>();
  for (const { path, label, runs, program, program_sha256: sha256 } of entries) {
    const item = items.get(path) ?? { labels: new Set(), runs: new Set(), hashes: {} };
    items.set(path, item);
    if (label !== undefined) item.labels.add(label);
    for (const one of runs) item.runs.add(one);
    if (program !== undefined && sha256 !== undefined) item.hashes[program] = sha256;
  }
  return [...items].map(([path, { labels, runs, hashes }]) => ({
    path,
    labels: [...labels],
    runs: [...runs],
    hashes,
  }));
}

/** The programs of items whose content is known to be another one than before. */
export function exchangedPrograms(changes: readonly InventoryChange[]): string[] {
  const programs = changes.flatMap(({ entry, before }) => {
    const { program, program_sha256: sha256 } = entry;
    if (program === undefined || program !== before?.program) return [];
    const known = sha256 !== undefined && before.program_sha256 !== undefined;
    return known && sha256 !== before.program_sha256 ? [program] : [];
  });
  return [...new Set(programs)];
}

/**
 * Labels of launch items that are trusted: those that were there at the first inventory, and those whose program a signer
 * vouches for that Apple knows.
 */
export function trustedLabels(rows: Iterable<InventoryRow>): string[] {
  const labels: string[] = [];
  for (const { entry, gone, baseline } of rows) {
    const { label, mechanism, signer, findings } = entry;
    if (label === undefined || gone !== undefined || !launchItems.has(mechanism)) continue;
    if (findings.includes('look-alike-label')) continue;
    if (baseline || signer?.trusted === true) labels.push(label);
  }
  return labels;
}

const launchItems: ReadonlySet<string> = new Set(['launch-agent', 'launch-daemon', 'bundled-launch-item']);
