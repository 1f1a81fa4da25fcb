import type { PlistValue } from '../base/plist/index.js';
import { pathOfBookmark } from './bookmark.js';
import { applicationBundles, bundleItem, nameOf } from './bundle.js';
import { firstItems, itemOf } from './item.js';
import { KeyedArchive } from './keyed-archive.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { plistValueOf, runsOfProgram, stringAt } from './read.js';
import { booleanAt, valueAt } from './values.js';

const list = 'Library/Preferences/com.apple.loginitems.plist';
const archive = 'Library/Application Support/com.apple.backgroundtaskmanagementagent/backgrounditems.btm';

/**
 * Applications that open at login: a list of aliases (to 10.12), an archive of bookmarks (to 12), and helpers inside
 * applications. From 13 on they stand in the database of the background items.
 */
export const loginItem: Mechanism = {
  id: 'login-item',
  name: 'login item',
  knockKnock: 'Login Items',
  techniques: ['T1547.015'],
  places: [
    { scope: 'home', path: list, what: 'file' },
    { scope: 'home', path: archive, what: 'file' },
    ...applicationBundles('Library/LoginItems', ['app', 'bundle', 'xpc']),
  ],
  read: (file) => {
    const path = file.path.toLowerCase();
    if (path.endsWith('.btm')) return firstItems(bookmarksIn(file));
    if (path.endsWith('.plist')) return firstItems(aliasesIn(file));
    // A helper starts at login once its application has asked for it.
    return bundleItem(file, { when: ['login'] });
  },
  removal: ({ label }) => `Remove ${label ?? 'it'} from the login items in System Settings.`,
};

function* bookmarksIn(file: MechanismFile): Generator<PersistentItem> {
  const { value, findings = [] } = plistValueOf(file) ?? {};
  const read = KeyedArchive.of(value);
  if (read === undefined) return;
  for (const object of read.objectsOf('BackgroundItem')) yield* fromBookmark(read, object, findings);
  // Archives of other versions: a dictionary that holds a bookmark.
  for (const name of ['NSDictionary', 'NSMutableDictionary', 'BackgroundLoginItem'])
    for (const object of read.objectsOf(name)) yield* fromBookmark(read, object, findings);
}

function* fromBookmark(
  read: KeyedArchive,
  object: PlistValue,
  findings: readonly string[],
): Generator<PersistentItem> {
  for (const key of ['bookmark', 'Bookmark', 'backgroundItemBookmark']) {
    const bytes = read.bytes(read.at(object, key));
    const path = bytes === undefined ? undefined : pathOfBookmark(bytes);
    if (path !== undefined) yield fromPath(path, { findings });
  }
  for (const [name, value] of read.entries(object)) {
    const bytes = /bookmark/i.test(name) ? read.bytes(value) : undefined;
    const path = bytes === undefined ? undefined : pathOfBookmark(bytes);
    if (path !== undefined) yield fromPath(path, { findings });
  }
}

/** `SessionItems` / `CustomListItems`: name, alias, and whether the application is hidden. */
function* aliasesIn(file: MechanismFile): Generator<PersistentItem> {
  const { value, findings = [] } = plistValueOf(file) ?? {};
  const items = valueAt(value, 'SessionItems', 'CustomListItems');
  for (const one of Array.isArray(items) ? items.slice(0, 1_000) : []) {
    if (!(one instanceof Map)) continue;
    const alias = one.get('Alias') ?? one.get('Bookmark');
    const path = alias instanceof Uint8Array ? pathOfBookmark(alias) : undefined;
    const hidden = booleanAt(one, 'Hide') === true ? ['hidden-item'] : [];
    const name = stringAt(one, 'Name');
    if (path !== undefined) yield fromPath(path, { name, findings: [...findings, ...hidden] });
    else if (name !== undefined)
      yield itemOf({ key: name, label: name, when: ['login'], findings: [...findings, ...hidden] });
  }
}

function fromPath(
  path: string,
  { name, findings }: { readonly name?: string | undefined; readonly findings: readonly string[] },
): PersistentItem {
  return itemOf({
    key: path,
    label: name ?? nameOf(path),
    runs: [runsOfProgram(path)],
    when: ['login'],
    findings,
  });
}
