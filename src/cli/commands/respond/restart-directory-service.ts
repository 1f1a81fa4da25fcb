import { restartDirectoryServicePlan } from '../../../respond/index.js';
import { defineCommand, value } from '../../define-command.js';
import { findAlertId } from '../alerts/find.js';
import { act, actNeeds, actOptions } from './act.js';

export const respondRestartDirectoryService = defineCommand({
  description:
    'Restarts the service that loads directory plug-ins, so that a plug-in that was moved away runs no more: by the label\n' +
    'that this system really has, com.apple.opendirectoryd on any recent macOS. Logins and look-ups of users pause for a\n' +
    'moment. What an older guide says, com.apple.DirectoryServices, is only tried where launchd has it.',
  options: {
    alert: value('--alert ALERT', 'keep the result with this alert', (text) => text),
    ...actOptions,
  },
  examples: [
    {
      line: 'sudo launchwarden respond restart-directory-service --alert 3f9a01c2',
      says: 'after a plug-in went',
    },
  ],
  needs: actNeeds,
  handler: ({ context, options }) =>
    act(context, options, ({ machine, store }) =>
      restartDirectoryServicePlan(
        machine,
        options.alert === undefined ? undefined : findAlertId(store, options.alert),
      ),
    ),
});
