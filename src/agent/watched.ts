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
      if (place.watched === false) continue;
      if (place.what === 'tree') for (const folder of foldersOf(place)) below.add(`${folder}/*`);
      else for (const pattern of entriesOf(place)) (place.scope === 'home' ? inHomes : entries).add(pattern);
    }
  return { patterns: [...below], entries: [...entries], inHomes: [...inHomes] };
}

const usualHomes = ['/Users/*', '/private/var/root'];

function foldersOf({ scope, path }: Place): string[] {
  return scope === 'home' ? usualHomes.map((home) => `${home}/${path}`) : [path];
}

/** Of a bundle what describes it and what it runs. */
function entriesOf({ what, path, extensions, describedBy = 'Contents/Info.plist' }: Place): string[] {
  if (what === 'file') return [path];
  const names = extensions?.map((extension) => `${path}/*.${extension}`) ?? [`${path}/*`];
  if (what !== 'bundles') return names;
  return names.flatMap((name) => [name, `${name}/${describedBy}`, `${name}/Contents/MacOS/*`]);
}

/** All of it as absolute patterns, for sensors that know homes by where they usually stand. */
export function absoluteEntries({ entries, inHomes }: Watched): string[] {
  return [...entries, ...inHomes.flatMap((name) => usualHomes.map((home) => `${home}/${name}`))];
}
