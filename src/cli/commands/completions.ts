import { ExitCode, UserError } from '../../base/errors.js';
import { quote } from '../../base/escape.js';
import { commandTree } from '../command-tree.js';
import { defineCommand } from '../define-command.js';
import { bashCompletion } from '../shells/bash.js';
import { fishCompletion } from '../shells/fish.js';
import { zshCompletion } from '../shells/zsh.js';

const shells = { bash: bashCompletion, fish: fishCompletion, zsh: zshCompletion } as const;
type Shell = keyof typeof shells;

export const completions = defineCommand({
  description:
    'Prints a script that makes the shell complete commands and options of this version. Print it again after an update.',
  arguments: [
    {
      name: 'SHELL',
      summary: 'zsh, bash or fish',
      check: (text) => void shellOf(text),
    },
  ],
  options: {},
  examples: [
    {
      line: 'launchwarden completions zsh',
      says: 'send it to /usr/local/share/zsh/site-functions/_launchwarden; a new shell has it',
    },
    {
      line: 'launchwarden completions bash',
      says: 'send it to ~/.launchwarden.bash, and source that in ~/.bashrc',
    },
    {
      line: 'launchwarden completions fish',
      says: 'send it to ~/.config/fish/completions/launchwarden.fish',
    },
  ],
  async handler({ context, args: [name = ''] }) {
    context.io.stdout.write(shells[shellOf(name)](await commandTree()));
    return ExitCode.ok;
  },
});

function shellOf(name: string): Shell {
  if (Object.hasOwn(shells, name)) return name as Shell;
  throw new UserError('cli/invalid-value', `there is no completion for ${quote(name)}`, {
    hint: `There are: ${Object.keys(shells).join(', ')}.`,
  });
}
