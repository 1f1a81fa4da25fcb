import type { Candidate } from '../event/alert.js';
import type { Event } from '../event/event.js';
import { isForeign } from './domain.js';
import { type Match, presentEvents } from './match.js';
import { comparable, isWholeCall, type NamedFiles, namedFiles, runsLaunchctl } from './named-files.js';

const order: Readonly<Record<Candidate['link'], number>> = {
  ...{ path: 0, directory: 1, label: 2 },
  ...{ matched: 3, possible: 4, window: 5 },
};
const homeAgents = /^\/users\/[^/]+\/library\/launchagents$|^\/private\/var\/root\/library\/launchagents$/;

/** A path in the spelling in which paths are compared. */
interface Place {
  readonly path: string;
  readonly folder: string;
}

/** The best link first. */
export function compareLinks(a: Candidate, b: Candidate): number {
  return order[a.link] - order[b.link];
}

/** Which files a process names. It remembers how a file is spelt, since one call after the other asks for a whole window. */
export class Ranking {
  readonly #places = new WeakMap<Event, Place>();

  /**
   * The files that a match could be about, best first: what the completing process names, then what the rule language chose,
   * then what else stood in the window. Of equally good ones the newest first.
   */
  candidates(match: Pick<Match, 'events' | 'window'>): readonly Candidate[] {
    const matched = presentEvents(match).filter(isFile);
    const all = new Set([...match.window, ...matched]);
    if (all.size === 0) return [];
    const completing = presentEvents(match).findLast(({ doc }) => doc.process?.args !== undefined);
    const names = completing === undefined ? undefined : namedFiles(completing.doc);
    const chosen = new Set(matched);
    // Of the files that a path names the one that it led to, and not a link on the way.
    const meant = ({ event }: Candidate) => (names !== undefined && isMeant(event, names) ? 0 : 1);
    return [...all]
      .reverse()
      .map((event) => this.#candidate(event, names, chosen.has(event)))
      .sort((a, b) => compareLinks(a, b) || meant(a) - meant(b));
  }

  /**
   * Whether a match ends with a launchctl call that was seen in full and names none of its candidates, so that what it loads
   * is something else.
   */
  excludes({ events }: Pick<Match, 'events'>, candidates: readonly Candidate[]): boolean {
    const call = presentEvents({ events }).at(-1);
    if (call === undefined || candidates.length === 0) return false;
    if (candidates.some(({ named, event }) => named || event === call)) return false;
    const names = runsLaunchctl(call.doc) ? namedFiles(call.doc) : undefined;
    if (names === undefined) return false;
    if (candidates.every(({ event }) => isForeign(event.doc, names.domain))) return true;
    if (!isWholeCall(call.doc) || names.hidden || names.anyHome) return false;
    if (names.lost.length > 0 || names.tails.length > 0) return false;
    // A label may be that of a file that has not been read.
    return names.labels.size === 0 || candidates.every(({ event }) => labelOf(event) !== undefined);
  }

  /** Whether the process may mean files that it does not name: it was not seen in full, or what it names is gone. */
  hides(names: NamedFiles, window: readonly Event[]): boolean {
    if (names.hidden) return true;
    const paths = names.lost.length === 0 ? [] : window.map((event) => this.#placeOf(event)?.path);
    return names.lost.some((spellings) => !spellings.some((one) => paths.includes(one)));
  }

  /** By what a process names the file of an event, or undefined when it does not. */
  linkOf(event: Event, names: NamedFiles): 'path' | 'directory' | 'label' | undefined {
    const place = this.#placeOf(event);
    if (place === undefined) return undefined;
    const { path, folder } = place;
    if (isMeant(event, names) || names.paths.has(path) || names.tails.some((tail) => path.endsWith(tail)))
      return 'path';
    if (names.folders.has(folder)) return 'directory';
    if (names.labels.size === 0 && !names.anyHome) return undefined;
    if (isForeign(event.doc, names.domain)) return undefined;
    if (names.anyHome && homeAgents.test(folder)) return 'directory';
    const label = labelOf(event);
    return label !== undefined && names.labels.has(label) ? 'label' : undefined;
  }

  #candidate(event: Event, names: NamedFiles | undefined, matched: boolean): Candidate {
    const link = names === undefined ? undefined : this.linkOf(event, names);
    if (link !== undefined) return { event, named: true, link };
    if (matched) return { event, named: false, link: 'matched' };
    const isPossible = names?.hidden === true && !isForeign(event.doc, names.domain);
    return { event, named: false, link: isPossible ? 'possible' : 'window' };
  }

  #placeOf(event: Event): Place | undefined {
    const known = this.#places.get(event);
    if (known !== undefined) return known;
    const written: unknown = event.doc.file?.path;
    if (typeof written !== 'string') return undefined;
    const path = comparable(written);
    const place: Place = { path, folder: path.slice(0, path.lastIndexOf('/')) || '/' };
    this.#places.set(event, place);
    return place;
  }
}

function labelOf({ doc }: Event): string | undefined {
  const label: unknown = doc.launchwarden?.plist?.label ?? doc.Persistence?.name;
  return typeof label === 'string' ? label : undefined;
}

/** By its inode, whatever its path is. */
function isMeant({ doc }: Event, names: NamedFiles): boolean {
  const inode: unknown = doc.file?.inode;
  return names.inodes.size > 0 && typeof inode === 'string' && names.inodes.has(inode);
}

function isFile(event: Event): boolean {
  return typeof event.doc.file?.path === 'string';
}
