import type { RunningProcess } from '../base/file-calls.js';
import type { Micros } from '../base/time.js';
import type { EcsDocument } from '../event/document.js';
import { wallTime } from '../event/event.js';
import type { Machine } from './machine.js';

export interface Offspring {
  readonly found: readonly RunningProcess[];
  /** What could not be known, one sentence each. */
  readonly remarks: readonly string[];
}

/** Generations that are followed, events and time that each search may take. */
const generations = 16;
const mostEvents = 2_000;
const searchMs = 1_000;
/** A clock that was set a little meanwhile. */
const slack: Micros = 1e6;

/** An identity of a process in the events: its program changes it. */
interface Known {
  readonly pid: number;
  readonly time: Micros;
}

/**
 * The processes that run now and that, as the recorded events tell, were started by `programs` or by what these started:
 * also those that launchd has adopted, and that are in no tree, group or session of theirs any more. Each is the very
 * process of an event: its number, and it had started by then.
 */
export function offspringOf(programs: readonly string[], machine: Machine): Offspring {
  if (programs.length === 0) return { found: [], remarks: [] };
  const { clock, events } = machine;
  const begun = clock.monotonic();
  const expired = () => clock.monotonic() - begun > searchMs;
  const known = new Map<string, Known>();
  let complete = true;
  const search = (texts: readonly string[], take: (doc: EcsDocument) => boolean): string[] => {
    const range = { from: 0, to: clock.now() + slack };
    const found = events.search(texts, range, { limit: mostEvents, expired });
    complete &&= found.complete;
    return found.events.flatMap((event) => {
      const id = event.doc.process?.entity_id;
      const pid = Number(event.doc.process?.pid);
      if (typeof id !== 'string' || !Number.isSafeInteger(pid) || known.has(id) || !take(event.doc))
        return [];
      known.set(id, { pid, time: wallTime(event) });
      return [id];
    });
  };
  let fresh = search(programs, (doc) => isStartOf(doc, programs));
  const starts = fresh.length;
  for (let turn = 0; turn < generations && fresh.length > 0; turn++)
    fresh = search(fresh, (doc) => startersOf(doc).some((id) => known.has(id)));
  if (fresh.length > 0) complete = false;
  const now = new Map(machine.processes().map((one) => [one.pid, one]));
  const found = new Map<number, RunningProcess>();
  for (const { pid, time } of known.values()) {
    const one = now.get(pid);
    if (one?.startedAt !== undefined && one.startedAt <= time + slack) found.set(pid, one);
  }
  return {
    found: [...found.values()],
    remarks: [
      ...(starts === 0
        ? ['no start of it is recorded: what it has started, and left its tree since, is not known']
        : []),
      ...(complete ? [] : ['not all recorded events could be looked through for what it has started']),
    ],
  };
}

/** A process that runs one of these programs, or an interpreter that was given one. */
function isStartOf({ process, event }: EcsDocument, programs: readonly string[]): boolean {
  const types: unknown = event?.type;
  if (!Array.isArray(types) || !(types.includes('start') || types.includes('info'))) return false;
  const args: unknown = process?.args;
  return programs.some(
    (one) => one === process?.executable || (Array.isArray(args) && args.slice(1, 64).includes(one)),
  );
}

/** The processes that an event names as those that are behind its own. */
function startersOf({ process }: EcsDocument): string[] {
  const ext = process?.Ext as
    | { readonly ancestry?: unknown; readonly effective_parent?: { readonly entity_id?: unknown } }
    | undefined;
  const ancestry: unknown = ext?.ancestry;
  return [
    process?.parent?.entity_id,
    ext?.effective_parent?.entity_id,
    ...(Array.isArray(ancestry) ? ancestry : []),
  ].filter((id): id is string => typeof id === 'string');
}
