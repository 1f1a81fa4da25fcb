import { lstatSync, readFileSync } from 'node:fs';
import { UserError } from '../base/errors.js';
import { readPlist } from '../base/plist/index.js';
import { readJob } from './launchctl.js';
import type { Surroundings } from './parts.js';
import { jobLabel, placed, places } from './places.js';
import { readJobFile } from './read.js';
import { readState, type Written, writtenOf } from './state.js';

function foreign(what: string, hint: string): UserError {
  return new UserError('install/foreign-job', what, { hint });
}

/**
 * Refuses a job under our label that is not ours: it would be booted out and overwritten, and it may be an attacker's. The
 * job of any version of launchwarden passes. Throws `install/foreign-job`.
 */
export function refuseForeignJob({ system, root, launchctl }: Surroundings): void {
  const file = placed(places.job, root);
  const jobFile = readJobFile(root);
  const look = `Look at it: somebody uses the name of launchwarden's job. Then move it away: mv "${file}" somewhere else.`;
  if (jobFile.state === 'unsafe') throw foreign(`${file} is no job of ours: ${jobFile.reason}`, look);
  if (jobFile.state === 'differs') {
    const program = programOf(jobFile.found);
    if (!isOurs(program))
      throw foreign(
        `${file} has the label ${jobLabel} and runs ${program === undefined ? 'nothing that can be read' : program.join(' ')}`,
        look,
      );
  }
  if (launchctl === undefined) return;
  const job = readJob(system, launchctl);
  if (job.loaded !== true || job.path === undefined || job.path === places.job || job.path === file) return;
  throw foreign(
    `launchd runs a job ${jobLabel} that was loaded from ${job.path}${job.program === undefined ? '' : `: ${job.program}`}`,
    `Look at it. Then unload it: sudo launchctl bootout system/${jobLabel}`,
  );
}

/** `node …/launchwarden.js run …`: every version so far. */
function isOurs(program: readonly string[] | undefined): boolean {
  return program?.[1]?.endsWith('/bin/launchwarden.js') === true && program[2] === 'run';
}

function programOf(text: string): readonly string[] | undefined {
  const read = readPlist(Buffer.from(text));
  if (!read.ok || !(read.value instanceof Map)) return undefined;
  const list = read.value.get('ProgramArguments');
  return Array.isArray(list) ? list.map(String) : undefined;
}

/** What the job names besides the program: as it was installed, or, where that cannot be read, as the job itself has it. */
export function readWritten(root: string | undefined): Written {
  const state = readState(root);
  if (state !== undefined) return state.written;
  const program = programOf(textOf(places.job, root) ?? '') ?? [];
  if (!isOurs(program)) return {};
  const after = (option: string) => program[program.indexOf(option) + 1];
  return writtenOf({
    ...(program.includes('--config') ? { config: after('--config') } : {}),
    ...(program.includes('--data-dir') ? { dataDir: after('--data-dir') } : {}),
  });
}

/** The text of a file of ours; undefined when there is none. */
export function textOf(macPath: string, root: string | undefined): string | undefined {
  const file = placed(macPath, root);
  return lstatSync(file, { throwIfNoEntry: false })?.isFile() === true
    ? readFileSync(file, 'utf8')
    : undefined;
}
