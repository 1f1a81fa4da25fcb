import type { EcsDocument, FileFields, PersistentItemFields } from '../event/document.js';
import type { FileContent } from '../event/event.js';
import { persistentItemId } from '../event/ids.js';
import {
  type Found,
  launchItemOf,
  type MechanismFile,
  type PersistentItem,
  readItems,
} from '../mechanisms/index.js';
import type { ItemFacts } from '../mechanisms/launch-item-facts.js';
import { withFindings } from './item-facts.js';

/** Values of one list that an event carries. */
const maxValues = 64;

/** The item that a path belongs to, without what its file holds. */
export function ownerFields({ mechanism, path }: Found): PersistentItemFields {
  return {
    mechanism: mechanism.id,
    item_id: persistentItemId(mechanism.id, path),
    path,
    techniques: [...mechanism.techniques],
  };
}

/** What the entries of an item's file say, and what is odd about them. */
export function entryFields(items: readonly PersistentItem[]): {
  readonly fields: PersistentItemFields;
  readonly findings: readonly string[];
} {
  const list = (of: (item: PersistentItem) => readonly (string | undefined)[]) =>
    [...new Set(items.flatMap(of).filter((one) => one !== undefined && one !== ''))].slice(
      0,
      maxValues,
    ) as string[];
  const label = list((item) => [item.label]);
  const runs = list((item) => item.runs.flatMap(({ paths }) => paths));
  const when = list((item) => item.when);
  const as = list((item) => [item.as]);
  const told = items.filter(({ enabled }) => enabled !== undefined);
  return {
    fields: {
      ...(label.length === 0 ? {} : { label }),
      ...(runs.length === 0 ? {} : { runs }),
      ...(when.length === 0 ? {} : { when }),
      ...(as.length === 0 ? {} : { as }),
      ...(told.length === 0 ? {} : { enabled: told.some(({ enabled }) => enabled === true) }),
      entries: items.length,
    },
    findings: [...new Set(items.flatMap(({ findings }) => findings))],
  };
}

/** What the mechanism reads in a file; nothing of one whose content is not at hand. Never throws. */
export function itemsOf(
  found: Found,
  file: FileFields,
  given: { readonly content: FileContent | undefined; readonly facts: ItemFacts | undefined },
): readonly PersistentItem[] {
  const { mechanism, path, describes } = found;
  if (given.facts !== undefined)
    return given.facts.plist === undefined ? [] : [launchItemOf(given.facts, path)];
  if (!describes || (given.content === undefined && file.type !== 'symlink')) return [];
  try {
    return readItems(mechanism, mechanismFile(found, file, given.content));
  } catch {
    // A mistake of ours must not cost the event that the file belongs to.
    return [];
  }
}

function mechanismFile(found: Found, file: FileFields, content: FileContent | undefined): MechanismFile {
  const bundle = found.place.what === 'bundles';
  return {
    path: found.path,
    home: found.home,
    uid: numberOf(file.uid, 10),
    mode: bundle ? undefined : numberOf(file.mode, 8),
    type: bundle ? 'dir' : typeOf(file.type),
    content,
    target: file.target_path,
  };
}

function numberOf(text: string | undefined, radix: number): number | undefined {
  const value = Number.parseInt(text ?? '', radix);
  return Number.isNaN(value) ? undefined : value;
}

function typeOf(type: string | undefined): MechanismFile['type'] {
  return type === 'file' || type === 'dir' || type === 'symlink' ? type : 'other';
}

/** The document with what is known of the persistent item, and the findings added to those that it has. */
export function withPersistence(
  doc: EcsDocument,
  fields: PersistentItemFields,
  findings: readonly string[] = [],
): EcsDocument {
  const found = withFindings(doc, findings);
  // What found the file may know more than its path.
  const persistence = { ...doc.launchwarden?.persistence, ...fields };
  return { ...found, launchwarden: { ...found.launchwarden, persistence } };
}
