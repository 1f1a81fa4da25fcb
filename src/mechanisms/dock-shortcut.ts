import { nameOf } from './bundle.js';
import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { plistOf, runsOfProgram, stringAt } from './read.js';
import { pathOfUrl, valueAt } from './values.js';

const groups = ['persistent-apps', 'persistent-others'];
/** Where Apple's applications stand. */
const ownFolders = /^\/(?:System\/|Applications\/(?:Utilities\/)?[^/]+\.app$)/;
/** Names of Apple's applications that are usual in the Dock. */
const ownNames: ReadonlySet<string> = new Set([
  ...[
    'safari',
    'mail',
    'messages',
    'facetime',
    'finder',
    'launchpad',
    'apps',
    'maps',
    'photos',
    'calendar',
    'contacts',
  ],
  ...[
    'reminders',
    'notes',
    'freeform',
    'tv',
    'music',
    'podcasts',
    'news',
    'numbers',
    'keynote',
    'pages',
    'app store',
  ],
  ...[
    'system settings',
    'system preferences',
    'terminal',
    'passwords',
    'iphone mirroring',
    'xcode',
    'preview',
  ],
]);

/** What stands in the Dock: a false Safari there runs whenever its user wants the real one. */
export const dockShortcut: Mechanism = {
  id: 'dock-shortcut',
  name: 'Dock shortcut',
  techniques: ['T1546'],
  places: [
    { scope: 'home', path: 'Library/Preferences/com.apple.dock.plist', what: 'file' },
    { scope: 'system', path: '/Library/Managed Preferences/com.apple.dock.plist', what: 'file' },
  ],
  read: (file) => firstItems(tilesIn(file)),
  removal: ({ label }) => `Drag ${label ?? 'the icon'} out of the Dock.`,
};

function* tilesIn(file: MechanismFile): Generator<PersistentItem> {
  const list = plistOf(file);
  for (const group of groups) {
    const tiles = list?.value.get(group);
    for (const tile of Array.isArray(tiles) ? tiles.slice(0, 500) : []) {
      const data = valueAt(tile, 'tile-data');
      const url = valueAt(data, 'file-data', '_CFURLString');
      const path = typeof url === 'string' ? pathOfUrl(url)?.replace(/\/+$/, '') : undefined;
      if (path === undefined || !(data instanceof Map)) continue;
      const label = stringAt(data, 'file-label') ?? nameOf(path).replace(/\.app$/i, '');
      const names = [label, nameOf(path).replace(/\.app$/i, '')].map((one) => one.toLowerCase().trim());
      const pretends = names.some((one) => ownNames.has(one)) && !ownFolders.test(path);
      yield itemOf({
        key: path,
        label,
        runs: [runsOfProgram(path)],
        when: ['demand'],
        findings: [...(list?.findings ?? []), ...(pretends ? ['apple-name-elsewhere'] : [])],
      });
    }
  }
}
