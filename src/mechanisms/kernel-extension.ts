import { bundleMechanism } from './bundle.js';

const extensions = ['kext'];

/** Source: kext_policy and kmutil(8); the folders are those of KextManager. */
export const kernelExtension = bundleMechanism({
  id: 'kernel-extension',
  name: 'kernel extension',
  knockKnock: 'Kernel Extensions',
  techniques: ['T1547.006'],
  places: [
    { scope: 'system', path: '/Library/Extensions', what: 'bundles', extensions },
    // Copies that the system makes of those above when it loads them.
    {
      scope: 'system',
      path: '/Library/StagedExtensions/Library/Extensions',
      what: 'bundles',
      extensions,
      watched: false,
    },
    { scope: 'system', path: '/System/Library/Extensions', what: 'bundles', extensions },
  ],
  when: ['boot'],
  as: 'root',
  afterwards: 'Rebuild the collection with `kmutil install --update-all` and restart the Mac.',
});
