import type { CommandContext, CommonFlags } from './context.js';
import { safe } from './output/output.js';
import { quoted } from './output/read.js';

/** The options that lead to the same data, as they were written: what a command that is shown needs to work. Safe. */
export function givenFlags({ config, dataDir, root }: CommonFlags): string {
  const shown = (flag: string, value: string | undefined) =>
    value === undefined ? '' : ` ${flag} ${quoted(safe(value) ?? '')}`;
  return `${shown('--config', config)}${shown('--data-dir', dataDir)}${shown('--root', root)}`;
}

/** `launchwarden` with these words (safe ones), to be copied: with the options that were given, and sudo where a Mac needs it. */
export function commandLine({ flags, io }: Pick<CommandContext, 'flags' | 'io'>, words: string): string {
  const sudo = io.platform === 'darwin' && flags.root === undefined ? 'sudo ' : '';
  return `${sudo}launchwarden ${words}${givenFlags(flags)}`;
}
