import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { systemClock } from '../base/clock.js';

/**
 * An identifier that is the same until the next boot: `kern.bootsessionuuid` on macOS, `random/boot_id` on Linux.
 * Where neither can be read, the second of the boot as far as uptime tells it.
 */
export function readBootId(): string {
  try {
    if (process.platform === 'linux') return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    if (process.platform === 'darwin') {
      return execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], {
        encoding: 'utf8',
        timeout: 5_000,
      }).trim();
    }
  } catch {
    // Below.
  }
  return `uptime-${Math.round(systemClock.now() / 1e6 - os.uptime())}`;
}
