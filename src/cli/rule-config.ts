import { existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { reasonOf, UserError } from '../base/errors.js';
import {
  defaultPaths,
  editRuleLists,
  type RuleLists,
  type Settings,
  writeConfigFile,
} from '../config/index.js';
import type { CommandContext } from './context.js';

/** The configuration file that a change goes to: the one that was read, or the default one, which may not exist yet. */
export function editableConfig(context: CommandContext, settings: Settings): string {
  if (settings.configFile !== undefined) return realpathSync(settings.configFile);
  return defaultPaths(context.io.platform, settings.root).config;
}

/** Changes lists of `[rules]` and leaves the rest of the file as it is. Throws a UserError when it cannot. */
export function changeRuleLists(file: string, lists: RuleLists): void {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const edited = editRuleLists(text, lists);
  if (edited === text) return;
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new UserError('config/cannot-write', `cannot make ${path.dirname(file)}: ${reasonOf(error)}`, {
      hint: 'The configuration belongs to root: use sudo.',
      cause: error,
    });
  }
  writeConfigFile(file, edited);
}

/** A running agent has read its rules when it started. */
export async function sayRestart(context: CommandContext): Promise<void> {
  const running = await context.askDaemon('status', undefined).catch(() => undefined);
  if (running !== undefined)
    context.io.stderr.write('launchwarden: restart the agent, it read its rules when it started\n');
}
