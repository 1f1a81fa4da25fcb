import { itemOf } from './item.js';
import type { Mechanism } from './mechanism.js';
import { runsOfScript } from './script-lines.js';

/** Scripts that run when somebody logs in by SSH, and variables of that session. Source: sshd(8), LOGIN PROCESS. */
export const sshRc: Mechanism = {
  id: 'ssh-rc',
  name: 'SSH login script',
  techniques: ['T1546.004'],
  confidential: true,
  byLine: true,
  places: [
    { scope: 'home', path: '.ssh/rc', what: 'file' },
    { scope: 'home', path: '.ssh/environment', what: 'file' },
    { scope: 'system', path: '/private/etc/ssh/sshrc', what: 'file' },
  ],
  read: (file) => [
    itemOf({
      runs: /\/environment$/i.test(file.path) ? [] : runsOfScript(file),
      when: ['login'],
      findings: /\/environment$/i.test(file.path) ? ['sets-environment'] : [],
    }),
  ],
  removal: (_item, { path }) => `Delete ${path}.`,
};
