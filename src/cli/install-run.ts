import path from 'node:path';
import { preflight, problemError } from '../agent/preflight.js';
import { escapeText } from '../base/escape.js';
import { together } from '../config/index.js';
import { bringUp, type Outcome, readInstallation, surroundingsOf, withSource } from '../install/index.js';
import type { CommandContext } from './context.js';
import { finishFirst } from './finish-first.js';
import { type InstallSurroundings, installSurroundings, printOutcome, printStep } from './install-output.js';
import { installParts } from './install-parts.js';

export interface BringUpFrom {
  /** A folder or an archive; the program that runs us when undefined. */
  readonly from: string | undefined;
  readonly skipCanary: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
  /** Called with the installed version before anything else; throws what it refuses. */
  readonly refuse?: (current: string | undefined) => void;
}

/** `config check` before anything is placed: what keeps an agent from starting is refused, what is parked is said. */
async function requireSound(
  context: CommandContext,
  { settings, system }: Pick<InstallSurroundings, 'settings' | 'system'>,
): Promise<void> {
  const problems = await preflight({ settings, system, version: context.version, asRoot: true });
  // Whoever only looks at the plan may not write there; the job will.
  const stopping = problems.filter(({ stops, code }) => stops && code !== 'store/no-access');
  if (stopping.length > 0) throw together(stopping.map(problemError));
  for (const { message, code } of problems.filter(({ stops }) => !stops))
    context.io.stderr.write(
      `launchwarden: parked, the agent will run without it: ${escapeText(message)} [${code}]\n`,
    );
}

/** What `install` and `upgrade` share. */
export async function bringUpFrom(
  context: CommandContext,
  { from, skipCanary, dryRun, json, refuse }: BringUpFrom,
): Promise<Outcome> {
  const { out, io } = context;
  const { settings, system, program, written } = await installSurroundings(context);
  const { root, dataDir } = settings;
  const at = surroundingsOf({ system, root, dryRun }, installParts);
  refuse?.(readInstallation(system, root).current);
  if (root !== undefined || system.platform === 'darwin') await requireSound(context, { settings, system });
  const inTree = (place: string) =>
    root !== undefined && place.startsWith(`${root}/`) ? place.slice(root.length) : place;
  const options = {
    at,
    written: {
      ...(written.config === undefined ? {} : { config: inTree(written.config) }),
      ...(written.dataDir === undefined ? {} : { dataDir: inTree(written.dataDir) }),
    },
    dataDir,
    dryRun,
    canary: !skipCanary,
    ...(dryRun ? {} : { signal: finishFirst(io) }),
    report: (report: Parameters<typeof printStep>[1]) => printStep(out, report, json),
  };
  const outcome = await withSource(
    at,
    { from: from === undefined ? undefined : path.resolve(io.cwd, from), program },
    (source) => bringUp({ ...options, source }),
  );
  if (!dryRun) printOutcome(out, outcome, json);
  return outcome;
}
