import type { WhatRuns } from '../base/what-runs/index.js';
import { ownersItem } from './item.js';
import type { Mechanism, MechanismFile, Place } from './mechanism.js';
import { linesOf, runsOfProgram, runsOfShell } from './read.js';

const files = [
  ...[
    '.vimrc',
    '.vim/vimrc',
    '.gvimrc',
    '.vim/gvimrc',
    '.vim/filetype.vim',
    '.vim/scripts.vim',
    '.config/nvim/init.vim',
    '.config/nvim/init.lua',
    '.exrc',
  ],
  ...['.emacs', '.emacs.d/init.el', '.emacs.d/early-init.el', '.config/emacs/init.el', '.emacs.el'],
  ...['.atom/init.coffee', '.atom/init.js', '.nanorc'],
];
/** Trees of Vim and Neovim, and the folders in each that are read when the editor starts or a file is opened. */
const trees = ['.vim', '.config/nvim', '.local/share/nvim/site'];
const parts = [
  ...['plugin', 'ftplugin', 'ftdetect', 'indent', 'syntax', 'autoload', 'colors'],
  ...['after/plugin', 'after/ftplugin', 'after/indent', 'after/syntax'],
];
/** Packages of both, of which each brings such a tree. */
const packages = ['.vim', '.config/nvim', '.local/share/nvim/site'].map((tree) => `${tree}/pack/*/start/*`);
const folders = [
  ...trees.flatMap((tree) => parts.map((part) => `${tree}/${part}`)),
  ...packages.flatMap((tree) => ['plugin', 'ftdetect', 'after/plugin'].map((part) => `${tree}/${part}`)),
];
const scripts = ['vim', 'lua'];
const support = 'Library/Application Support';

/** Scripts that editors read when they start. Source: vim(1), emacs(1), the manuals of Sublime Text and Atom. */
export const editorStartup: Mechanism = {
  id: 'editor-startup',
  name: 'editor start-up file',
  techniques: ['T1546'],
  confidential: true,
  byLine: true,
  places: [
    ...files.map((path): Place => ({ scope: 'home', path, what: 'file' })),
    ...folders.map((path): Place => ({ scope: 'home', path, what: 'entries', extensions: scripts })),
    // Modules that the settings of Neovim are made of.
    { scope: 'home', path: '.config/nvim/lua', what: 'entries', extensions: scripts },
    { scope: 'home', path: '.config/nvim/lua/*', what: 'entries', extensions: scripts },
    ...['.emacs.d/lisp', '.config/doom', '.doom.d'].map(
      (path): Place => ({ scope: 'home', path, what: 'entries', extensions: ['el'] }),
    ),
    ...['Sublime Text', 'Sublime Text 3', 'Sublime Text 2'].flatMap((name): Place[] => [
      { scope: 'home', path: `${support}/${name}/Packages/*`, what: 'entries', extensions: ['py'] },
      { scope: 'home', path: `${support}/${name}/Installed Packages`, what: 'entries' },
    ]),
    {
      scope: 'system',
      path: '/Applications/Sublime Text*/Contents/MacOS',
      what: 'entries',
      extensions: ['py'],
    },
    ...['/usr/share/vim/vimrc', '/usr/local/etc/vimrc', '/opt/homebrew/share/vim/vimrc'].map(
      (path): Place => ({ scope: 'system', path, what: 'file' }),
    ),
  ],
  read: (file) => {
    const runs = commandsIn(file);
    return [
      ownersItem({
        runs: [
          ...runs,
          ...(/\.(?:py|lua|js|coffee|sublime-package)$/i.test(file.path) ? [runsOfProgram(file.path)] : []),
        ],
        when: ['host-program'],
      }),
    ];
  },
  removal: (_item, { path }) => `Delete what does not belong there from ${path}.`,
};

/** What the script of an editor or of a tool hands to a shell: `!command`, `system('command')`, `shell-command "command"`. */
export function commandsIn(file: MechanismFile): WhatRuns[] {
  const runs: WhatRuns[] = [];
  for (const { text } of linesOf(file)) {
    const bang = /(?:^|[\s:|'"])!\s*([\w./~$][^\n]{1,2000})$/.exec(text)?.[1];
    const call = handed.exec(text);
    const command = call?.[1] ?? call?.[2] ?? bang;
    if (command !== undefined) runs.push(runsOfShell(command, file.path));
    if (runs.length >= 64) break;
  }
  return runs;
}

const handed =
  /(?:\bsystem(?:list)?|\bjob_start|\bjobstart|\btermopen|\bhs\.(?:execute|task\.new)|\bos\.(?:system|popen|execute)|\bsubprocess\.\w+|\b(?:exec|execSync|spawn|popen)|shell-command(?:-to-string)?|start-process)[\s([]{0,8}(?:"((?:[^"\\]|\\.){1,2000})"|'((?:[^'\\]|\\.){1,2000})')/;
