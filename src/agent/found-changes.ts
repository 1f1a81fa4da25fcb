import path from 'node:path';
import { formatMicros, type Micros } from '../base/time.js';
import type { Observation } from '../event/event.js';
import { fileEventId } from '../event/ids.js';
import type { MechanismPlaces } from '../mechanisms/index.js';
import type { InventoryChange } from '../store/index.js';
import { isWatched } from './watched.js';

export interface FoundContext {
  readonly places: MechanismPlaces;
  readonly boot: string;
  readonly now: Micros;
  /** The inventory before. */
  readonly since: Micros | undefined;
  /** No agent ran when it happened. */
  readonly away: boolean;
}

/**
 * File events of what only the inventory sees: items in places that are not watched. What happened elsewhere the file
 * watcher reports, also what happened while no agent ran. One event an item.
 */
export function foundChanges(changes: readonly InventoryChange[], context: FoundContext): Observation[] {
  const { places } = context;
  const items = new Map<string, InventoryChange[]>();
  for (const change of changes) {
    const found = places.find(change.entry.path);
    if (found === undefined || isWatched(found.place)) continue;
    const known = items.get(change.entry.item_id);
    if (known === undefined) items.set(change.entry.item_id, [change]);
    else known.push(change);
  }
  return [...items.values()].flatMap((entries) => {
    const there = entries.filter(({ kind }) => kind !== 'gone');
    const [change] = there.length > 0 ? there : entries;
    return change === undefined ? [] : [observation(change, there.length, context)];
  });
}

/** Only the inventory can tell what is new from what has changed. */
const typesOf: Readonly<Record<InventoryChange['kind'], string[]>> = {
  added: ['creation', 'change'],
  changed: ['change'],
  gone: ['deletion'],
};

/** `entries`: how many of the item's were found new or changed. */
function observation(
  { kind, entry }: InventoryChange,
  entries: number,
  { boot, now, since, away }: FoundContext,
): Observation {
  const action = kind === 'gone' ? 'deletion' : 'modification';
  const id = fileEventId('file-watch', boot, entry.path, '', BigInt(now) * 1000n, `inventory:${action}`);
  const { label, runs, when, as, enabled } = entry;
  const extension = path.posix.extname(entry.path).slice(1).toLowerCase();
  return {
    event: {
      id,
      time: now,
      nanos: 0,
      sequence: Number.POSITIVE_INFINITY,
      doc: {
        '@timestamp': formatMicros(now),
        event: { id, category: ['file'], type: typesOf[kind], action },
        file: {
          path: entry.path,
          name: path.posix.basename(entry.path),
          ...(extension === '' ? {} : { extension }),
          size: entry.size,
          type: entry.type,
          mode: entry.mode,
          uid: String(entry.uid),
          ...(entry.sha256 === undefined ? {} : { hash: { sha256: entry.sha256 } }),
        },
        launchwarden: {
          sensor: {
            kind: 'file-watch',
            precision: 'interval',
            ...(since === undefined ? {} : { not_before: formatMicros(since) }),
            reason: 'found by the inventory',
          },
          findings: [...entry.findings, ...(away ? ['changed-while-away'] : [])],
          ...(kind === 'gone'
            ? {}
            : {
                persistence: {
                  ...(label === undefined ? {} : { label: [label] }),
                  runs: [...runs],
                  when: [...when],
                  ...(as === undefined ? {} : { as: [as] }),
                  ...(enabled === undefined ? {} : { enabled }),
                  entries,
                },
              }),
        },
      },
    },
  };
}
