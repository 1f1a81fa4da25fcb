import { lstatSync } from 'node:fs';
import path from 'node:path';
import { placed, places } from './places.js';
import { namesIn } from './source.js';

const log = /^(?:agent|crash)\.log/;

/** Whether the .pkg's own files stand beside the versions: they are part of the program, whoever is asked. */
export function hasPackage(root: string | undefined): boolean {
  const bundle = path.join(placed(places.package, root), 'launchwarden.app');
  try {
    return lstatSync(bundle, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}

/** What stands in our folders and is neither ours nor the agent's, as macOS paths: a configuration that was there first, say. */
export function foreignNames(root: string | undefined): string[] {
  const own = [places.data, places.versions, places.current, places.state, places.journal];
  const ours = new Set(
    [...own, ...(hasPackage(root) ? [places.package] : [])].map((one) => path.posix.basename(one)),
  );
  return [
    ...namesIn(placed(places.home, root))
      .filter((name) => !ours.has(name) && !name.startsWith('.'))
      .map((name) => `${places.home}/${name}`),
    ...namesIn(placed(places.logs, root))
      .filter((name) => !log.test(name))
      .map((name) => `${places.logs}/${name}`),
  ];
}
