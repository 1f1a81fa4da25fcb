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
  /** Runs it with this user's rights and no group's; root alone can. */
  readonly uid?: number;
}

/** Of `nobody` (-2 on macOS): who runs as somebody else must not keep root's group. */
const noGroup = -2;

/** Nothing that was put into the agent's own environment reaches its helpers. */
const environment = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C' };

/** Runs the program at an absolute path, without a shell, bounded in time and output. Never rejects. */
export function runTool(
  program: string,
  args: readonly string[],
  { timeoutMs, mostBytes, signal, unref = false, uid }: ToolLimits,
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
        // Node.js takes signed numbers: 4294967294 is -2.
        ...(uid === undefined ? {} : { uid: uid | 0, gid: noGroup }),
      },
      (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
        resolve({ status, stdout, stderr });
      },
    );
    if (unref) child.unref();
  });
}
