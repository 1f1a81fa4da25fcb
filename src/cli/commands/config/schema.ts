import { ExitCode } from '../../../base/errors.js';
import { jsonSchema } from '../../../config/json-schema.js';
import { defineCommand } from '../../define-command.js';

export const configSchema = defineCommand({
  description:
    'JSON Schema, draft 2020-12, made from what the program checks by. Editors with TOML support (Even Better TOML, taplo) complete and\n' +
    'check the file by it when its first line is "#:schema ./config.schema.json".',
  options: {},
  examples: [
    {
      line: 'launchwarden config schema',
      says: 'to be kept as config.schema.json beside the configuration file',
    },
  ],
  async handler({ context }) {
    context.out.line(JSON.stringify(jsonSchema(), undefined, 2));
    return ExitCode.ok;
  },
});
