import { interpreterName } from '../base/what-runs/interpreters.js';
import { sealed } from './sealed.js';

/** Where whoever may write a list in a home may write as well. */
const everybodys = ['/private/tmp/', '/private/var/tmp/', '/private/var/folders/', '/Users/Shared/'];
/** What the system, launchwarden and other items live by. */
const vital =
  /^\/(?:private\/(?:etc|var\/(?:db|root|at|run))|Library\/(?:Launch(?:Agents|Daemons)|Application Support\/launchwarden)|usr\/local\/etc)(?:\/|$)/i;

/**
 * Why a program that an item only names stays where it is, and its processes with it: whoever writes the item chooses what
 * it names. It is acted upon by its own name alone. `item`: macOS path of the item.
 */
export function sparedBecause(path: string, item: string): string | undefined {
  if (sealed(path) !== undefined) return 'it comes with macOS';
  if (interpreterName(path.slice(path.lastIndexOf('/') + 1)) !== undefined) return 'it is an interpreter';
  if (/\.app\//i.test(path)) return 'it is part of an application';
  if (/^\/(?:opt\/(?:homebrew|local)|usr\/local\/Cellar)\//i.test(path))
    return 'it belongs to a package manager';
  if (vital.test(path) || path.includes('/../')) return 'the system or other items may need it';
  if (isBeyond(path, item)) return 'it stands where the user of the item may have no say';
  return undefined;
}

/** An item in a home names something that its user may not be able to change. */
export function isBeyond(path: string, item: string): boolean {
  const home = /^\/Users\/[^/]+\//.exec(item)?.[0];
  return home !== undefined && ![home, ...everybodys].some((place) => path.startsWith(place));
}

/** Why a path is never moved, also when somebody names it. `dataDir`: macOS path of launchwarden's data. */
export function neverMoved(path: string, dataDir: string): string | undefined {
  if (/^\/[^/]*$|^\/(?:private|Users|Library|Volumes|System)\/[^/]*$|^\/private\/var\/[^/]*$/.test(path))
    return 'is a folder that macOS or a user lives in';
  if (path === dataDir || path.startsWith(`${dataDir}/`)) return 'belongs to launchwarden itself';
  if (dataDir.startsWith(`${path}/`)) return "holds launchwarden's own data";
  return undefined;
}
