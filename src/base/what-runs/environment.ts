/** What a variable of the environment makes a program do besides what it is told. */
export interface EnvironmentCode {
  /** `runs`: code that runs whatever the program is told. `adds`: a folder in which it looks for libraries. */
  readonly how: 'runs' | 'adds' | 'inserts';
  /** Files and folders, as they are written. */
  readonly paths: readonly string[];
  /** A command line that is run. */
  readonly command?: string;
}

/** Files that an interpreter reads before anything else. Source: bash(1), sh(1), zsh(1), python(1), lua(1). */
const files: ReadonlySet<string> = new Set(['BASH_ENV', 'ENV', 'ZDOTDIR', 'PYTHONSTARTUP']);
/** Folders of libraries, and programs that are asked for something now and then. */
const folders: ReadonlySet<string> = new Set([
  ...[
    'PYTHONPATH',
    'PYTHONHOME',
    'PYTHONUSERBASE',
    'PERL5LIB',
    'PERLLIB',
    'RUBYLIB',
    'GEM_PATH',
    'NODE_PATH',
    'CLASSPATH',
  ],
  ...['LUA_PATH', 'LUA_CPATH'],
  // Programs that ask for a password.
  ...['GIT_ASKPASS', 'SSH_ASKPASS', 'SUDO_ASKPASS'],
]);
/** Command lines that something runs: by a shell at its prompt, by git, by whatever shows or edits a text. */
const commands: ReadonlySet<string> = new Set([
  ...['PROMPT_COMMAND', 'GIT_SSH_COMMAND', 'GIT_SSH', 'GIT_PROXY_COMMAND', 'GIT_EXTERNAL_DIFF', 'GIT_EDITOR'],
  ...['LESSOPEN', 'RSYNC_RSH', 'CVS_RSH', 'PERL5DB'],
]);
/** Options of an interpreter: what loads code, and the path behind it. */
const options: Readonly<Record<string, RegExp>> = {
  PERL5OPT: /(?:^|\s)-?[Mmd]\S*/,
  RUBYOPT: /(?:^|\s)-?[rI]\s*(\S+)/,
  NODE_OPTIONS: /(?:^|\s)(?:-r|--(?:require|import|loader|experimental-loader))(?:\s+|=)("?)(\S+)\1/,
  BUN_OPTIONS: /(?:^|\s)(?:-r|--(?:preload|require|import))(?:\s+|=)(\S+)/,
  JAVA_TOOL_OPTIONS: /-(?:javaagent|agentpath|agentlib):(\S+)/,
  JDK_JAVA_OPTIONS: /-(?:javaagent|agentpath|agentlib):(\S+)/,
  _JAVA_OPTIONS: /-(?:javaagent|agentpath|agentlib):(\S+)/,
};

/** Undefined for a variable that makes nothing run. Source: the manual pages of the programs that read them. */
export function environmentCode(name: string, value: string): EnvironmentCode | undefined {
  if (value === '') return undefined;
  if (name === 'DYLD_INSERT_LIBRARIES' || name === 'LD_PRELOAD')
    return { how: 'inserts', paths: value.split(':', 16).filter((one) => one !== '') };
  // A plain word is no file: `ENV=production`.
  if (files.has(name)) {
    if (/[$`]\(|`/.test(value)) return { how: 'runs', paths: [], command: value };
    return /[/~]/.test(value) ? { how: 'runs', paths: [value] } : undefined;
  }
  if (name === 'LUA_INIT')
    return value.startsWith('@')
      ? { how: 'runs', paths: [value.slice(1)] }
      : { how: 'runs', paths: [], command: value };
  if (commands.has(name)) return { how: 'runs', paths: [], command: value };
  if (folders.has(name))
    return { how: 'adds', paths: value.split(':', 16).filter((one) => /^[/~]/.test(one)) };
  const loads = Object.hasOwn(options, name) ? options[name]?.exec(value) : null;
  if (loads === null || loads === undefined) return undefined;
  const path = loads.at(-1) ?? '';
  return { how: 'runs', paths: path.startsWith('/') || path.startsWith('~') ? [path] : [] };
}
