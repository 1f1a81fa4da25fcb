import { ExitCode, UserError } from '../../../base/errors.js';
import { defineCommand, flag } from '../../define-command.js';
import { reloadRunning, removeExceptions } from './edit.js';
import { exceptionFields, exceptionSchema } from './exception-document.js';
import { findException, loadListed } from './load.js';

export const exceptionsRemove = defineCommand({
  description: 'Takes exceptions out of their files; a running agent reads them again at once.',
  arguments: [{ name: 'ID...', summary: 'whole ids' }],
  options: { json: flag('--json', 'the removed exceptions, one JSON document a line') },
  examples: [{ line: 'sudo launchwarden exceptions remove our-backup', says: 'alert on it again' }],
  needs: 'the right to write the files of exceptions',
  async handler({ context, options, args }) {
    const loaded = await loadListed(context);
    const found = [...new Set(args)].map((id) => findException(loaded, id));
    for (const { exception, state } of found)
      if (state === 'pack')
        throw new UserError(
          'exceptions/pack',
          `${exception.id} comes with the program, in ${exception.file}`,
          {
            hint: 'Take the pack out of "packs" in [exceptions] of the configuration.',
          },
        );
    for (const file of new Set(found.map(({ exception }) => exception.file)))
      removeExceptions(
        file,
        new Set(found.filter((one) => one.exception.file === file).map((one) => one.exception.id)),
      );
    await reloadRunning(context);
    for (const one of found) {
      if (options.json) context.out.document(exceptionSchema, exceptionFields(one));
      else context.out.line(`removed  ${one.exception.id}`);
    }
    return ExitCode.ok;
  },
});
