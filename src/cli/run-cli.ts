import { ExitCode, UserError } from '../base/errors.js';
import { quote } from '../base/escape.js';
import { catalog } from './catalog.js';
import { createContext } from './create-context.js';
import type { CliIo } from './io.js';
import { reportError } from './report-error.js';
import { programVersion } from './version-file.js';

async function dispatch(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    io.stdout.write(`${programVersion()}\n`);
    return ExitCode.ok;
  }
  const { findCommand, groupHelp, parseCommand } = await import('./parser.js');
  // `help alerts list` is `alerts list --help`.
  const words = argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv;
  const { entry, name, rest } = findCommand(catalog, words);
  if (entry.load === undefined) {
    const [first] = rest;
    if (first === undefined || first === '--help' || first === '-h') {
      (first === undefined ? io.stderr : io.stdout).write(await groupHelp(name, entry, io));
      return first === undefined ? ExitCode.usage : ExitCode.ok;
    }
    throw new UserError('cli/unknown-option', `unknown option ${quote(first)}`, {
      hint: `Options stand after the command; see "${name} --help".`,
    });
  }
  const command = await entry.load();
  const parsed = parseCommand(name, rest, { entry, command, io });
  if (parsed === undefined) return ExitCode.ok;
  const context = createContext(io, parsed.options);
  const input = { context, options: parsed.options as never, args: parsed.args };
  if (command.endless === true) return command.handler(input);
  try {
    const code = await command.handler(input);
    return io.interrupted() ? ExitCode.interrupted : code;
  } catch (error) {
    if (!io.interrupted()) throw error;
    // What was broken off fails in its own way, which is no news.
    if (error instanceof UserError) reportError(error, io, argv.includes('--json'));
    return ExitCode.interrupted;
  }
}

/** Runs one command line (without node and script) in this process. Never throws and never ends the process. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  try {
    return await dispatch(argv, io);
  } catch (error) {
    return reportError(error, io, argv.includes('--json'));
  }
}
