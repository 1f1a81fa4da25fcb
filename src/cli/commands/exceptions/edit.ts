import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { reloadExceptionsOp } from '../../../agent/exceptions.js';
import { reasonOf, UserError } from '../../../base/errors.js';
import { writeConfigFile } from '../../../config/index.js';
import { formatDiagnostic, readExceptionFile } from '../../../rules/index.js';
import type { CommandContext } from '../../context.js';

/** What a person gives an exception, as TOML writes it. */
export interface NewException {
  readonly id: string;
  readonly reason: string;
  readonly author: string;
  /** `2027-01-31`. */
  readonly created: string;
  readonly expires: string;
  readonly rules: readonly string[];
  readonly item?: string;
  readonly process?: string;
  readonly signer?: { readonly teamId: string; readonly signingId?: string };
  readonly sha256?: string;
}

const text = (value: string): string => JSON.stringify(value).replaceAll('\u007f', '\\u007f');

export function exceptionText(one: NewException): string {
  const { signer } = one;
  const lines = [
    '[[exception]]',
    `id = ${text(one.id)}`,
    `reason = ${text(one.reason)}`,
    `author = ${text(one.author)}`,
    `created = ${one.created}`,
    `expires = ${one.expires}`,
    `rules = [${one.rules.map(text).join(', ')}]`,
    ...(one.item === undefined ? [] : [`item = ${text(one.item)}`]),
    ...(one.process === undefined ? [] : [`process = ${text(one.process)}`]),
    ...(one.sha256 === undefined ? [] : [`sha256 = ${text(one.sha256)}`]),
    ...(signer === undefined
      ? []
      : [
          `signer = { team_id = ${text(signer.teamId)}${
            signer.signingId === undefined ? '' : `, signing_id = ${text(signer.signingId)}`
          } }`,
        ]),
  ];
  return `${lines.join('\n')}\n`;
}

/** Appends an exception to a set, which is made when it is missing. Throws a UserError and writes nothing when that would be bad. */
export function appendException(folder: string, set: string, exception: NewException): string {
  const file = path.join(folder, `${set}.toml`);
  const before = existsSync(file) ? readFileSync(file, 'utf8') : `name = ${text(set)}\n`;
  write(file, `${before.trimEnd()}\n\n${exceptionText(exception)}`);
  return file;
}

/**
 * Takes exceptions out of a file, which is removed with the last of them. Throws a UserError when the file is written in a
 * way that cannot be edited safely.
 */
export function removeExceptions(file: string, ids: ReadonlySet<string>): void {
  const before = readFileSync(file, 'utf8');
  const parts = before.split(/^(?=[ \t]*\[\[exception\]\])/m);
  const kept = parts.filter((part) => !ids.has(idOf(part) ?? ''));
  const after = kept.join('');
  if (!kept.some((part) => idOf(part) !== undefined)) {
    rmSync(file);
    return;
  }
  const ids0 = idsOf(before, file);
  const left = idsOf(after, file);
  const wanted = ids0?.filter((id) => !ids.has(id));
  if (wanted === undefined || left?.join() !== wanted.join())
    throw new UserError('exceptions/not-editable', `${file} cannot be edited safely`, {
      hint: 'Take the exception out of it by hand.',
    });
  write(file, after);
}

function idOf(part: string): string | undefined {
  const result = readExceptionFile(`name = "x"\n${part}`, 'part');
  return 'set' in result ? result.set.exceptions[0]?.id : undefined;
}

function idsOf(content: string, file: string): string[] | undefined {
  const result = readExceptionFile(content, file);
  return 'set' in result ? result.set.exceptions.map(({ id }) => id) : undefined;
}

function write(file: string, content: string): void {
  const result = readExceptionFile(content, file);
  if ('diagnostics' in result)
    throw new UserError(
      'exceptions/invalid',
      result.diagnostics.map((one) => formatDiagnostic(one)).join('\n'),
      { hint: 'Nothing was written.' },
    );
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new UserError('config/cannot-write', `cannot make ${path.dirname(file)}: ${reasonOf(error)}`, {
      hint: 'The exceptions belong to root: use sudo.',
      cause: error,
    });
  }
  writeConfigFile(file, content);
}

/** Has a running agent read the exceptions again. Throws its UserError when it refuses them. */
export async function reloadRunning(context: CommandContext): Promise<void> {
  const reply = await context.askDaemon(reloadExceptionsOp, undefined);
  context.io.stderr.write(
    reply === undefined
      ? 'launchwarden: no agent runs here; it reads the exceptions when it starts\n'
      : 'launchwarden: the running agent has read its exceptions again\n',
  );
}
