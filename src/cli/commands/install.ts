import { ExitCode } from '../../base/errors.js';
import { places, planInstall, runSteps } from '../../install/index.js';
import { defineCommand, flag } from '../define-command.js';
import { installSurroundings, printStep } from '../install-output.js';

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
    const steps = planInstall({ system, root, dryRun, program, settings, ...written });
    await runSteps(steps, { dryRun, report: (report) => printStep(context.out, report, json) });
    if (!json && !dryRun && root === undefined)
      context.out.line(
        `The agent runs. Its log: ${places.log}. Give it Full Disk Access: see launchd/README.md.`,
      );
    return ExitCode.ok;
  },
});
