import type { Clock } from '../base/clock.js';
import type { LogLevel } from '../base/log.js';
import type { ConfigurableSensor, SensorTier, Settings } from '../config/index.js';
import type { Store } from '../store/index.js';
import type { CliIo } from './io.js';
import type { Output } from './output/output.js';

/** What the command line adds to the settings that every command shares. */
export interface ExtraFlags {
  readonly logLevel?: LogLevel | undefined;
  readonly logFile?: string | undefined;
  readonly sensors?: readonly ConfigurableSensor[] | undefined;
  readonly tier?: SensorTier | undefined;
  /** The unpacked files of a policy that is only tried out. */
  readonly policy?: string | undefined;
}

/** The options that every command takes. */
export interface CommonFlags {
  readonly config?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly root?: string | undefined;
}

/** What a handler works with. Everything is opened on first use, so that a command pays for what it needs. */
export interface CommandContext {
  readonly io: CliIo;
  readonly out: Output;
  readonly clock: Clock;
  /** Version of the program. */
  readonly version: string;
  /** `--config`, `--data-dir` and `--root` as they were written. */
  readonly flags: CommonFlags;
  /** Reads the configuration. Throws a UserError. */
  settings(extra?: ExtraFlags): Promise<Settings>;
  /** Opens the data folder and closes it when `use` has ended, however it ends. Without `write` beside a running agent. */
  withStore<T>(use: (store: Store) => T | Promise<T>, how?: { readonly write?: boolean }): Promise<T>;
  /** Asks the daemon of the data folder; undefined when none runs. Throws a UserError when it refuses. */
  askDaemon(op: string, args: unknown): Promise<{ readonly result: unknown } | undefined>;
}
