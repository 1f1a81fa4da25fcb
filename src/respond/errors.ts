import { UserError } from '../base/errors.js';
import type { JournalErrors } from '../base/journal-file.js';

export const journalErrors: JournalErrors = {
  unsafe: (place, reason, cause) =>
    new UserError('respond/unsafe-journal', `${place} ${reason}: it could tell root what to do`, {
      hint: 'The data folder must belong to root, in folders that belong to root.',
      cause,
    }),
  unwritable: (file, reason, cause) =>
    new UserError('respond/no-journal', `${file} cannot be written: ${reason}`, {
      hint: 'Every response is journaled before it acts, so that it can be undone. Use sudo; is the disk full?',
      cause,
    }),
};
