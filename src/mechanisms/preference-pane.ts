import { bundleMechanism, libraryBundles } from './bundle.js';

/** Code that System Settings loads when its page is opened. */
export const preferencePane = bundleMechanism({
  id: 'preference-pane',
  name: 'preference pane',
  techniques: ['T1546'],
  places: libraryBundles('PreferencePanes', ['prefpane']),
  when: ['host-program'],
  afterwards: 'Quit System Settings.',
});
