import type { ExitCode } from '../base/errors.js';
import type { CommandContext } from './context.js';

/**
 * One option, as `flags` of the form `--since TIME`, `--json [FIELDS]` or `--json` shows it to people and to the parser. What
 * stands in brackets may be left out: the value is true then.
 */
export interface Option<T> {
  readonly flags: string;
  readonly summary: string;
  /** Reads what was written. Throws a UserError. An option without it is a switch. */
  readonly parse?: (text: string) => T;
  /** May be given several times, and with commas between values. */
  readonly list?: boolean;
}

/** One positional argument: `ID` is required, `[ID]` is not, `PATH...` takes all that follow. */
export interface Argument {
  readonly name: string;
  readonly summary: string;
  /** Checks each text that is written for it. Throws a UserError. */
  readonly check?: (text: string) => void;
}

export type Options = Readonly<Record<string, Option<unknown>>>;
export type OptionValues<O extends Options> = {
  readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never;
};

export interface Example {
  readonly line: string;
  readonly says: string;
}

/** A command as data. Its name and its one-line summary stand in the catalog, so that help loads no command. */
export interface Command<O extends Options = Options> {
  /** What the summary leaves unsaid; shown by --help. */
  readonly description?: string;
  readonly arguments?: readonly Argument[];
  readonly options: O;
  readonly examples: readonly Example[];
  /** What must be there for it to work; shown by --help. */
  readonly needs?: string;
  /** It goes on until it is interrupted: that is its regular end. */
  readonly endless?: boolean;
  readonly handler: (input: CommandInput<O>) => Promise<ExitCode>;
}

export interface CommandInput<O extends Options> {
  readonly context: CommandContext;
  readonly options: OptionValues<O>;
  /** Positional arguments in order; one that was left out is missing at the end. */
  readonly args: readonly string[];
}

/** Ties the type of the handler to the options. */
export function defineCommand<const O extends Options>(command: Command<O>): Command<Options> {
  return command as unknown as Command<Options>;
}

export function flag(flags: string, summary: string): Option<boolean> {
  return { flags, summary };
}

export function value<T>(flags: string, summary: string, parse: (text: string) => T): Option<T | undefined> {
  return { flags, summary, parse };
}

export function list<T>(flags: string, summary: string, parse: (text: string) => T): Option<readonly T[]> {
  return { flags, summary, parse: parse as (text: string) => never, list: true };
}
