import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder that something is mounted on, or why there can be none here: mounting takes root, on Linux. */
export type Mounted = { readonly folder: string } | { readonly reason: string };

function mountOn(...argv: readonly string[]): Mounted {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-volume-'));
  try {
    execFileSync('mount', [...argv, folder], { stdio: 'pipe' });
  } catch (error) {
    rmSync(folder, { recursive: true });
    return { reason: `nothing can be mounted here: ${String(error).split('\n')[0]}` };
  }
  onTestFinished(() => {
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder };
}

/** A file system of its own of so many KiB, removed when the test has ended. */
export function smallVolume(kilobytes: number, more = ''): Mounted {
  return mountOn('-t', 'tmpfs', '-o', `size=${kilobytes}k${more}`, 'tmpfs');
}

/** The same folder once more, where nothing can be written. */
export function readOnlyView(of: string): Mounted {
  const mounted = mountOn('--bind', of);
  if ('folder' in mounted)
    execFileSync('mount', ['-o', 'remount,bind,ro', mounted.folder], { stdio: 'pipe' });
  return mounted;
}

/** Leaves not one free block. Gives it all back when it is called. */
export function fillUp(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const files: string[] = [];
  for (let at = statfsSync(folder); at.bavail > 0; at = statfsSync(folder)) {
    const file = path.join(folder, `ballast${files.length}`);
    files.push(file);
    try {
      writeFileSync(file, Buffer.alloc(Math.min(at.bavail * at.bsize, 64 * 1024 * 1024)));
    } catch {
      // Somebody else was faster: what is left is seen in the next look.
    }
    if (files.length > 1000) throw new Error(`${folder} does not fill up`);
  }
  return () => {
    for (const file of files.splice(0)) rmSync(file, { force: true });
  };
}
