import { closeSync, constants, fstatSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, messageOf, reasonOf, UserError } from '../../../base/errors.js';
import { bundleLimits } from '../../../policy/index.js';
import type { CommandContext } from '../../context.js';

/** Reads a file that somebody named, of at most the size of a bundle and one byte. Throws a UserError. */
export function readNamed(
  context: CommandContext,
  named: string,
): { readonly file: string; readonly bytes: Buffer } {
  const file = path.resolve(context.io.cwd, named);
  try {
    const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const facts = fstatSync(descriptor);
      if (!facts.isFile()) throw new Error('it is not a regular file');
      // One that is too large is refused by whoever opens the bundle.
      if (facts.size > 4 * bundleLimits.bytes) throw new Error('it is too large for a policy');
      return { file, bytes: readFileSync(descriptor) };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const reason = errnoOf(error) === 'ENOENT' ? 'there is no such file' : messageOf(error);
    throw new UserError('policy/cannot-read', `cannot read it: ${reason}`, { at: { file }, cause: error });
  }
}

/** Writes a file; one that is there is replaced only with `force`. Throws a UserError. */
export function writeNamed(
  context: CommandContext,
  named: string,
  how: { readonly bytes: Uint8Array | string; readonly mode: number; readonly force: boolean },
): string {
  const file = path.resolve(context.io.cwd, named);
  const { O_WRONLY, O_CREAT, O_EXCL, O_TRUNC, O_NOFOLLOW } = constants;
  try {
    const descriptor = openSync(
      file,
      O_WRONLY | O_CREAT | O_NOFOLLOW | (how.force ? O_TRUNC : O_EXCL),
      how.mode,
    );
    try {
      const bytes = Buffer.from(how.bytes);
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    return file;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST')
      throw new UserError('policy/exists', 'there is such a file already', {
        at: { file },
        hint: 'Name another one, or replace it with --force.',
        cause: error,
      });
    throw new UserError('policy/cannot-write', `cannot write it: ${reasonOf(error)}`, {
      at: { file },
      cause: error,
    });
  }
}

/** The keys of the command line, else those of the configuration. */
export async function trustedKeysOf(
  context: CommandContext,
  given: readonly string[],
): Promise<readonly string[]> {
  if (given.length > 0) return given;
  return (await context.settings()).policy?.keys ?? [];
}

/** Reads `--public-key`. */
export function publicKeyText(text: string): string {
  if (/^[A-Za-z0-9+/]{43}=$/.test(text)) return text;
  throw new UserError('cli/invalid-value', '--public-key is no public key', {
    hint: 'It has 44 characters, as "launchwarden policy keygen" prints it.',
  });
}
