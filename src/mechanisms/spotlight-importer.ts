import { applicationBundles, bundleMechanism, libraryBundles } from './bundle.js';

const extensions = ['mdimporter'];

/** Code that reads files for the search index. Source: mdimport(1). */
export const spotlightImporter = bundleMechanism({
  id: 'spotlight-importer',
  name: 'Spotlight importer',
  knockKnock: 'Spotlight Importers',
  techniques: ['T1546'],
  places: [
    ...libraryBundles('Spotlight', extensions, { system: true }),
    ...applicationBundles('Library/Spotlight', extensions, { watched: false }),
  ],
  when: ['host-program', 'path'],
  afterwards: 'Log out, so that the worker that has loaded it ends.',
});
