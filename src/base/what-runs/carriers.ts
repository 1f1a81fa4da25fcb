import type { OptionSyntax } from './options.js';

/** A program that is for something else, and runs what an option or a text of its own language says. */
export interface Carrier extends OptionSyntax {
  /** Options whose value is a command line. */
  readonly command?: readonly string[];
  /** Options whose value is a text of its own language. */
  readonly text?: readonly string[];
  /** Options whose value is a file that is run, loaded or installed. */
  readonly file?: readonly string[];
  /** Options whose value is the folder in which it works. */
  readonly folder?: readonly string[];
  /** Options whose value is a setting (`name=value`, `name value`), and the names of those that are command lines. */
  readonly setting?: { readonly options: readonly string[]; readonly names: RegExp };
  /** How another word, or a text of its own language, holds a command line: the first group that is there is it. */
  readonly holds?: RegExp;
  /** The file that counts where none is named. */
  readonly usual?: string;
  /** What it runs gets its input from the network, and answers there. */
  readonly remote?: true;
}

const ssh: Carrier = {
  valued: 'BbcDEeFIiJLlmOopQRSWwM',
  file: ['F', 'I'],
  setting: { options: ['o'], names: /^(?:proxycommand|localcommand|knownhostscommand|pkcs11provider)$/i },
};
const copier: Carrier = { ...ssh, valued: 'BbcDFiJloPRSsX', command: ['S', 'D'] };
const make: Carrier = {
  valued: 'CfIjloWE',
  words: ['--file', '--makefile', '--directory', '--include-dir', '--eval'],
  file: ['f', '--file', '--makefile'],
  folder: ['C', '--directory'],
  text: ['E', '--eval'],
  holds: /\$\(shell\s+((?:[^()]|\([^()]*\)){1,4000})\)|^[^\n:#]{0,200}:[^\n;]{0,200};([^\n]{1,4000})/g,
  usual: 'Makefile',
};
const vim: Carrier = {
  valued: 'cSsTuUWwir',
  words: ['--cmd'],
  text: ['c', '--cmd'],
  file: ['S', 's', 'u', 'U'],
  holds: /(?:^\+?|[:|\s'"])!\s*([^\n]{1,4000})/g,
};
const emacs: Carrier = {
  wordsOnly: true,
  words: ['--eval', '-eval', '--execute', '-execute', '-l', '--load', '-load', '--script', '-script', '-f'],
  text: ['--eval', '-eval', '--execute', '-execute'],
  file: ['-l', '--load', '-load', '--script', '-script'],
  holds: /\(\s*(?:async-)?shell-command(?:-to-string)?\s+"((?:[^"\\]|\\.){1,4000})"/g,
};
const debuggerOf = (more: Carrier): Carrier => ({
  holds: /(?:^|\n)\s*(?:(?:platform\s+)?shell\b|!)\s*([^\n]{1,4000})/g,
  ...more,
});
const tar: Carrier = {
  valued: 'CfXTbKLNV',
  words: [
    ...['--checkpoint-action', '--to-command', '--use-compress-program', '--rsh-command', '--info-script'],
    ...['--new-volume-script', '--file', '--directory', '--checkpoint'],
  ],
  command: [
    '--to-command',
    '--use-compress-program',
    '--rsh-command',
    '--info-script',
    '--new-volume-script',
  ],
  folder: ['C', '--directory'],
  setting: { options: ['--checkpoint-action'], names: /^exec$/ },
};
const gnuTar: Carrier = { ...tar, valued: `${tar.valued}IF`, command: [...(tar.command ?? []), 'I', 'F'] };
const netcat: Carrier = {
  valued: 'eGIiLOPpqsTVwXxm',
  words: ['--exec', '--sh-exec', '--lua-exec'],
  command: ['e', '--exec', '--sh-exec', '--lua-exec'],
  remote: true,
};

/** By name; after the manual pages of macOS, and of GNU where both exist. */
export const carriers: Readonly<Record<string, Carrier>> = {
  ssh,
  autossh: { ...ssh, valued: `${ssh.valued}f` },
  scp: copier,
  sftp: copier,
  rsync: { valued: 'eBTfM', words: ['--rsh', '--password-file'], command: ['e', '--rsh'] },
  make,
  gmake: make,
  gnumake: make,
  git: {
    valued: 'Ccu',
    words: [
      '--exec-path',
      '--git-dir',
      '--work-tree',
      '--upload-pack',
      '--receive-pack',
      '--config',
      '--exec',
    ],
    command: ['u', '--upload-pack', '--receive-pack', '--exec'],
    folder: ['C'],
    setting: {
      options: ['c', '--config'],
      names:
        /^(?:core\.(?:fsmonitor|sshcommand|gitproxy|askpass|editor|pager|alternaterefscommand)|alias\..*|pager\..*|credential(?:\..*)?\.helper|diff\..*|filter\..*|gpg(?:\..*)?\.program|merge\..*|sequence\.editor|uploadpack\.packobjectshook)$/i,
    },
    holds: /^ext::(.{1,4000})/gs,
  },
  vim,
  vi: vim,
  ex: vim,
  view: vim,
  nvim: vim,
  vimdiff: vim,
  rvim: vim,
  mvim: vim,
  emacs,
  sqlite3: {
    wordsOnly: true,
    words: ['-cmd', '--cmd', '-init', '--init', '-separator', '-nullvalue', '-newline', '-vfs'],
    text: ['-cmd', '--cmd'],
    file: ['-init', '--init'],
    holds:
      /(?:^|\n)\s*\.(?:shell|system)\s+([^\n]{1,4000})|(?:^|\n)\s*\.(?:import|read|output|once)\s+['"]?\|([^\n'"]{1,4000})|\bload_extension\s*\(\s*'([^'\n]{1,1000})'/gi,
  },
  lldb: debuggerOf({
    valued: 'oOkKsSfpnaclr',
    words: ['--one-line', '--one-line-before-file', '--source', '--source-before-file', '--file'],
    text: ['o', 'O', 'k', '--one-line', '--one-line-before-file'],
    file: ['s', 'S', 'K', '--source', '--source-before-file'],
  }),
  gdb: debuggerOf({
    wordsOnly: true,
    words: ['-ex', '--ex', '-iex', '--eval-command', '-x', '--command', '--args'],
    text: ['-ex', '--ex', '-iex', '--eval-command'],
    file: ['-x', '--command'],
  }),
  dtrace: {
    valued: 'bcCDIlLmnpPsUxXo',
    command: ['c'],
    file: ['s'],
    text: ['n'],
    holds: /\bsystem\s*\(\s*"((?:[^"\\]|\\.){1,4000})"/g,
  },
  tar,
  bsdtar: tar,
  gtar: gnuTar,
  gnutar: gnuTar,
  zip: { wordsOnly: true, words: ['-TT', '--unzip-command'], command: ['-TT', '--unzip-command'] },
  installer: {
    wordsOnly: true,
    words: ['-pkg', '-package', '-target', '-tgt', '-applyChoiceChangesXML', '-volinfo'],
    file: ['-pkg', '-package'],
  },
  nc: netcat,
  netcat,
  ncat: { ...netcat, valued: `${netcat.valued}c`, command: [...(netcat.command ?? []), 'c'] },
  socat: { wordsOnly: true, holds: /^["']?(?:exec|system|shell):["']?([^,"']{1,4000})/gi, remote: true },
};
