import { bundleMechanism } from './bundle.js';

const extensions = ['xpc', 'bundle'];

/** Code that opendirectoryd asks who a user is, and whether a password is right. Source: opendirectoryd(8). */
export const openDirectoryModule = bundleMechanism({
  id: 'open-directory-module',
  name: 'Open Directory module',
  techniques: ['T1556'],
  places: [
    { scope: 'system', path: '/Library/OpenDirectory/Modules', what: 'bundles', extensions },
    { scope: 'system', path: '/System/Library/OpenDirectory/Modules', what: 'bundles', extensions },
  ],
  when: ['boot', 'authentication'],
  as: 'root',
  afterwards: 'Restart the Mac: opendirectoryd keeps what it has loaded until then.',
});
