import { bundleMechanism } from './bundle.js';

const extensions = ['mailbundle', 'bundle'];

/** Code that Mail loaded when it started, up to macOS 13. */
export const mailBundle = bundleMechanism({
  id: 'mail-bundle',
  name: 'Mail plug-in',
  techniques: ['T1546'],
  places: [
    { scope: 'system', path: '/Library/Mail/Bundles', what: 'bundles', extensions },
    { scope: 'home', path: 'Library/Mail/Bundles', what: 'bundles', extensions },
    {
      scope: 'home',
      path: 'Library/Containers/com.apple.mail/Data/DataVaults/MailBundles/Library/Mail/Bundles',
      what: 'bundles',
      extensions,
    },
  ],
  when: ['host-program'],
  afterwards: 'Quit Mail.',
});
