import { launchItemKind } from '../base/launch-paths.js';
import { canonicalMacPath } from '../base/root.js';
import { hasHiddenArguments } from './arguments.js';
import type { EcsDocument, LaunchctlFields } from './document.js';

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
  /** The domain that it names: `system`, the number of a user, or `other` for a login session, a process, or several of them. */
  readonly domain: string | undefined;
  /** What is done in the end: `load` in `asuser 501 launchctl load x`. Undefined when there is none. */
  readonly verb: string | undefined;
  readonly effect: LaunchctlFields['effect'];
}

const maxNesting = 5;
/** Paths and labels that an event carries, and characters of each. */
const maxNamed = 32;
const maxNamedText = 1_024;

/** Verbs that take a job away. */
const undoing: ReadonlySet<string> = new Set(['unload', 'bootout', 'disable', 'stop', 'remove']);

/** Verbs that only show something. */
const reading: ReadonlySet<string> = new Set([
  ...['list', 'print', 'print-cache', 'print-disabled', 'plist', 'procinfo', 'hostinfo', 'resolveport'],
  ...['error', 'variant', 'version', 'help', '-h', '--help', 'blame', 'dumpstate', 'dumpjpcategory'],
  ...['getenv', 'export', 'manageruid', 'managerpid', 'managername', 'examine', 'log', 'getrusage'],
]);

/** Verbs that change something, and load and start nothing. */
const changing: ReadonlySet<string> = new Set([
  ...['limit', 'setenv', 'unsetenv', 'kill', 'uncache', 'umask', 'config', 'reboot', 'attach', 'debug'],
]);

/** Verbs that load, enable or start a job. */
export const loadingVerbs: readonly string[] = [
  ...['load', 'bootstrap', 'enable', 'kickstart', 'start', 'submit'],
];

const loading: ReadonlySet<string> = new Set(loadingVerbs);

/** What a verb does. `unknown`: a verb that is in no list may load something. */
function effectOf(verb: string): LaunchctlFields['effect'] {
  if (loading.has(verb)) return 'load';
  if (undoing.has(verb)) return 'remove';
  if (reading.has(verb)) return 'read';
  if (changing.has(verb)) return 'change';
  return verb === '' ? 'none' : 'unknown';
}

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

/** Apple's own identifier of launchctl (rules of Jamf Protect name it). */
const signingId = 'com.apple.xpc.launchctl';

/** APFS ignores case: `/bin/LAUNCHCTL` is the same program. */
function isName(name: unknown): boolean {
  return typeof name === 'string' && name.length === 9 && name.toLowerCase() === 'launchctl';
}

/**
 * By what a process is known to be launchctl: its image's name, the name that it calls itself, Apple's signature on a copy
 * of it, or arguments that nobody else takes. Undefined for another process.
 */
export function launchctlBy({ process }: EcsDocument): LaunchctlFields['by'] | undefined {
  if (process === undefined || process === null) return undefined;
  if (isName(process.name)) return 'name';
  const { args } = process;
  const list: readonly unknown[] = Array.isArray(args) ? args : [];
  const [first] = list;
  if (typeof first === 'string' && isName(baseName(first))) return 'argv0';
  if (process.code_signature?.signing_id === signingId) return 'signature';
  return hasShape(list) ? 'shape' : undefined;
}

/** Arguments that make sense for launchctl alone: a verb of its own, then a property list or a service target. */
function hasShape([, verb, ...rest]: readonly unknown[]): boolean {
  if (typeof verb !== 'string' || rest.length === 0) return false;
  const isTarget = (one: unknown) =>
    typeof one === 'string' && /^(?:system|(?:user|login|gui)\/\d{1,10})(?:\/.|$)/s.test(one);
  const isList = (one: unknown) => typeof one === 'string' && /^[/~.].*\.plist$/is.test(one);
  switch (verb) {
    case 'load':
      return rest.some(isList);
    case 'bootstrap':
      return isTarget(rest[0]);
    case 'kickstart':
    case 'enable':
      return rest.some((one) => isTarget(one) && (one as string).includes('/'));
    case 'submit':
      return rest.includes('-l') && rest.includes('--');
    default:
      return false;
  }
}

/** Whether a process is launchctl, under whatever name. */
export function runsLaunchctl(doc: EcsDocument): boolean {
  return launchctlBy(doc) !== undefined;
}

/** Domains that are asked about because calls name them. */
const maxDomains = 8;

/**
 * The domains of launchd that the calls of an alert act in, and those where launchd said that it has the job: of a target,
 * of `asuser`, else of the user who called. `system`, `gui/501`.
 */
export function domainsNamed(doc: EcsDocument): string[] {
  const domains = new Set<string>();
  const { Events: events } = doc as { readonly Events?: unknown };
  const all = [doc, ...(Array.isArray(events) ? events : [])] as readonly (EcsDocument | null)[];
  for (const one of all.slice(0, 100)) {
    if (one === null || typeof one !== 'object') continue;
    const said: unknown = one.launchwarden?.job?.domain;
    for (const domain of [...(typeof said === 'string' ? [said] : []), ...domainsOfCall(one)])
      if (/^(?:system|(?:user|gui)\/\d{1,10})$/.test(domain) && domains.size < maxDomains)
        domains.add(domain);
  }
  return [...domains];
}

function domainsOfCall(doc: EcsDocument): string[] {
  if (!runsLaunchctl(doc)) return [];
  const args = argumentsOf(doc).slice(1);
  const named = args.flatMap((one) => /^(?:system|(?:user|gui)\/\d{1,10})(?=\/|$)/.exec(one)?.[0] ?? []);
  if (named.length > 0) return named;
  const at = args.indexOf('asuser');
  const user = at < 0 ? doc.user?.id : args[at + 1];
  if (typeof user !== 'string' || !/^\d{1,10}$/.test(user)) return [];
  return user === '0' ? ['system'] : [`gui/${user}`, `user/${user}`];
}

/** `launchwarden.launchctl` of a process that begins; undefined for another program. */
export function launchctlFields(doc: EcsDocument): LaunchctlFields | undefined {
  const by = launchctlBy(doc);
  const call = by === undefined ? undefined : launchctlCall(doc, true);
  if (by === undefined || call === undefined) return undefined;
  const { verb, labels } = call;
  // Without arguments it is not known what they were, or it was started with none.
  const isBlind = verb === undefined && (argumentsOf(doc).length === 0 || hasHiddenArguments(doc));
  const effect = isBlind ? 'unknown' : call.effect;
  const { paths, outside } = placesOf(doc, call);
  const missing = (effect === 'load' || effect === 'unknown') && namesMissing(doc);
  return {
    by,
    effect,
    ...(verb === undefined ? {} : { verb: verb.slice(0, maxNamedText) }),
    ...(labels.length === 0 ? {} : { labels: labels.slice(0, maxNamed).map(clipped) }),
    ...(paths.length === 0 ? {} : { paths: paths.slice(0, maxNamed).map(clipped) }),
    ...(outside === undefined ? {} : { outside }),
    ...(missing ? { missing } : {}),
  };
}

/** Whether nothing stood at one of the paths that a call names when the call was seen. */
function namesMissing(doc: EcsDocument): boolean {
  const files: unknown = doc.launchwarden?.process?.named_files;
  return (
    Array.isArray(files) &&
    files.some((one: unknown) => (one as { state?: unknown } | null)?.state === 'missing')
  );
}

/** The document with `launchwarden.launchctl`, where it tells of a program that begins and is launchctl. */
export function withLaunchctl(doc: EcsDocument): EcsDocument {
  const action = doc.event?.action;
  if (doc.process === undefined || action === 'fork' || action === 'end') return doc;
  const fields = launchctlFields(doc);
  return fields === undefined ? doc : { ...doc, launchwarden: { ...doc.launchwarden, launchctl: fields } };
}

function clipped(text: string): string {
  return text.slice(0, maxNamedText);
}

/** The paths that a call names, absolute where that is known, and whether one of them is in no launch folder. */
function placesOf(
  doc: EcsDocument,
  call: LaunchctlCall,
): { readonly paths: readonly string[]; readonly outside: boolean | undefined } {
  const given: unknown = doc.process?.working_directory;
  const folder = typeof given === 'string' && given.startsWith('/') ? given : undefined;
  const paths = call.paths.slice(0, 1_000).map((one) => {
    const text = one.startsWith('file:///') ? one.slice('file://'.length) : one;
    if (text.startsWith('/')) return canonicalMacPath(text);
    return folder === undefined ? text : canonicalMacPath(`${folder}/${text}`);
  });
  const files: unknown = doc.launchwarden?.process?.named_files;
  const resolved = (Array.isArray(files) ? files : [])
    .map((one: unknown) => (one as { resolved?: unknown } | null)?.resolved)
    .filter((one): one is string => typeof one === 'string');
  const known = [...paths, ...resolved].filter((one) => one.startsWith('/'));
  if (known.length === 0) return { paths, outside: undefined };
  return { paths, outside: !known.every(isInLaunchFolder) };
}

/** A launch item, or a folder of them. */
function isInLaunchFolder(path: string): boolean {
  return launchItemKind(path) !== undefined || launchItemKind(`${path.replace(/\/+$/, '')}/x`) !== undefined;
}

/** What a launchctl process names. `all` counts verbs that take a job away too. Undefined for another process. */
export function launchctlCall(doc: EcsDocument, all = false): LaunchctlCall | undefined {
  if (!runsLaunchctl(doc)) return undefined;
  const call = new Call(all ? new Set() : undoing, hasHiddenArguments(doc));
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
  domain: string | undefined;
  verb: string | undefined;
  effect: LaunchctlFields['effect'] = 'none';
  readonly #ignored: ReadonlySet<string>;
  readonly #cut: boolean;

  /** `ignored`: verbs whose arguments do not count. `cut`: there are more arguments than these. */
  constructor(ignored: ReadonlySet<string>, cut: boolean) {
    this.#ignored = ignored;
    this.#cut = cut;
  }

  get mayLoad(): boolean {
    return this.effect === 'load' || this.effect === 'unknown' || this.effect === 'none';
  }

  /** `args` without the program. */
  read([verb = '', ...rest]: readonly string[], depth: number): void {
    this.verb = verb === '' ? undefined : verb;
    this.effect = effectOf(verb);
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
      case 'kill':
      case 'attach':
      case 'debug':
      case 'uncache':
        for (const one of rest) this.#service(one);
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
        this.#inDomain(verb === 'asuser' ? `user/${rest[0]}` : `pid/${rest[0]}`);
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
    this.#inDomain(target);
    const match = /^(?:system|(?:user|login|gui|pid)\/\d+)\/(.+)$/s.exec(target);
    if (match?.[1] !== undefined) this.labels.push(match[1]);
  }

  #inDomain(target: string): void {
    const [, kind = '', id] =
      /^(system|(?:user|gui|login|pid|session)(?=\/(\d{1,10})))(?:\/|$)/.exec(target) ?? [];
    if (kind === '') return;
    const domain = kind === 'user' || kind === 'gui' ? (id ?? 'other') : kind === 'system' ? kind : 'other';
    this.domain = this.domain === undefined || this.domain === domain ? domain : 'other';
  }

  #submit(args: readonly string[]): void {
    const index = args.indexOf('-l');
    const label = index < 0 ? undefined : args[index + 1];
    if (label !== undefined) this.labels.push(label);
  }

  /**
   * `asuser 501 launchctl load x`: what is run in its place. Another program loads nothing by that (management tools show
   * their dialogs so), and what it does is seen for itself.
   */
  #wrapped(args: readonly string[], depth: number): void {
    const named = args.findIndex((one) => isName(baseName(one)));
    const at = named < 0 && hasShape(args) ? 0 : named;
    if (at >= 0 && depth < maxNesting) this.read(args.slice(at + 1), depth + 1);
    else if (!this.#cut && args.length > 0 && !args.some((one) => /launchctl/i.test(one)))
      this.effect = 'change';
  }
}
