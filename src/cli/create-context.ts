import { systemClock } from '../base/clock.js';
import { errnoOf, messageOf, UserError } from '../base/errors.js';
import type { CommandContext, CommonFlags, ExtraFlags } from './context.js';
import type { CliIo } from './io.js';
import { createOutput } from './output/output.js';
import { programVersion } from './version-file.js';

/** SQLite's own failures while reading are about the files, not about us. */
function asUserError(error: unknown, dataDir: string): unknown {
  const code = errnoOf(error);
  if (error instanceof UserError || code === undefined || !code.startsWith('SQLITE_')) return error;
  return new UserError('store/failed', `the database in ${dataDir} failed: ${messageOf(error)} (${code})`, {
    hint: 'Is the disk full or failing? A damaged database must be restored or moved away.',
    cause: error,
  });
}

/** What the environment names where the command line is silent. Empty is what a shell leaves of an unset variable. */
function named({ env }: CliIo, flags: CommonFlags): CommonFlags {
  const of = (name: string) => (env[name] === '' ? undefined : env[name]);
  return {
    ...flags,
    config: flags.config ?? of('LAUNCHWARDEN_CONFIG'),
    dataDir: flags.dataDir ?? of('LAUNCHWARDEN_DATA_DIR'),
  };
}

export function createContext(io: CliIo, flags: CommonFlags): CommandContext {
  const settings = async (extra: ExtraFlags = {}) => {
    const { loadSettings } = await import('../config/index.js');
    const { policy, ...more } = extra;
    const { cwd, platform } = io;
    return loadSettings({ flags: { ...named(io, flags), ...more }, cwd, platform, policy });
  };
  /** An agent that runs is asked although the configuration was broken since: it goes on with the one before, and says so. */
  const daemonPlace = async (): Promise<{ dataDir: string; problem?: UserError }> => {
    try {
      return { dataDir: (await settings()).dataDir };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const { dataDirAnyway } = await import('../config/index.js');
      const { cwd, platform } = io;
      return { dataDir: dataDirAnyway({ flags: named(io, flags), cwd, platform }), problem: error };
    }
  };
  return {
    io,
    out: createOutput(io),
    clock: systemClock,
    version: programVersion(),
    flags: named(io, flags),
    settings,
    async withStore(use, how = {}) {
      const { dataDir } = await settings();
      const { openStore } = await import('../store/index.js');
      const store = openStore({ dataDir, readOnly: how.write !== true, clock: systemClock });
      try {
        return await use(store);
      } catch (error) {
        throw asUserError(error, dataDir);
      } finally {
        store.close();
      }
    },
    async askDaemon(op, args) {
      const { dataDir, problem } = await daemonPlace();
      const { requestControl } = await import('../agent/control.js');
      const reply = await requestControl(dataDir, { op, args });
      if (reply === undefined && problem !== undefined) throw problem;
      return reply;
    },
  };
}
