import { ExitCode, UserError } from '../../base/errors.js';
import { defineCommand, flag, value } from '../define-command.js';
import { bringUpFrom } from '../install-run.js';

export const upgrade = defineCommand({
  description:
    'Places the new version beside the one that runs, checks that it is whole and starts, switches over, and waits until\n' +
    'the agent is ready and has proved itself. What fails is rolled back: the version before runs again, and the exit code\n' +
    'is 1. An older database is saved before it is brought up to date; a version that is too old for the database is\n' +
    'refused. The version before is kept.',
  options: {
    from: value(
      '--from PATH',
      'the new version: a folder or a tar archive; else the program that runs this',
      (text) => text,
    ),
    skipCanary: flag('--skip-canary', 'a ready agent is enough; it need not prove itself'),
    dryRun: flag('--dry-run', 'check everything and print what would be done'),
    json: flag('--json', 'one JSON document a step (NDJSON)'),
  },
  examples: [
    { line: 'sudo launchwarden upgrade', says: 'to the version of the launchwarden that is called' },
    { line: 'sudo launchwarden upgrade --from /tmp/launchwarden-0.2.0.tar.gz', says: 'from an archive' },
  ],
  needs: 'root and a Mac, or --root; an installed launchwarden',
  async handler({ context, options: { from, skipCanary, dryRun, json } }) {
    await bringUpFrom(context, {
      from,
      skipCanary,
      dryRun,
      json,
      refuse: (current) => {
        if (current === undefined)
          throw new UserError('install/not-installed', 'launchwarden is not installed here', {
            hint: 'Use "launchwarden install".',
          });
      },
    });
    return ExitCode.ok;
  },
});
