import { existsSync } from 'node:fs';
import { ExitCode } from '../../base/errors.js';
import { leftBehind, planUninstall, runSteps } from '../../install/index.js';
import { defineCommand, flag } from '../define-command.js';
import { installSurroundings, printStep } from '../install-output.js';
import { safe } from '../output/output.js';

export const uninstall = defineCommand({
  description:
    'Boots the job out and removes it. Configuration, data and logs stay; they are named at the end.',
  options: {
    dryRun: flag('--dry-run', 'print what would be done'),
    json: flag('--json', 'one JSON document a step (NDJSON)'),
  },
  examples: [{ line: 'sudo launchwarden uninstall', says: 'on this Mac' }],
  needs: 'root and a Mac, or --root',
  async handler({ context, options: { dryRun, json } }) {
    const { settings, system } = await installSurroundings(context);
    const steps = planUninstall({ system, root: settings.root, dryRun });
    await runSteps(steps, { dryRun, report: (report) => printStep(context.out, report, json) });
    for (const folder of leftBehind(settings.root).filter((one) => existsSync(one))) {
      const report = {
        step: `remove ${folder}`,
        state: 'skipped',
        reason: 'it is yours: remove it by hand',
      } as const;
      printStep(context.out, { ...report, step: safe(report.step) ?? '' }, json);
    }
    return ExitCode.ok;
  },
});
