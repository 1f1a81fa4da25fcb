import { execFile } from 'node:child_process';

/** What one run of a tool gave. */
export interface ToolAnswer {
  /** Exit status; null when it was killed, took too long, printed too much or could not be started. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolLimits {
  readonly timeoutMs: number;
  /** Bytes that it may print. */
  readonly mostBytes: number;
  /** Kills it. */
  readonly signal: AbortSignal;
  /** One that hangs in the kernel survives its killing: whether the caller may end all the same. */
  readonly unref?: boolean;
}

/** Nothing that was put into the agent's own environment reaches its helpers. */
const environment = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C' };

/** Runs the program at an absolute path, without a shell, bounded in time and output. Never rejects. */
export function runTool(
  program: string,
  args: readonly string[],
  { timeoutMs, mostBytes, signal, unref = false }: ToolLimits,
): Promise<ToolAnswer> {
  return new Promise((resolve) => {
    const child = execFile(
      program,
      [...args],
      {
        timeout: timeoutMs,
        maxBuffer: mostBytes,
        signal,
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
    if (unref) child.unref();
  });
}
