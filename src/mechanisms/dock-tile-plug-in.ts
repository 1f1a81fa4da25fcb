import { applicationBundles, bundleMechanism } from './bundle.js';

/** An application's code that the Dock loads as soon as its icon is there, also while it does not run (`NSDockTilePlugIn`). */
export const dockTilePlugIn = bundleMechanism({
  id: 'dock-tile-plug-in',
  name: 'Dock tile plug-in',
  knockKnock: 'Dock Tiles Plugins',
  techniques: ['T1546'],
  places: applicationBundles('PlugIns', ['docktileplugin']),
  when: ['login', 'host-program'],
  afterwards: 'Remove the icon of its application from the Dock, then log out.',
});
