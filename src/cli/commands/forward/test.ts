import { ExitCode, UserError } from '../../../base/errors.js';
import { silentLogger } from '../../../base/log.js';
import { destinationName, type TestStep, testSteps } from '../../../forward/index.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag } from '../../define-command.js';
import { type Output, safe } from '../../output/output.js';
import { pad } from '../../output/width.js';
import { configuredDestination } from './destinations.js';

/** The agent's id as its data folder has it; `test` where there is none yet. */
async function agentId(context: CommandContext): Promise<string> {
  return context.withStore((store) => store.meta.get('agent.id') ?? 'test').catch(() => 'test');
}

const titles: Readonly<Record<TestStep['step'], string>> = {
  settings: 'settings',
  name: 'name',
  connect: 'connection',
  tls: 'TLS',
  login: 'login',
  write: 'may write',
  send: 'document',
};

function stepLine({ step, ok, detail }: TestStep, out: Output): string {
  const word = ok === null ? 'open' : ok ? 'ok' : 'failed';
  const look = ok === null ? 'yellow' : ok ? 'green' : 'red';
  return `  ${out.style(look, pad(word, 6))}  ${pad(titles[step], 10)}  ${safe(detail) ?? ''}`;
}

async function namesOf(
  context: CommandContext,
  written: string | undefined,
  all: boolean,
): Promise<string[]> {
  const { destinations } = await context.settings();
  if (written !== undefined && all)
    throw new UserError('cli/invalid-value', 'a destination and --all do not go together');
  if (written !== undefined) return [written];
  if (all) return destinations.map(destinationName);
  throw new UserError('forward/which', 'it is not said which destination to test', {
    hint:
      destinations.length === 0
        ? 'None is configured: add a [[destination]].'
        : `Name one, or --all. There are: ${destinations.map(destinationName).join(', ')}.`,
  });
}

export const forwardTest = defineCommand({
  description:
    'Connects as the agent would, step by step: settings and secrets, name, connection, TLS, login, the right to write. The\n' +
    'first step that fails ends it, with what to do. Exit code 3 when a destination would take nothing.',
  arguments: [{ name: '[DESTINATION]', summary: 'its name in the configuration' }],
  options: {
    all: flag('--all', 'every destination of the configuration'),
    send: flag('--send', 'also send one status document that says it is a test'),
    json: flag('--json', 'one JSON document a destination (NDJSON)'),
  },
  examples: [
    { line: 'sudo launchwarden forward test siem --send', says: 'after the credentials have changed' },
    { line: 'sudo launchwarden forward test --all', says: 'before the agent is installed' },
  ],
  async handler({ context, options, args: [written] }) {
    const { out, clock, version, io } = context;
    const names = await namesOf(context, written, options.all);
    if (names.length === 0 && !options.json) out.line('No destinations.');
    const send = options.send ? { version, agentId: await agentId(context), simulated: false } : undefined;
    const signal = io.interruption();
    let failed = 0;
    for (const name of names) {
      const destination = await configuredDestination(context, name);
      if (!options.json) out.line(out.style('bold', name));
      const steps: TestStep[] = [];
      const how = { signal, ...(send === undefined ? {} : { send }) };
      for await (const step of testSteps(destination, { clock, log: silentLogger, version }, how)) {
        steps.push(step);
        if (!options.json) out.line(stepLine(step, out));
      }
      const bad = steps.find(({ ok }) => ok === false);
      const last = bad ?? steps.findLast(({ ok }) => ok === true);
      if (bad !== undefined) failed++;
      if (options.json)
        out.document('destination-test/1', {
          name,
          ok: bad === undefined,
          detail: last?.detail ?? '',
          steps,
        });
    }
    return failed === 0 ? ExitCode.ok : ExitCode.unreachable;
  },
});
