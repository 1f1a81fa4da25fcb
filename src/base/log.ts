import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { pino } from 'pino';
import { messageOf, UserError } from './errors.js';
import { escapeJson, escapeText } from './escape.js';
import { checkOwnFolder, closeToOthers, refusalOf } from './own-file.js';

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
  /** `text`: a line for people on standard error, `2026-11-22 05:40:13  warn   file-watch: message  key=value`. */
  readonly format?: LogFormat;
}

export const logFormats = ['json', 'text'] as const;
export type LogFormat = (typeof logFormats)[number];

// Never a wait: what stands where the log file was may be a FIFO that nobody reads.
const appending = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/** Appends whole lines. What cannot be written (a full disk) is lost: a log must not end the agent. */
class LineWriter {
  #torn = false;

  write(descriptor: number, line: string): void {
    const safe = escapeJson(line);
    const bytes = Buffer.from(this.#torn ? `\n${safe}` : safe);
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

/** Standard error for people: what pino writes as JSON, as a line of text. */
class ReadableError {
  readonly #lines = new LineWriter();

  write(line: string): void {
    this.#lines.write(2, readableLine(line));
  }
}

const ownFields: ReadonlySet<string> = new Set(['level', 'time', 'name', 'pid', 'stage', 'msg']);
/** A field of a line for people is cut to so many characters. */
const mostOfField = 300;

/** A JSON line of the log as a line for people, with its line feed; local time. */
export function readableLine(line: string): string {
  let record: Record<string, unknown>;
  try {
    record = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const date = new Date(String(record['time']));
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  const time = Number.isNaN(local.getTime()) ? '' : local.toISOString().slice(0, 19).replace('T', ' ');
  const stage = typeof record['stage'] === 'string' ? `${record['stage']}: ` : '';
  const fields = Object.entries(record)
    .filter(([name]) => !ownFields.has(name))
    .map(([name, value]) => `${name}=${fieldText(value)}`);
  const text = `${time}  ${String(record['level']).padEnd(5)}  ${stage}${String(record['msg'] ?? '')}`;
  return `${escapeText([text, ...fields].join('  '))}\n`;
}

function fieldText(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.length <= mostOfField ? text : `${text.slice(0, mostOfField)}…`;
}

/**
 * A log file, private to its owner. It is opened again once its name leads elsewhere: newsyslog renames it and tells
 * nobody. Links are followed when it is first opened, never afterwards; as root only such as root made.
 */
class LogFile {
  readonly #file: string;
  readonly #lines = new LineWriter();
  #descriptor: number;
  #identity: string;

  constructor(file: string) {
    const { real, ours } = resolved(file);
    try {
      if (ours) makeFolder(path.dirname(real));
      this.#descriptor = ours ? openOwn(real) : openSync(real, appending, 0o600);
    } catch (error) {
      throw new UserError('log/cannot-open', `cannot open the log file ${file}: ${messageOf(error)}`, {
        hint: 'Make its folder, or name another file.',
        cause: error,
      });
    }
    this.#identity = identityOf(fstatSync(this.#descriptor));
    this.#file = real;
  }

  write(line: string): void {
    try {
      const there = lstatSync(this.#file, { throwIfNoEntry: false });
      if (there === undefined || identityOf(there) !== this.#identity) this.#reopen();
    } catch {
      // Its folder is gone, say. The old file takes what comes until there is a new one.
    }
    this.#lines.write(this.#descriptor, line);
  }

  #reopen(): void {
    checkOwnFolder(path.dirname(this.#file), { refuse });
    const next = openOwn(this.#file);
    const old = this.#descriptor;
    this.#descriptor = next;
    this.#identity = identityOf(fstatSync(next));
    closeSync(old);
  }
}

/** The folder of a log file, when that alone is missing; opening the file says what else is wrong. */
function makeFolder(folder: string): void {
  if (folder.startsWith('/dev/')) return;
  try {
    mkdirSync(folder, { mode: 0o755 });
  } catch {
    // It is there, or cannot be made.
  }
}

const identityOf = ({ dev, ino }: { dev: number; ino: number }) => `${dev}:${ino}`;

/** Opens a regular file of ours, and nothing else that stands in its place. */
function openOwn(file: string): number {
  const descriptor = openSync(file, appending | constants.O_NOFOLLOW, 0o600);
  const reason = refusalOf(fstatSync(descriptor));
  if (reason === undefined) {
    closeToOthers(descriptor);
    return descriptor;
  }
  closeSync(descriptor);
  throw new Error(`it ${reason}`);
}

function refuse(place: string, reason: string, cause?: unknown): UserError {
  return new UserError('log/unsafe-path', `${place} ${reason}; the log file must be root's alone`, {
    hint: 'As root, log only where nobody else can put another file: name another "file".',
    cause,
  });
}

/** What is no file, or a file that whoever started us has opened. */
const streams = /^\/dev\/(?:null|tty|console|stdout|stderr|fd\/\d+)$/;

/**
 * Where a log file really stands, links followed. `ours`: false for a device or a pipe that was named as such, as
 * /dev/stderr is.
 */
function resolved(file: string): { real: string; ours: boolean } {
  let real = path.resolve(file);
  if (streams.test(real)) return { real, ours: false };
  // As far as it exists, the file itself is looked at too: a link must be one of root's.
  checkOwnFolder(real, { refuse });
  try {
    real = realpathSync(real);
  } catch {
    try {
      real = path.join(realpathSync(path.dirname(real)), path.basename(real));
    } catch {
      // Opening it will say what is wrong.
    }
  }
  return { real, ours: true };
}

/**
 * pino's JSON lines, in which a hostile path stays inside its string and shows as what it is. Throws a
 * UserError `log/cannot-open` when the file cannot be opened, `log/unsafe-path` when as root others could replace it.
 */
export function createLogger(options: LoggerOptions): AdjustableLogger {
  const { file } = options;
  const lines = pino(
    {
      level: 'debug',
      base: { name: 'launchwarden', pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
    },
    file !== undefined
      ? new LogFile(file)
      : options.format === 'text'
        ? new ReadableError()
        : new StandardError(),
  );
  return new AdjustableLogger(lines, { level: options.level });
}

/** What no more is wanted than this is written; shared by a logger and its children. */
interface Threshold {
  level: LogLevel;
}

const ranks: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 };

/** pino fixes the level of a child when it is made: ours is asked for each line, so that it can be changed. */
class AdjustableLogger implements Logger {
  readonly #lines: Logger;
  readonly #threshold: Threshold;

  constructor(lines: Logger, threshold: Threshold) {
    this.#lines = lines;
    this.#threshold = threshold;
  }

  debug(fields: object, message: string): void {
    if (ranks[this.#threshold.level] <= ranks.debug) this.#lines.debug(fields, message);
  }

  info(fields: object, message: string): void {
    if (ranks[this.#threshold.level] <= ranks.info) this.#lines.info(fields, message);
  }

  warn(fields: object, message: string): void {
    if (ranks[this.#threshold.level] <= ranks.warn) this.#lines.warn(fields, message);
  }

  error(fields: object, message: string): void {
    if (ranks[this.#threshold.level] <= ranks.error) this.#lines.error(fields, message);
  }

  child(bindings: Record<string, unknown>): Logger {
    return new AdjustableLogger(this.#lines.child(bindings), this.#threshold);
  }

  /** Of all children too. */
  setLevel(level: LogLevel): void {
    this.#threshold.level = level;
  }
}

export type { AdjustableLogger };

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
