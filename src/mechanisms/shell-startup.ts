import type { WhatRuns } from '../base/what-runs/index.js';
import { firstItems, itemOf, ownersItem } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem, Place } from './mechanism.js';
import { linesOf, runsOfProgram, textOf } from './read.js';
import { runsOfScript } from './script-lines.js';
import { writableFolders } from './search-path.js';
import { insertsLibrary, standsForTrusted } from './shell-lines.js';

const system = [
  ...['profile', 'bashrc', 'bashrc_Apple_Terminal', 'zshenv', 'zprofile', 'zshrc', 'zshrc_Apple_Terminal'],
  ...['zlogin', 'zlogout', 'csh.cshrc', 'csh.login', 'csh.logout', 'fish/config.fish', 'ksh.kshrc'],
];
const homes = [
  ...['.zshenv', '.zprofile', '.zshrc', '.zlogin', '.zlogout'],
  ...['.config/zsh/.zshenv', '.config/zsh/.zprofile', '.config/zsh/.zshrc', '.config/zsh/.zlogin'],
  ...['.config/zsh/.zlogout'],
  ...['.profile', '.bash_profile', '.bash_login', '.bashrc', '.bash_logout', '.bash_aliases', '.inputrc'],
  '.kshrc',
  ...[
    '.cshrc',
    '.tcshrc',
    '.login',
    '.logout',
    '.config/fish/config.fish',
    '.config/elvish/rc.elv',
    '.xonshrc',
  ],
  ...['.config/nushell', 'Library/Application Support/nushell'].flatMap((folder) => [
    `${folder}/config.nu`,
    `${folder}/env.nu`,
    `${folder}/login.nu`,
  ]),
  ...['.config/powershell/profile.ps1', '.config/powershell/Microsoft.PowerShell_profile.ps1'],
  ...['.zsh_aliases', '.aliases', '.functions', '.exports', '.p10k.zsh', '.oh-my-zsh/oh-my-zsh.sh'],
];
const zsh = ['zshenv', 'zprofile', 'zshrc', 'zlogin', 'zlogout'];
const prefixes = ['/private', '/usr/local', '/opt/homebrew'];
/** Below a home; a function of fish is read when its name is called, the prompt's own ones in every shell. */
const homeFolders = ['.config/fish/conf.d', '.config/fish/functions', '.local/share/fish/vendor_conf.d'];
/** Folders of which many start-up files read every script, and those of frameworks. */
const parts = [
  ...['.zsh', '.zsh.d', '.zshrc.d', '.bashrc.d', '.config/zsh', '.config/bash', '.oh-my-zsh/custom'],
  ...['.oh-my-zsh/custom/themes', '.oh-my-zsh/custom/plugins/*'],
];
const scripts = ['zsh', 'sh', 'bash', 'zsh-theme'];
const folders = [
  ...prefixes.flatMap((prefix) => [`${prefix}/etc/fish/conf.d`, `${prefix}/etc/fish/functions`]),
  ...['/usr/local', '/opt/homebrew'].map((prefix) => `${prefix}/share/fish/vendor_conf.d`),
];

/** Files that shells read when they start or end. Source: zsh(1), bash(1), ksh(1), tcsh(1), fish(1). */
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
    ...homeFolders.map((path): Place => ({ scope: 'home', path, what: 'entries' })),
    ...prefixes
      .slice(1)
      .map((prefix): Place => ({ scope: 'system', path: `${prefix}/etc/fish/config.fish`, what: 'file' })),
    { scope: 'system', path: '/private/etc/paths', what: 'file' },
    { scope: 'system', path: '/private/etc/paths.d', what: 'entries' },
    ...zsh.flatMap((name): Place[] => [
      { scope: 'system', path: `/private/etc/${name}.zwc`, what: 'file' },
      { scope: 'home', path: `.${name}.zwc`, what: 'file' },
      { scope: 'home', path: `.config/zsh/.${name}.zwc`, what: 'file' },
    ]),
    ...parts.map((path): Place => ({ scope: 'home', path, what: 'entries', extensions: scripts })),
  ],
  read: (file) => {
    if (/^\/private\/etc\/paths(?:\.d\/[^/]+)?$/i.test(file.path)) return foldersIn(file);
    if (/\.zwc$/i.test(file.path))
      return [ownersItem({ runs: runsOfCompiled(file), when: ['shell'], findings: ['compiled-script'] })];
    const findings = new Set<string>();
    for (const { text } of linesOf(file, { joins: true })) {
      if (insertsLibrary.test(text)) findings.add('dyld-environment');
      if (standsForTrusted(text)) findings.add('stands-for-command');
      if (searchesTemporary.test(text)) findings.add('writable-search-path');
    }
    return [ownersItem({ runs: runsOfScript(file), when: ['shell'], findings: [...findings] })];
  },
  removal: (_item, { path }) => `Delete the lines that do not belong there from ${path}.`,
};

/** Folders that path_helper(8) puts into the search path of every login shell, and that a user may write. */
function foldersIn(file: MechanismFile): PersistentItem[] {
  return firstItems(
    linesOf(file)
      // It does not know a home by its sign; Homebrew's own folder is usual.
      .filter(({ text }) => text.startsWith('/') && !/^\/opt\/homebrew(?:\/|$)/i.test(text))
      .filter(({ text }) => writableFolders(text).length > 0)
      .map(({ text }) =>
        itemOf({ key: text, label: text, when: ['shell'], findings: ['writable-search-path'] }),
      ),
  );
}

/** A folder that everybody may write among those in which programs and functions are looked for. */
const searchesTemporary =
  /(?:^|[\s;&|({])(?:PATH|path|fpath|FPATH|fish_user_paths)\s*\+?[=\s]\s*["'(]*(?:[^;&|\n]{0,1000}[:\s("'])?\/(?:private\/)?(?:tmp|var\/tmp|Users\/Shared)(?:\/|\b)/;

const maxWords = 64;

/**
 * The paths among the words of a script that zsh has compiled, which it runs in place of the script itself while it is the
 * newer one. Words of more than three bytes stand in it as texts that end in a zero.
 */
function runsOfCompiled(file: MechanismFile): WhatRuns[] {
  const words = textOf(file).matchAll(/(?:^|[^\x20-\x7e])(~?\/[\x21-\x7e]{3,1024})/g);
  const paths = new Set<string>();
  for (const [, word = ''] of words) {
    paths.add(word);
    if (paths.size >= maxWords) break;
  }
  return [...paths].map((path) => runsOfProgram(path, file.path));
}
