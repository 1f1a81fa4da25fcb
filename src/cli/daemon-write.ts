import { ExitCode, UserError } from '../base/errors.js';
import type { Store } from '../store/index.js';
import type { CommandContext } from './context.js';

export interface DaemonWrite {
  /** Request on the control socket. */
  readonly op: string;
  readonly args: unknown;
  /** The same on the store itself, when no daemon runs. */
  readonly direct: (store: Store) => unknown;
}

/**
 * While the daemon runs it is the only writer: it is asked. With none we write ourselves, under the lock of the data
 * folder, which must exist.
 */
export async function writeThroughDaemon(context: CommandContext, write: DaemonWrite): Promise<unknown> {
  const ask = () => context.askDaemon(write.op, write.args);
  const reply = await ask();
  if (reply !== undefined) return reply.result;
  // Reading fails where there is no data folder; writing would make one.
  await context.withStore(() => undefined);
  try {
    return await context.withStore(write.direct, { write: true });
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'store/locked') throw error;
    // A daemon started meanwhile, or is about to listen.
    const late = await ask();
    if (late !== undefined) return late.result;
    throw new UserError(error.code, error.message, {
      hint: 'The agent holds the data directory but does not listen yet: try again in a moment.',
      exitCode: ExitCode.unreachable,
      cause: error,
    });
  }
}
