import type { Mechanism, Place } from '../mechanisms/index.js';
import { type Rule, watchPatterns } from '../rules/index.js';

/** What the sensors of files watch, macOS path patterns. */
export interface Watched {
  /** As rules write them: a `*` at the end reaches into the folders below. */
  readonly patterns: readonly string[];
  /** No wildcard of these reaches into another folder. */
  readonly entries: readonly string[];
  /** The same below each home, without a leading slash. */
  readonly inHomes: readonly string[];
}

const infoPlist = 'Contents/Info.plist';
/** Where folders of settings keep theirs: what a rule names without a folder is looked for there too. */
const settingsFolders = '.*';

/** What the rules look for, and every place of these mechanisms. */
export function watchedBy(rules: readonly Rule[], mechanisms: readonly Mechanism[]): Watched {
  const { patterns, names } = watchPatterns(rules);
  const below = new Set(patterns.map(({ text }) => text));
  const entries = new Set<string>();
  const inHomes = new Set(names.flatMap((name) => [name, `${settingsFolders}/${name}`]));
  for (const { places } of mechanisms)
    for (const place of places) {
      if (!isWatched(place)) continue;
      if (place.what === 'tree') for (const folder of foldersOf(place)) below.add(`${folder}/*`);
      else for (const pattern of entriesOf(place)) (place.scope === 'home' ? inHomes : entries).add(pattern);
    }
  return { patterns: [...below], entries: [...entries], inHomes: [...inHomes] };
}

const usualHomes = ['/Users/*', '/private/var/root'];

function foldersOf({ scope, path }: Place): string[] {
  return scope === 'home' ? usualHomes.map((home) => `${home}/${path}`) : [path];
}

/** Inside applications there is too much to watch: only what they hand to launchd and their own description. */
const insideApplication = /^\/?Applications\/\*\/Contents\/(?!Library\/|Info\.plist)/;

/** The system's own bundles stand on a sealed volume; its launch items are watched as they always were. */
export function isWatched({ watched, path, what }: Place): boolean {
  if (watched === false || insideApplication.test(path)) return false;
  return what === 'tree' || !path.startsWith('/System/');
}

/** Of a bundle what describes it and what it runs. */
function entriesOf({ what, path, extensions, describedBy = infoPlist }: Place): string[] {
  if (what === 'file') return [path];
  const names = extensions?.map((extension) => `${path}/*.${extension}`) ?? [`${path}/*`];
  if (what !== 'bundles') return names;
  const programs = describedBy === infoPlist ? ['Contents/MacOS/*'] : [];
  return names.flatMap((name) => [name, ...[describedBy, ...programs].map((inside) => `${name}/${inside}`)]);
}

/** All of it as absolute patterns, for sensors that know homes by where they usually stand. */
export function absoluteEntries({ entries, inHomes }: Watched): string[] {
  return [...entries, ...inHomes.flatMap((name) => usualHomes.map((home) => `${home}/${name}`))];
}
