import { UserError } from '../base/errors.js';
import { clip, escapeText } from '../base/escape.js';
import { saysNoService } from '../base/launchctl-status.js';
import type { Change } from './place.js';
import { jobLabel } from './places.js';
import type { CommandResult, System } from './system.js';

export const macLaunchctl = '/bin/launchctl';
export const domain = 'system';
export const service = `${domain}/${jobLabel}`;

/** bootout returns before the job has gone; until then bootstrap fails with 5 or 37 (seen in the field). */
const tries = 30;
const pauseMs = 1_000;

export type LaunchctlCall = readonly string[];

/** What is asked of the launchctl at `program`. */
export const calls = {
  bootout: (program: string): LaunchctlCall => [program, 'bootout', service],
  enable: (program: string): LaunchctlCall => [program, 'enable', service],
  bootstrap: (program: string, job: string): LaunchctlCall => [program, 'bootstrap', domain, job],
  kickstart: (program: string): LaunchctlCall => [program, 'kickstart', service],
  print: (program: string): LaunchctlCall => [program, 'print', service],
} as const;

/** What launchd says of our job. */
export interface JobState {
  /** Undefined when launchctl gave no answer that is understood. */
  readonly loaded: boolean | undefined;
  /** Of a loaded job: the property list that it was loaded from, and the program that it runs. */
  readonly path?: string;
  readonly program?: string;
  /** `running`, `not running`, `spawn scheduled`, … */
  readonly state?: string;
  readonly pid?: number;
  /** How often it was started since it was loaded. */
  readonly runs?: number;
  /** As launchd writes it: `0`, `78: EX_CONFIG`; absent when it never ended. */
  readonly lastExit?: string;
  /** `interactive (4)`, `daemon (3)`, … */
  readonly spawnType?: string;
}

function run(system: System, [file = '', ...args]: LaunchctlCall): CommandResult {
  return system.run(file, args);
}

function failed(call: LaunchctlCall, result: CommandResult): UserError {
  const said = result.stderr.trim().split('\n')[0] ?? '';
  const status = result.status === null ? 'did not end' : `failed with ${result.status}`;
  return new UserError(
    'install/launchctl',
    `${call.join(' ')} ${status}${said === '' ? '' : `: ${escapeText(clip(said, 300))}`}`,
    { hint: 'Try the same command by hand; "launchctl error N" explains a number.' },
  );
}

/** Asks launchd about our job. `print` is documented as no interface (launchctl(1)): what is not understood is absent. */
export function readJob(system: System, program: string): JobState {
  const { status, stdout } = run(system, calls.print(program));
  if (status !== 0) return { loaded: saysNoService(status) ? false : undefined };
  // Its own keys are indented by one tab; nested blocks repeat some of them.
  const of = (key: string) => new RegExp(`^\\t${key} = (.+)$`, 'm').exec(stdout)?.[1]?.trim();
  const number = (key: string) => {
    const text = of(key);
    return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
  };
  const [place, executable, state, lastExit] = [of('path'), of('program'), of('state'), of('last exit code')];
  const [pid, runs, spawnType] = [number('pid'), number('runs'), of('spawn type')];
  return {
    loaded: true,
    ...(place === undefined ? {} : { path: place }),
    ...(executable === undefined ? {} : { program: executable }),
    ...(state === undefined ? {} : { state }),
    ...(pid === undefined ? {} : { pid }),
    ...(runs === undefined ? {} : { runs }),
    ...(lastExit === undefined || lastExit === '(never exited)' ? {} : { lastExit }),
    ...(spawnType === undefined ? {} : { spawnType }),
  };
}

/** Stops and unloads the job, and waits until launchd has forgotten it. */
export async function bootOut(system: System, program: string): Promise<Change> {
  const call = calls.bootout(program);
  const result = run(system, call);
  if (saysNoService(result.status)) return 'unchanged';
  for (let attempt = 0; attempt < tries; attempt++) {
    if (readJob(system, program).loaded !== true) return 'done';
    await system.wait(pauseMs);
  }
  throw failed(call, result);
}

/** Clears a Disabled override that an earlier `launchctl disable` or `unload -w` has left. */
export async function enable(system: System, program: string): Promise<Change> {
  const call = calls.enable(program);
  const result = run(system, call);
  if (result.status === 0) return 'done';
  throw failed(call, result);
}

/** Loads the job, and asks launchd whether it is there: some versions say 0 and do nothing. */
export async function bootstrap(system: System, program: string, job: string): Promise<Change> {
  const call = calls.bootstrap(program, job);
  let result: CommandResult = { status: null, stdout: '', stderr: '' };
  for (let attempt = 0; attempt < tries; attempt++) {
    if (attempt > 0) await system.wait(pauseMs);
    result = run(system, call);
    if (readJob(system, program).loaded === true) return 'done';
  }
  throw failed(call, result);
}

/** Starts the loaded job now, if launchd has not yet; one that runs is left alone (no `-k`). */
export async function kickstart(system: System, program: string): Promise<Change> {
  const call = calls.kickstart(program);
  const result = run(system, call);
  if (result.status === 0) return 'done';
  throw failed(call, result);
}
