import type { EcsDocument } from '../event/document.js';
import type { ItemFacts } from '../mechanisms/launch-item-facts.js';

/** The document with findings added to those that it has. */
export function withFindings(doc: EcsDocument, findings: readonly string[]): EcsDocument {
  const all = [...new Set([...(doc.launchwarden?.findings ?? []), ...findings])];
  return all.length === 0 ? doc : { ...doc, launchwarden: { ...doc.launchwarden, findings: all } };
}

/** The document with the findings added to those of its sensor, and the launch item. */
export function withItemFacts(
  doc: EcsDocument,
  { findings, plist }: Pick<ItemFacts, 'findings' | 'plist'>,
): EcsDocument {
  const found = withFindings(doc, findings);
  return plist === undefined ? found : { ...found, launchwarden: { ...found.launchwarden, plist } };
}
