import { canonicalMacPath } from '../base/root.js';
import { hasHiddenArguments } from '../event/arguments.js';
import type { EcsDocument } from '../event/document.js';
import { argumentsOf, type LaunchctlCall, launchctlCall, launchctlFields } from '../event/launchctl.js';
import { foldText } from '../rules/index.js';
import { type Domain, domainOf } from './domain.js';

export { runsLaunchctl } from '../event/launchctl.js';

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
  /** Inodes of files that are meant, whatever their paths are: links and second names. */
  readonly inodes: ReadonlySet<string>;
  /** Each an argument of launchctl of which nobody knows where it led: all spellings that it has. */
  readonly lost: readonly (readonly string[])[];
  /** Where it loads, so far as that is known: nobody else's items are meant unless their files are named. */
  readonly domain: Domain | undefined;
  /** True when the call may name more than was seen of it. */
  readonly hidden: boolean;
}

/** One spelling of a path: canonical, normalised and without case, as the Mac's file system compares names. */
export function comparable(path: string): string {
  return foldText(canonicalMacPath(path.normalize('NFC')));
}

/** What launchctl was told to act on (launchctl(1)); of other programs the arguments that are paths. */
export function namedFiles(doc: EcsDocument): NamedFiles {
  const names = new Names(doc);
  const call = launchctlCall(doc, true);
  if (call !== undefined) names.call(call);
  else
    for (const argument of argumentsOf(doc).slice(1, maxPaths))
      if (argument.includes('/')) names.path(argument);
  return names;
}

/** Whether a process is launchctl and all that it is told to do stands in its arguments, with a verb that is known. */
export function isWholeCall(doc: EcsDocument): boolean {
  const effect = launchctlFields(doc)?.effect;
  return effect === 'load' || effect === 'remove';
}

/** What launchctl was told to load, enable or start, or undefined when that is nothing, or the process is another one. */
export function loadedItems(doc: EcsDocument): NamedFiles | undefined {
  const call = launchctlCall(doc);
  if (call === undefined) return undefined;
  const names = new Names(doc);
  names.call(call);
  const { paths, tails, folders, labels, anyHome, hidden } = names;
  return hidden || anyHome || paths.size + tails.length + folders.size + labels.size > 0 ? names : undefined;
}

/** Of other programs than launchctl so many arguments are taken for paths. */
const maxPaths = 1_000;

class Names implements NamedFiles {
  readonly paths = new Set<string>();
  readonly tails: string[] = [];
  readonly folders = new Set<string>();
  readonly labels = new Set<string>();
  readonly inodes = new Set<string>();
  readonly lost: string[][] = [];
  anyHome = false;
  hidden = false;
  domain: Domain | undefined;
  readonly #doc: EcsDocument;
  readonly #folder: string | undefined;

  constructor(doc: EcsDocument) {
    this.#doc = doc;
    const folder: unknown = doc.process?.working_directory;
    this.#folder = typeof folder === 'string' && folder.startsWith('/') ? folder : undefined;
  }

  /** A plist, or a folder of them: both are possible, only the Mac knows. */
  path(argument: string): void {
    if (argument === '') return;
    const text = argument.startsWith('file:///') ? argument.slice('file://'.length) : argument;
    if (text.startsWith('/')) this.#add(text);
    else if (this.#folder !== undefined) this.#add(`${this.#folder}/${text}`);
    else this.#tail(text.replace(/^(?:\.\/)+/, ''));
    // Nobody expanded it: launchctl was not started by a shell.
    const home = /^~[^/]*\/(.+)$/s.exec(text)?.[1];
    if (home !== undefined) this.#tail(home);
  }

  call(call: LaunchctlCall): void {
    const { paths, folders, labels, anyHome, mayLoad } = call;
    for (const one of paths) this.path(one);
    for (const one of folders) this.folders.add(comparable(one));
    for (const one of labels) this.labels.add(one);
    this.anyHome = anyHome;
    this.hidden = mayLoad && hasHiddenArguments(this.#doc);
    this.domain = domainOf(this.#doc, call, this.hidden);
    this.#resolved(mayLoad);
  }

  /** Where the paths led when the call was seen. */
  #resolved(mayLoad: boolean): void {
    const files: unknown = this.#doc.launchwarden?.process?.named_files;
    if (!Array.isArray(files)) return;
    for (const one of files.slice(0, maxPaths)) {
      const { path, resolved, inode, state } = (one ?? {}) as Record<string, unknown>;
      const spellings: string[] = [];
      for (const spelling of [path, resolved])
        if (typeof spelling === 'string') spellings.push(this.#add(spelling));
      if (typeof inode === 'string' && inode !== '') this.inodes.add(inode);
      // Where a link leads that was made after the call began is not where it had led. At which nothing stands loads nothing.
      if (mayLoad && (state === 'changed' || state === 'unread'))
        this.lost.push(state === 'changed' ? spellings.slice(0, 1) : spellings);
    }
  }

  #add(path: string): string {
    const spelling = comparable(path);
    this.paths.add(spelling);
    this.folders.add(spelling);
    return spelling;
  }

  #tail(path: string): void {
    this.tails.push(`/${foldText(path.normalize('NFC'))}`);
  }
}
