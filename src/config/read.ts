import { readFileSync, statSync } from 'node:fs';
import { parse, TomlError } from 'smol-toml';
import * as v from 'valibot';
import { errnoOf, isDenied, messageOf, UserError } from '../base/errors.js';
import { clip, escapeText, quote } from '../base/escape.js';
import { didYouMean } from '../base/nearest.js';
import { dotted, type KeyPath, TomlPositions } from '../base/toml-positions.js';
import { destinationName } from '../forward/options.js';
import { type Config, configSchema } from './schema.js';

const maxBytes = 1024 * 1024;

/** A configuration file that parsed: its values with the defaults filled in, and where each written key stands. */
export interface ConfigFile {
  readonly config: Config;
  /** The tables as they were written, without defaults. */
  readonly written: Record<string, unknown>;
  readonly positions: TomlPositions;
}

function readText(file: string): string {
  try {
    const stat = statSync(file);
    if (!stat.isFile()) {
      throw new UserError('config/not-a-file', 'the configuration is not a regular file', { at: { file } });
    }
    if (stat.size > maxBytes) {
      throw new UserError('config/too-large', `the configuration is larger than ${maxBytes} bytes`, {
        at: { file },
      });
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (errnoOf(error) === 'ENOENT') {
      throw new UserError('config/missing', 'there is no such configuration file', {
        at: { file },
        hint: 'Name an existing one with --config, or leave the option out to use the defaults.',
        cause: error,
      });
    }
    const reason = error instanceof TypeError ? 'it is not UTF-8 text' : messageOf(error);
    throw new UserError('config/unreadable', `the configuration cannot be read: ${reason}`, {
      at: { file },
      ...(isDenied(error) ? { hint: 'You may not read it: run with sudo.' } : {}),
      cause: error,
    });
  }
}

function parseText(text: string, file: string): Record<string, unknown> {
  try {
    return parse(text, { maxDepth: 32, unsafeKeyBehaviour: 'throw' });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split('\n')[0]!.replace('Invalid TOML document: ', '');
    throw new UserError('config/syntax', `not valid TOML: ${reason}`, {
      at: { file, line: error.line, column: error.column },
      cause: error,
    });
  }
}

/** What valibot's schemas have at run time, as far as a walk by key needs it. */
interface SchemaNode {
  readonly entries?: Record<string, SchemaNode>;
  readonly wrapped?: SchemaNode;
  readonly item?: SchemaNode;
  readonly options?: readonly SchemaNode[];
  readonly default?: unknown;
  readonly literal?: unknown;
}

const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The written value with defaults filled in, each as one would write it in the file (`"365d"`, not a number). */
function filled(node: SchemaNode, written: unknown): unknown {
  if (node.wrapped !== undefined) return filled(node.wrapped, written ?? node.default);
  if (node.item !== undefined && Array.isArray(written)) {
    const { item } = node;
    return written.map((one) => filled(item, one));
  }
  if (!isTable(written)) return written;
  const chosen = node.options?.find((one) => one.entries?.['type']?.literal === written['type']) ?? node;
  if (chosen.entries === undefined) return written;
  return Object.fromEntries(
    Object.entries(chosen.entries)
      .map(([key, child]) => [key, filled(child, written[key])] as const)
      .filter(([, value]) => value !== undefined),
  );
}

/** Every key that holds, with defaults, as it would be written. `written` has passed the schema. */
export function completeTables(written: Record<string, unknown>): Record<string, unknown> {
  return filled(configSchema as unknown as SchemaNode, written) as Record<string, unknown>;
}

/** The keys that a table may have. */
function knownKeys(path: KeyPath): string[] {
  let nodes: SchemaNode[] = [configSchema as unknown as SchemaNode];
  const unwrap = (node: SchemaNode): SchemaNode[] => {
    if (node.wrapped !== undefined) return unwrap(node.wrapped);
    return node.entries === undefined && node.options !== undefined ? node.options.flatMap(unwrap) : [node];
  };
  for (const key of path) {
    nodes = nodes.flatMap(unwrap).flatMap((node) => {
      const next = typeof key === 'number' ? node.item : node.entries?.[key];
      return next === undefined ? [] : [next];
    });
  }
  const keys = nodes.flatMap(unwrap).flatMap((node) => Object.keys(node.entries ?? {}));
  return [...new Set(keys)];
}

export interface Issue {
  readonly type: string;
  readonly input: unknown;
  readonly expected: string | null;
  readonly received: string;
  readonly message: string;
  readonly path?: readonly { readonly key?: unknown }[] | undefined;
}

/** What valibot says of the configuration, in our words. Without positions the place is the file alone. */
export function issueError(
  issue: Issue,
  { file, positions }: { readonly file: string; readonly positions?: TomlPositions },
): UserError {
  const path: KeyPath = (issue.path ?? []).map((item) => item.key as string | number);
  const at = { file, ...positions?.of(path) };
  const key = String(path.at(-1));
  const parent = dotted(path.slice(0, -1));
  const inside = parent === '' ? '' : ` in ${quote(parent, 80)}`;
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const known = knownKeys(path.slice(0, -1));
    return new UserError('config/unknown-key', `unknown key ${quote(key, 80)}${inside}`, {
      at,
      hint: didYouMean(key, known) ?? `Known here: ${known.join(', ')}.`,
    });
  }
  if (issue.received === 'undefined')
    return new UserError('config/missing-key', `the key "${key}" is missing${inside}`, { at });
  if (issue.type === 'array' && isTable(issue.input)) {
    return new UserError('config/invalid', `"${dotted(path)}" is one table; expected a list of them`, {
      at,
      hint: `Write [[${dotted(path)}]] above each.`,
    });
  }
  const wanted = issue.message.startsWith('Invalid')
    ? (issue.expected ?? 'another value').replace(/^\((.*)\)$/, '$1').replaceAll(' | ', ', ')
    : issue.message;
  const among = [...wanted.matchAll(/"([^"]+)"/g)].map(([, word]) => word!);
  const written = /^"(.*)"$/.exec(issue.received)?.[1];
  const guess =
    issue.message.startsWith('Invalid') && written !== undefined ? didYouMean(written, among) : undefined;
  // What stands there may be the secret itself, and a message ends up in logs and screenshots.
  const told = /secret|password/.test(issue.message)
    ? `must be ${wanted}`
    : `is ${escapeText(clip(issue.received, 80))}; expected ${wanted}`;
  return new UserError('config/invalid', `"${dotted(path)}" ${told}`, {
    at,
    ...(guess === undefined ? {} : { hint: guess }),
  });
}

function uniqueNames(
  { destination }: Config,
  { file, positions }: { readonly file: string; readonly positions: TomlPositions },
): void {
  const seen = new Set<string>();
  for (const [index, one] of destination.entries()) {
    const name = destinationName(one);
    if (seen.has(name))
      throw new UserError('config/invalid', `two destinations are called "${name}"`, {
        at: { file, ...positions.of(['destination', index, 'name']) },
        hint: 'The name tells their queues apart: give each its own.',
      });
    seen.add(name);
  }
}

/** Reads and checks a configuration file. Throws a UserError with file, line and column for whatever is wrong. */
export function readConfigFile(file: string): ConfigFile {
  return readConfigText(readText(file), file);
}

/** The same of a text that is not written yet; `file` is where it is to stand. */
export function readConfigText(text: string, file: string): ConfigFile {
  const written = parseText(text, file);
  const positions = new TomlPositions(text);
  const result = v.safeParse(configSchema, written);
  if (result.success) {
    uniqueNames(result.output, { file, positions });
    return { config: result.output, written, positions };
  }
  const errors = result.issues.map((issue) => issueError(issue as Issue, { file, positions }));
  errors.sort((a, b) => a.at!.line! - b.at!.line! || a.at!.column! - b.at!.column!);
  throw together(errors);
}

/** So many are told; a file of another kind has any number. */
const mostTold = 20;

/** Several errors as one: its code and place are those of the first, its message tells all. */
export function together(errors: readonly UserError[]): UserError {
  const [first, ...others] = errors as [UserError, ...UserError[]];
  if (others.length === 0) return first;
  const told = others.slice(0, mostTold).map((one) => one.describe());
  const more = others.length > mostTold ? [`and ${others.length - mostTold} more`] : [];
  const hint = first.hint === undefined ? [] : [`  ${first.hint}`];
  return new UserError(first.code, [first.message, ...hint, ...told, ...more].join('\n'), {
    ...(first.at === undefined ? {} : { at: first.at }),
    exitCode: first.exitCode,
    cause: errors,
  });
}

/** A text of a file with errors, as it was written; undefined when that cannot be told. */
export function writtenText(file: string, path: readonly string[]): string | undefined {
  try {
    let found: unknown = parseText(readText(file), file);
    for (const key of path) found = isTable(found) ? found[key] : undefined;
    return typeof found === 'string' && found !== '' ? found : undefined;
  } catch {
    return undefined;
  }
}
