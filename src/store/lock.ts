import { lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ExitCode, errnoOf, UserError } from '../base/errors.js';
import { openDatabase, troubleOf } from './sqlite.js';

export interface FolderLock {
  release(): void;
}

function holder(pidFile: string): string {
  try {
    const text = lstatSync(pidFile).isFile() ? readFileSync(pidFile, 'latin1').slice(0, 20).trim() : '';
    return /^\d{1,10}$/.test(text) ? `process ${text}` : 'another process';
  } catch {
    return 'another process';
  }
}

/**
 * Like `lockFolder` for an agent that must start: a lock file that is damaged is made anew (whoever holds a lock on it
 * would be met first), and undefined is returned while the lock cannot be had for reasons other than its holder.
 */
export function tryLockFolder(folder: string, waitMs: number): FolderLock | undefined {
  for (const last of [false, true]) {
    try {
      return lockFolder(folder, waitMs);
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble === undefined) throw error;
      if (trouble !== 'damaged' || last) return undefined;
      try {
        rmSync(path.join(folder, 'lock.db'), { recursive: true, force: true });
      } catch {
        return undefined;
      }
    }
  }
  return undefined;
}

/**
 * One writer a data folder. The lock is SQLite's own on `lock.db`, a lock of the kernel that ends with the process,
 * SIGKILL included; `agent.pid` beside it only tells people who holds it.
 */
export function lockFolder(folder: string, waitMs: number): FolderLock {
  const pidFile = path.join(folder, 'agent.pid');
  const db = openDatabase(path.join(folder, 'lock.db'), { readOnly: false, busyMs: waitMs });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if (!errnoOf(error)?.startsWith('SQLITE_BUSY')) throw error;
    throw new UserError('store/locked', `${folder} is in use by ${holder(pidFile)}`, {
      hint: 'Only one agent runs on a data directory: stop that one, or choose another with --data-dir.',
      exitCode: ExitCode.usage,
      cause: error,
    });
  }
  try {
    rmSync(pidFile, { force: true });
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600, flag: 'wx' });
  } catch {
    // It only tells people: a full disk must not keep the agent from starting.
  }
  return {
    release() {
      try {
        rmSync(pidFile, { force: true });
      } catch {
        // As above: why the folder cannot be written to is said by whatever had to be written.
      }
      db.close();
    },
  };
}
