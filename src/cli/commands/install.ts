import { ExitCode } from '../../base/errors.js';
import { places } from '../../install/index.js';
import { defineCommand, flag, value } from '../define-command.js';
import { bringUpFrom } from '../install-run.js';

export const install = defineCommand({
  description:
    "Copies this program and its Node.js into a folder of root's own, one folder a version, places the job in\n" +
    '/Library/LaunchDaemons, starts it, and waits until the agent is ready; what fails is taken back. Again, it brings\n' +
    'everything up to date, or has nothing to do. --config and --data-dir are written into the job.',
  options: {
    from: value('--from PATH', 'install the version in this folder or tar archive', (text) => text),
    skipCanary: flag('--skip-canary', 'a ready agent is enough; it need not prove itself'),
    dryRun: flag('--dry-run', 'check everything and print what would be done'),
    json: flag('--json', 'one JSON document a step (NDJSON)'),
  },
  examples: [
    { line: 'sudo launchwarden install --dry-run', says: 'with the text of every file' },
    { line: 'sudo launchwarden install', says: 'on this Mac' },
    {
      line: 'launchwarden install --root /tmp/mac',
      says: 'into a folder that stands for a Mac; without a bin/launchctl in it only the files',
    },
  ],
  needs: 'root and a Mac, or --root',
  async handler({ context, options: { from, skipCanary, dryRun, json } }) {
    const outcome = await bringUpFrom(context, { from, skipCanary, dryRun, json });
    if (!json && !dryRun && outcome.action === 'installed' && context.flags.root === undefined)
      context.out.line(
        `The agent runs. Its log: ${places.log}. Give it Full Disk Access: see docs/install.md.`,
      );
    return ExitCode.ok;
  },
});
