import { bundleMechanism, libraryBundles } from './bundle.js';
import type { Place } from './mechanism.js';

/** Audio units and drivers, and camera drivers. Drivers of the folder HAL run in coreaudiod, as its user, from the start. */
export const audioPlugIn = bundleMechanism({
  id: 'audio-plug-in',
  name: 'audio or camera plug-in',
  techniques: ['T1546'],
  places: [
    ...libraryBundles('Audio/Plug-Ins/*', [
      'driver',
      'plugin',
      'component',
      'vst',
      'vst3',
      'bundle',
      'aaxplugin',
    ]),
    camera('/Library/CoreMediaIO/Plug-Ins/DAL'),
    camera('/Library/CoreMediaIO/Plug-Ins/FCP-DAL'),
  ],
  when: ['boot', 'host-program'],
  afterwards: 'Restart the Mac, or end coreaudiod, so that it is no longer loaded.',
});

function camera(path: string): Place {
  return { scope: 'system', path, what: 'bundles', extensions: ['plugin'] };
}
