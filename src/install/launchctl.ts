import { UserError } from '../base/errors.js';
import { clip, escapeText } from '../base/escape.js';
import { saysNoService } from '../base/launchctl-status.js';
import type { Change } from './place.js';
import { jobLabel } from './places.js';
import type { CommandResult, System } from './system.js';

const launchctl = '/bin/launchctl';
export const domain = 'system';
export const service = `${domain}/${jobLabel}`;

/** bootout returns before the job has gone; until then bootstrap fails with 5 or 37 (seen in the field). */
const tries = 30;
const pauseMs = 1_000;

export type LaunchctlCall = readonly string[];

export const calls = {
  bootout: [launchctl, 'bootout', service],
  enable: [launchctl, 'enable', service],
  bootstrap: (job: string): LaunchctlCall => [launchctl, 'bootstrap', domain, job],
  print: [launchctl, 'print', service],
} as const;

function run(system: System, [file = '', ...args]: LaunchctlCall): CommandResult {
  return system.run(file, args);
}

function failed(call: LaunchctlCall, result: CommandResult): UserError {
  const said = result.stderr.trim().split('\n')[0] ?? '';
  const status = result.status === null ? 'did not end' : `failed with ${result.status}`;
  return new UserError(
    'install/launchctl',
    `${call.join(' ')} ${status}${said === '' ? '' : `: ${escapeText(clip(said, 300))}`}`,
    {
      hint: 'The files are in place. Try the same command by hand; "launchctl error N" explains a number.',
    },
  );
}

function isLoaded(system: System): boolean {
  return run(system, calls.print).status === 0;
}

/** Stops and unloads the job, and waits until launchd has forgotten it. */
export async function bootOut(system: System): Promise<Change> {
  const result = run(system, calls.bootout);
  if (saysNoService(result.status)) return 'unchanged';
  for (let attempt = 0; attempt < tries; attempt++) {
    if (!isLoaded(system)) return 'done';
    await system.wait(pauseMs);
  }
  throw failed(calls.bootout, result);
}

/** Clears a Disabled override that an earlier `launchctl disable` or `unload -w` has left. */
export async function enable(system: System): Promise<Change> {
  const result = run(system, calls.enable);
  if (result.status === 0) return 'done';
  throw failed(calls.enable, result);
}

/** Loads the job, and asks launchd whether it is there: some versions say 0 and do nothing. */
export async function bootstrap(system: System, job: string): Promise<Change> {
  const call = calls.bootstrap(job);
  let result: CommandResult = { status: null, stdout: '', stderr: '' };
  for (let attempt = 0; attempt < tries; attempt++) {
    if (attempt > 0) await system.wait(pauseMs);
    result = run(system, call);
    if (isLoaded(system)) return 'done';
  }
  throw failed(call, result);
}
