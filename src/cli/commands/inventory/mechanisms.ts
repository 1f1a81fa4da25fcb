import { isWatched } from '../../../agent/watched.js';
import { ExitCode } from '../../../base/errors.js';
import { type Mechanism, mechanisms, techniques } from '../../../mechanisms/index.js';
import { defineCommand, flag } from '../../define-command.js';
import { type Column, tableLines } from '../../output/table.js';
import { readInventory, readOptions } from './read.js';

const columns: readonly Column[] = [
  { title: 'ID', style: () => 'bold' },
  { title: 'NAME' },
  { title: 'ATT&CK' },
  { title: 'KNOCKKNOCK' },
  { title: 'SEEN BY' },
  { title: 'HERE' },
];

/** `events`: all of its places are watched; `inventory`: none; `both`: some, and the inventory sees the others. */
function seenBy({ places }: Mechanism): 'events' | 'inventory' | 'both' {
  const watched = places.filter(isWatched).length;
  return watched === places.length ? 'events' : watched === 0 ? 'inventory' : 'both';
}

export const inventoryMechanisms = defineCommand({
  description:
    'Every way to persist that is known, with the category of KnockKnock that shows such items. SEEN BY "events": changes are\n' +
    'seen at once in all of its places; "inventory": within the hour; "both": at once in some. HERE: entries on this Mac.',
  options: { ...readOptions, json: flag('--json', 'one JSON document a mechanism (NDJSON)') },
  examples: [
    { line: 'sudo launchwarden inventory mechanisms', says: 'what is looked for, and how much there is' },
  ],
  needs: 'read access to the data directory, or without an agent to the files themselves (root)',
  async handler({ context, options }) {
    const { out } = context;
    const { rows } = await readInventory(context, options);
    const counts = new Map<string, number>();
    for (const { entry, gone } of rows)
      if (gone === undefined) counts.set(entry.mechanism, (counts.get(entry.mechanism) ?? 0) + 1);
    if (options.json) {
      for (const one of mechanisms)
        out.document('inventory-mechanism/1', {
          id: one.id,
          name: one.name,
          techniques: one.techniques.map((id) => ({ id, name: techniques[id] })),
          knockknock: one.knockKnock ?? null,
          seen_by: seenBy(one),
          places: one.places.map((place) => ({
            scope: place.scope,
            path: place.path,
            watched: isWatched(place),
          })),
          entries: counts.get(one.id) ?? 0,
        });
      return ExitCode.ok;
    }
    const cells = mechanisms.map((one) => [
      one.id,
      one.name,
      one.techniques.join(', '),
      one.knockKnock ?? '',
      seenBy(one),
      String(counts.get(one.id) ?? 0),
    ]);
    for (const line of tableLines(columns, cells, out)) out.line(line);
    return ExitCode.ok;
  },
});
