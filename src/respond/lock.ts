import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '../base/errors.js';
import { makeOwnFolder } from '../base/journal-file.js';
import { type FolderLock, lockFolder } from '../store/index.js';
import { journalErrors } from './errors.js';
import { respondFolder } from './response.js';

const pauseMs = 100;

/**
 * One response at a time on one data folder, whoever runs it: a lock of the kernel, which ends with its process. Throws
 * `respond/busy` after `waitMs`.
 */
export async function lockResponses(dataDir: string, waitMs: number): Promise<FolderLock> {
  const folder = respondFolder(dataDir);
  makeOwnFolder(folder, journalErrors);
  for (let waited = 0; ; waited += pauseMs) {
    try {
      // Waiting in SQLite would stop everything else of this process.
      return lockFolder(folder, 0);
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== 'store/locked') throw error;
      if (waited >= waitMs)
        throw new UserError('respond/busy', 'another response is under way on this data folder', {
          hint: 'Wait for its end: "launchwarden respond list".',
          cause: error,
        });
    }
    await wait(pauseMs);
  }
}
