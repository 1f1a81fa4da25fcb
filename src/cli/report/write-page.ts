import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, reasonOf, UserError } from '../../base/errors.js';

/**
 * Writes a page into a new file that its owner alone can read: it tells of attacks. An existing file is replaced with `force`
 * alone, in one step; a link is never followed. Throws a UserError.
 */
export function writePage(file: string, text: string, force: boolean): void {
  const target = force ? `${file}.${process.pid}.new` : file;
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const descriptor = openSync(target, flags, 0o600);
    try {
      writeSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (force) renameSync(target, file);
  } catch (error) {
    const exists = errnoOf(error) === 'EEXIST';
    if (!exists) rmSync(target, { force: true });
    throw new UserError(
      'report/file',
      exists ? `${file} exists already` : `${path.dirname(file)} takes no report: ${reasonOf(error)}`,
      {
        hint: exists ? 'Name a new file, or add --force to replace it.' : 'Name another place with --html.',
        cause: error,
      },
    );
  }
}
