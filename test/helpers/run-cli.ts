import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { CliIo } from '../../src/cli/io.js';
import { runCli } from '../../src/cli/run-cli.js';
import type { System } from '../../src/install/index.js';

export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliSetting {
  readonly env?: Record<string, string>;
  /** Width of the terminal that both streams are; no terminal when absent. */
  readonly columns?: number;
  /** Height of that terminal. */
  readonly rows?: number;
  readonly cwd?: string;
  readonly user?: string;
  readonly stdin?: string;
  readonly platform?: NodeJS.Platform;
  /** What installing works on and what the job runs. */
  readonly system?: System;
  readonly program?: CliIo['program'];
  /** Interrupts a command that would run for ever. */
  readonly signal?: AbortSignal;
  /** Called with each text written to standard output. */
  readonly onOutput?: (text: string) => void;
}

/** Runs one command line in this process, with streams and surroundings of its own. */
export async function cli(argv: readonly string[], setting: CliSetting = {}): Promise<CliRun> {
  const written = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') => ({
    write(text: string) {
      written[name] += text;
      if (name === 'stdout') setting.onOutput?.(text);
    },
    isTTY: setting.columns !== undefined,
    columns: setting.columns,
    rows: setting.rows,
  });
  let listens = false;
  const io: CliIo = {
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    env: setting.env ?? {},
    cwd: setting.cwd ?? '/',
    platform: setting.platform ?? 'linux',
    user: setting.user ?? 'tester',
    interruption: () => {
      listens = true;
      return setting.signal ?? new AbortController().signal;
    },
    interrupted: () => listens && setting.signal?.aborted === true,
    program: setting.program ?? { node: process.execPath, script: '/nowhere/bin/launchwarden.js' },
    ...(setting.system === undefined ? {} : { system: setting.system }),
    stdin: () => ({
      async *[Symbol.asyncIterator]() {
        if (setting.stdin !== undefined) yield Buffer.from(setting.stdin);
      },
    }),
  };
  const code = await runCli(argv, io);
  return { code, ...written };
}

/** A temporary folder, links resolved, removed when the test has ended. */
export function tempFolder(): string {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'launchwarden-test-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The documents of NDJSON output. */
export function documents(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
