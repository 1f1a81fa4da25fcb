import { closeSync, constants, fstatSync, openSync, realpathSync, statSync, writeSync } from 'node:fs';
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

// Never a wait: what stands where the log file was may be a FIFO that nobody reads.
const appending = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/** Appends whole lines. What cannot be written (a full disk) is lost: a log must not end the agent. */
class LineWriter {
  #torn = false;

  write(descriptor: number, line: string): void {
    const bytes = Buffer.from(this.#torn ? `\n${line}` : line);
    try {
      this.#torn = writeSync(descriptor, bytes) < bytes.length;
    } catch {
      // Nowhere left to say it.
    }
  }
}

class StandardError {
  readonly #lines = new LineWriter();

  write(line: string): void {
    this.#lines.write(2, line);
  }
}

/**
 * A log file, private to its owner. It is opened again once its name leads elsewhere: newsyslog renames it and tells
 * nobody. Links are followed when it is first opened, never afterwards.
 */
class LogFile {
  readonly #file: string;
  readonly #lines = new LineWriter();
  #descriptor: number;
  #inode: number;

  constructor(file: string) {
    try {
      this.#descriptor = openSync(file, appending, 0o600);
    } catch (error) {
      throw new UserError('log/cannot-open', `cannot open the log file ${file}: ${messageOf(error)}`, {
        hint: 'Make its folder, or name another file.',
        cause: error,
      });
    }
    this.#inode = fstatSync(this.#descriptor).ino;
    this.#file = resolved(file);
  }

  write(line: string): void {
    try {
      if (statSync(this.#file, { throwIfNoEntry: false })?.ino !== this.#inode) this.#reopen();
    } catch {
      // Its folder is gone, say. The old file takes what comes until there is a new one.
    }
    this.#lines.write(this.#descriptor, line);
  }

  #reopen(): void {
    const next = openSync(this.#file, appending | constants.O_NOFOLLOW, 0o600);
    const old = this.#descriptor;
    this.#descriptor = next;
    this.#inode = fstatSync(next).ino;
    closeSync(old);
  }
}

function resolved(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    // A pipe that /dev/stderr leads to has no path.
    return file;
  }
}

/**
 * pino's JSON lines, which escape control characters, so that a hostile path stays inside its string. Throws a
 * UserError `log/cannot-open` when the file cannot be opened.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { file } = options;
  return pino(
    {
      level: options.level,
      base: { name: 'launchwarden', pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
    },
    file === undefined ? new StandardError() : new LogFile(file),
  );
}

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
