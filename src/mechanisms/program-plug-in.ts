import { bundleMechanism, libraryBundles } from './bundle.js';

/** Code that one program or framework loads, most of them of older systems. */
export const programPlugIn = bundleMechanism({
  id: 'program-plug-in',
  name: 'plug-in of a program',
  techniques: ['T1546'],
  places: [
    ...libraryBundles('InputManagers', ['bundle']),
    ...libraryBundles('Application Support/SIMBL/Plugins', ['bundle']),
    ...libraryBundles('Contextual Menu Items', ['plugin', 'bundle']),
    ...libraryBundles('QuickTime', ['component']),
    ...libraryBundles('Graphics/Image Units', ['plugin']),
    ...libraryBundles('Address Book Plug-Ins', ['bundle']),
    ...libraryBundles('iTunes/iTunes Plug-ins', ['bundle']),
    ...libraryBundles('Internet Plug-Ins', ['plugin', 'webplugin', 'bundle']),
    ...libraryBundles('Video/Plug-Ins', ['plugin']),
    ...libraryBundles('Speech/Synthesizers', ['speechsynthesizer']),
    ...libraryBundles('Widgets', ['wdgt']),
  ],
  when: ['host-program'],
  afterwards: 'Quit the program that loads it.',
});
