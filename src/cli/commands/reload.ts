import { ExitCode } from '../../base/errors.js';
import { defineCommand, flag } from '../define-command.js';
import { notRunning } from '../not-running.js';
import { safe } from '../output/output.js';
import { at, textAt } from '../output/read.js';

export const reload = defineCommand({
  description:
    'After you gave the agent Full Disk Access, an entitlement or a native addon: the sensors that it lacked are tried at\n' +
    'once. By itself it tries them once a day. Exit code 3 when no agent runs on the data directory.',
  options: { json: flag('--json', 'one JSON document') },
  examples: [{ line: 'sudo launchwarden reload', says: 'after Full Disk Access was granted' }],
  needs: 'root, when the agent runs as a daemon',
  async handler({ context, options }) {
    const { out } = context;
    const reply = await context.askDaemon('reload', undefined);
    if (reply === undefined) throw await notRunning(context);
    const { result } = reply;
    if (options.json) {
      out.document('reload/1', result as object);
      return ExitCode.ok;
    }
    out.line(`processes are seen by: ${safe(textAt(result, 'tier.running')) ?? 'nobody'}`);
    const refused = at(result, 'tier.refused');
    for (const [tier, reason] of Object.entries((refused ?? {}) as Record<string, unknown>))
      out.line(`not by ${safe(tier)}: ${safe(reason)}`);
    return ExitCode.ok;
  },
});
