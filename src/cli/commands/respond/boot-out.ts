import { bootOutPlan } from '../../../respond/index.js';
import { defineCommand } from '../../define-command.js';
import { act, actNeeds, actOptions } from './act.js';
import { findTarget } from './find.js';

export const respondBootOut = defineCommand({
  description:
    'Has launchd forget the job of a launch item, in every domain where it is loaded: gui/UID, user/UID, system. Its file\n' +
    'stays, and launchd would load it again at the next login or start: "respond quarantine" moves it away.',
  arguments: [
    { name: 'TARGET', summary: 'an alert, an item (id or label), or the path of its property list' },
  ],
  options: actOptions,
  examples: [{ line: 'sudo launchwarden respond boot-out 3f9a01c2', says: 'the job of an alert' }],
  needs: actNeeds,
  handler: ({ context, options, args: [written = ''] }) =>
    act(context, options, (surroundings) =>
      bootOutPlan(findTarget(written, surroundings), surroundings.machine),
    ),
});
