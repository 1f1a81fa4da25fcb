import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'smol-toml';
import { reasonOf, UserError } from '../base/errors.js';
import { TomlPositions } from '../base/toml-positions.js';

/** What changes in the `[rules]` table; what is absent stays as it is. */
export interface RuleLists {
  /** Added at the end when it is not there yet, as it is written here. */
  readonly addFolder?: string;
  readonly disabled?: readonly string[];
  readonly enabled?: readonly string[];
}

const table = 'rules';

function tomlList(values: readonly string[]): string {
  const items = values.map((one) => JSON.stringify(one).replaceAll('\u007f', '\\u007f'));
  const line = `[${items.join(', ')}]`;
  return line.length <= 90 ? line : `[\n${items.map((one) => `  ${one},\n`).join('')}]`;
}

function lineEnd(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end === -1 ? text.length : end + 1;
}

/** The text with one list of `[rules]` set: in its place, below the table's header, or in a table of its own at the end. */
function withList(text: string, key: string, values: readonly string[]): string {
  const positions = new TomlPositions(text);
  const value = positions.valueOf([table, key]);
  const entry = tomlList(values);
  if (value !== undefined) return text.slice(0, value.start) + entry + text.slice(value.end);
  const header = positions.offsetOf([table]);
  const break_ = text === '' || text.endsWith('\n') ? '' : '\n';
  if (header === undefined)
    return `${text}${break_}${text === '' ? '' : '\n'}[${table}]\n${key} = ${entry}\n`;
  if (text[header] === '[') {
    const after = lineEnd(text, header);
    const open = text[after - 1] === '\n' ? '' : '\n';
    return `${text.slice(0, after)}${open}${key} = ${entry}\n${text.slice(after)}`;
  }
  // `rules.builtin = false` at the top: what belongs to it stands before the first table.
  return `${text.slice(0, header)}${table}.${key} = ${entry}\n${text.slice(header)}`;
}

/**
 * Sets lists of the `[rules]` table in the text of a configuration that parsed; comments and everything else stay. Throws
 * a UserError `config/cannot-edit` when that cannot be done without touching more.
 */
export function editRuleLists(text: string, lists: RuleLists): string {
  const wanted = parse(text);
  const written = (wanted[table] as { readonly folders?: unknown } | undefined)?.folders;
  const folders = Array.isArray(written) ? (written as string[]) : [];
  const { addFolder, ...rest } = lists;
  const changes: Record<string, readonly string[]> = { ...rest };
  if (addFolder !== undefined && !folders.includes(addFolder)) changes['folders'] = [...folders, addFolder];
  let edited = text;
  for (const [key, values] of Object.entries(changes)) {
    edited = withList(edited, key, values);
    wanted[table] = { ...(wanted[table] as object | undefined), [key]: [...values] };
  }
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;
  try {
    if (isDeepStrictEqual(plain(parse(edited)), plain(wanted))) return edited;
  } catch {
    // Below.
  }
  throw new UserError(
    'config/cannot-edit',
    'the [rules] table is written in a way that cannot be edited safely',
    {
      hint: `Set ${Object.keys(changes).join(' and ')} by hand.`,
    },
  );
}

/** Replaces a configuration file as a whole, with its owner and mode, on the disk before it returns. */
export function writeConfigFile(file: string, text: string | Uint8Array): void {
  const beside = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString('hex')}`);
  const old = statSync(file, { throwIfNoEntry: false });
  try {
    const descriptor = openSync(beside, 'wx', 0o600);
    try {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    chmodSync(beside, old === undefined ? 0o644 : old.mode & 0o7777);
    if (old !== undefined && process.geteuid?.() === 0) chownSync(beside, old.uid, old.gid);
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw new UserError('config/cannot-write', `cannot write ${file}: ${reasonOf(error)}`, {
      hint: 'The configuration belongs to root: use sudo.',
      cause: error,
    });
  }
}
