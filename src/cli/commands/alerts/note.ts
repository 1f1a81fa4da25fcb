import { UserError } from '../../../base/errors.js';
import { defineCommand, flag } from '../../define-command.js';
import { changeAlerts } from './change.js';

export const alertsNote = defineCommand({
  arguments: [
    { name: 'ID', summary: 'id of an alert, or a beginning that only one has' },
    { name: 'TEXT...', summary: 'the note; several words are joined by spaces' },
  ],
  options: { json: flag('--json', 'the changed alert as one JSON document') },
  examples: [
    { line: 'launchwarden alerts note 3f9a01 "binary sent to the lab"', says: 'kept with author and time' },
  ],
  needs: 'root, when the agent runs as a daemon (it writes for us, through its socket)',
  async handler({ context, options, args: [id = '', ...words] }) {
    const text = words.join(' ').trim();
    if (text === '') throw new UserError('alerts/empty-note', 'the note is empty');
    return changeAlerts(context, [id], { action: 'note', text, json: options.json });
  },
});
