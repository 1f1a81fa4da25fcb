import type { OptionSyntax } from './options.js';

/** A program that runs a script: a file in its arguments, or a text. */
export interface Interpreter extends OptionSyntax {
  /** Options whose value is the script itself. */
  readonly inline?: readonly string[];
  /** Options whose value is the script's file. */
  readonly file?: readonly string[];
  /** Options whose value is any number of files, separated by colons. */
  readonly files?: readonly string[];
  /** Beginnings of whole words that end in a file which is loaded too: `-javaagent:/x.jar=options`. */
  readonly loads?: readonly string[];
  /** Options whose value is the module that runs instead of a script. */
  readonly module?: readonly string[];
  /** Options whose value is code that runs before the script. */
  readonly library?: readonly string[];
  /** The letter that makes the first other word the script itself. */
  readonly inlineFlag?: string;
  /** The first word that is no option is the script itself. */
  readonly inlineFirst?: boolean;
  /** Words that may stand before the script's file: `run`; and those that make what follows the script itself: `eval`. */
  readonly verbs?: readonly string[];
  readonly inlineVerbs?: readonly string[];
}

const shell: Interpreter = {
  valued: 'oO',
  plus: true,
  words: ['--rcfile', '--init-file'],
  library: ['--rcfile', '--init-file'],
  inlineFlag: 'c',
};
const javascript: Interpreter = {
  valued: 'epr',
  words: ['--eval', '--print', '--require', '--import', '--loader', '--experimental-loader', '-pe'],
  inline: ['e', 'p', '--eval', '--print', '-pe'],
  library: ['r', '--require', '--import', '--loader', '--experimental-loader'],
  verbs: ['run'],
  inlineVerbs: ['eval'],
};
const awk: Interpreter = { valued: 'Fvf', file: ['f'], inlineFirst: true };

/** By name without a version; after the manual pages. */
export const interpreters: Readonly<Record<string, Interpreter>> = {
  sh: shell,
  bash: shell,
  zsh: shell,
  dash: shell,
  ksh: shell,
  csh: shell,
  tcsh: shell,
  fish: {
    valued: 'cCo',
    words: ['--command', '--init-command'],
    inline: ['c', 'C', '--command', '--init-command'],
  },
  python: { valued: 'cmWXQ', inline: ['c'], module: ['m'] },
  perl: { valued: 'eEIMmCDF', inline: ['e', 'E'], library: ['M', 'm'] },
  ruby: { valued: 'eIrECFKx', inline: ['e'], library: ['r'] },
  php: { valued: 'rRBEfFcdztS', inline: ['r', 'R', 'B', 'E'], file: ['f', 'F'] },
  node: javascript,
  nodejs: javascript,
  bun: javascript,
  deno: { ...javascript, valued: '' },
  osascript: { valued: 'els', inline: ['e'] },
  tclsh: {},
  wish: {},
  expect: { valued: 'cf', inline: ['c'], file: ['f'] },
  swift: { valued: 'e', words: ['-target', '-sdk'], inline: ['e'] },
  lua: { valued: 'el', inline: ['e'], library: ['l'] },
  java: {
    wordsOnly: true,
    words: ['-jar', '-cp', '-classpath', '--class-path', '-p', '--module-path', '-m', '--module'],
    file: ['-jar'],
    files: ['-cp', '-classpath', '--class-path', '-p', '--module-path'],
    loads: ['-javaagent:', '-agentpath:', '-Xbootclasspath:', '-Xbootclasspath/a:', '-Xbootclasspath/p:'],
    module: ['-m', '--module'],
  },
  awk,
  gawk: awk,
  mawk: awk,
  nawk: awk,
  automator: { valued: 'iD' },
};

/** `python3.11` and `Python` are python; `perl5.34`, `ruby2.6`, `tclsh8.5`, `node18`, `pythonw`. */
export function interpreterName(name: string): string | undefined {
  const plain = name.toLowerCase().replace(/(?:\.exe)?$/, '');
  if (Object.hasOwn(interpreters, plain)) return plain;
  const bare = plain.replace(/[-_]?\d[\d.]*w?$|w$/, '');
  return Object.hasOwn(interpreters, bare) ? bare : undefined;
}

/** Those that run what comes in through a pipe when nothing else is given. */
export const shells: ReadonlySet<string> = new Set([
  'sh',
  'bash',
  'zsh',
  'dash',
  'ksh',
  'csh',
  'tcsh',
  'fish',
]);
