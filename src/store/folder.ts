import { lstatSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, reasonOf, UserError } from '../base/errors.js';

/** The data folder is 0700, and an agent that runs as a daemon is root's. */
export const noAccessHint = 'The data directory belongs to another user: run with sudo.';

function refuse(code: string, message: string, hint: string): UserError {
  return new UserError(code, message, { hint });
}

/**
 * Makes the data folder with mode 0700 when it is missing, and refuses one that somebody else could tamper with: a
 * link, one of another owner, one that its group or everybody may write. An existing folder's mode is never changed.
 */
export function prepareFolder(folder: string, readOnly: boolean): void {
  try {
    if (!readOnly) mkdirSync(path.dirname(folder), { recursive: true });
    if (!readOnly) mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') {
      throw refuse(
        'store/no-folder',
        `cannot make the data directory ${folder}: ${reasonOf(error)}`,
        'Choose a place that you may write to with --data-dir, or use sudo.',
      );
    }
  }
  let stat: ReturnType<typeof lstatSync>;
  try {
    stat = lstatSync(folder);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw refuse(
        'store/none',
        `there is no data directory ${folder}`,
        'Start the agent with "launchwarden run", or name another with --data-dir.',
      );
    throw refuse(
      'store/no-access',
      `the data directory ${folder} cannot be looked at: ${reasonOf(error)}`,
      noAccessHint,
    );
  }
  if (stat.isSymbolicLink() || !stat.isDirectory())
    throw refuse(
      'store/not-a-folder',
      `the data directory ${folder} is ${stat.isSymbolicLink() ? 'a link' : 'not a directory'}`,
      'Name the directory itself.',
    );
  const self = process.geteuid?.() ?? stat.uid;
  if (stat.uid !== self && !readOnly)
    throw refuse(
      'store/foreign-folder',
      `the data directory ${folder} belongs to user ${stat.uid}, not to ${self}`,
      stat.uid === 0
        ? 'Run with sudo, or choose a directory of your own.'
        : 'Run as its owner, or choose a directory of your own.',
    );
  if (stat.uid !== self && stat.uid !== 0 && self === 0)
    throw refuse(
      'store/foreign-folder',
      `the data directory ${folder} belongs to user ${stat.uid}, not to root`,
      'Read it as its owner.',
    );
  if ((stat.mode & 0o022) !== 0)
    throw refuse(
      'store/open-folder',
      `others may write to the data directory ${folder}`,
      'Choose a directory of its own with mode 0700.',
    );
}
