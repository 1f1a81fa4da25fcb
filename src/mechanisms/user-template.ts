import { jobIn } from './bundled-launch-item.js';
import type { Mechanism, Place } from './mechanism.js';
import { shellStartup } from './shell-startup.js';

const shells = ['.zshenv', '.zprofile', '.zshrc', '.bash_profile', '.bashrc', '.profile'];

/** What each new user's home begins with. Source: sysadminctl(8), createhomedir(8). */
export const userTemplate: Mechanism = {
  id: 'user-template',
  name: 'item in the template of homes',
  techniques: ['T1543.001', 'T1546.004'],
  places: ['/Library/User Template/*', '/System/Library/User Template/*'].flatMap((folder): Place[] => [
    { scope: 'system', path: `${folder}/Library/LaunchAgents`, what: 'entries' },
    ...shells.map((name): Place => ({ scope: 'system', path: `${folder}/${name}`, what: 'file' })),
  ]),
  read: (file) => (/\/LaunchAgents\//i.test(file.path) ? jobIn(file) : shellStartup.read(file)),
  removal: (_item, { path }) => `Delete ${path}, and its copies in the homes that were made since.`,
};
