import type { Candidate } from '../event/alert.js';
import type { Event } from '../event/event.js';
import { type Match, presentEvents } from './match.js';
import { comparable, type NamedFiles, namedFiles } from './named-files.js';

const order: readonly Candidate['link'][] = ['path', 'directory', 'label', 'matched', 'window'];
const homeAgents = /^\/users\/[^/]+\/library\/launchagents$|^\/private\/var\/root\/library\/launchagents$/;

/**
 * The files that a match could be about, best first: what the completing process names, then what the rule language chose,
 * then what else stood in the window. Of equally good ones the newest first.
 */
export function rankCandidates(match: Match): readonly Candidate[] {
  const matched = presentEvents(match).filter(isFile);
  const all = new Set([...match.window, ...matched]);
  if (all.size === 0) return [];
  const completing = presentEvents(match).findLast(({ doc }) => doc.process?.args !== undefined);
  const names = completing === undefined ? undefined : namedFiles(completing.doc);
  const chosen = new Set(matched);
  return [...all]
    .reverse()
    .map((event) => candidate(event, names, chosen.has(event)))
    .sort(compareLinks);
}

/** The best link first. */
export function compareLinks(a: Candidate, b: Candidate): number {
  return order.indexOf(a.link) - order.indexOf(b.link);
}

function isFile(event: Event): boolean {
  return typeof event.doc.file?.path === 'string';
}

function candidate(event: Event, names: NamedFiles | undefined, matched: boolean): Candidate {
  const link = names === undefined ? undefined : linkOf(event, names);
  if (link !== undefined) return { event, named: true, link };
  return { event, named: false, link: matched ? 'matched' : 'window' };
}

/** By what a process names the file of an event, or undefined when it does not. */
export function linkOf({ doc }: Event, names: NamedFiles): 'path' | 'directory' | 'label' | undefined {
  const written: unknown = doc.file?.path;
  if (typeof written !== 'string') return undefined;
  const path = comparable(written);
  if (names.paths.has(path) || names.tails.some((tail) => path.endsWith(tail))) return 'path';
  const folder = path.slice(0, path.lastIndexOf('/')) || '/';
  if (names.folders.has(folder) || (names.anyHome && homeAgents.test(folder))) return 'directory';
  const label: unknown = doc.launchwarden?.plist?.label ?? doc.Persistence?.name;
  return typeof label === 'string' && names.labels.has(label) ? 'label' : undefined;
}
