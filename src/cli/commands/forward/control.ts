import { forwardHandlers } from '../../../agent/forward-control.js';
import { ExitCode } from '../../../base/errors.js';
import { destinationName } from '../../../forward/index.js';
import type { CommandContext } from '../../context.js';
import { writeThroughDaemon } from '../../daemon-write.js';
import { defineCommand, value } from '../../define-command.js';
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

export const forwardPause = defineCommand({
  description: 'Documents wait until "forward resume", also over a restart.',
  arguments: [destination],
  options: { reason: value('--reason TEXT', 'why; shown by "forward status"', (text) => text) },
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
    context.out.line(`${safe(name)} is paused`);
    return ExitCode.ok;
  },
});

export const forwardResume = defineCommand({
  description: 'Also after a receiver refused everything, once its credentials are right again.',
  arguments: [destination],
  options: {},
  examples: [{ line: 'sudo launchwarden forward resume siem', says: 'send what has waited' }],
  needs,
  async handler({ context, args: [written = ''] }) {
    const name = await knownDestination(context, written);
    await ask(context, 'forward.resume', { name });
    context.out.line(`${safe(name)} sends again`);
    return ExitCode.ok;
  },
});

export const forwardRetry = defineCommand({
  description: 'Ends the wait after a failure. Without DESTINATION: of all.',
  arguments: [{ ...destination, name: '[DESTINATION]' }],
  options: {},
  examples: [{ line: 'sudo launchwarden forward retry', says: 'the network is back' }],
  needs,
  async handler({ context, args: [written] }) {
    const names =
      written === undefined
        ? (await context.settings()).destinations.map(destinationName)
        : [await knownDestination(context, written)];
    if (names.length === 0) context.out.line('No destinations.');
    for (const name of names) {
      await ask(context, 'forward.resume', { name });
      context.out.line(`${safe(name)} tries again`);
    }
    return ExitCode.ok;
  },
});
