import { hasHiddenArguments } from './arguments.js';
import type { EcsDocument } from './document.js';

/** What a launchctl call names (launchctl(1)), as it was written. */
export interface LaunchctlCall {
  /** Property lists or folders of them: which of both, only the Mac knows. */
  readonly paths: readonly string[];
  /** Folders that an option stands for. */
  readonly folders: readonly string[];
  readonly labels: readonly string[];
  /** The LaunchAgents folder of any user is meant. */
  readonly anyHome: boolean;
  /** True when the call loads, enables or starts something, or might: its verb is not known to do anything else. */
  readonly mayLoad: boolean;
}

const maxNesting = 5;

/** Verbs that take a job away. */
const undoing: ReadonlySet<string> = new Set(['unload', 'bootout', 'disable', 'stop', 'remove']);

/** Verbs that load and start nothing, whatever their arguments are. */
const harmless: ReadonlySet<string> = new Set([
  ...['list', 'print', 'print-cache', 'print-disabled', 'plist', 'procinfo', 'hostinfo', 'resolveport'],
  ...['limit', 'error', 'variant', 'version', 'help', 'blame', 'dumpstate', 'dumpjpcategory', 'examine'],
  ...['getenv', 'setenv', 'unsetenv', 'export', 'manageruid', 'managerpid', 'managername', 'kill', 'uncache'],
]);

/** Verbs that load, enable or start a job. */
export const loadingVerbs: readonly string[] = [
  ...['load', 'bootstrap', 'enable', 'kickstart', 'start', 'submit'],
];

// `-D`: what stands for a folder (launchctl(1), load).
const searchPaths: Record<string, readonly string[]> = {
  system: ['/System/Library/LaunchAgents', '/System/Library/LaunchDaemons'],
  local: ['/Library/LaunchAgents', '/Library/LaunchDaemons'],
  network: ['/Network/Library/LaunchAgents', '/Network/Library/LaunchDaemons'],
};

const baseName = (path: string) => path.slice(path.lastIndexOf('/') + 1);

/** The texts among the arguments of a process. */
export function argumentsOf(doc: EcsDocument): string[] {
  const args: unknown = doc.process?.args;
  return Array.isArray(args) ? args.filter((one): one is string => typeof one === 'string') : [];
}

/** Whether a process is launchctl, by its image or by what it calls itself. */
export function runsLaunchctl(doc: EcsDocument): boolean {
  if (doc.process?.name === 'launchctl') return true;
  const first: unknown = doc.process?.args?.[0];
  return typeof first === 'string' && baseName(first) === 'launchctl';
}

/** What a launchctl process names. `all` counts verbs that take a job away too. Undefined for another process. */
export function launchctlCall(doc: EcsDocument, all = false): LaunchctlCall | undefined {
  if (!runsLaunchctl(doc)) return undefined;
  const call = new Call(all ? new Set() : undoing);
  call.read(argumentsOf(doc).slice(1), 0);
  return call;
}

/**
 * Whether a process is launchctl, may load something, and was started with more than its event says: what it loads, and
 * whether it does, may stand in what was cut.
 */
export function mayLoadUnseen(doc: EcsDocument): boolean {
  return hasHiddenArguments(doc) && launchctlCall(doc)?.mayLoad === true;
}

class Call implements LaunchctlCall {
  readonly paths: string[] = [];
  readonly folders: string[] = [];
  readonly labels: string[] = [];
  anyHome = false;
  mayLoad = true;
  readonly #ignored: ReadonlySet<string>;

  /** `ignored`: verbs whose arguments do not count. */
  constructor(ignored: ReadonlySet<string>) {
    this.#ignored = ignored;
  }

  /** `args` without the program. */
  read([verb = '', ...rest]: readonly string[], depth: number): void {
    this.mayLoad = !undoing.has(verb) && !harmless.has(verb);
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
        if (rest[0] !== undefined) this.labels.push(rest[0]);
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
    for (const operand of args.slice(index)) if (operand !== '') this.paths.push(operand);
  }

  #searchPath(value: string): void {
    const names = value === 'all' ? [...Object.keys(searchPaths), 'user'] : [value];
    for (const name of names) {
      if (name === 'user') this.anyHome = true;
      this.folders.push(...(searchPaths[name] ?? []));
    }
  }

  /** `<domain> [path ...]`, or `<domain>/<label>`. */
  #bootstrap([target = '', ...paths]: readonly string[]): void {
    for (const path of paths) if (path !== '') this.paths.push(path);
    this.#service(target);
  }

  /** `system/<label>`, `gui/501/<label>`: a domain alone names nothing. */
  #service(target: string): void {
    const match = /^(?:system|(?:user|login|gui|pid)\/\d+)\/(.+)$/s.exec(target);
    if (match?.[1] !== undefined) this.labels.push(match[1]);
  }

  #submit(args: readonly string[]): void {
    const index = args.indexOf('-l');
    const label = index < 0 ? undefined : args[index + 1];
    if (label !== undefined) this.labels.push(label);
  }

  /** `asuser 501 launchctl load x`: what is run in its place. */
  #wrapped(args: readonly string[], depth: number): void {
    const at = args.findIndex((one) => baseName(one) === 'launchctl');
    if (at >= 0 && depth < maxNesting) this.read(args.slice(at + 1), depth + 1);
  }
}
