import { ExitCode } from '../../../base/errors.js';
import { defineCommand, flag } from '../../define-command.js';
import { changeBaseline, nameOf } from './change.js';

export const baselineRemove = defineCommand({
  description: 'Forgets a baseline. What it held of evidence goes when its turn comes.',
  arguments: [{ name: 'NAME', summary: 'a baseline', check: (text) => void nameOf('NAME')(text) }],
  options: { json: flag('--json', 'the name as one JSON document') },
  examples: [{ line: 'sudo launchwarden baseline remove 2025-q4', says: 'one that is out of date' }],
  needs: 'root, when the agent runs as a daemon (it writes for us, through its socket)',
  async handler({ context, options, args: [name = ''] }) {
    await changeBaseline(context, { action: 'remove', name, reason: '' });
    if (options.json) context.out.document('baseline-removed/1', { name });
    else context.out.line(`removed  ${name}`);
    return ExitCode.ok;
  },
});
