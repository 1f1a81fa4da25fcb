import { forwardHandlers } from '../../../agent/forward-control.js';
import { ExitCode } from '../../../base/errors.js';
import { destinationName } from '../../../forward/index.js';
import type { CommandContext } from '../../context.js';
import { writeThroughDaemon } from '../../daemon-write.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { knownDestination } from './destinations.js';

const needs = 'root, when the agent runs as a daemon (it writes for us, through its socket)';
const destination = { name: 'DESTINATION', summary: 'its name in the configuration' };

async function ask(context: CommandContext, op: string, args: unknown): Promise<void> {
  await writeThroughDaemon(context, {
    op,
    args,
    direct: (store) => forwardHandlers({ outbox: store.outbox })[op]?.(args),
  });
}

const json = flag('--json', 'one JSON document a destination (NDJSON)');

/** Says what was done to a destination. */
function tell(
  { out }: CommandContext,
  name: string,
  how: { state: string; text: string; json: boolean },
): void {
  if (how.json) out.document('destination-state/1', { name, state: how.state });
  else out.line(`${safe(name)} ${how.text}`);
}

export const forwardPause = defineCommand({
  description: 'Documents wait until "forward resume", also over a restart.',
  arguments: [destination],
  options: { reason: value('--reason TEXT', 'why; shown by "forward status"', (text) => text), json },
  examples: [
    {
      line: 'sudo launchwarden forward pause siem --reason "index is being rebuilt"',
      says: 'hold everything back',
    },
  ],
  needs,
  async handler({ context, options, args: [written = ''] }) {
    const name = await knownDestination(context, written);
    await ask(context, 'forward.pause', {
      name,
      ...(options.reason === undefined ? {} : { reason: options.reason }),
    });
    tell(context, name, { state: 'paused', text: 'is paused', json: options.json });
    return ExitCode.ok;
  },
});

export const forwardResume = defineCommand({
  description: 'Also after a receiver refused everything, once its credentials are right again.',
  arguments: [destination],
  options: { json },
  examples: [{ line: 'sudo launchwarden forward resume siem', says: 'send what has waited' }],
  needs,
  async handler({ context, options, args: [written = ''] }) {
    const name = await knownDestination(context, written);
    await ask(context, 'forward.resume', { name });
    tell(context, name, { state: 'resumed', text: 'sends again', json: options.json });
    return ExitCode.ok;
  },
});

export const forwardRetry = defineCommand({
  description: 'Ends the wait after a failure. Without DESTINATION: of all.',
  arguments: [{ ...destination, name: '[DESTINATION]' }],
  options: { json },
  examples: [{ line: 'sudo launchwarden forward retry', says: 'the network is back' }],
  needs,
  async handler({ context, options, args: [written] }) {
    const names =
      written === undefined
        ? (await context.settings()).destinations.map(destinationName)
        : [await knownDestination(context, written)];
    if (names.length === 0 && !options.json) context.out.line('No destinations.');
    for (const name of names) {
      await ask(context, 'forward.resume', { name });
      tell(context, name, { state: 'retried', text: 'tries again', json: options.json });
    }
    return ExitCode.ok;
  },
});
