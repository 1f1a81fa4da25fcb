import { preflight, problemError } from '../../agent/preflight.js';
import { ExitCode } from '../../base/errors.js';
import { escapeText } from '../../base/escape.js';
import { together } from '../../config/index.js';
import { places, planInstall, runSteps } from '../../install/index.js';
import type { CommandContext } from '../context.js';
import { defineCommand, flag } from '../define-command.js';
import { type InstallSurroundings, installSurroundings, printStep } from '../install-output.js';

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

export const install = defineCommand({
  description:
    'Places the job in /Library/LaunchDaemons and boots it in; again, it brings everything up to date. Refuses a program\n' +
    'that anybody but root could change. --config and --data-dir are written into the job.',
  options: {
    dryRun: flag('--dry-run', 'check everything and print what would be done'),
    json: flag('--json', 'one JSON document a step (NDJSON)'),
  },
  examples: [
    { line: 'sudo launchwarden install --dry-run', says: 'with the text of every file' },
    { line: 'sudo launchwarden install', says: 'on this Mac' },
    {
      line: 'launchwarden install --root /tmp/mac',
      says: 'only the files, into a folder that stands for a Mac',
    },
  ],
  needs: 'root and a Mac, or --root',
  async handler({ context, options: { dryRun, json } }) {
    const { settings, system, program, written } = await installSurroundings(context);
    const { root } = settings;
    if (root === undefined && system.platform === 'darwin' && (system.uid === 0 || dryRun))
      await requireSound(context, { settings, system });
    const steps = planInstall({ system, root, dryRun, program, settings, ...written });
    await runSteps(steps, { dryRun, report: (report) => printStep(context.out, report, json) });
    if (!json && !dryRun && root === undefined)
      context.out.line(
        `The agent runs. Its log: ${places.log}. Give it Full Disk Access: see launchd/README.md.`,
      );
    return ExitCode.ok;
  },
});
