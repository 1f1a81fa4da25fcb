import type { WhatRuns } from '../base/what-runs/index.js';
import { commandsIn } from './editor-startup.js';
import { ownersItem } from './item.js';
import type { Mechanism, MechanismFile, Place } from './mechanism.js';
import { linesOf, runsOfProgram, runsOfShell } from './read.js';
import { runsOfScript } from './script-lines.js';

/** Scripts of a shell. */
const shellScripts = [
  ...['.yabairc', '.config/yabai/yabairc', '.config/sketchybar/sketchybarrc'],
  ...['.config/borders/bordersrc', '.config/direnv/direnvrc', '.direnvrc', '.xinitrc'],
];
/** Scripts of another language. */
const scripts = [
  ...['.phoenix.js', '.finicky.js', '.config/finicky.js', '.wezterm.lua'],
  ...['.config/wezterm/wezterm.lua', '.irbrc', '.pryrc', '.pythonrc', '.Rprofile', '.perldb', '.psqlrc'],
  '.pdbrc',
];
/** Settings, of which some lines are commands. */
const settings = [
  ...['.lldbinit', '.lldbinit-Xcode', '.lldbinit-lldb', '.gdbinit', '.config/gdb/gdbinit'],
  ...['.tmux.conf', '.config/tmux/tmux.conf', '.screenrc', '.skhdrc', '.config/skhd/skhdrc'],
  ...['.aerospace.toml', '.config/aerospace/aerospace.toml', '.config/kitty/kitty.conf'],
  ...['.config/alacritty/alacritty.toml', '.config/ghostty/config', '.cargo/config.toml'],
  ...['.gradle/init.gradle', '.forward', '.config/starship.toml', '.config/mise/config.toml'],
  '.sqliterc',
];
const system = [
  ...['/private/etc/tmux.conf', '/usr/local/etc/tmux.conf', '/opt/homebrew/etc/tmux.conf'],
  ...['/private/etc/man.conf', '/private/etc/postfix/aliases'],
];

/** What tools of a terminal, debuggers and window managers run when they start. Source: their manuals, tmux(1), lldb(1), screen(1). */
export const toolStartup: Mechanism = {
  id: 'tool-startup',
  name: 'start-up file of a tool',
  techniques: ['T1546'],
  confidential: true,
  byLine: true,
  places: [
    ...[...shellScripts, ...scripts, ...settings].map(
      (path): Place => ({ scope: 'home', path, what: 'file' }),
    ),
    ...system.map((path): Place => ({ scope: 'system', path, what: 'file' })),
    { scope: 'home', path: '.hammerspoon', what: 'entries', extensions: ['lua'] },
    {
      scope: 'home',
      path: '.hammerspoon/Spoons',
      what: 'bundles',
      extensions: ['spoon'],
      describedBy: 'init.lua',
    },
    { scope: 'home', path: '.gradle/init.d', what: 'entries' },
    { scope: 'home', path: '.xinitrc.d', what: 'entries' },
    { scope: 'system', path: '/usr/local/etc/man.d', what: 'entries', extensions: ['conf'] },
    { scope: 'home', path: '.ipython/profile_default/startup', what: 'entries', extensions: ['py', 'ipy'] },
  ],
  read: (file) => {
    const runs = [...runsOf(file), ...(file.type === 'dir' ? [runsOfProgram(`${file.path}/init.lua`)] : [])];
    return [ownersItem({ runs, when: ['host-program'] })];
  },
  removal: (_item, { path }) => `Delete what does not belong there from ${path}.`,
};

function runsOf(file: MechanismFile): WhatRuns[] {
  const path = file.path.toLowerCase();
  if (/\/\.xinitrc\.d\//.test(path) || shellScripts.some((one) => path.endsWith(`/${one}`)))
    return runsOfScript(file);
  const handed = commandsIn(file);
  if (
    /\/\.hammerspoon\//.test(path) ||
    scripts.some((one) => path.endsWith(`/${one.toLowerCase()}`)) ||
    file.type === 'dir'
  )
    return handed;
  const runs: WhatRuns[] = [];
  for (const { text } of linesOf(file, { joins: true })) {
    const command = commandIn(text);
    if (command !== undefined) runs.push(runsOfShell(command, file.path));
    if (runs.length >= 64) break;
  }
  return [...runs, ...handed].slice(0, 64);
}

/** The command that a line of settings holds. */
const forms: readonly RegExp[] = [
  // tmux: run-shell 'command', if-shell 'command', #(command), set -g default-command "command", pipe-pane.
  /\b(?:run-shell|run|if-shell|pipe-pane|default-command|default-shell)\s+(?:-\w+\s+){0,4}["']?([^"'\n]{2,2000})/,
  /#\(([^)\n]{2,2000})\)/,
  // lldb and gdb: platform shell command, shell command, command script import file, source file.
  /^(?:platform\s+)?shell\s+(.{2,2000})$/,
  /^(?:command\s+script\s+import|command\s+source|source|plugin\s+load)\s+(.{2,2000})$/,
  // sqlite3: .shell command, .system command.
  /^\.(?:shell|system)\s+(.{2,2000})$/,
  // skhd: keys : command; screen: exec command, screen command, backtick.
  /^[\w\s+<-]{1,64}:\s*(.{2,2000})$/,
  /^(?:exec|screen|backtick(?:\s+\d+){3})\s+(.{2,2000})$/,
  // man: the programs that show a page; mail: `name: |command`, `|command`.
  /^(?:[NT]?ROFF|N?EQN|TBL|COL|REFER|PIC|VGRIND|GRAP|(?:HTML)?PAGER|CAT|BROWSER|\.\w+)\s+(.{2,2000})$/,
  /^(?:[\w.-]+:\s*)?"?\|\s*"?([^"\n]{2,2000})/,
  // AeroSpace, kitty, Alacritty, Ghostty, cargo.
  /\bexec-and-forget\s+([^"'\n]{2,2000})/,
  /^(?:shell|launch|startup_session|editor|command|initial-command)\s*=?\s*["']?([^"'\n]{2,2000})/,
  /^(?:program|runner|linker|rustc|rustc-wrapper|rustc-workspace-wrapper|rustdoc)\s*=\s*\[?\s*["']([^"'\n]{2,2000})/,
];

function commandIn(text: string): string | undefined {
  for (const form of forms) {
    const command = form.exec(text)?.[1];
    if (command !== undefined) return command;
  }
  return undefined;
}
