import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import type { CommandResult, System } from '../../../src/install/index.js';

export interface FakeSystem extends System {
  /** Commands that were run, as one line each. */
  readonly ran: string[];
  /** What `lstat` says instead of the truth. */
  readonly owners: Map<string, { uid?: number; mode?: number }>;
  /** What `sharedObjects` says. */
  readonly libraries: string[];
  waited: number;
  /** What `freeBytes` says. */
  free: number;
}

/** launchd as far as launchctl shows it: `busy` bootstraps fail before one works. */
export interface FakeLaunchd {
  loaded: boolean;
  busy: number;
}

/**
 * A system on which every real file belongs to root and only root may write to it, unless `owners` says otherwise; its
 * launchctl is a model of launchd.
 */
export function fakeSystem(
  change: { readonly platform?: NodeJS.Platform; readonly uid?: number; readonly launchd?: FakeLaunchd } = {},
): FakeSystem {
  const launchd = change.launchd ?? { loaded: false, busy: 0 };
  const ran: string[] = [];
  const owners: FakeSystem['owners'] = new Map();
  const result = (status: number, stderr = ''): CommandResult => ({ status, stdout: '', stderr });
  return {
    platform: change.platform ?? 'darwin',
    // A test on files can only give them to root when it is root.
    uid: change.uid ?? (change.platform === 'linux' ? (process.geteuid?.() ?? 0) : 0),
    ran,
    owners,
    libraries: [],
    waited: 0,
    free: 1e12,
    freeBytes() {
      return this.free;
    },
    sharedObjects() {
      return this.libraries;
    },
    lstat(file) {
      const real = lstatSync(file);
      const told = owners.get(file);
      return {
        uid: told?.uid ?? 0,
        mode: told?.mode ?? real.mode & ~0o022,
        isSymbolicLink: () => real.isSymbolicLink(),
        isDirectory: () => real.isDirectory(),
      };
    },
    readlink: (file) => readlinkSync(file),
    run(file, args) {
      ran.push([file, ...args].join(' '));
      if (args[1] === 'version') return said(args[0] ?? '');
      if (args[1] === 'canary') return result(2, 'no command canary [cli/unknown-command]');
      switch (args[0]) {
        case 'print':
          if (args[1]?.endsWith('.none')) return result(113);
          return launchd.loaded
            ? { status: 0, stdout: 'system/x = {\n\tstate = running\n\tpid = 4711\n}\n', stderr: '' }
            : result(113, 'Could not find service');
        case 'bootout':
          if (!launchd.loaded) return result(3, 'Boot-out failed: 3: No such process');
          launchd.loaded = false;
          return result(0);
        case 'bootstrap':
          if (launchd.busy-- > 0) return result(5, 'Bootstrap failed: 5: Input/output error');
          launchd.loaded = true;
          return result(0);
        default:
          return result(0);
      }
    },
    async wait(milliseconds) {
      this.waited += milliseconds;
    },
  };
}

/** What a program says of itself: its version, and databases of schema 13 and 3. */
function said(script: string): CommandResult {
  const file = path.join(path.dirname(path.dirname(script)), 'package.json');
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  const schemas = { main: 13, events: 3 };
  return { status: 0, stdout: `${JSON.stringify({ version, schemas })}\n`, stderr: '' };
}
