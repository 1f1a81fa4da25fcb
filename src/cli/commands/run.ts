import { ExitCode, UserError } from '../../base/errors.js';
import {
  type ConfigurableSensor,
  logLevels,
  requireTrust,
  type SensorTier,
  sensorKinds,
  sensorTiers,
} from '../../config/index.js';
import { requireSafeProgram, thisSystem } from '../../install/index.js';
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

export const run = defineCommand({
  description:
    'Watches until SIGTERM or SIGINT, then delivers what is left and ends with exit code 0. Logs go to standard error,\n' +
    'one JSON document a line, unless the configuration names a file. With --root, folders below DIR stand for those of\n' +
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
  async handler({ context, options }) {
    const settings = await context.settings({
      logLevel: options.logLevel,
      logFile: options.logFile,
      ...sensorFlags(options.sensors),
    });
    const system = context.io.system ?? thisSystem();
    requireTrust(settings, system);
    requireSafeProgram(system, context.io.program, settings.root);
    // Loaded here, so that its help needs no sensors.
    const { runAgent } = await import('../../agent/index.js');
    await runAgent({
      settings,
      version: context.version,
      clock: context.clock,
      signal: context.io.interruption(),
      ...(options.rootScope === undefined ? {} : { scopePid: options.rootScope }),
    });
    return ExitCode.ok;
  },
});
