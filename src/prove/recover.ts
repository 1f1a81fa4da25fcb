import { errnoOf } from '../base/errors.js';
import type { Journal } from './journal.js';
import { byHand, type RunProgram, undoOne } from './undo.js';

/**
 * Undoes what a run that was killed has left. Gives a sentence for each deed; what could not be undone stays journaled.
 * Throws `COMMAND/running` and `COMMAND/unsafe-journal`.
 */
export async function recover(journal: Journal, run: RunProgram): Promise<readonly string[]> {
  const said: string[] = [];
  const deeds = journal.left(isAlive);
  const remaining = [];
  for (const undo of deeds) {
    const trouble = await undoOne(undo, run);
    if (trouble !== undefined) remaining.push(undo);
    said.push(`${byHand(undo)}: ${trouble ?? 'done'}`);
  }
  if (deeds.length > 0) journal.forget();
  for (const undo of remaining.reverse()) journal.add(undo);
  return said;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}
