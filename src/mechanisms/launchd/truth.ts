import type { WhatRuns } from '../../base/what-runs/index.js';
import type { When } from '../mechanism.js';
import { type Obstacle, obstaclesOf, type Question } from './obstacles.js';
import type { JobTrigger } from './triggers.js';

/** `by-hand`: not by itself, only when launchctl or its application is told to. */
export type WillLoad = 'yes' | 'no' | 'by-hand' | 'unknown';

/** Whether launchd will load a list, and whether what it names can run. */
export interface Loading {
  readonly answer: WillLoad;
  /** False when it would be loaded and nothing can be executed. */
  readonly starts: boolean;
  readonly obstacles: readonly Obstacle[];
  /** One sentence. */
  readonly says: string;
}

const answers: Readonly<Partial<Record<Obstacle['effect'], WillLoad>>> = {
  refused: 'no',
  off: 'no',
  elsewhere: 'no',
  'by-hand': 'by-hand',
  doubt: 'unknown',
};

/** Pure: what launchd makes of a list at its next chance to load it. */
export function loadingOf(question: Question): Loading {
  const obstacles = obstaclesOf(question);
  const [worst] = obstacles;
  const answer = (worst && answers[worst.effect]) ?? 'yes';
  const starts = !obstacles.some(({ effect }) => effect === 'cannot-start' || effect === 'refused');
  return { answer, starts, obstacles, says: loadingSays(question, answer, obstacles) };
}

function loadingSays(
  { daemon, bundled, file }: Question,
  answer: WillLoad,
  obstacles: readonly Obstacle[],
): string {
  const [worst] = obstacles;
  const who = /^\/(?:System\/|Library\/)/i.test(file.path) || bundled === true ? 'a user' : 'its user';
  const when = daemon ? 'when the system starts' : `when ${who} logs in`;
  switch (answer) {
    case 'no':
      return `launchd does not load it: ${worst?.because}.`;
    case 'by-hand':
      return `launchd does not load it by itself, only when it is told to: ${worst?.because}.`;
    case 'unknown':
      return `Whether launchd loads it is not certain: ${worst?.because}.`;
    case 'yes': {
      const stuck = obstacles.find(({ effect }) => effect === 'cannot-start');
      return `launchd loads it ${when}${stuck === undefined ? '' : `, and cannot start it: ${stuck.because}`}.`;
    }
  }
}

/** Whether a job is switched off, and by whom. */
export interface Disabled {
  /** Null when it is not known. */
  readonly answer: boolean | null;
  /** `key`: of the list. `override`: launchd's own table. `background-item`: a person, in System Settings. */
  readonly by: 'key' | 'override' | 'background-item' | null;
  readonly says: string;
}

const switches: Readonly<Record<string, Disabled['by']>> = {
  'disabled-by-key': 'key',
  'disabled-by-override': 'override',
  'disabled-by-user': 'background-item',
};

/** `unread`: why the table of overrides could not be read; absent when it was. */
export function disabledOf({ obstacles }: Loading, unread?: string): Disabled {
  const off = obstacles.find(({ word }) => switches[word] !== undefined);
  if (off !== undefined)
    return { answer: true, by: switches[off.word] ?? null, says: `It is disabled: ${off.because}.` };
  const on = obstacles.find(({ word }) => word === 'enabled-by-override');
  if (on !== undefined) return { answer: false, by: null, says: `It is enabled: ${on.because}.` };
  if (unread !== undefined)
    return {
      answer: null,
      by: null,
      says: `Its list does not disable it; whether launchd's table of overrides does is not known: ${unread}.`,
    };
  return { answer: false, by: null, says: 'It is enabled: neither its list nor an override disables it.' };
}

/** What launchd answered about a job in one domain. */
export interface DomainReport {
  /** `system`, `gui/501`. */
  readonly domain: string;
  readonly state: 'loaded' | 'not-loaded' | 'no-domain' | 'unknown';
  readonly facts?: JobReport;
}

/** Texts as launchd prints them, bounded, hostile. */
export interface JobReport {
  /** The list that it was loaded from. */
  readonly path?: string;
  readonly program?: string;
  readonly state?: string;
  readonly pid?: number;
  readonly runs?: number;
  /** `0`, `78: EX_CONFIG`, `(never exited)`. */
  readonly last_exit?: string;
}

export interface LiveState {
  /** Null when it is not known. */
  readonly loaded: boolean | null;
  readonly running: boolean | null;
  /** Of a job that is loaded and does not run: what starts it. */
  readonly waits_for: readonly When[];
  readonly domains: readonly DomainReport[];
  readonly says: string;
}

/** Pure: what the answers of launchd come to. `unasked`: why nobody could be asked. */
export function liveState(
  reports: readonly DomainReport[],
  {
    triggers,
    path,
    unasked,
  }: { readonly triggers: readonly JobTrigger[]; readonly path: string; readonly unasked?: string },
): LiveState {
  const nothing = { waits_for: [], domains: reports };
  if (unasked !== undefined)
    return {
      ...nothing,
      loaded: null,
      running: null,
      says: `Whether it is loaded is not known: ${unasked}.`,
    };
  const loaded = reports.filter(({ state }) => state === 'loaded');
  if (loaded.length === 0) {
    const known = reports.filter(({ state }) => state === 'not-loaded');
    if (known.length === 0 || reports.some(({ state }) => state === 'unknown')) {
      const why = reports.some(({ state }) => state === 'unknown')
        ? 'launchctl gave no answer that is understood'
        : 'no session is there in which it could be loaded';
      return known.length === 0 && why.startsWith('no session')
        ? { ...nothing, loaded: false, running: false, says: `It is not loaded: ${why}.` }
        : { ...nothing, loaded: null, running: null, says: `Whether it is loaded is not known: ${why}.` };
    }
    return { ...nothing, loaded: false, running: false, says: 'It is not loaded.' };
  }
  const running = loaded.filter(({ facts }) => facts?.pid !== undefined || facts?.state === 'running');
  const waits = running.length > 0 ? [] : waitsFor(triggers);
  const others = loaded.filter(({ facts }) => facts?.path?.startsWith('/') === true && facts.path !== path);
  const foreign = others.length === 0 ? '' : ` launchd has it from another list, ${others[0]?.facts?.path}.`;
  return {
    loaded: true,
    running: running.length > 0,
    waits_for: waits,
    domains: reports,
    says: `${running.length > 0 ? runningSays(running) : waitingSays(loaded, waits)}${foreign}`,
  };
}

function runningSays(running: readonly DomainReport[]): string {
  const each = running.slice(0, 4).map(({ domain, facts }) => {
    const { pid, runs } = facts ?? {};
    const how = [
      ...(pid === undefined ? [] : [`process ${pid}`]),
      ...(runs === undefined || runs < 2 ? [] : [`started ${runs} times`]),
    ];
    return `in ${domain}${how.length === 0 ? '' : ` (${how.join(', ')})`}`;
  });
  return `It runs ${each.join(' and ')}.`;
}

function waitingSays(loaded: readonly DomainReport[], waits: readonly When[]): string {
  const where = loaded
    .slice(0, 4)
    .map(({ domain }) => domain)
    .join(' and ');
  const ended = loaded
    .map(({ facts }) => facts?.last_exit)
    .find((one) => one !== undefined && /^\d/.test(one));
  const last = ended === undefined ? '' : ` It ended last with ${ended}.`;
  const how =
    waits.length === 0 || (waits.length === 1 && waits[0] === 'demand')
      ? 'it starts when somebody asks for it'
      : `it waits for ${waits.map((one) => waitWords[one] ?? one).join(', or ')}`;
  return `It is loaded in ${where} and does not run: ${how}.${last}`;
}

const waitWords: Readonly<Partial<Record<When, string>>> = {
  socket: 'a connection to its socket',
  message: 'a message to its service',
  path: 'a change of a path',
  mount: 'a volume',
  interval: 'the end of its interval',
  calendar: 'its time',
  event: 'an event',
  demand: 'somebody who asks for it',
};

/** What can still start a job that was loaded: not what loading itself does. */
function waitsFor(triggers: readonly JobTrigger[]): When[] {
  const when = triggers.map((one) => one.when).filter((one) => waitWords[one] !== undefined);
  return when.length === 0 ? ['demand'] : [...new Set(when)];
}

/** One sentence about what starts a job; the sentences of its triggers follow it. */
export function startsSays(triggers: readonly JobTrigger[]): string {
  if (triggers.length === 0)
    return 'Nothing in its list starts it: it runs when somebody asks for it (`launchctl kickstart`).';
  const [first] = triggers;
  const more = triggers.length - 1;
  return more === 0
    ? (first?.says ?? '')
    : `${first?.says ?? ''} ${more === 1 ? 'One more thing starts' : `${more} more things start`} it.`;
}

/** Pure: what a job executes in the end and as whom, in one sentence. `as`: undefined for whoever is logged in. */
export function runsSays(
  runs: readonly Pick<WhatRuns, 'paths' | 'inline'>[],
  as: string | undefined,
): string {
  const [first] = runs;
  const who = as === undefined ? 'whoever is logged in' : as;
  if (first === undefined || (first.paths.length === 0 && first.inline === undefined))
    return 'It names nothing that can be executed.';
  const [program = 'a shell', ...through] = first.paths;
  const then = through.length === 0 ? '' : `, and through it ${through.slice(0, 4).join(', then ')}`;
  const script = first.inline === undefined ? '' : ', with a script among its arguments';
  return `It executes ${program}${then}${script}, as ${who}.`;
}
