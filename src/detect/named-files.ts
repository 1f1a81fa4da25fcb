import { canonicalMacPath } from '../base/root.js';
import type { EcsDocument } from '../event/document.js';
import { foldText } from '../rules/index.js';

/** What a process names on its command line; paths as `comparable` makes them. */
export interface NamedFiles {
  readonly paths: ReadonlySet<string>;
  /** Relative paths of a process whose working folder is not known: the end of a path must equal one. */
  readonly tails: readonly string[];
  /** Folders whose files are meant. */
  readonly folders: ReadonlySet<string>;
  /** The LaunchAgents folder of any user is meant. */
  readonly anyHome: boolean;
  readonly labels: ReadonlySet<string>;
}

const maxArguments = 1_000;
const maxNesting = 5;

/** One spelling of a path: canonical, normalised and without case, as the Mac's file system compares names. */
export function comparable(path: string): string {
  return foldText(canonicalMacPath(path.normalize('NFC')));
}

/** What launchctl was told to act on (launchctl(1)); of other programs the arguments that are paths. */
export function namedFiles(doc: EcsDocument): NamedFiles {
  const names = new Names(folderOf(doc));
  const args = argumentsOf(doc);
  if (isLaunchctl(doc, args)) names.launchctl(args.slice(1));
  else for (const argument of args.slice(1)) if (argument.includes('/')) names.path(argument);
  return names;
}

/** What launchctl was told to load, enable or start, or undefined when that is nothing, or the process is another one. */
export function loadedItems(doc: EcsDocument): NamedFiles | undefined {
  const args = argumentsOf(doc);
  if (!isLaunchctl(doc, args)) return undefined;
  const names = new Names(folderOf(doc), undoing);
  names.launchctl(args.slice(1));
  const { paths, tails, folders, labels, anyHome } = names;
  return anyHome || paths.size + tails.length + folders.size + labels.size > 0 ? names : undefined;
}

/** Whether a process is launchctl, by its image or by what it calls itself. */
export function runsLaunchctl(doc: EcsDocument): boolean {
  const first: unknown = doc.process?.args?.[0];
  return isLaunchctl(doc, typeof first === 'string' ? [first] : []);
}

function isLaunchctl(doc: EcsDocument, args: readonly string[]): boolean {
  return baseName(args[0] ?? '') === 'launchctl' || doc.process?.name === 'launchctl';
}

function argumentsOf(doc: EcsDocument): string[] {
  const args: unknown = doc.process?.args;
  return Array.isArray(args)
    ? args.slice(0, maxArguments).filter((one): one is string => typeof one === 'string')
    : [];
}

function folderOf(doc: EcsDocument): string | undefined {
  const folder: unknown = doc.process?.working_directory;
  return typeof folder === 'string' && folder.startsWith('/') ? folder : undefined;
}

const baseName = (path: string) => path.slice(path.lastIndexOf('/') + 1);

// `-D`: what stands for a folder (launchctl(1), load).
const searchPaths: Record<string, readonly string[]> = {
  system: ['/System/Library/LaunchAgents', '/System/Library/LaunchDaemons'],
  local: ['/Library/LaunchAgents', '/Library/LaunchDaemons'],
  network: ['/Network/Library/LaunchAgents', '/Network/Library/LaunchDaemons'],
};

/** Verbs that take a job away. */
const undoing: ReadonlySet<string> = new Set(['unload', 'bootout', 'disable', 'stop', 'remove']);

class Names implements NamedFiles {
  readonly paths = new Set<string>();
  readonly tails: string[] = [];
  readonly folders = new Set<string>();
  readonly labels = new Set<string>();
  anyHome = false;
  readonly #folder: string | undefined;
  readonly #ignored: ReadonlySet<string>;

  /** `ignored`: verbs of launchctl whose arguments do not count. */
  constructor(folder: string | undefined, ignored: ReadonlySet<string> = new Set()) {
    this.#folder = folder;
    this.#ignored = ignored;
  }

  /** A plist, or a folder of them: both are possible, only the Mac knows. */
  path(argument: string): void {
    if (argument === '') return;
    if (!argument.startsWith('/') && this.#folder === undefined) {
      this.tails.push(`/${foldText(argument.normalize('NFC').replace(/^(?:\.\/)+/, ''))}`);
      return;
    }
    const path = comparable(argument.startsWith('/') ? argument : `${this.#folder}/${argument}`);
    this.paths.add(path);
    this.folders.add(path);
  }

  /** `args` without the program. */
  launchctl(args: readonly string[], depth = 0): void {
    const [verb = '', ...rest] = args;
    if (this.#ignored.has(verb)) return;
    switch (verb) {
      case 'load':
      case 'unload':
        this.#load(rest);
        break;
      case 'bootstrap':
      case 'bootout':
        this.#bootstrap(rest.filter((one) => !one.startsWith('--')));
        break;
      case 'enable':
      case 'disable':
      case 'kickstart':
        for (const one of rest) if (!one.startsWith('-')) this.#service(one);
        break;
      case 'start':
      case 'stop':
      case 'remove':
        if (rest[0] !== undefined) this.labels.add(rest[0]);
        break;
      case 'submit':
        this.#submit(rest);
        break;
      case 'asuser':
      case 'bsexec':
        this.#wrapped(rest.slice(1), depth);
        break;
    }
  }

  /** getopt("wFS:D:"): letters may be joined, an option's value may follow at once or as the next argument. */
  #load(args: readonly string[]): void {
    let index = 0;
    for (; index < args.length; index++) {
      const argument = args[index] as string;
      if (argument === '--') {
        index++;
        break;
      }
      if (!argument.startsWith('-') || argument === '-') break;
      const option = /[SD]/.exec(argument);
      if (option === null) continue;
      const joined = argument.slice(option.index + 1);
      const value = joined === '' ? args[++index] : joined;
      if (option[0] === 'D' && value !== undefined) this.#searchPath(value);
    }
    for (const operand of args.slice(index)) this.path(operand);
  }

  #searchPath(value: string): void {
    const names = value === 'all' ? [...Object.keys(searchPaths), 'user'] : [value];
    for (const name of names) {
      if (name === 'user') this.anyHome = true;
      for (const folder of searchPaths[name] ?? []) this.folders.add(comparable(folder));
    }
  }

  /** `<domain> [path ...]`, or `<domain>/<label>`. */
  #bootstrap([target = '', ...paths]: readonly string[]): void {
    for (const path of paths) this.path(path);
    this.#service(target);
  }

  /** `system/<label>`, `gui/501/<label>`: a domain alone names nothing. */
  #service(target: string): void {
    const match = /^(?:system|(?:user|login|gui|pid)\/\d+)\/(.+)$/.exec(target);
    if (match?.[1] !== undefined) this.labels.add(match[1]);
  }

  #submit(args: readonly string[]): void {
    const index = args.indexOf('-l');
    const label = index < 0 ? undefined : args[index + 1];
    if (label !== undefined) this.labels.add(label);
  }

  /** `asuser 501 launchctl load x`: what is run in its place. */
  #wrapped(args: readonly string[], depth: number): void {
    const at = args.findIndex((one) => baseName(one) === 'launchctl');
    if (at >= 0 && depth < maxNesting) this.launchctl(args.slice(at + 1), depth + 1);
  }
}
