import { bundleItem, libraryBundles, nameOf } from './bundle.js';
import { itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { plistOf, runsOfProgram, stringAt } from './read.js';

/** Screen savers, and the settings that choose one. Source: the preference domain com.apple.screensaver. */
export const screenSaver: Mechanism = {
  id: 'screen-saver',
  name: 'screen saver',
  techniques: ['T1546.002'],
  places: [
    ...libraryBundles('Screen Savers', ['saver', 'slidesaver', 'qtz', 'app', 'appex']),
    { scope: 'home', path: 'Library/Preferences/ByHost/com.apple.screensaver.*', what: 'file' },
    { scope: 'system', path: '/Library/Managed Preferences/com.apple.screensaver*', what: 'file' },
  ],
  read: (file) =>
    file.path.toLowerCase().includes('preferences/') ? chosen(file) : bundleItem(file, { when: ['event'] }),
  removal: (_item, { path }) => `Choose another screen saver in System Settings, then delete ${path}.`,
};

/** `moduleDict` holds the name and the path of the saver that is used. */
function chosen(file: MechanismFile): PersistentItem[] {
  const list = plistOf(file);
  const module = list?.value.get('moduleDict');
  if (list === undefined || !(module instanceof Map)) return [];
  const path = stringAt(module, 'path');
  const runs = path === undefined ? [] : [runsOfProgram(path)];
  const label = stringAt(module, 'moduleName') ?? (path === undefined ? undefined : nameOf(path));
  return [itemOf({ label, runs, when: ['event'], findings: list.findings })];
}
