import { expect, test } from 'vitest';
import { MechanismPlaces, mechanisms } from '../../../src/mechanisms/index.js';
import { textFile } from './mechanism-file.js';

const places = new MechanismPlaces(mechanisms);

function findingsOf(name: string, text: string): string[] {
  const path = `/Users/mara/${name}`;
  const found = places.find(path);
  const items = found?.mechanism.read(textFile(path, `${text}\n`, { home: found.home })) ?? [];
  return items.flatMap(({ findings }) => findings);
}

/** Lines of start-up files that run or load `/private/tmp/x`, each in the words of its tool. */
const lines: Readonly<Record<string, readonly string[]>> = {
  '.tmux.conf': [
    'run-shell /private/tmp/x',
    'if-shell "true" "run-shell /private/tmp/x"',
    'set-hook -g session-created "run-shell /private/tmp/x"',
    'set -g status-right "#(/private/tmp/x)"',
    'bind r new-window /private/tmp/x',
    'new-session -d -s main /private/tmp/x',
    'source-file /private/tmp/x',
    'set -g default-shell /private/tmp/x',
  ],
  '.lldbinit': [
    'platform shell /private/tmp/x',
    'target stop-hook add -o "platform shell /private/tmp/x"',
    'script import os; os.system("/private/tmp/x")',
    'command script import /private/tmp/x',
    'plugin load /private/tmp/x',
  ],
  '.gdbinit': [
    'shell /private/tmp/x',
    'source /private/tmp/x',
    'python import os; os.system("/private/tmp/x")',
  ],
  '.screenrc': ['screen -t x 1 /private/tmp/x', 'exec ... /private/tmp/x'],
  '.hammerspoon/init.lua': [
    'hs.execute("/private/tmp/x")',
    'hs.task.new("/private/tmp/x", nil):start()',
    'os.execute([[/private/tmp/x]])',
    'dofile("/private/tmp/x")',
  ],
  '.vimrc': [
    "call system('/private/tmp/x')",
    'au VimEnter * call job_start(["/private/tmp/x"])',
    'autocmd VimEnter * silent! !/private/tmp/x &',
    'source /private/tmp/x',
    'set runtimepath+=/private/tmp/x',
    'call libcall("/private/tmp/x", "f", "")',
  ],
  '.config/nvim/init.lua': [
    'vim.fn.jobstart({"/private/tmp/x"})',
    'vim.system({ "/private/tmp/x" })',
    'vim.uv.spawn("/private/tmp/x", {})',
    'vim.cmd("!/private/tmp/x")',
  ],
  '.emacs': [
    '(shell-command "/private/tmp/x")',
    '(start-process "a" nil "/private/tmp/x")',
    '(call-process "/private/tmp/x")',
    '(load "/private/tmp/x")',
  ],
  '.irbrc': ['system "/private/tmp/x"', '`/private/tmp/x`', 'load "/private/tmp/x"'],
  '.psqlrc': ['\\! /private/tmp/x'],
  '.skhdrc': ['cmd - a : /private/tmp/x'],
  '.aerospace.toml': ['after-startup-command = ["exec-and-forget /private/tmp/x"]'],
  '.config/kitty/kitty.conf': ['shell /private/tmp/x'],
  '.config/alacritty/alacritty.toml': ['program = "/private/tmp/x"'],
  '.config/ghostty/config': ['command = /private/tmp/x'],
  '.cargo/config.toml': ['rustc-wrapper = "/private/tmp/x"'],
  '.forward': ['"|/private/tmp/x"'],
  '.ssh/config': ['Match exec="/private/tmp/x"', 'ProxyCommand="/private/tmp/x"'],
  '.gitconfig': [
    '[url "ext::sh -c /private/tmp/x"]\n\tinsteadOf = https://',
    '[core]\n\thooksPath = /private/tmp/x # mine',
    '[browser "x"]\n\tpath = /private/tmp/x',
    '[gpg]\n\tprogram = /private/tmp/gpg',
    '[credential]\n\thelper = "cache; /private/tmp/x"',
  ],
};

test.each(Object.entries(lines).flatMap(([name, texts]) => texts.map((text) => [name, text] as const)))(
  '%s: %s',
  (name, text) => {
    expect(findingsOf(name, text)).toContain('program-in-tmp');
  },
);

test.each([
  ['.vimrc', 'set directory=/tmp// backupdir=/tmp undodir=/tmp/undo'],
  [
    '.tmux.conf',
    'set -g default-terminal "screen-256color"\nbind r source-file ~/.tmux.conf\nif "true" "set -g mouse on"',
  ],
  ['.emacs', '(setq temporary-file-directory "/tmp/")\n(load-theme \'tango)'],
  ['.screenrc', 'screen -t shell\nlogfile /tmp/screen.log'],
  ['.config/kitty/kitty.conf', 'shell_integration enabled\nshell zsh'],
  ['.gitconfig', '[core]\n\tpager = less -FRX ; mine\n[gpg]\n\tprogram = /opt/homebrew/bin/gpg'],
])('%s: nothing odd', (name, text) => {
  expect(findingsOf(name, text)).toEqual([]);
});
