import { applicationBundles, bundleItem } from './bundle.js';
import type { Mechanism, MechanismFile } from './mechanism.js';
import { plistOf, stringAt } from './read.js';

/** Points that run from login to logout. Others wait for a share sheet, a page or a purchase. */
const fromLogin = /^com\.apple\.(?:FinderSync|fileprovider)/i;

/** Finder Sync, widgets, share and other extensions of applications. Source: pluginkit(8). */
export const appExtension: Mechanism = {
  id: 'app-extension',
  name: 'app extension',
  knockKnock: 'Extensions and Widgets',
  techniques: ['T1546'],
  places: [...applicationBundles('PlugIns', ['appex']), ...applicationBundles('Extensions', ['appex'])],
  read: (file) => {
    const point = extensionPoint(file);
    return bundleItem(file, {
      when: point !== undefined && fromLogin.test(point) ? ['login', 'host-program'] : ['host-program'],
    });
  },
  removal: ({ label }, { path }) =>
    `Switch it off with \`pluginkit -e ignore -i ${label ?? 'IDENTIFIER'}\`, then delete the application that holds ${path}.`,
};

/** What the extension extends: `com.apple.FinderSync`. */
export function extensionPoint(file: MechanismFile): string | undefined {
  const value = plistOf(file)?.value;
  const extension = value?.get('NSExtension') ?? value?.get('EXAppExtensionAttributes');
  if (!(extension instanceof Map)) return undefined;
  return (
    stringAt(extension, 'NSExtensionPointIdentifier') ?? stringAt(extension, 'EXExtensionPointIdentifier')
  );
}
