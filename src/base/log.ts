import { statSync } from 'node:fs';
import { pino } from 'pino';
import { messageOf, UserError } from './errors.js';

/** The part of pino that the stages use: fields first, then the message. Every line names its stage. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(bindings: Record<string, unknown>): Logger;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LoggerOptions {
  readonly level: LogLevel;
  /** A file to append to; standard error when absent. */
  readonly file?: string;
}

type Destination = ReturnType<typeof pino.destination>;

const inodeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.ino;

/** Opens the file again once it is no longer the one that is being written: newsyslog renames it and tells nobody. */
function followRenames(destination: Destination, file: string): Pick<Destination, 'write'> {
  let inode = inodeOf(file);
  return {
    write(line) {
      if (inodeOf(file) !== inode) {
        try {
          destination.reopen();
          inode = inodeOf(file);
        } catch {
          // Its folder is gone, say. The old file still takes what we have; the next line tries again.
        }
      }
      return destination.write(line);
    },
  };
}

function openDestination(file: string | undefined): Destination {
  try {
    return pino.destination({ dest: file ?? 2, sync: true, mkdir: false, mode: 0o600 });
  } catch (error) {
    throw new UserError('log/cannot-open', `cannot open the log file ${file}: ${messageOf(error)}`, {
      hint: 'Make its folder, or name another file.',
      cause: error,
    });
  }
}

/**
 * pino's JSON lines, which escape control characters, so that a hostile path stays inside its string. Throws a
 * UserError `log/cannot-open` when the file cannot be opened.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { file } = options;
  const destination = openDestination(file);
  return pino(
    {
      level: options.level,
      base: { name: 'launchwarden', pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
    },
    file === undefined ? destination : followRenames(destination, file),
  );
}

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
