import { spawn } from 'node:child_process';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { ExitCode, errnoOf } from '../base/errors.js';
import type { CliIo, TextSink } from './io.js';
import { runCli } from './run-cli.js';

// The only file that touches `process`.

/** What a result could not be written to. Of standard error nobody can be told, and the exit code says enough. */
function outputFailed(error: Error): never {
  // The reader has gone (`| head`): there is nobody to tell.
  if (errnoOf(error) === 'EPIPE') process.exit(process.exitCode ?? 0);
  process.stderr.write(`launchwarden: cannot write the output: ${error.message} [cli/output]\n`);
  process.exit(ExitCode.usage);
}

function sink(stream: NodeJS.WriteStream, onError: (error: Error) => void): TextSink {
  stream.on('error', onError);
  return {
    write: (text) => void stream.write(text),
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.columns;
    },
    get rows() {
      return stream.rows;
    },
  };
}

function loginName(): string {
  try {
    return os.userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}

function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    // It was removed under us; only relative paths need it.
    return '/';
  }
}

/** `less` as git and man call it: colours, no clearing of the screen, gone at once when all fits. */
const pagerEnvironment = { LESS: 'FRX', LV: '-c' };

function page([program = '', ...args]: readonly string[], text: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'inherit', 'inherit'],
      env: { ...pagerEnvironment, ...process.env },
    });
    // What the pager ends with Ctrl-C must not end us before it.
    const wait = () => {};
    process.on('SIGINT', wait);
    const done = (shown: boolean) => {
      process.off('SIGINT', wait);
      resolve(shown);
    };
    child.on('error', () => done(false));
    child.on('close', () => done(true));
    // It was quit before it had read everything.
    child.stdin.on('error', () => {});
    child.stdin.end(text);
  });
}

let interruptions: AbortController | undefined;

function interruption(): AbortSignal {
  if (interruptions === undefined) {
    const controller = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => controller.abort(signal));
    interruptions = controller;
  }
  return interruptions.signal;
}

const io: CliIo = {
  stdout: sink(process.stdout, outputFailed),
  stderr: sink(process.stderr, () => {}),
  env: process.env,
  cwd: workingFolder(),
  platform: process.platform,
  get user() {
    return loginName();
  },
  interruption,
  interrupted: () => interruptions?.signal.aborted === true,
  stdin: () => process.stdin,
  page,
  program: {
    node: process.execPath,
    script: fileURLToPath(new URL('../../bin/launchwarden.js', import.meta.url)),
  },
};

runCli(process.argv.slice(2), io).then((code) => {
  process.exitCode = code;
});
