import { ExitCode } from '../../base/errors.js';
import { defineCommand, flag } from '../define-command.js';
import { notRunning } from '../not-running.js';
import { safe } from '../output/output.js';
import { at, textAt } from '../output/read.js';

const wordsAt = (result: unknown, path: string): string[] => {
  const words = at(result, path);
  return Array.isArray(words) ? words.map((one) => safe(one) ?? '') : [];
};

export const reload = defineCommand({
  description:
    'Reads the configuration, managed preferences, rules, exceptions and lists again, and asks for the policy: what is taken up at\n' +
    'once and what needs a restart is said. Events of half-finished sequences are kept. A configuration with an error is refused\n' +
    'as a whole, the one before stays. Sensors that were lacking (after Full Disk Access was granted) are tried at once.\n' +
    'Exit code 1 when something is refused, 3 when no agent runs on the data directory.',
  options: { json: flag('--json', 'one JSON document') },
  examples: [
    {
      line: 'sudo launchwarden reload',
      says: 'after the configuration or a rule was changed, or Full Disk Access granted',
    },
  ],
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
    const lacking = at(result, 'tier.refused');
    for (const [tier, reason] of Object.entries((lacking ?? {}) as Record<string, unknown>))
      out.line(`not by ${safe(tier)}: ${safe(reason)}`);
    const count = textAt(result, 'exceptions.in_force');
    if (count !== undefined) out.line(`exceptions in force: ${count}`);
    const changed = wordsAt(result, 'config.changed');
    if (changed.length > 0) out.line(`taken up: ${changed.join(', ')}`);
    const restart = wordsAt(result, 'config.restart');
    if (restart.length > 0) out.line(`needs a restart of the agent: ${restart.join(', ')}`);
    const refused = [
      ['exceptions refused, the ones before stay', at(result, 'exceptions.refused')],
      ['configuration refused, the one before stays', at(result, 'config.refused')],
    ] as const;
    let code: ExitCode = ExitCode.ok;
    for (const [what, why] of refused) {
      if (typeof why !== 'string') continue;
      out.line(`${what}: ${why.split('\n').map(safe).join('\n  ')}`);
      code = ExitCode.checkFailed;
    }
    return code;
  },
});
