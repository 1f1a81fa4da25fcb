import { ExitCode, UserError } from '../base/errors.js';
import type { CommandContext } from './context.js';

/** What is thrown where a command needs a running agent and there is none. */
export async function notRunning(context: CommandContext): Promise<UserError> {
  const { dataDir } = await context.settings();
  return new UserError('control/not-running', `no agent runs on ${dataDir}`, {
    exitCode: ExitCode.unreachable,
    hint: 'Start it with "launchwarden run", install it with "launchwarden install", or name its --data-dir.',
  });
}
