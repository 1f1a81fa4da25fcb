import path from 'node:path';
import { requestControl } from '../agent/control.js';
import { UserError } from '../base/errors.js';
import type { Parts } from '../install/index.js';
import {
  lockFolder,
  readOnlyReason,
  restoreDatabases,
  saveDatabases,
  schemasOf,
  storeError,
} from '../store/index.js';

const answerMs = 5_000;
/** For the agent that was booted out to close its databases. */
const closeMs = 10_000;

/** What installing uses of the agent and the store. */
export const installParts: Parts = {
  lock(folder) {
    try {
      return lockFolder(folder, 0);
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== 'store/locked')
        throw storeError(error, path.join(folder, 'lock.db')) ?? error;
      throw new UserError('install/busy', 'another installation or removal is under way', {
        hint: 'Wait for its end, then try again.',
        cause: error,
      });
    }
  },
  async agent(dataDir) {
    const reply = await requestControl(dataDir, { op: 'status' }, answerMs);
    if (reply === undefined) return undefined;
    const { version, pid } = (reply.result ?? {}) as Record<string, unknown>;
    return {
      version: typeof version === 'string' ? version : undefined,
      pid: typeof pid === 'number' ? pid : undefined,
    };
  },
  databases: {
    schemas(dataDir) {
      const reason = readOnlyReason(dataDir);
      if (reason !== undefined)
        throw new UserError(
          'install/database-read-only',
          `the database in ${dataDir} cannot be written: ${reason}`,
          {
            hint: 'Is its disk mounted read-only, or was it locked (chflags)? An agent that cannot write would lose alerts. Nothing was changed.',
          },
        );
      return schemasOf(dataDir);
    },
    save: (dataDir, to) => locked(dataDir, () => saveDatabases(dataDir, to)),
    restore: (dataDir, from, aside) => locked(dataDir, () => restoreDatabases(dataDir, from, aside)),
  },
};

function locked(dataDir: string, use: () => void): void {
  const lock = lockFolder(dataDir, closeMs);
  try {
    use();
  } finally {
    lock.release();
  }
}
