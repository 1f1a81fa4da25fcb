import { ExitCode, UserError } from '../base/errors.js';
import { escapeBlock, escapeText } from '../base/escape.js';
import type { CliIo } from './io.js';
import { jsonLine } from './output/output.js';
import { styleFor } from './output/style.js';

function safeCopy(error: UserError): UserError {
  const { file, line, column } = error.at ?? {};
  // Some messages have lines of their own (rule diagnostics). Indented, none can pass for a message of ours.
  return new UserError(error.code, escapeBlock(error.message).replaceAll('\n', '\n  '), {
    ...(error.hint === undefined ? {} : { hint: escapeBlock(error.hint) }),
    at: {
      ...(file === undefined ? {} : { file: escapeText(file) }),
      ...(line === undefined ? {} : { line }),
      ...(column === undefined ? {} : { column }),
    },
    exitCode: error.exitCode,
  });
}

/** Says on standard error what went wrong, as text or as one JSON line, and gives the exit code. */
export function reportError(error: unknown, io: CliIo, json: boolean): ExitCode {
  if (error instanceof UserError) {
    if (json) {
      const { code, message, hint, at, exitCode } = error;
      const document = { code, message, ...(hint === undefined ? {} : { hint }), ...at, exit_code: exitCode };
      io.stderr.write(`${jsonLine({ schema: 'launchwarden.error/1', ...document })}\n`);
    } else {
      const style = styleFor(io, io.stderr);
      io.stderr.write(`${style('red', 'launchwarden:')} ${safeCopy(error).describe()}\n`);
    }
    return error.exitCode;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (json) {
    const document = { code: 'cli/bug', message: String(error), stack, exit_code: ExitCode.bug };
    io.stderr.write(`${jsonLine({ schema: 'launchwarden.error/1', ...document })}\n`);
  } else {
    io.stderr.write(`launchwarden: this is a bug in launchwarden, please report it\n${escapeBlock(stack)}\n`);
  }
  return ExitCode.bug;
}
