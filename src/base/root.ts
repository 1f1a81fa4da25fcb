import path from 'node:path';

/** macOS keeps these at the top level as links into /private (hier(7)); EndpointSecurity reports the target. */
const privateLinks = ['/tmp', '/var', '/etc'];
const dataVolume = '/System/Volumes/Data';

/**
 * Other spellings of the same places: what stands below `from` stands below `to`, which is the spelling of events. Each
 * may lead to one that comes later.
 */
export const macPathAliases: readonly { readonly from: string; readonly to: string }[] = [
  { from: dataVolume, to: '' },
  ...privateLinks.map((link) => ({ from: link, to: `/private${link}` })),
];

/**
 * The one spelling of a macOS path that events carry: normalised, `/private/tmp` for `/tmp`, and without the
 * `/System/Volumes/Data` of a firmlink. Purely textual; the caller has resolved links that it wants resolved.
 */
export function canonicalMacPath(macPath: string): string {
  let result = path.posix.normalize(macPath);
  if (result.length > 1 && result.endsWith('/')) result = result.slice(0, -1);
  if (result === dataVolume) return '/';
  if (result.startsWith(`${dataVolume}/`)) result = result.slice(dataVolume.length);
  for (const link of privateLinks) {
    if (result === link || result.startsWith(`${link}/`)) return `/private${result}`;
  }
  return result;
}

/**
 * Maps between macOS paths and this machine's files. Without a root both are the same; with one (`--root DIR`) the
 * macOS tree stands in DIR and every event made from it is simulated.
 */
export class RootMap {
  /** The folder that stands for `/`, links resolved, without a trailing slash; empty for the machine itself. */
  readonly root: string;

  /** `root`: an absolute path whose links the caller has resolved, or undefined for the machine itself. */
  constructor(root?: string) {
    this.root = root === undefined || root === '/' ? '' : root.replace(/\/+$/, '');
  }

  get simulated(): boolean {
    return this.root !== '';
  }

  /** Where the file of a macOS path stands on this machine. */
  toHost(macPath: string): string {
    return this.root === '' ? macPath : this.root + path.posix.normalize(`/${macPath}`);
  }

  /** True when a path of this machine stands in the mapped tree. */
  contains(hostPath: string): boolean {
    return this.root === '' || hostPath === this.root || hostPath.startsWith(`${this.root}/`);
  }

  /** The canonical macOS path of a path of this machine; one outside the root stays as it is, normalised. */
  toMac(hostPath: string): string {
    if (this.root !== '' && this.contains(hostPath))
      return canonicalMacPath(hostPath.slice(this.root.length) || '/');
    return this.root === '' ? canonicalMacPath(hostPath) : path.posix.normalize(hostPath);
  }

  /** A sentence, such as an error's, with macOS paths where paths of the tree stand in it. */
  inText(text: string): string {
    if (this.root === '') return text;
    const root = this.root.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return text.replace(new RegExp(`(?<![^\\s'"\`(=:,])${root}(?:/|(?![^\\s'"\`),:]))`, 'g'), '/');
  }

  /** An argument as the Mac would have it: the root is cut off at its start and after each `=` or `:`. */
  stripArgument(argument: string): string {
    if (this.root === '' || !argument.includes(this.root)) return argument;
    return argument
      .split(/(?<=[=:])/)
      .map((part) =>
        part === this.root || part.startsWith(`${this.root}/`) ? part.slice(this.root.length) || '/' : part,
      )
      .join('');
  }
}
