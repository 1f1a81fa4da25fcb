import { statSync } from 'node:fs';
import { UserError } from '../base/errors.js';
import { RootMap } from '../base/root.js';
import { observedRootKey } from '../store/index.js';
import type { CommandContext } from './context.js';
import { withoutStore } from './without-store.js';

/**
 * Where the files of what the data folder tells of stand: below `--root`, else below the folder that its agent observed.
 * An alert of a simulated Mac is so never looked for, or acted upon, on the machine itself. Throws a UserError when that
 * folder is gone.
 */
export async function observedRoot(context: CommandContext): Promise<RootMap> {
  const { root } = await context.settings();
  if (root !== undefined) return new RootMap(root);
  const observed = await context
    .withStore((store) => store.meta.get(observedRootKey))
    .catch(withoutStore(undefined));
  if (observed === undefined || observed === '') return new RootMap();
  if (statSync(observed, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new UserError('cli/root-gone', `${observed}, the folder that the agent observed, is not there`, {
      hint: 'Name the folder with --root DIR if it was moved.',
    });
  return new RootMap(observed);
}
