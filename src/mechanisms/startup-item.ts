import { nameOf } from './bundle.js';
import { itemOf } from './item.js';
import type { Mechanism } from './mechanism.js';
import { plistOf, runsOfProgram, stringAt } from './read.js';

const describedBy = 'StartupParameters.plist';

/** Folders with a script of their own name, run as root when the system starts (to 10.9). Source: SystemStarter(8). */
export const startupItem: Mechanism = {
  id: 'startup-item',
  name: 'start-up item',
  knockKnock: 'Startup Scripts',
  techniques: ['T1037.005'],
  places: [
    { scope: 'system', path: '/Library/StartupItems', what: 'bundles', describedBy },
    { scope: 'system', path: '/System/Library/StartupItems', what: 'bundles', describedBy },
  ],
  read: (file) => {
    const list = plistOf(file);
    const name = nameOf(file.path);
    return [
      itemOf({
        label: (list === undefined ? undefined : stringAt(list.value, 'Description')) ?? name,
        runs: [runsOfProgram(`${file.path}/${name}`)],
        when: ['boot'],
        as: 'root',
        findings: list?.findings ?? [],
      }),
    ];
  },
  removal: (_item, { path }) => `Delete ${path}.`,
};
