import type { Baseline, KnownEntry } from '../event/baseline.js';
import type { CodeSignatureFields } from '../event/document.js';
import type { InventoryEntry, InventoryRow } from '../event/inventory.js';
import type { Store } from '../store/index.js';

/**
 * How an entry compares with what is known to be good. `updated`: it has the same label, runs the same things in the same
 * way, and what it runs has other bytes signed by the same signer; `changed`: anything else differs.
 */
export type KnownGoodVerdict = 'same' | 'updated' | 'changed' | 'new' | 'gone';

export interface EntryComparison {
  readonly verdict: KnownGoodVerdict;
  /** As it is now; of what is gone, as it was known. */
  readonly entry: InventoryEntry;
  /** Undefined of what is new. */
  readonly known: KnownEntry | undefined;
  /** Names of what differs: `sha256`, `runs`, ... */
  readonly fields: readonly (keyof InventoryEntry)[];
}

export interface KnownGood {
  /** What it was compared with; undefined while there is no baseline: then nothing can be said. */
  readonly baseline: Baseline | undefined;
  /** The gravest of the entries: new, changed, gone, updated, same; undefined without a baseline or entries. */
  readonly verdict: KnownGoodVerdict | undefined;
  readonly entries: readonly EntryComparison[];
}

const compared = [
  'label',
  'runs',
  'program',
  'when',
  'as',
  'enabled',
  'type',
  'mode',
  'uid',
  'sha256',
  'program_sha256',
] as const satisfies readonly (keyof InventoryEntry)[];

/** What an update by a vendor exchanges. */
const byUpdate: ReadonlySet<string> = new Set(['sha256', 'program_sha256']);
const gravity: readonly KnownGoodVerdict[] = ['new', 'changed', 'gone', 'updated', 'same'];

/** How an item compares with a baseline, by default the newest. */
export function knownGoodOf(
  store: Pick<Store, 'inventory' | 'baselines'>,
  itemId: string,
  name?: string,
): KnownGood {
  const baseline = name === undefined ? store.baselines.newest() : store.baselines.get(name);
  if (baseline === undefined) return { baseline, verdict: undefined, entries: [] };
  const entries = compareWithKnown(store.inventory.of(itemId), store.baselines.ofItem(baseline.name, itemId));
  const verdict = gravity.find((one) => entries.some((entry) => entry.verdict === one));
  return { baseline, verdict, entries };
}

/** Entries as they are now, and as they are known to be good. */
export function compareWithKnown(
  rows: readonly InventoryRow[],
  known: readonly KnownEntry[],
): EntryComparison[] {
  const before = new Map(known.map((one) => [keyOf(one.entry), one]));
  const found: EntryComparison[] = [];
  for (const { entry, gone } of rows) {
    if (gone !== undefined) continue;
    const one = before.get(keyOf(entry));
    before.delete(keyOf(entry));
    if (one === undefined) found.push({ verdict: 'new', entry, known: one, fields: [] });
    else {
      const fields = compared.filter(
        (name) => JSON.stringify(one.entry[name]) !== JSON.stringify(entry[name]),
      );
      found.push({ verdict: verdictOf(one.entry, entry, fields), entry, known: one, fields });
    }
  }
  for (const one of before.values())
    found.push({ verdict: 'gone', entry: one.entry, known: one, fields: [] });
  return found;
}

function verdictOf(
  before: InventoryEntry,
  after: InventoryEntry,
  fields: readonly (keyof InventoryEntry)[],
): KnownGoodVerdict {
  if (fields.length === 0) return 'same';
  const onlyBytes = fields.every((name) => byUpdate.has(name));
  return onlyBytes && isSameSigner(before.signer, after.signer) ? 'updated' : 'changed';
}

/** A trusted signature of the same team, or of Apple itself, and under the same identifier. */
function isSameSigner(
  before: CodeSignatureFields | undefined,
  after: CodeSignatureFields | undefined,
): boolean {
  if (before?.trusted !== true || after?.trusted !== true) return false;
  if (before.signing_id === undefined || before.signing_id !== after.signing_id) return false;
  return before.team_id === after.team_id && before.subject_name === after.subject_name;
}

function keyOf({ item_id, key }: Pick<InventoryEntry, 'item_id' | 'key'>): string {
  return `${item_id}\0${key}`;
}
