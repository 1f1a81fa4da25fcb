import { spawnSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { realFiles } from '../base/ownership.js';
import type { ProgramView } from './ownership.js';

export interface CommandResult {
  /** Exit code; null when it did not end by itself. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What installing needs of the machine. Tests bring their own. */
export interface System extends ProgramView {
  /** Effective user id. */
  readonly uid: number;
  /** Runs a program without a shell, with a fixed environment, for at most 30 s. */
  run(file: string, args: readonly string[]): CommandResult;
  wait(milliseconds: number): Promise<void>;
}

export function thisSystem(): System {
  return {
    platform: process.platform,
    uid: process.geteuid?.() ?? -1,
    ...realFiles,
    sharedObjects,
    run(file, args) {
      const done = spawnSync(file, [...args], {
        encoding: 'utf8',
        timeout: 30_000,
        maxBuffer: 1024 * 1024,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
      });
      return {
        status: done.status,
        stdout: done.stdout ?? '',
        stderr: done.stderr || (done.error?.message ?? ''),
      };
    },
    wait: async (milliseconds) => {
      await wait(milliseconds);
    },
  };
}

/** From Node.js's own diagnostic report, without the network part, which would look up names. */
function sharedObjects(): readonly string[] {
  const { report } = process;
  if (report === undefined) return [];
  // Node.js 20.13 and newer; not yet in its type declarations.
  Object.assign(report, { excludeNetwork: true });
  const { sharedObjects: listed } = report.getReport() as { sharedObjects?: unknown };
  return Array.isArray(listed)
    ? listed.filter((one): one is string => typeof one === 'string' && one.startsWith('/'))
    : [];
}
