import os from 'node:os';
import { ExitCode, UserError } from '../../base/errors.js';
import { defineCommand, flag } from '../define-command.js';

export const version = defineCommand({
  description: 'With --check the native parts are loaded; exit code 2 when one does not work here.',
  options: {
    check: flag('--check', 'load the native parts'),
    json: flag('--json', 'as one JSON document'),
  },
  examples: [{ line: 'launchwarden version', says: 'for a bug report' }],
  async handler({ context, options }) {
    const facts = {
      version: context.version,
      node: process.version,
      platform: context.io.platform,
      release: os.release(),
      arch: process.arch,
      ...(options.check ? await checked() : {}),
    };
    if (options.json) context.out.document('version/1', facts);
    else
      context.out.line(
        `launchwarden ${facts.version} (Node.js ${facts.node}, ${facts.platform} ${facts.release} ${facts.arch})`,
      );
    return ExitCode.ok;
  },
});

/** Whether the native parts work, and which databases this version knows. Throws a UserError. */
async function checked(): Promise<{
  readonly addon: string;
  readonly schemas: Readonly<Record<string, number>>;
}> {
  const { knownSchemas, trySqlite } = await import('../../store/index.js');
  const { addonCondition } = await import('../../sensors/addon/index.js');
  trySqlite();
  const { state, reason } = addonCondition();
  if (state === 'broken')
    throw new UserError('addon/broken', `the native addon cannot be used: ${reason}`, {
      hint: 'It was built for another system, processor or version: build or fetch it again.',
    });
  return { addon: state, schemas: knownSchemas };
}
