import path from 'node:path';
import { canonicalMacPath } from '../root.js';

const bin = [
  'sh',
  'bash',
  'zsh',
  'dash',
  'ksh',
  'csh',
  'tcsh',
  'launchctl',
  'sleep',
  'cp',
  'mv',
  'rm',
  'chmod',
  'cat',
  'echo',
  'ls',
  'mkdir',
  'ln',
  'ps',
  'kill',
  'dd',
  'date',
  'test',
];
const usrBin = [
  ...[
    'env',
    'nohup',
    'caffeinate',
    'nice',
    'time',
    'arch',
    'sudo',
    'script',
    'xargs',
    'login',
    'xcrun',
    'open',
  ],
  ...['osascript', 'python3', 'perl', 'ruby', 'php', 'tclsh', 'expect', 'swift', 'java', 'awk', 'automator'],
  ...[
    'curl',
    'base64',
    'openssl',
    'xxd',
    'find',
    'su',
    'tar',
    'unzip',
    'gunzip',
    'defaults',
    'plutil',
    'security',
  ],
  ...[
    'killall',
    'pkill',
    'touch',
    'nc',
    'ssh',
    'sed',
    'grep',
    'tee',
    'hdiutil',
    'xattr',
    'codesign',
    'nscurl',
  ],
];
const usrSbin = ['sandbox-exec', 'taskpolicy', 'chroot', 'installer', 'spctl', 'screencapture'];

/** Where macOS keeps its own tools: what a name without a folder means. */
const tools: ReadonlyMap<string, string> = new Map([
  ...bin.map((name) => [name, `/bin/${name}`] as const),
  ...usrBin.map((name) => [name, `/usr/bin/${name}`] as const),
  ...usrSbin.map((name) => [name, `/usr/sbin/${name}`] as const),
]);

/** Their paths. */
export const toolPaths: readonly string[] = [...tools.values()];

/** The folders that launchd searches for a program without one. */
export const defaultPath = '/usr/bin:/bin:/usr/sbin:/sbin';
const maxFolders = 8;
/** PATH_MAX of macOS is 1,024; what is longer cannot run. */
const maxPath = 4_096;

/**
 * The canonical paths that `word` may mean as a program. `search`: a PATH to look in for a word without a slash, or
 * undefined when such a word stands for a file in `folder`.
 */
export function placesOf(
  word: string,
  { folder, search, home }: { readonly folder: string; readonly search?: string; readonly home?: string },
): string[] {
  if (word === '' || word.includes('\0')) return [];
  if (word.startsWith('~/') && home !== undefined) return [canonical(`${home}/${word.slice(2)}`)];
  if (word.startsWith('/')) return [canonical(word)];
  if (word.includes('/') || search === undefined) return [canonical(`${folder}/${word}`)];
  const tool = tools.get(word.toLowerCase());
  if (search === defaultPath) return tool === undefined ? [] : [tool];
  const folders = search.split(':', 64).filter((one) => !systemFolder.test(one));
  const own = folders.slice(0, maxFolders).map((one) => canonical(`${one === '' ? folder : one}/${word}`));
  // A folder before those of the system is searched first; what stands in it, only the Mac knows.
  return tool === undefined ? own : [...own, tool];
}

const systemFolder = /^\/(?:usr\/)?s?bin\/*$/;

/** One spelling: normalised, links of the top level and the startup disk's own name resolved, bounded. */
export function canonical(macPath: string): string {
  const startupDisk = canonicalMacPath(macPath).replace(/^\/Volumes\/Macintosh HD(?=\/|$)/i, '') || '/';
  return canonicalMacPath(startupDisk).slice(0, maxPath);
}

export function baseName(word: string): string {
  return path.posix.basename(word);
}
