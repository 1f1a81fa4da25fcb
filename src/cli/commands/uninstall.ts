import { existsSync } from 'node:fs';
import { ExitCode, messageOf } from '../../base/errors.js';
import type { Settings } from '../../config/index.js';
import { leftBehind, planUninstall, runSteps } from '../../install/index.js';
import { allResponses, isIsolating, quarantined, type Response } from '../../respond/index.js';
import type { CommandContext } from '../context.js';
import { defineCommand, flag } from '../define-command.js';
import { installSurroundings, printStep } from '../install-output.js';
import { safe } from '../output/output.js';

export const uninstall = defineCommand({
  description:
    'Boots the job out and removes it. Configuration, data and logs stay; they are named at the end, and so is what is in\n' +
    'the quarantine: --restore puts all of it back. A Mac that is isolated is released.',
  options: {
    restore: flag('--restore', 'put everything that is in the quarantine back where it was'),
    dryRun: flag('--dry-run', 'print what would be done'),
    json: flag('--json', 'one JSON document a step (NDJSON)'),
  },
  examples: [{ line: 'sudo launchwarden uninstall', says: 'on this Mac' }],
  needs: 'root and a Mac, or --root',
  async handler({ context, options: { restore, dryRun, json } }) {
    const { settings, system } = await installSurroundings(context);
    const steps = planUninstall({ system, root: settings.root, dryRun });
    await runSteps(steps, { dryRun, report: (report) => printStep(context.out, report, json) });
    const whole = await takeBack(context, settings, { restore, dryRun, json });
    for (const folder of leftBehind(settings.root).filter((one) => existsSync(one))) {
      const report = {
        step: `remove ${folder}`,
        state: 'skipped',
        reason: 'it is yours: remove it by hand',
      } as const;
      printStep(context.out, { ...report, step: safe(report.step) ?? '' }, json);
    }
    return whole ? ExitCode.ok : ExitCode.checkFailed;
  },
});

/** What responses have done and nobody would undo any more. False when something of it could not be undone. */
async function takeBack(
  context: CommandContext,
  { dataDir }: Settings,
  how: { readonly restore: boolean; readonly dryRun: boolean; readonly json: boolean },
): Promise<boolean> {
  const { restore, dryRun, json } = how;
  const tell = (step: string, state: 'planned' | 'skipped', reason?: string) =>
    printStep(context.out, { step, state, ...(reason === undefined ? {} : { reason }) }, json);
  let responses: readonly Response[];
  try {
    responses = allResponses(dataDir);
  } catch (error) {
    tell('put back what is in the quarantine', 'skipped', messageOf(error));
    return false;
  }
  let whole = true;
  for (const response of responses) {
    const inside = quarantined(response);
    const isolated = isIsolating(response);
    if (inside.length === 0 && !isolated) continue;
    for (const { path } of inside)
      if (!restore)
        tell(
          `put ${path} back`,
          'skipped',
          `it stays in the quarantine: add --restore, or "launchwarden respond undo ${response.id}"`,
        );
      else if (dryRun) tell(`put ${path} back`, 'planned');
    if (isolated && dryRun) tell('open the network again', 'planned');
    if (dryRun || (!restore && !isolated)) continue;
    const { undo } = await import('./respond/act.js');
    const code = await undo(context, { rootScope: undefined, json }, () => response);
    whole &&= code === ExitCode.ok;
  }
  return whole;
}
