import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { ExitCode, reasonOf, UserError } from '../../../base/errors.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { jsonLine } from '../../output/output.js';
import { filePath } from '../../values.js';
import { inventoryFields, inventorySchema } from './document.js';
import { judged } from './list.js';
import { readInventory, readOptions } from './read.js';

export const inventoryExport = defineCommand({
  description:
    'Every entry, the system\'s own and those that are gone included, one JSON document a line: for "inventory diff --against",\n' +
    'a SIEM or a file of evidence. A file is made with mode 0600, and none is overwritten.',
  options: {
    output: value('--output FILE', 'instead of standard output', filePath('--output')),
    ...readOptions,
    json: flag('--json', 'NDJSON, as it is written anyway'),
  },
  examples: [
    {
      line: 'sudo launchwarden inventory export --output before.ndjson',
      says: 'before something is installed',
    },
  ],
  needs: 'read access to the data directory, or without an agent to the files themselves (root)',
  async handler({ context, options }) {
    const { rows } = await readInventory(context, options);
    const all = await judged(context, rows);
    if (options.output === undefined) {
      for (const { row, verdict } of all)
        context.out.document(inventorySchema, inventoryFields(row, verdict));
      return ExitCode.ok;
    }
    const lines = all.map(({ row, verdict }) =>
      jsonLine({ schema: `launchwarden.${inventorySchema}`, ...inventoryFields(row, verdict) }),
    );
    try {
      const file = path.resolve(context.io.cwd, options.output);
      writeFileSync(file, lines.map((line) => `${line}\n`).join(''), { mode: 0o600, flag: 'wx' });
    } catch (error) {
      throw new UserError('inventory/not-written', `the inventory could not be written: ${reasonOf(error)}`, {
        hint: 'Name a file that does not exist yet, in a folder that you may write.',
        cause: error,
      });
    }
    return ExitCode.ok;
  },
});
