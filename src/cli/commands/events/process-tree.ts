import type { EcsDocument, ProcessFields } from '../../../event/document.js';
import { type Event, wallTime } from '../../../event/event.js';
import type { Store } from '../../../store/index.js';

/** A process around an event. */
export interface TreeProcess {
  /** Levels below the first one. */
  readonly depth: number;
  readonly entity_id: string | null;
  readonly pid: number | null;
  readonly executable: string | null;
  readonly args: readonly string[];
  /** When it was seen to start; null when nobody saw that. */
  readonly start: string | null;
  readonly event_id: string | null;
  readonly relation: 'ancestor' | 'self' | 'descendant';
}

export interface ProcessTree {
  readonly processes: readonly TreeProcess[];
  /** False when there are more, or not everything was looked through. */
  readonly complete: boolean;
}

/** How far from the event its processes are searched, microseconds. */
const before = 24 * 3600 * 1e6;
const after = 3600 * 1e6;
const maxDepth = 16;
const maxProcesses = 200;

/** The process of an event, those that it came from and those that came from it, as far as they were recorded. */
export function processTree(
  store: Pick<Store, 'events'>,
  event: Event,
  how: { readonly expired: () => boolean },
): ProcessTree {
  const self = event.doc.process;
  if (self === undefined) return { processes: [], complete: true };
  const time = wallTime(event);
  const range = { from: time - before, to: time + after };
  let complete = true;
  const search = (text: string) => {
    const found = store.events.search([text], range, { limit: maxProcesses, expired: how.expired });
    complete &&= found.complete;
    return found.events.filter(({ doc }) => doc.event?.category?.includes('process') === true);
  };
  const ancestors = ancestorsOf(self, search);
  const processes = ancestors.map((one, depth) =>
    shown(one.process, { ...one, depth, relation: 'ancestor' as const }),
  );
  const depth = ancestors.length;
  const begun = startOf(self, search) ?? eventOf(event);
  // The event may know less of its process than the start did.
  const whole: ProcessFields = { ...begun?.doc.process, ...self };
  processes.push(shown(whole, { depth, relation: 'self', event: begun }));
  const seen = new Set<string>();
  const add = (parent: ProcessFields, level: number): void => {
    const { entity_id: id } = parent;
    if (id === undefined || level > maxDepth || seen.has(id)) return;
    seen.add(id);
    for (const child of search(id)) {
      const { process } = child.doc;
      if (process?.parent?.entity_id !== id || process.entity_id === id) continue;
      if (process.entity_id !== undefined && seen.has(process.entity_id)) continue;
      if (processes.length >= maxProcesses) {
        complete = false;
        return;
      }
      processes.push(shown(process, { depth: level, relation: 'descendant', event: child }));
      add(process, level + 1);
    }
  };
  add(self, depth + 1);
  return { processes, complete };
}

interface Ancestor {
  readonly process: ProcessFields;
  readonly event: Event | undefined;
}

/** The first one first: from the parents that documents embed, and from recorded starts. */
function ancestorsOf(self: ProcessFields, search: (text: string) => readonly Event[]): readonly Ancestor[] {
  const found: Ancestor[] = [];
  const seen = new Set<string>([self.entity_id ?? '']);
  let parent = self.parent;
  while (parent !== undefined && found.length < maxDepth) {
    const id = parent.entity_id;
    if (id !== undefined && seen.has(id)) break;
    if (id !== undefined) seen.add(id);
    const event = startOf(parent, search);
    const process: ProcessFields = { ...parent, ...event?.doc.process };
    found.unshift({ process, event });
    parent = process.parent;
  }
  return found;
}

/** The recorded start of a process. */
function startOf(
  { entity_id: id }: ProcessFields,
  search: (text: string) => readonly Event[],
): Event | undefined {
  if (id === undefined) return undefined;
  return search(id).find(({ doc }) => doc.process?.entity_id === id && isStart(doc));
}

function isStart({ event }: EcsDocument): boolean {
  return event?.action === 'exec' || event?.action === 'fork' || event?.type?.includes('start') === true;
}

function eventOf(event: Event): Event | undefined {
  return isStart(event.doc) && event.doc.process !== undefined ? event : undefined;
}

function shown(
  process: ProcessFields,
  how: Pick<TreeProcess, 'depth' | 'relation'> & { readonly event: Event | undefined },
): TreeProcess {
  const { entity_id, pid, executable, name, args } = process;
  return {
    depth: how.depth,
    entity_id: entity_id ?? null,
    pid: pid ?? null,
    executable: executable ?? name ?? null,
    args: Array.isArray(args) ? args.slice(0, 40) : [],
    start: how.event?.doc['@timestamp'] ?? null,
    event_id: how.event?.id ?? null,
    relation: how.relation,
  };
}
