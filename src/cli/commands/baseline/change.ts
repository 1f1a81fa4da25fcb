import { applyBaseline, type BaselineRequest, baselineName, baselineOp } from '../../../agent/baseline.js';
import { UserError } from '../../../base/errors.js';
import { quote } from '../../../base/escape.js';
import type { InventoryRow } from '../../../event/inventory.js';
import { authorOf } from '../../author.js';
import type { CommandContext } from '../../context.js';
import { writeThroughDaemon } from '../../daemon-write.js';

export const defaultName = 'known-good';

/** A name as it was written. Throws a UserError. */
export function nameOf(option: string): (text: string) => string {
  return (text) => {
    if (baselineName.test(text)) return text;
    throw new UserError(
      'cli/invalid-value',
      `${option} is ${quote(text, 100)}; expected letters, digits, ".", "-", "_"`,
      {
        hint: 'A name begins with a letter or a digit and has at most 64 characters.',
      },
    );
  };
}

/** Has the daemon make the change, or makes it. `rows`: the inventory, when no daemon has one. */
export async function changeBaseline(
  context: CommandContext,
  change: Omit<BaselineRequest, 'author'>,
  rows?: readonly InventoryRow[],
): Promise<{ readonly entries: number }> {
  const args: BaselineRequest = { ...change, author: authorOf(context.io) };
  const now = context.clock.now();
  const done = await writeThroughDaemon(context, {
    op: baselineOp,
    args,
    direct: (store) => applyBaseline(store, args, { now, ...(rows === undefined ? {} : { rows }) }),
  });
  return done as { readonly entries: number };
}
