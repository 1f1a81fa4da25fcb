import { bundleMechanism, libraryBundles } from './bundle.js';

/** Programs that see every key and run while they are the keyboard's input source. */
export const inputMethod = bundleMechanism({
  id: 'input-method',
  name: 'input method',
  techniques: ['T1546'],
  places: libraryBundles('Input Methods', ['app', 'bundle'], { system: true }),
  when: ['login', 'host-program'],
  afterwards: 'Remove it from the input sources in System Settings, then log out.',
});
