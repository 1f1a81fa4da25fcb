import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { errnoOf, isDenied, messageOf, UserError } from '../base/errors.js';

/** A whole text file of the administrator's. Throws a UserError when it is not there, too large, or no UTF-8 text. */
export function readBounded(file: string, maxBytes: number, what: string): string {
  const refuse = (code: string, reason: string, cause?: unknown) =>
    new UserError(code, `cannot read ${what} from ${file}: ${reason}`, {
      ...(isDenied(cause) ? { hint: 'You may not read it: run with sudo.' } : {}),
      ...(cause === undefined ? {} : { cause }),
    });
  let descriptor: number;
  try {
    // A pipe that nobody writes to is not waited for.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const reason = errnoOf(cause) === 'ENOENT' ? 'no such file' : messageOf(cause);
    throw refuse('scan/unreadable', reason, cause);
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw refuse('scan/unreadable', 'it is not a regular file');
    if (stat.size > maxBytes)
      throw refuse('scan/too-large', `it is larger than ${Math.round(maxBytes / 2 ** 20)} MiB`);
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(descriptor));
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw refuse('scan/unreadable', cause instanceof TypeError ? 'it is not UTF-8 text' : messageOf(cause));
  } finally {
    closeSync(descriptor);
  }
}
