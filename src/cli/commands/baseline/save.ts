import { things } from '../../../base/count.js';
import { ExitCode, UserError } from '../../../base/errors.js';
import { formatMicros } from '../../../base/time.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { commandLine } from '../../given-flags.js';
import { readInventory } from '../inventory/read.js';
import { openAlerts } from '../inventory/verdict.js';
import { changeBaseline, defaultName, nameOf } from './change.js';

export const baselineSave = defineCommand({
  description:
    'Everything that persists now is read anew and called known good, under a name; several baselines may be kept, and the newest\n' +
    'counts where none is named. The contents of what it holds are not given up, as far as a fifth of the room for evidence.',
  arguments: [
    { name: '[NAME]', summary: `"${defaultName}" when left out`, check: (text) => void nameOf('NAME')(text) },
  ],
  options: {
    reason: value('--reason TEXT', 'why this state is good', (text) => text),
    replace: flag('--replace', 'in the place of a baseline of this name'),
    json: flag('--json', 'the baseline as one JSON document'),
  },
  examples: [
    { line: 'sudo launchwarden baseline save', says: 'after a Mac was set up' },
    { line: 'sudo launchwarden baseline save 2026-q1 --reason "after the audit"', says: 'another one' },
  ],
  needs: 'root, when the agent runs as a daemon (it writes for us, through its socket)',
  async handler({ context, options, args: [name = defaultName] }) {
    const { rows } = await readInventory(context, { refresh: true, live: false });
    const before = await context.withStore((store) => store.baselines.get(name));
    if (before !== undefined && !options.replace)
      throw new UserError(
        'baseline/exists',
        `there is a baseline "${name}" already, of ${formatMicros(before.time)}`,
        {
          hint: 'Choose another name, or add --replace.',
        },
      );
    const { entries } = await changeBaseline(
      context,
      { action: 'save', name, reason: options.reason ?? '' },
      rows,
    );
    const alerts = await context.withStore(openAlerts);
    const doubtful = rows.filter(({ entry, gone }) => gone === undefined && alerts.has(entry.item_id)).length;
    if (options.json) context.out.document('baseline/1', { name, entries, with_open_alerts: doubtful });
    else
      context.out.line(
        `${things(entries, 'entry is', 'entries are')} known good as "${name}"${doubtful === 0 ? '' : `; about ${doubtful} of them alerts are open: "${commandLine(context, 'alerts list')}"`}.`,
      );
    return ExitCode.ok;
  },
});
