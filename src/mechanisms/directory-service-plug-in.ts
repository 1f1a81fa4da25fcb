import { bundleMechanism } from './bundle.js';

const extensions = ['dsplug'];

/** Bundles of the DirectoryService of Mac OS X up to 10.6; later systems host them in dspluginhelperd. Source: opendirectoryd(8). */
export const directoryServicePlugIn = bundleMechanism({
  id: 'directory-service-plug-in',
  name: 'DirectoryService plug-in',
  knockKnock: 'Dir. Services Plugins',
  techniques: ['T1547'],
  places: [
    { scope: 'system', path: '/Library/DirectoryServices/PlugIns', what: 'bundles', extensions },
    {
      scope: 'system',
      path: '/System/Library/Frameworks/DirectoryService.framework/Versions/A/Resources/Plugins',
      what: 'bundles',
      extensions,
    },
  ],
  when: ['boot', 'authentication'],
  as: 'root',
  afterwards: 'Restart the Mac: a service that has loaded it keeps it until then.',
});
