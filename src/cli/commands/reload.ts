import { ExitCode } from '../../base/errors.js';
import { defineCommand, flag } from '../define-command.js';
import { notRunning } from '../not-running.js';
import { safe } from '../output/output.js';
import { at, textAt } from '../output/read.js';

export const reload = defineCommand({
  description:
    'After you gave the agent Full Disk Access, an entitlement or a native addon: the sensors that it lacked are tried at\n' +
    'once. By itself it tries them once a day. Files of exceptions are read again; exit code 1 when they are refused.\n' +
    'Exit code 3 when no agent runs on the data directory.',
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
    const count = textAt(result, 'exceptions.in_force');
    if (count !== undefined) out.line(`exceptions in force: ${count}`);
    const bad = at(result, 'exceptions.refused');
    if (typeof bad !== 'string') return ExitCode.ok;
    out.line(`exceptions refused, the ones before stay: ${safe(bad.split('\n')[0])}`);
    return ExitCode.checkFailed;
  },
});
