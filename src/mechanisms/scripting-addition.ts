import { bundleMechanism, libraryBundles } from './bundle.js';

/** Code that a program loads when a script sends it a command of the addition. */
export const scriptingAddition = bundleMechanism({
  id: 'scripting-addition',
  name: 'scripting addition',
  techniques: ['T1546'],
  places: libraryBundles('ScriptingAdditions', ['osax']),
  when: ['host-program'],
  afterwards: 'Log out, so that programs that have loaded it end.',
});
