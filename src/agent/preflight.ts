import { accessSync, constants, existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { type Clock, systemClock } from '../base/clock.js';
import { errnoOf, reasonOf, UserError } from '../base/errors.js';
import { silentLogger } from '../base/log.js';
import { type Settings, trustProblems } from '../config/index.js';
import { destinationName, setUpProblem } from '../forward/index.js';
import { loadExceptions } from '../rules/index.js';
import { selectRules } from './rules.js';

/** Something about a configuration that a person has to mend. */
export interface Problem {
  /** `true`: no agent starts with it. `false`: a part is parked, the agent runs without it and says so. */
  readonly stops: boolean;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly at?: NonNullable<UserError['at']>;
}

export interface PreflightOptions {
  readonly settings: Settings;
  readonly system: Parameters<typeof trustProblems>[1] & { readonly uid: number };
  readonly version: string;
  readonly clock?: Clock;
  /** The agent is to run as root on this machine: what it reads must be root's alone. Else as whoever asks. */
  readonly asRoot: boolean;
}

function problemOf(error: UserError, stops: boolean): Problem {
  const { code, message, hint, at } = error;
  return {
    stops,
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(at === undefined ? {} : { at }),
  };
}

/** A problem as what a start fails with. */
export function problemError({ code, message, hint, at }: Problem): UserError {
  return new UserError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    ...(at === undefined ? {} : { at }),
  });
}

/**
 * Everything that is wrong with what an agent would use, all at once: owners and modes, the data folder, rules, exceptions,
 * lists, and what destinations need (secrets, certificates). Writes nothing, connects to nothing.
 */
export async function preflight(options: PreflightOptions): Promise<Problem[]> {
  const { settings, system, asRoot, version, clock = systemClock } = options;
  const { rules, exceptions, scan, destinations, dataDir } = settings;
  const problems: Problem[] = [];
  if (asRoot && settings.root === undefined)
    problems.push(...trustProblems(settings, system).map((error) => problemOf(error, true)));
  problems.push(...settings.problems.map((error) => problemOf(error, false)));
  const folder = folderProblem(dataDir);
  if (folder !== undefined) problems.push(folder);
  for (const message of selectRules(settings).parked) {
    const hint = '"launchwarden rules check" shows the place.';
    problems.push({
      stops: false,
      code: 'rules/parked',
      message,
      ...(rules.folders.length > 0 ? { hint } : {}),
    });
  }
  const loaded = loadExceptions(exceptions.folders, exceptions.packs);
  for (const { code, message, file, line, column } of loaded.diagnostics) {
    const at = file === undefined ? {} : { at: { file, line, column } };
    problems.push({ stops: false, code, message, ...at });
  }
  for (const place of [...scan.hashes, ...scan.yara]) {
    if (existsSync(place)) continue;
    problems.push({ stops: false, code: 'scan/not-found', message: `there is no ${place}` });
  }
  for (const one of destinations) {
    const problem = await setUpProblem(one, { clock, log: silentLogger, version });
    if (problem !== undefined)
      problems.push({
        ...problem,
        stops: false,
        message: `destination ${destinationName(one)}: ${problem.message}`,
      });
  }
  return problems;
}

/** The data folder is made by the agent: what is there of the way to it must be a folder that we may write to. */
function folderProblem(dataDir: string): Problem | undefined {
  let place = dataDir;
  while (!existsSync(place) && path.dirname(place) !== place) place = path.dirname(place);
  const stop = (code: string, message: string, hint: string): Problem => ({
    stops: true,
    code,
    message,
    hint,
  });
  try {
    if (!statSync(place).isDirectory())
      return stop('store/not-a-folder', `${place} is not a folder`, 'Name another data_dir.');
    accessSync(place, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const what = place === dataDir ? 'the data folder' : 'where the data folder would be made';
    return stop(
      'store/no-access',
      `${place}, ${what}, cannot be written to: ${reasonOf(error)}`,
      errnoOf(error) === 'EROFS' ? 'Mount it to be written, or name another data_dir.' : 'Use sudo.',
    );
  }
}
