import { type ChildProcess, execFile, spawn } from 'node:child_process';

/** The environment of our helpers: nothing that was put into the agent's own reaches them. */
const environment = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C' };
const listTimeoutMs = 10_000;
const psTimeoutMs = 5_000;
const maxListBytes = 1024 * 1024;
const maxErrorText = 4_096;
const killAfterMs = 2_000;

/** Events that this version of the tool knows; undefined when it cannot say. */
export function listEvents(program: string): Promise<readonly string[] | undefined> {
  return new Promise((resolve) => {
    execFile(
      program,
      ['--list-events'],
      { timeout: listTimeoutMs, maxBuffer: maxListBytes, encoding: 'utf8', env: environment },
      (error, output) =>
        resolve(error === null ? output.split(/\s+/).filter((name) => name !== '') : undefined),
    );
  });
}

export interface EsloggerExit {
  /** What it said on standard error, the first part. */
  readonly errorText: string;
  readonly code: number | null;
  readonly signal: string | null;
}

/**
 * One run of eslogger, in the agent's own process group: eslogger leaves out what its own group does, so that the agent
 * does not watch itself, and launchd ends it together with the job.
 */
export class EsloggerProcess {
  readonly #child: ChildProcess;
  readonly ended: Promise<EsloggerExit>;
  #errorText = '';

  constructor(program: string, events: readonly string[], onData: (chunk: Buffer) => void) {
    this.#child = spawn(program, ['--format', 'json', ...events], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment,
    });
    this.#child.stdout?.on('data', onData);
    this.#child.stderr?.setEncoding('utf8');
    this.#child.stderr?.on('data', (text: string) => {
      if (this.#errorText.length < maxErrorText)
        this.#errorText = (this.#errorText + text).slice(0, maxErrorText);
    });
    this.ended = new Promise((resolve) => {
      const done = (code: number | null, signal: string | null) =>
        resolve({ errorText: this.#errorText, code, signal });
      this.#child.once('error', (error) => {
        this.#errorText += error.message;
        done(null, null);
      });
      // Not 'exit': what it had written before may still be on its way.
      this.#child.once('close', done);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Whether somebody stopped it (SIGSTOP): it lives and says nothing. False when that cannot be found out. */
  isStopped(): Promise<boolean> {
    const { pid } = this.#child;
    return pid === undefined ? Promise.resolve(false) : isStopped(pid);
  }

  async stop(): Promise<void> {
    // One that could not be started has the number 0 until it says so, and by that our own group would be killed.
    if (this.#child.pid === undefined) {
      await this.ended;
      return;
    }
    // A process that was stopped (SIGSTOP) does not hear SIGTERM until it goes on.
    this.#child.kill('SIGTERM');
    this.#child.kill('SIGCONT');
    const hard = setTimeout(() => this.#child.kill('SIGKILL'), killAfterMs);
    await this.ended;
    clearTimeout(hard);
  }
}

function isStopped(pid: number): Promise<boolean> {
  return new Promise((resolve) => {
    const answer = (error: Error | null, output: string) =>
      resolve(error === null && /^\s*[Tt]/.test(output));
    execFile(
      '/bin/ps',
      ['-o', 'stat=', '-p', String(pid)],
      { timeout: psTimeoutMs, env: environment },
      answer,
    );
  });
}

/** What its last words mean for the person who runs the agent, and whether trying again can help. */
export function explainExit({ errorText, code, signal }: EsloggerExit): {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly permanent: boolean;
} {
  if (errorText.includes('NOT_PERMITTED') || errorText.includes('TCC'))
    return {
      code: 'not-permitted',
      message: 'eslogger lacks Full Disk Access',
      hint: 'Grant it to the program that runs the agent (and over SSH: "Allow full disk access for remote users"), then restart the agent.',
      permanent: true,
    };
  if (errorText.includes('NOT_PRIVILEGED'))
    return {
      code: 'not-privileged',
      message: 'eslogger needs root',
      hint: 'Run the agent as root: launchwarden install.',
      permanent: true,
    };
  if (errorText.includes('TOO_MANY_CLIENTS'))
    return {
      code: 'too-many-clients',
      message: 'the limit of EndpointSecurity clients is reached',
      hint: 'Another security product uses them up: stop one of its clients.',
      permanent: false,
    };
  const how = signal === null ? `with exit code ${code ?? 'none'}` : `by signal ${signal}`;
  const first = errorText.split('\n', 1)[0]?.trim() ?? '';
  return {
    code: 'ended',
    message: `eslogger ended ${how}${first === '' ? '' : `: ${first}`}`,
    hint: 'Try it by hand: sudo eslogger exec.',
    permanent: false,
  };
}
