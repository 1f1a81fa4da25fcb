import { execFile } from 'node:child_process';

/** What one run of launchctl gave. */
export interface LaunchctlAnswer {
  /** Exit status; null when it was killed, took too long, printed too much or could not be started. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs launchctl with these arguments. Never rejects. */
export type RunLaunchctl = (args: readonly string[]) => Promise<LaunchctlAnswer>;

/** Nothing that was put into the agent's own environment reaches its helpers. */
const environment = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C' };

/** Runs the program at this absolute path, without a shell, bounded in time and output; `signal` kills what runs. */
export function launchctlAt(
  program: string,
  limits: { readonly timeoutMs: number; readonly mostBytes: number; readonly signal: AbortSignal },
): RunLaunchctl {
  return (args) =>
    new Promise((resolve) => {
      execFile(
        program,
        [...args],
        {
          timeout: limits.timeoutMs,
          maxBuffer: limits.mostBytes,
          signal: limits.signal,
          killSignal: 'SIGKILL',
          encoding: 'utf8',
          env: environment,
          cwd: '/',
        },
        (error, stdout, stderr) => {
          const status = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
          resolve({ status, stdout, stderr });
        },
      );
    });
}
