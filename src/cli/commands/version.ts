import os from 'node:os';
import { ExitCode } from '../../base/errors.js';
import { defineCommand, flag } from '../define-command.js';

export const version = defineCommand({
  options: { json: flag('--json', 'as one JSON document') },
  examples: [{ line: 'launchwarden version', says: 'for a bug report' }],
  async handler({ context, options }) {
    const facts = {
      version: context.version,
      node: process.version,
      platform: context.io.platform,
      release: os.release(),
      arch: process.arch,
    };
    if (options.json) context.out.document('version/1', facts);
    else
      context.out.line(
        `launchwarden ${facts.version} (Node.js ${facts.node}, ${facts.platform} ${facts.release} ${facts.arch})`,
      );
    return ExitCode.ok;
  },
});
