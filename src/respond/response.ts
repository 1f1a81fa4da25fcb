import { readdirSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, isDenied, reasonOf, UserError } from '../base/errors.js';
import { JournalFile } from '../base/journal-file.js';
import type { Micros } from '../base/time.js';
import { journalErrors } from './errors.js';
import type { Deed, Outcome, Plan, Step, StepState } from './plan.js';

export type ResponseState = 'running' | 'done' | 'failed' | 'undoing' | 'undone' | 'partly undone';

export interface StepRecord {
  readonly step: Step;
  readonly state: StepState;
  readonly says?: string;
  readonly deed?: Deed;
  /** The step began and its end is not known: whoever worked on it was killed. */
  readonly open: boolean;
  readonly undo?: { readonly state: Outcome['state'] | 'open'; readonly says?: string };
}

/** A response as its journal tells it. */
export interface Response extends Plan {
  readonly id: string;
  readonly time: Micros;
  readonly author: string;
  /** True when no person asked for it. */
  readonly automatic: boolean;
  readonly simulated: boolean;
  readonly state: ResponseState;
  readonly records: readonly StepRecord[];
  /** Lines of the journal that alert and SIEM were told of. */
  readonly told: number;
}

const suffix = '.ndjson';
/** A journal holds a plan, its steps' deeds and undoing. */
const maxBytes = 8 * 1024 * 1024;
const idPattern = /^[0-9a-f]{12}$/;

/** Where responses stand: journals and what was quarantined. */
export function respondFolder(dataDir: string): string {
  return path.join(dataDir, 'respond');
}

export function journalOf(dataDir: string, id: string): JournalFile {
  return new JournalFile(path.join(respondFolder(dataDir), `${id}${suffix}`), journalErrors, maxBytes);
}

/** All responses of a data folder, newest first. A journal that cannot be read as one is left out. Throws a UserError. */
export function allResponses(dataDir: string): Response[] {
  let names: string[];
  try {
    names = readdirSync(respondFolder(dataDir));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw new UserError('respond/unreadable', `cannot read ${respondFolder(dataDir)}: ${reasonOf(error)}`, {
      ...(isDenied(error) ? { hint: 'The data directory belongs to another user: run with sudo.' } : {}),
      cause: error,
    });
  }
  return names
    .filter((name) => name.endsWith(suffix) && idPattern.test(name.slice(0, -suffix.length)))
    .flatMap((name) => readResponse(dataDir, name.slice(0, -suffix.length)) ?? [])
    .sort((a, b) => b.time - a.time);
}

export function responsesOf(dataDir: string, alertId: string): Response[] {
  return allResponses(dataDir).filter(({ alert }) => alert === alertId);
}

export function readResponse(dataDir: string, id: string): Response | undefined {
  const lines = journalOf(dataDir, id).read();
  return lines === undefined ? undefined : responseFrom(id, lines as Line[]);
}

/** What a response has in the quarantine now. */
export function quarantined({ records }: Response): {
  readonly index: number;
  readonly path: string;
  readonly box: string;
  readonly sha256?: string;
}[] {
  return [...records.entries()].flatMap(([index, { state, deed, undo }]) => {
    if (deed?.kind !== 'move' || deed.way !== 'in' || state !== 'done' || undo?.state === 'done') return [];
    const { path: place, box, was } = deed;
    return [{ index, path: place, box, ...(was.sha256 === undefined ? {} : { sha256: was.sha256 }) }];
  });
}

/** Lines of a journal. The first has `plan`. */
export type Line =
  | {
      readonly plan: Plan;
      readonly time: Micros;
      readonly author: string;
      readonly automatic: boolean;
      readonly simulated: boolean;
    }
  | { readonly begin: number; readonly deed: Deed; readonly time: Micros }
  | ({ readonly end: number; readonly time: Micros } & Outcome)
  | { readonly ended: 'done' | 'failed'; readonly time: Micros }
  | { readonly undoing: string; readonly time: Micros }
  | { readonly unbegin: number; readonly deed: Deed; readonly time: Micros }
  | ({ readonly unend: number; readonly time: Micros } & Outcome)
  | { readonly unended: 'undone' | 'partly undone'; readonly time: Micros }
  | { readonly told: number };

function responseFrom(id: string, lines: readonly Line[]): Response | undefined {
  const [first] = lines;
  if (first === undefined || !('plan' in first) || !Array.isArray(first.plan?.steps)) return undefined;
  const { plan, time, author, automatic, simulated } = first;
  const records: StepRecord[] = plan.steps.map((step) => ({ step, state: 'planned', open: false }));
  let state: ResponseState = 'running';
  let told = 0;
  const change = (index: number, more: Partial<StepRecord>) => {
    const record = records[index];
    if (record !== undefined) records[index] = { ...record, ...more };
  };
  for (const line of lines) {
    if ('begin' in line) change(line.begin, { deed: line.deed, open: true });
    else if ('end' in line) {
      const { end, state: word, says, deed } = line;
      change(end, { state: word, says, open: false, ...(deed === undefined ? {} : { deed }) });
    } else if ('ended' in line) state = line.ended;
    else if ('undoing' in line) state = 'undoing';
    else if ('unbegin' in line) change(line.unbegin, { undo: { state: 'open' } });
    else if ('unend' in line) change(line.unend, { undo: { state: line.state, says: line.says } });
    else if ('unended' in line) state = line.unended;
    else if ('told' in line) told = line.told;
  }
  return { ...plan, id, time, author, automatic, simulated, state, records, told };
}
