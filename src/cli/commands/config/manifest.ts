import { ExitCode } from '../../../base/errors.js';
import { plistText, profileManifest } from '../../../config/manifest.js';
import { defineCommand } from '../../define-command.js';

export const configManifest = defineCommand({
  description:
    'The managed preferences of com.launchwarden.agent as a property list in the format of ProfileManifests, for ProfileCreator,\n' +
    'iMazing Profile Editor and Jamf: every key with what it means, its default and what it may be.',
  options: {},
  examples: [{ line: 'launchwarden config manifest', says: 'to be kept as com.launchwarden.agent.plist' }],
  async handler({ context }) {
    const modified = new Date(context.clock.now() / 1000);
    context.out.line(plistText(profileManifest(context.version, modified)).trimEnd());
    return ExitCode.ok;
  },
});
