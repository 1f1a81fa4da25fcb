import { existsSync } from 'node:fs';
import { ExitCode, messageOf, UserError } from '../../base/errors.js';
import type { Settings } from '../../config/index.js';
import { leftBehind, surroundingsOf, takeAway } from '../../install/index.js';
import { allResponses, isIsolating, quarantined, type Response } from '../../respond/index.js';
import type { CommandContext } from '../context.js';
import { defineCommand, flag } from '../define-command.js';
import { finishFirst } from '../finish-first.js';
import { installSurroundings, printStep } from '../install-output.js';
import { installParts } from '../install-parts.js';
import { counted, safe } from '../output/output.js';
// Loaded before anything is removed: this program may be what is removed.
import { undo } from './respond/act.js';

export const uninstall = defineCommand({
  description:
    'Boots the job out and removes it with the program and the log rotation. Configuration, data and logs stay; they are\n' +
    'named at the end, and so is what is in the quarantine: --restore puts all of it back. --purge takes configuration,\n' +
    'data and logs too, but for what stood there before the first installation. A Mac that is isolated is released.',
  options: {
    restore: flag('--restore', 'put everything that is in the quarantine back where it was'),
    purge: flag('--purge', 'remove configuration, data and logs too'),
    discard: flag('--discard-quarantine', 'with --purge: remove what is in the quarantine for good'),
    dryRun: flag('--dry-run', 'print what would be done'),
    json: flag('--json', 'one JSON document a step (NDJSON)'),
  },
  examples: [
    { line: 'sudo launchwarden uninstall', says: 'on this Mac' },
    {
      line: 'sudo launchwarden uninstall --purge --restore',
      says: 'leave nothing, and give everything back',
    },
  ],
  needs: 'root and a Mac, or --root',
  async handler({ context, options }) {
    const { restore, purge, discard, dryRun, json } = options;
    const { settings, system } = await installSurroundings(context, { whateverConfig: true });
    const { root, dataDir } = settings;
    const at = surroundingsOf({ system, root, dryRun }, installParts);
    if (purge && !restore && !discard) requireEmptyQuarantine(dataDir);
    if (!dryRun) finishFirst(context.io);
    const whole = await takeAway({
      at,
      dataDir,
      purge,
      dryRun,
      report: (report) => printStep(context.out, report, json),
      takeBack: () => takeBack(context, settings, { restore, discard: purge && discard, dryRun, json }),
    });
    for (const folder of leftBehind(root).filter((one) => existsSync(one) && !dryRun)) {
      const reason = whole || !purge ? 'it is yours: remove it by hand' : 'not everything could be undone';
      printStep(context.out, { step: safe(`remove ${folder}`) ?? '', state: 'skipped', reason }, json);
    }
    return whole ? ExitCode.ok : ExitCode.checkFailed;
  },
});

/** What is in the quarantine is somebody's, guilty or not: it is offered back before it is gone for good. */
function requireEmptyQuarantine(dataDir: string): void {
  const inside = allResponses(dataDir).flatMap((one) => quarantined(one));
  if (inside.length === 0) return;
  const named = inside.slice(0, 5).map(({ path }) => path);
  throw new UserError(
    'install/quarantine-not-empty',
    `${counted(inside.length)} ${inside.length === 1 ? 'file is' : 'files are'} in the quarantine: ${named.join(', ')}${inside.length > named.length ? ', …' : ''}`,
    {
      hint: 'Add --restore to put them back, or --discard-quarantine to remove them for good. Nothing was changed.',
    },
  );
}

interface TakeBackOptions {
  readonly restore: boolean;
  readonly discard: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** What responses have done and nobody would undo any more. False when something of it could not be undone. */
async function takeBack(
  context: CommandContext,
  { dataDir }: Settings,
  { restore, discard, dryRun, json }: TakeBackOptions,
): Promise<boolean> {
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
      if (discard && !restore) tell(`put ${path} back`, 'skipped', 'it is removed with the data');
      else if (!restore)
        tell(
          `put ${path} back`,
          'skipped',
          `it stays in the quarantine: add --restore, or "launchwarden respond undo ${response.id}"`,
        );
      else if (dryRun) tell(`put ${path} back`, 'planned');
    if (isolated && dryRun) tell('open the network again', 'planned');
    if (dryRun || (!restore && !isolated)) continue;
    const code = await undo(context, { dryRun: false, rootScope: undefined, json }, () => response);
    whole &&= code === ExitCode.ok;
  }
  return whole;
}
