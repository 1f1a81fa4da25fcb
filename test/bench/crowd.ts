import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** How many processes an ordinary Mac runs, and more. */
export const crowdSize = 1_000;

/** Processes that do nothing: what an agent costs must not grow with their number. Resolves when all are there. */
export async function startCrowd(): Promise<{ stop(): Promise<void> }> {
  // The shell stays until its children have ended, so that no dead ones are left to a parent that never asks for them.
  const script = `trap : TERM; i=0; while [ $i -lt ${crowdSize} ]; do sleep 10000 & i=$((i+1)); done; echo up; wait; wait`;
  const shell = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  await once(shell.stdout, 'data');
  return {
    async stop() {
      const ended = once(shell, 'exit');
      if (shell.pid !== undefined) process.kill(-shell.pid, 'SIGTERM');
      await ended;
    },
  };
}
