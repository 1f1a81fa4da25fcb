import { ExitCode } from '../../../base/errors.js';
import { silentLogger } from '../../../base/log.js';
import { testDestination } from '../../../forward/index.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { configuredDestination } from './destinations.js';

/** The agent's id as its data folder has it; `test` where there is none yet. */
async function agentId(context: CommandContext): Promise<string> {
  return context.withStore((store) => store.meta.get('agent.id') ?? 'test').catch(() => 'test');
}

export const forwardTest = defineCommand({
  description:
    'Connects as the agent would and asks whether documents would be taken. Exit code 3 when they would not.',
  arguments: [{ name: 'DESTINATION', summary: 'its name in the configuration' }],
  options: {
    send: flag('--send', 'also send one status document that says it is a test'),
    json: flag('--json', 'the result as one JSON document'),
  },
  examples: [
    { line: 'sudo launchwarden forward test siem --send', says: 'after the credentials have changed' },
  ],
  async handler({ context, options, args: [name = ''] }) {
    const { out, clock, version, io } = context;
    const destination = await configuredDestination(context, name);
    const send = options.send ? { version, agentId: await agentId(context), simulated: false } : undefined;
    const result = await testDestination(
      destination,
      { clock, log: silentLogger, version, root: (await context.settings()).root },
      { signal: io.interruption(), ...(send === undefined ? {} : { send }) },
    );
    if (options.json) out.document('destination-test/1', { name, ...result });
    else
      out.line(
        `${result.ok ? out.style('green', 'ok') : out.style('red', 'failed')}  ${safe(result.detail) ?? ''}`,
      );
    return result.ok ? ExitCode.ok : ExitCode.unreachable;
  },
});
