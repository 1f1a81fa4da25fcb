import { spawnSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
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
  /** Who called sudo to run us; undefined when nobody did. */
  readonly invoker?: number | undefined;
  /** Runs a program without a shell, with a fixed environment, for at most `timeoutMs` (30 s). */
  run(file: string, args: readonly string[], timeoutMs?: number): CommandResult;
  /** Room on the disk of a folder that exists, bytes. */
  freeBytes(folder: string): number;
  wait(milliseconds: number): Promise<void>;
}

export function thisSystem(): System {
  return {
    platform: process.platform,
    uid: process.geteuid?.() ?? -1,
    ...realFiles,
    sharedObjects,
    invoker: /^\d{1,10}$/.test(process.env['SUDO_UID'] ?? '') ? Number(process.env['SUDO_UID']) : undefined,
    freeBytes(folder) {
      const { bavail, bsize } = statfsSync(folder);
      return bavail * bsize;
    },
    run(file, args, timeoutMs = 30_000) {
      const done = spawnSync(file, [...args], {
        encoding: 'utf8',
        timeout: timeoutMs,
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
