import { UserError } from '../../../base/errors.js';
import { quote } from '../../../base/escape.js';
import type { Alert } from '../../../event/alert.js';
import type { Version } from '../../../event/version.js';
import type { Store } from '../../../store/index.js';

/** How a version may be named: said by help and by errors. */
export const whatNames = 'number of a version, path, label, item, alert, or sha256';

/** So many versions of one thing are found. */
const most = 1_000;
const idLike = /^[0-9a-f]{4,64}$/;
const hash = /^[0-9a-f]{64}$/;

/**
 * The versions that are meant, newest first: one by its number (`17`, `#17`), those of a path, of the items of a label, of
 * an item or of what an alert is about (ids, or beginnings that only one has), or with a hash. Throws a UserError.
 */
export function findVersions(store: Store, written: string): Version[] {
  const number = /^#?(\d{1,15})$/.exec(written)?.[1];
  const byNumber = number === undefined ? undefined : store.versions.get(Number(number));
  if (byNumber !== undefined) return [byNumber];
  if (written.startsWith('#')) throw unknown(written);
  if (written.startsWith('/')) return some(ofPath(store, written), written);
  if (hash.test(written)) return some(store.versions.ofHash(written), written);
  const items = itemsOfLabel(store, written);
  if (items.length > 0) return some(ofItems(store, items), written);
  if (!idLike.test(written)) throw unknown(written);
  return some(byBeginning(store, written), written);
}

/** The one version that is meant: of several the newest. */
export function findVersion(store: Store, written: string): Version {
  return findVersions(store, written)[0] as Version;
}

/** An item's own path stands for all of the item. */
function ofPath(store: Store, path: string): Version[] {
  const own = store.versions.ofPath(path, { limit: most });
  const items = store.versions.itemsOf(path).filter(({ role }) => role === 'item');
  const ids = new Set(own.map(({ id }) => id));
  const others = ofItems(
    store,
    items.map(({ itemId }) => itemId),
  ).filter(({ id }) => !ids.has(id));
  // What was written comes first, so that it is the one that is meant.
  return [...own, ...others];
}

function itemsOfLabel(store: Store, label: string): string[] {
  const rows = store.inventory.list().filter(({ entry }) => entry.label === label);
  return [...new Set(rows.map(({ entry }) => entry.item_id))];
}

function ofItems(store: Store, items: readonly string[]): Version[] {
  const found = new Map<number, Version>();
  for (const item of items) {
    const own = new Set(
      store.versions
        .pathsOf(item)
        .filter(({ role }) => role === 'item')
        .map(({ path }) => path),
    );
    const all = store.versions.ofItem(item, { limit: most });
    // The item itself before what it runs.
    for (const one of [...all.filter(({ path }) => own.has(path)), ...all]) found.set(one.id, one);
  }
  return [...found.values()];
}

function byBeginning(store: Store, written: string): Version[] {
  const items = store.versions.itemsLike(written, 3);
  const hashes = store.versions.hashesLike(written, 3);
  const alerts = store.alerts.idsLike(written, 3);
  const found = [...items, ...hashes, ...alerts];
  if (found.length > 1)
    throw new UserError('evidence/ambiguous', `${found.length} or more ids begin with ${quote(written)}`, {
      hint: `Write more of it: ${found.slice(0, 5).join(', ')}.`,
    });
  const [alert] = alerts.flatMap((id) => store.alerts.get(id) ?? []);
  if (alert !== undefined) return ofAlert(store, alert);
  return items.length > 0 ? ofItems(store, items) : hashes.flatMap((sha256) => store.versions.ofHash(sha256));
}

function ofAlert(store: Store, alert: Alert): Version[] {
  const path = alert.doc.file?.path;
  const about = alert.item === undefined ? [] : ofItems(store, [alert.item]);
  const versions = about.length > 0 || path === undefined ? about : ofPath(store, path);
  if (versions.length > 0) return versions;
  throw new UserError('evidence/none', `nothing is kept of what alert ${alert.id} is about`, {
    hint:
      path === undefined
        ? 'It names no file.'
        : 'The file was gone before it could be read, or may not be kept.',
  });
}

function some(versions: Version[], written: string): Version[] {
  if (versions.length > 0) return versions;
  throw unknown(written);
}

function unknown(written: string): UserError {
  return new UserError('evidence/unknown', `nothing is kept of ${quote(written, 100)}`, {
    hint: `Name it by ${whatNames}: see "launchwarden evidence list".`,
  });
}
