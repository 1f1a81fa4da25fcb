/** What a line of a shell script keeps for later, which reads as no command of its own. */

const maxCarried = 16;
/** A value: in single quotes, in double ones, with a dollar sign before them, or a word. */
const value = String.raw`(?:\$?'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\s;&|"']+))`;

interface Form {
  /** Ends in a `value`. */
  readonly pattern: RegExp;
  /** The command that the value is, where it is not one as it stands. */
  readonly as?: (given: string) => string | undefined;
}

const assigned = (names: string) =>
  new RegExp(String.raw`(?:^|[\s;&|({])(?:${names})(?:\+?=|\s+)${value}`, 'g');

const forms: readonly Form[] = [
  // What a file holds, read by the shell as a text of its own.
  {
    pattern: /(?:\b(?:eval|source|sh)|(?:^|[\s;&|({])\.)\s+["']?[$<]\(\s*(?:cat\s+|<\s*)()()([^\s)"']+)/g,
    as: (given) => `. ${given}`,
  },
  { pattern: new RegExp(String.raw`\btrap\s+(?:--\s+)?${value}`, 'g') },
  { pattern: new RegExp(String.raw`\bsched\s+(?:-o\s+)?[\d:+]+\s+${value}`, 'g') },
  { pattern: new RegExp(String.raw`\bbindkey\s+-s\s+\S+\s+${value}`, 'g'), as: typed },
  { pattern: new RegExp(String.raw`\bbind\s+(?:-x\s+)?${value}`, 'g'), as: typed },
  // Commands of bash and zsh before each prompt, and prompts that run something each time.
  { pattern: assigned('PROMPT_COMMAND(?:\\[\\d+\\])?') },
  { pattern: assigned('PS[0-4]|R?PROMPT[234]?|PREDISPLAY'), as: substituted },
  // Variables that name a program, and those that hand options to an interpreter.
  {
    pattern: assigned(
      'BASH_ENV|ENV|PYTHONSTARTUP|EDITOR|VISUAL|PAGER|MANPAGER|BROWSER|GIT_SSH(?:_COMMAND)?|GIT_EXTERNAL_DIFF|GIT_EDITOR|GIT_PAGER|(?:GIT|SSH|SUDO)_ASKPASS',
    ),
  },
  { pattern: assigned('LESSOPEN|LESSCLOSE'), as: (given) => given.replace(/^\|+-?/, '') },
  { pattern: assigned('ZDOTDIR'), as: (given) => `. ${given}/.zshenv; . ${given}/.zshrc` },
  { pattern: assigned('NODE_OPTIONS'), as: (given) => `node ${given}` },
  { pattern: assigned('RUBYOPT'), as: (given) => `ruby ${given}` },
  { pattern: assigned('PERL5OPT'), as: (given) => `perl ${given}` },
  { pattern: assigned('(?:JAVA_TOOL|_JAVA|JDK_JAVA)_OPTIONS'), as: (given) => `java ${given}` },
];

/** `alias name='command' other=command`. */
const aliases = /\balias\s([^;\n]*)/g;
const alias = new RegExp(String.raw`(?<=^|\s)[\w.:+-]{1,64}=${value}`, 'g');

const unescaped = (text: string | undefined) => text?.replace(/\\(["\\$`])/g, '$1');

/** Whether a line may hold any of them: most do not. */
const mayCarry =
  /\b(?:alias|trap|sched|bindkey|bind|eval|source|sh)\s|(?:^|[\s;&|({])\.\s|(?:PROMPT|PS[0-4]|BASH_ENV|ENV|STARTUP|EDITOR|VISUAL|PAGER|BROWSER|GIT_|ASKPASS|LESS|ZDOTDIR|OPT(?:IONS)?)\w*(?:\[\d+\])?(?:\+?=|\s)/;

export function holdsMore(line: string): boolean {
  return mayCarry.test(line);
}

/** The commands that a line of a shell script keeps for later, as a shell would read each. Bounded. */
export function carriedCommands(line: string): string[] {
  if (!mayCarry.test(line)) return [];
  const commands: string[] = [];
  for (const [, names = ''] of line.matchAll(aliases))
    for (const [, single, double, bare = ''] of names.slice(0, 4_096).matchAll(alias))
      if (commands.length < maxCarried) commands.push(single ?? unescaped(double) ?? bare);
  for (const { pattern, as } of forms)
    for (const [, single, double, bare = ''] of line.matchAll(pattern)) {
      if (commands.length >= maxCarried) return commands;
      const given = (single || unescaped(double) || bare).trim();
      const command = as === undefined ? given : as(given);
      if (command !== undefined && command !== '') commands.push(command);
    }
  return commands;
}

/** What a key types, where it ends with the end of a line: `^Mcommand\n`; or what bash runs at a key: `"\C-x": command`. */
function typed(given: string): string | undefined {
  const bash = /^"?[^":]{1,64}"?:\s*"?(.*?)"?$/s.exec(given)?.[1];
  return (bash ?? given).replace(/(?:\\[nr]|\\C-[mj]|\^[MJ])+/gi, '\n').trim();
}

/** The commands whose output a prompt shows. */
function substituted(given: string): string | undefined {
  const inner = [...given.matchAll(/\$\(([^()]{1,1000})\)|`([^`]{1,1000})`/g)].slice(0, 8);
  return inner.map(([, one, other]) => one ?? other).join('\n');
}

/** The line without the words that begin a function: `function name {`. */
export function withoutFunction(line: string): string {
  return line.replace(/^\s*function\s+[\w.:+-]+\s*(?:\(\s*\))?\s*\{?/, '');
}

/** A library that dyld is told to insert, wherever it stands in the line. */
export const insertsLibrary = /(?:^|[\s;&|({'"])DYLD_INSERT_LIBRARIES(?:=|['"]?\s+['"]?[/~$\w])/;

/** The commands that somebody gives a password to. */
const trusted = 'sudo|su|passwd|security|login';
const stands = new RegExp(
  String.raw`(?:\balias\s+(?:-\w+\s+)*(${trusted})=(?!['"]?(?:[\w.-]+\s+)*\1\b)|^\s*(?:function\s+)?(?:${trusted})\s*\(\s*\)|^\s*function\s+(?:${trusted})\s*\{)`,
);

/** Whether an alias or a function stands for a command that somebody gives a password to, other than with options of its own. */
export function standsForTrusted(line: string): boolean {
  return stands.test(line);
}
