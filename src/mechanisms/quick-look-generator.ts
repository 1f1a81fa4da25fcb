import { applicationBundles, bundleMechanism, libraryBundles } from './bundle.js';

const extensions = ['qlgenerator'];

/** Code that draws previews of files. Source: qlmanage(1). */
export const quickLookGenerator = bundleMechanism({
  id: 'quick-look-generator',
  name: 'Quick Look generator',
  knockKnock: 'Quicklook Plugins',
  techniques: ['T1546'],
  places: [
    ...libraryBundles('QuickLook', extensions, { system: true }),
    ...applicationBundles('Library/QuickLook', extensions, { watched: false }),
  ],
  when: ['host-program'],
  afterwards: 'Run `qlmanage -r`, so that it is no longer loaded.',
});
