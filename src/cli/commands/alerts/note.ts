import { ExitCode, UserError } from '../../../base/errors.js';
import { defineCommand } from '../../define-command.js';
import { changeAlerts } from './change.js';
import { isFiltered } from './filters.js';
import { changeOptions, selectAlerts } from './select.js';

export const alertsNote = defineCommand({
  description: 'With a filter in place of the ID: to all that it finds, once --yes says so.',
  arguments: [
    { name: '[ID]', summary: 'id of an alert, or a beginning that only one has (8 characters)' },
    { name: '[TEXT...]', summary: 'the note; several words are joined by spaces' },
  ],
  options: changeOptions,
  examples: [
    { line: 'launchwarden alerts note 3f9a01aa "binary sent to the lab"', says: 'kept with author and time' },
  ],
  needs: 'root, when the agent runs as a daemon (it writes for us, through its socket)',
  async handler({ context, options, args }) {
    const filtered = isFiltered(options);
    const text = args
      .slice(filtered ? 0 : 1)
      .join(' ')
      .trim();
    if (text === '') throw new UserError('alerts/empty-note', 'the note is empty');
    const selection = await selectAlerts(context, filtered ? [] : args.slice(0, 1), {
      options,
      verb: 'note',
      status: ['open', 'acknowledged', 'closed'],
    });
    if (selection === undefined) return ExitCode.checkFailed;
    return changeAlerts(context, selection, [{ action: 'note', text, done: 'note added' }], options.json);
  },
});
