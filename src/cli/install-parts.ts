import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { requestControl } from '../agent/control.js';
import { systemClock } from '../base/clock.js';
import { UserError } from '../base/errors.js';
import { RootMap } from '../base/root.js';
import { cleanUpCanary } from '../canary/index.js';
import type { Alert } from '../event/alert.js';
import type { Parts } from '../install/index.js';
import { recoverIn } from '../prove/recover.js';
import { loadBuiltinRules } from '../rules/index.js';
import {
  lockFolder,
  openStore,
  readOnlyReason,
  restoreDatabases,
  saveDatabases,
  schemasOf,
  storeError,
} from '../store/index.js';

const answerMs = 5_000;
/** As many alerts as a canary makes in a first installation, and some more. */
const mostLooked = 100;
/** Rules about launchwarden itself: that it is taken back is such an alert, too. */
const aboutUs = /^builtin\/launchwarden-/;
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
  async cleanUp(dataDir, rootFolder) {
    const root = new RootMap(rootFolder);
    const canary = await cleanUpCanary(dataDir, root);
    const proof = await recoverIn(path.join(dataDir, 'prove'), root);
    return { undone: [...canary.undone, ...proof.undone], left: [...canary.left, ...proof.left] };
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
    discard(dataDir) {
      try {
        let found = true;
        locked(dataDir, () => {
          found = holdsFindings(dataDir);
        });
        if (!found) rmSync(dataDir, { recursive: true });
        return !found;
      } catch {
        // In use, or it cannot be read: nobody knows what would be lost.
        return false;
      }
    },
  },
};

/** Whether a data folder holds an alert about anything but canaries and launchwarden itself. Throws what the store throws. */
function holdsFindings(dataDir: string): boolean {
  if (!existsSync(path.join(dataDir, 'launchwarden.db'))) return false;
  const store = openStore({ dataDir, readOnly: true, clock: systemClock });
  try {
    const about = store.alerts.list({ limit: mostLooked });
    if (about.length === 0) return false;
    const own = new Set(
      loadBuiltinRules()
        .filter(({ meta }) => aboutUs.test(meta.file))
        .map(({ meta }) => meta.id),
    );
    return about.length === mostLooked || about.some((one) => !own.has(one.ruleId) && !isOfCanary(one));
  } finally {
    store.close();
  }
}

function isOfCanary({ doc }: Alert): boolean {
  return doc.labels?.['launchwarden_canary'] === true;
}

function locked(dataDir: string, use: () => void): void {
  const lock = lockFolder(dataDir, closeMs);
  try {
    use();
  } finally {
    lock.release();
  }
}
