import { spawn } from 'node:child_process';
import path from 'node:path';
import { preflight, problemError } from '../../agent/preflight.js';
import type { Clock } from '../../base/clock.js';
import { ExitCode, errnoOf, UserError } from '../../base/errors.js';
import { createLogger, logFormats } from '../../base/log.js';
import {
  type ConfigurableSensor,
  logFileOf,
  logLevels,
  type SensorTier,
  type Settings,
  sensorKinds,
  sensorTiers,
  together,
} from '../../config/index.js';
import { requireSafeProgram, thisSystem } from '../../install/index.js';
import type { EarlyScan } from '../../sensors/process-scan/index.js';
import type { CommandContext } from '../context.js';
import { defineCommand, list, value } from '../define-command.js';
import { oneOf, wholeNumber } from '../values.js';

const sensorWords = [...new Set([...sensorTiers, ...sensorKinds])];

/** One tier, with what runs beside it; or the kinds that alone are to run. */
function sensorFlags(words: readonly (SensorTier | ConfigurableSensor)[]): {
  readonly tier: SensorTier | undefined;
  readonly sensors: readonly ConfigurableSensor[] | undefined;
} {
  const [first] = words;
  if (first === undefined) return { tier: undefined, sensors: undefined };
  const tier = sensorTiers.find((one) => one === first);
  if (words.length === 1 && tier !== undefined) return { tier, sensors: undefined };
  const sensors = sensorKinds.filter((kind) => words.includes(kind));
  if (sensors.length === new Set(words).size) return { tier: undefined, sensors };
  throw new UserError('cli/invalid-value', 'auto and scan stand alone behind --sensors');
}

/**
 * Does what a start needs; what it fails with stands in the log file too, where launchd's own record of standard error is
 * looked for last.
 */
async function loggingFailure<T>(
  context: CommandContext,
  logFile: string | undefined,
  start: () => Promise<T>,
): Promise<T> {
  try {
    return await start();
  } catch (error) {
    const { config, root } = context.flags;
    const { cwd, platform } = context.io;
    const file = logFileOf({ flags: { config, root, logFile }, cwd, platform });
    if (file !== undefined) {
      try {
        const said = error instanceof UserError ? error.describe() : error;
        createLogger({ level: 'info', file }).error({ error: said }, 'the agent cannot start');
      } catch {
        // Standard error has it.
      }
    }
    throw error;
  }
}

/** Throws a UserError for a scope that means nothing: without a tree, or of no process. */
async function requireScope(context: CommandContext, pid: number): Promise<void> {
  if (context.flags.root === undefined)
    throw new UserError('cli/invalid-value', '--root-scope goes with --root alone', {
      hint: 'On a Mac every process counts.',
    });
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errnoOf(error) === 'EPERM') return;
    throw new UserError('cli/invalid-value', `--root-scope: there is no process ${pid}`, {
      hint: 'Name the process below which everything happens, such as that of your shell ($$).',
    });
  }
}

/** The canary of the schedule is the command itself: the agent must see it as it sees everybody's programs. */
function launchCanary(context: CommandContext, ended: (error: Error) => void): void {
  const { io, flags } = context;
  const { config, dataDir, root } = flags;
  const absolute = (name: string, file: string | undefined) =>
    file === undefined ? [] : [name, path.resolve(io.cwd, file)];
  const common = [
    ...absolute('--config', config),
    ...absolute('--data-dir', dataDir),
    ...absolute('--root', root),
  ];
  const child = spawn(io.program.node, [io.program.script, 'canary', '--json', ...common], {
    // A group of its own: eslogger leaves out what its own group does.
    detached: true,
    stdio: 'ignore',
    cwd: '/',
    env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
  });
  child.once('error', ended);
  child.once('exit', (code) => {
    if (code !== 0) ended(new Error(`the command ended with ${code ?? 'a signal'}`));
  });
  child.unref();
}

/**
 * A start is never blind: where the scan may be what sees processes, it looks while everything else is still checked,
 * compiled and opened.
 */
async function scanEarly({ sensors }: Settings, clock: Clock): Promise<EarlyScan | undefined> {
  const { tier, disabled } = sensors;
  if (disabled.includes('process-scan') || (tier !== 'auto' && tier !== 'scan')) return undefined;
  const { EarlyScan } = await import('../../sensors/process-scan/index.js');
  return new EarlyScan(clock);
}

export const run = defineCommand({
  description:
    'Watches until SIGTERM or SIGINT, then delivers what is left and ends with exit code 0. SIGHUP has it read its configuration\n' +
    'again, as "reload" does. Logs go to standard error, on a\n' +
    'terminal as text, elsewhere one JSON document a line, unless the configuration names a file. With --root, folders below DIR stand for those of\n' +
    'a Mac and every event is labelled as simulated; data then stand in DIR/Library/Application Support/launchwarden/data\n' +
    'unless --data-dir says otherwise.',
  options: {
    rootScope: value(
      '--root-scope PID',
      'with --root: only processes below this one count',
      wholeNumber('--root-scope', 1, 2 ** 31),
    ),
    sensors: list(
      '--sensors TIER',
      `how processes are seen: ${sensorTiers.join(', ')}; or the only sensors to run: ${sensorKinds.join(', ')}`,
      oneOf('--sensors', sensorWords),
    ),
    logLevel: value('--log-level LEVEL', logLevels.join(', '), oneOf('--log-level', logLevels)),
    logFormat: value(
      '--log-format FORMAT',
      'text or json, on standard error',
      oneOf('--log-format', logFormats),
    ),
    logFile: value('--log-file FILE', 'append the log to this file', (text) => text),
  },
  examples: [
    { line: 'sudo launchwarden run', says: 'on a Mac, in the foreground' },
    {
      line: 'launchwarden run --root /tmp/mac --data-dir /tmp/data',
      says: 'on a folder tree, on any system',
    },
  ],
  needs: 'root on a Mac; with --root nothing but the right to read the folder and write the data directory',
  endless: true,
  async handler({ context, options }) {
    const extra = { logLevel: options.logLevel, logFile: options.logFile, ...sensorFlags(options.sensors) };
    const { rootScope } = options;
    if (rootScope !== undefined) await requireScope(context, rootScope);
    const system = context.io.system ?? thisSystem();
    const { clock } = context;
    const written = (policy?: string) => context.settings({ ...extra, policy });
    const checked = async (settings: Settings) => {
      const asRoot = system.uid === 0;
      const problems = await preflight({ settings, system, version: context.version, asRoot });
      const stopping = problems.filter(({ stops }) => stops);
      if (stopping.length > 0) throw together(stopping.map(problemError));
      return settings;
    };
    let early: EarlyScan | undefined;
    try {
      const settings = await loggingFailure(context, options.logFile, async () => {
        const settings = await written();
        early = await scanEarly(settings, clock);
        await checked(settings);
        requireSafeProgram(system, context.io.program, settings.root);
        return settings;
      });
      // Loaded here, so that its help needs no sensors.
      const { runAgent } = await import('../../agent/index.js');
      const { stderr } = context.io;
      const logFormat = options.logFormat ?? (stderr.isTTY ? 'text' : 'json');
      await loggingFailure(context, settings.log.file, () =>
        runAgent({
          logFormat,
          settings,
          early,
          reread: async (policy) => checked(await written(policy)),
          version: context.version,
          clock,
          signal: context.io.interruption(),
          program: context.io.program,
          launchCanary: (ended) => launchCanary(context, ended),
          ...(rootScope === undefined ? {} : { scopePid: rootScope }),
        }),
      );
      return ExitCode.ok;
    } finally {
      await early?.stop();
    }
  },
});
