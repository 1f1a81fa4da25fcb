import { stopPlan, stopProcessPlan } from '../../../respond/index.js';
import { defineCommand } from '../../define-command.js';
import { act, actNeeds, actOptions } from './act.js';
import { findTarget } from './find.js';

export const respondKill = defineCommand({
  description:
    'Ends the processes of an alert or item, or one by its number, with all that they started. A process is known by its\n' +
    'number, start and program together, never by a name; that is looked at again right before each signal. All of them\n' +
    'are made to stand still first, so that none starts another one meanwhile. This cannot be undone.',
  arguments: [
    { name: 'TARGET', summary: 'an alert, an item (id, label or path), or the number of a process' },
  ],
  options: actOptions,
  examples: [
    { line: 'sudo launchwarden respond kill 3f9a01c2 --dry-run', says: 'which processes that would be' },
    { line: 'sudo launchwarden respond kill 4711', says: 'one process and what it started' },
  ],
  needs: actNeeds,
  handler: ({ context, options, args: [written = ''] }) =>
    act(context, options, (surroundings) =>
      /^\d{1,7}$/.test(written)
        ? stopProcessPlan(Number(written), surroundings.machine)
        : stopPlan(findTarget(written, surroundings), surroundings.machine),
    ),
});
