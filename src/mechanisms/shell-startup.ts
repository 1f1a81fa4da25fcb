import { ownersItem } from './item.js';
import type { Mechanism, Place } from './mechanism.js';
import { textOf } from './read.js';
import { runsOfScript } from './script-lines.js';

const system = [
  ...['profile', 'bashrc', 'bashrc_Apple_Terminal', 'zshenv', 'zprofile', 'zshrc', 'zshrc_Apple_Terminal'],
  ...['zlogin', 'zlogout', 'csh.cshrc', 'csh.login', 'csh.logout', 'fish/config.fish'],
];
const homes = [
  ...['.zshenv', '.zprofile', '.zshrc', '.zlogin', '.zlogout'],
  ...['.config/zsh/.zshenv', '.config/zsh/.zprofile', '.config/zsh/.zshrc', '.config/zsh/.zlogin'],
  ...['.profile', '.bash_profile', '.bash_login', '.bashrc', '.bash_logout', '.bash_aliases', '.inputrc'],
  ...['.cshrc', '.tcshrc', '.login', '.logout', '.config/fish/config.fish', '.config/nushell/config.nu'],
];
const folders = ['/private/etc/fish/conf.d', '/usr/local/etc/fish/conf.d', '/opt/homebrew/etc/fish/conf.d'];

/** Files that shells read when they start or end. Source: zsh(1), bash(1), tcsh(1), fish(1). */
export const shellStartup: Mechanism = {
  id: 'shell-startup',
  name: 'shell start-up file',
  knockKnock: 'Shell Configuration Files',
  techniques: ['T1546.004'],
  confidential: true,
  byLine: true,
  places: [
    ...system.map((name): Place => ({ scope: 'system', path: `/private/etc/${name}`, what: 'file' })),
    ...homes.map((path): Place => ({ scope: 'home', path, what: 'file' })),
    ...folders.map((path): Place => ({ scope: 'system', path, what: 'entries' })),
    { scope: 'home', path: '.config/fish/conf.d', what: 'entries' },
    { scope: 'home', path: '.oh-my-zsh/custom', what: 'entries', extensions: ['zsh'] },
  ],
  read: (file) => {
    const inserts = /^[^\S\n]*(?:export\s+|setenv\s+|set\s+-\w+\s+)?DYLD_INSERT_LIBRARIES[\s=]/m.test(
      textOf(file),
    );
    const findings = inserts ? ['dyld-environment'] : [];
    return [ownersItem({ runs: runsOfScript(file), when: ['shell'], findings })];
  },
  removal: (_item, { path }) => `Delete the lines that do not belong there from ${path}.`,
};
