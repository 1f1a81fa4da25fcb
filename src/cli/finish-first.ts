import type { CliIo } from './io.js';

/**
 * To be called before something is begun that must not be left half done: from then on Ctrl-C (SIGINT, SIGTERM) does not end
 * the process. That it is waited is said at once; `runCli` gives the exit code. The signal tells when that has happened.
 */
export function finishFirst({ interruption, stderr }: CliIo): AbortSignal {
  const signal = interruption();
  const say = () =>
    stderr.write('launchwarden: interrupted: what has begun is finished or taken back first\n');
  signal.addEventListener('abort', say, { once: true });
  return signal;
}
