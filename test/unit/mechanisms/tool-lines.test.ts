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
  '.ssh/config': ['Match exec="/private/tmp/x"', 'ProxyCommand="/private/tmp/x"'],
  '.sqliterc': ['.shell /private/tmp/x', '.mode box\n.system "/private/tmp/x" &'],
  '.kshrc': ['alias l=ls; /private/tmp/x &'],
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
  ['.sqliterc', '.headers on\n.mode box\n.nullvalue NULL'],
  ['.config/kitty/kitty.conf', 'shell_integration enabled\nshell zsh'],
  ['.gitconfig', '[core]\n\tpager = less -FRX ; mine\n[gpg]\n\tprogram = /opt/homebrew/bin/gpg'],
])('%s: nothing odd', (name, text) => {
  expect(findingsOf(name, text)).toEqual([]);
});
