import { pino } from 'pino';

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

/** pino's JSON lines, which escape control characters, so that a hostile path stays inside its string. */
export function createLogger(options: LoggerOptions): Logger {
  const destination = pino.destination({ dest: options.file ?? 2, sync: true, mkdir: false, mode: 0o600 });
  return pino(
    {
      level: options.level,
      base: { name: 'launchwarden', pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
    },
    destination,
  );
}

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
