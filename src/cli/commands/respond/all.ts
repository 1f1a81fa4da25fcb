import { allPlan } from '../../../respond/index.js';
import { defineCommand, value } from '../../define-command.js';
import { act, actNeeds, actOptions } from './act.js';
import { findTarget, forced, sha256Of } from './find.js';

export const respondAll = defineCommand({
  description:
    'Boots the job out, ends its processes and quarantines its files, in this order, as one response.',
  arguments: [{ name: 'TARGET', summary: 'an alert, an item (id or label), or an absolute macOS path' }],
  options: {
    force: value('--force SHA256', 'take what stands there now, if it has this hash', sha256Of('--force')),
    ...actOptions,
  },
  examples: [
    { line: 'sudo launchwarden respond all 3f9a01c2 --dry-run', says: 'look first' },
    { line: 'sudo launchwarden respond all 3f9a01c2', says: 'then do it' },
  ],
  needs: actNeeds,
  handler: ({ context, options, args: [written = ''] }) =>
    act(context, options, (surroundings) =>
      allPlan(forced(findTarget(written, surroundings), options.force), surroundings.machine),
    ),
});
