import { bundleMechanism, libraryBundles } from './bundle.js';

/** Code that every program loads that shows the colour panel. */
export const colorPicker = bundleMechanism({
  id: 'color-picker',
  name: 'colour picker',
  techniques: ['T1546'],
  places: libraryBundles('ColorPickers', ['colorpicker']),
  when: ['host-program'],
  afterwards: 'Log out, so that programs that have loaded it end.',
});
