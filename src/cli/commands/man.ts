import { ExitCode } from '../../base/errors.js';
import { commandTree } from '../command-tree.js';
import { defineCommand } from '../define-command.js';
import { manPage } from '../man-page.js';

export const man = defineCommand({
  description:
    'Prints the manual page of this version, all commands with their options and examples, for man(1).',
  options: {},
  examples: [
    {
      line: 'launchwarden man',
      says: 'send it to /usr/local/share/man/man1/launchwarden.1, for "man launchwarden"',
    },
  ],
  async handler({ context }) {
    context.io.stdout.write(manPage(await commandTree(), context.version));
    return ExitCode.ok;
  },
});
