import type { EcsDocument } from '../event/document.js';
import type { ItemFacts } from '../mechanisms/launch-item-facts.js';

/** The document with the findings added to those of its sensor, and the launch item. */
export function withItemFacts(
  doc: EcsDocument,
  { findings, plist }: Pick<ItemFacts, 'findings' | 'plist'>,
): EcsDocument {
  const all = [...new Set([...(doc.launchwarden?.findings ?? []), ...findings])];
  return {
    ...doc,
    launchwarden: {
      ...doc.launchwarden,
      ...(all.length === 0 ? {} : { findings: all }),
      ...(plist === undefined ? {} : { plist }),
    },
  };
}
