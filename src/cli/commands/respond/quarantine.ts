import { quarantinePlan } from '../../../respond/index.js';
import { defineCommand, value } from '../../define-command.js';
import { act, actNeeds, actOptions } from './act.js';
import { findTarget, forced, sha256Of } from './find.js';

export const respondQuarantine = defineCommand({
  description:
    'Moves a property list, a bundle or a program into a folder that root alone can enter, with owner, mode, times, access\n' +
    'control list and extended attributes kept; of an alert or an item also the programs that are its own. No link is\n' +
    'followed. What is not the object of the evidence (another inode or sha256) is left alone and said.',
  arguments: [{ name: 'TARGET', summary: 'an alert, an item (id or label), or an absolute macOS path' }],
  options: {
    force: value('--force SHA256', 'take what stands there now, if it has this hash', sha256Of('--force')),
    ...actOptions,
  },
  examples: [
    { line: 'sudo launchwarden respond quarantine 3f9a01c2 --dry-run', says: 'what would be moved' },
    {
      line: 'sudo launchwarden respond quarantine /Library/LaunchAgents/com.example.x.plist',
      says: 'one file',
    },
  ],
  needs: actNeeds,
  handler: ({ context, options, args: [written = ''] }) =>
    act(context, options, (surroundings) =>
      quarantinePlan(forced(findTarget(written, surroundings), options.force)),
    ),
});
