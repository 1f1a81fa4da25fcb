import { chromeLike, firefoxLike } from './browsers.js';
import { nameOf } from './bundle.js';
import { firstItems, itemOf } from './item.js';
import { elementsOf, type Json, jsonOf, member, membersOf, stringOf } from './json.js';
import type { Mechanism, MechanismFile, PersistentItem, Place } from './mechanism.js';
import { plistOf, runsOfProgram } from './read.js';
import { booleanAt } from './values.js';

const support = 'Library/Application Support';
const safari = 'Library/Containers/com.apple.Safari/Data/Library/Safari';
/** Names that browsers give to profiles; Opera has its extensions beside the first one. */
const profiles = ['Default', 'Profile 1', 'Profile 2', 'Profile 3'];
/** What an extension may ask for that lets it see or change everything. */
const wide =
  /^(?:<all_urls>|\*:\/\/\*\/\*|https?:\/\/\*\/\*|nativeMessaging|debugger|proxy|webRequestBlocking)$/;

/**
 * Extensions of browsers, files that make a browser install one, and programs that an extension may start (native
 * messaging). A browser's own preferences change at every click: the inventory alone reads them, and only what they load from
 * elsewhere is an item.
 */
export const browserExtension: Mechanism = {
  id: 'browser-extension',
  name: 'browser extension',
  knockKnock: 'Browser Extensions',
  techniques: ['T1176'],
  growsLarge: true,
  places: [
    ...chromeLike.flatMap((folder): Place[] => [
      ...profiles.map((profile) => packages(`${folder}/${profile}`)),
      // Further profiles: each `*` more is a tree of folders that would have to be watched.
      { ...packages(`${folder}/*`), watched: false },
      { scope: 'home', path: `${support}/${folder}/External Extensions`, what: 'entries' },
      { scope: 'system', path: `/${support}/${folder}/External Extensions`, what: 'entries' },
      { scope: 'home', path: `${support}/${folder}/NativeMessagingHosts`, what: 'entries' },
      ...['Secure Preferences', 'Preferences'].map(
        (name): Place => ({
          scope: 'home',
          path: `${support}/${folder}/*/${name}`,
          what: 'file',
          watched: false,
        }),
      ),
    ]),
    ...['Google/Chrome', 'Microsoft/Edge', 'Chromium', 'Mozilla'].map(
      (folder): Place => ({
        scope: 'system',
        path: `/Library/${folder}/NativeMessagingHosts`,
        what: 'entries',
      }),
    ),
    { scope: 'home', path: `${support}/Mozilla/NativeMessagingHosts`, what: 'entries' },
    { scope: 'home', path: `${support}/Firefox/Profiles/*/extensions`, what: 'entries' },
    { scope: 'home', path: `${support}/Firefox/Profiles/*/extensions.json`, what: 'file' },
    { scope: 'home', path: `${support}/Mozilla/Extensions/*`, what: 'entries' },
    { scope: 'system', path: `/${support}/Mozilla/Extensions/*`, what: 'entries' },
    ...firefoxLike.map(
      (resources): Place => ({
        scope: 'system',
        path: `${resources}/distribution/extensions`,
        what: 'entries',
        extensions: ['xpi'],
      }),
    ),
    { scope: 'home', path: 'Library/Safari/Extensions', what: 'entries' },
    { scope: 'home', path: `${safari}/AppExtensions/Extensions.plist`, what: 'file' },
    { scope: 'home', path: `${safari}/WebExtensions/Extensions.plist`, what: 'file' },
  ],
  read: (file) => firstItems(itemsIn(file)),
  removal: ({ label }, { path }) =>
    /\.json$|\.xpi$/i.test(path)
      ? `Delete ${path}, then remove ${label ?? 'the extension'} in the browser.`
      : `Remove ${label ?? 'the extension'} in the browser.`,
};

/** Identifier, then version: the version is the bundle. */
function packages(profile: string): Place {
  const path = `${support}/${profile}/Extensions/*`;
  return { scope: 'home', path, what: 'bundles', describedBy: 'manifest.json' };
}

function itemsIn(file: MechanismFile): Iterable<PersistentItem> {
  const path = file.path;
  if (/\/NativeMessagingHosts\//i.test(path)) return hosts(file);
  if (/\/External Extensions\//i.test(path)) return external(file);
  if (/\/extensions\.json$/i.test(path)) return firefoxList(file);
  if (/\/Extensions\.plist$/i.test(path)) return safariList(file);
  if (/\/(?:Secure )?Preferences$/i.test(path)) return chromePreferences(file);
  return file.type === 'dir' ? packed(file) : single(file);
}

/** A package of Firefox or of an older Safari: its content is an archive that is not opened. */
function single(file: MechanismFile): PersistentItem[] {
  return [itemOf({ label: nameOf(file.path), runs: [runsOfProgram(file.path)], when: ['host-program'] })];
}

/** `.../Extensions/IDENTIFIER/VERSION/manifest.json` */
function packed(file: MechanismFile): PersistentItem[] {
  const manifest = jsonOf(file);
  const identifier = nameOf(file.path.slice(0, file.path.lastIndexOf('/')));
  const asks = ['permissions', 'host_permissions', 'optional_permissions']
    .flatMap((key) => elementsOf(member(manifest, key)))
    .concat(
      elementsOf(member(manifest, 'content_scripts')).flatMap((one) => elementsOf(member(one, 'matches'))),
    );
  const name = stringOf(member(manifest, 'name'));
  return [
    itemOf({
      key: identifier,
      label: name === undefined || name.startsWith('__MSG_') ? identifier : name,
      runs: [runsOfProgram(file.path)],
      when: ['host-program'],
      findings: asks.some((one) => typeof one === 'string' && wide.test(one)) ? ['sees-every-page'] : [],
    }),
  ];
}

/** `IDENTIFIER.json` with a file or an address to install from. */
function external(file: MechanismFile): PersistentItem[] {
  const json = jsonOf(file);
  const from = stringOf(member(json, 'external_crx')) ?? stringOf(member(json, 'external_update_url'));
  if (from === undefined) return [];
  const identifier = nameOf(file.path).replace(/\.json$/i, '');
  const runs = from.startsWith('/') ? [runsOfProgram(from)] : [];
  const findings =
    from.startsWith('/') || !chromeStore.test(from)
      ? ['forced-extension', 'not-from-store']
      : ['forced-extension'];
  return [itemOf({ label: identifier, runs, when: ['host-program'], findings })];
}

export const chromeStore =
  /^https:\/\/(?:clients2\.google\.com\/service\/update2\/crx|edge\.microsoft\.com\/extensionwebstorebase)/;

/** A program that extensions may start. */
function hosts(file: MechanismFile): PersistentItem[] {
  const json = jsonOf(file);
  const path = stringOf(member(json, 'path'));
  if (path === undefined) return [];
  return [
    itemOf({ label: stringOf(member(json, 'name')), runs: [runsOfProgram(path)], when: ['host-program'] }),
  ];
}

/** Where an extension comes from, as Chrome counts: unpacked by its developer, or given on the command line. */
const fromElsewhere: ReadonlySet<Json> = new Set([4, 8]);

function* chromePreferences(file: MechanismFile): Generator<PersistentItem> {
  const settings = member(jsonOf(file), 'extensions', 'settings');
  for (const [identifier, setting] of membersOf(settings).slice(0, 2_000)) {
    const path = stringOf(member(setting, 'path'));
    const location = member(setting, 'location');
    if (path === undefined || location === undefined || !fromElsewhere.has(location)) continue;
    const asks = ['permissions', 'host_permissions'].flatMap((key) =>
      elementsOf(member(setting, 'manifest', key)),
    );
    yield itemOf({
      key: identifier,
      label: stringOf(member(setting, 'manifest', 'name')) ?? identifier,
      runs: path.startsWith('/') ? [runsOfProgram(path)] : [],
      when: ['host-program'],
      enabled: member(setting, 'state') === 0 ? false : undefined,
      findings: [
        'not-from-store',
        ...(asks.some((one) => typeof one === 'string' && wide.test(one)) ? ['sees-every-page'] : []),
      ],
    });
  }
}

function* firefoxList(file: MechanismFile): Generator<PersistentItem> {
  for (const addon of elementsOf(member(jsonOf(file), 'addons')).slice(0, 1_000)) {
    const id = stringOf(member(addon, 'id'));
    const location = stringOf(member(addon, 'location'));
    // What comes with the browser.
    if (id === undefined || /^app-(?:builtin|system)/.test(location ?? '')) continue;
    const path = stringOf(member(addon, 'path'));
    const origins = elementsOf(member(addon, 'userPermissions', 'origins'));
    yield itemOf({
      key: id,
      label: stringOf(member(addon, 'defaultLocale', 'name')) ?? id,
      runs: path?.startsWith('/') === true ? [runsOfProgram(path)] : [],
      when: ['host-program'],
      enabled: booleanOf(member(addon, 'active')),
      findings: [
        ...(origins.some((one) => typeof one === 'string' && wide.test(one)) ? ['sees-every-page'] : []),
        ...(member(addon, 'foreignInstall') === true ? ['not-from-store'] : []),
      ],
    });
  }
}

/** Keys are `identifier (TEAM)`. */
function* safariList(file: MechanismFile): Generator<PersistentItem> {
  const list = plistOf(file);
  for (const [name, value] of list?.value ?? []) {
    if (!(value instanceof Map)) continue;
    yield itemOf({
      key: name,
      label: name,
      when: ['host-program'],
      enabled: booleanAt(value, 'Enabled'),
      findings: list?.findings ?? [],
    });
  }
}

function booleanOf(value: Json | undefined): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}
