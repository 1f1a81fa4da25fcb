import { errnoOf } from '../base/errors.js';
import type { RootMap } from '../base/root.js';
import { runTool } from '../base/tool.js';
import { Journal, type JournalOwner } from './journal.js';
import { byHand, type RunProgram, undoOne } from './undo.js';

const runLimitMs = 20_000;
const mostBytes = 1024 * 1024;

/** What became of the deeds of a run that was killed, a sentence for each. */
export interface Recovered {
  readonly undone: readonly string[];
  /** What could not be undone, and why. */
  readonly left: readonly string[];
}

/**
 * Undoes what a run that was killed has left. What could not be undone stays journaled. Throws `COMMAND/running` and
 * `COMMAND/unsafe-journal`.
 */
export async function recover(journal: Journal, run: RunProgram): Promise<Recovered> {
  const undone: string[] = [];
  const left: string[] = [];
  const deeds = journal.left(isAlive);
  const remaining = [];
  for (const undo of deeds) {
    const trouble = await undoOne(undo, run);
    if (trouble !== undefined) remaining.push(undo);
    (trouble === undefined ? undone : left).push(`${byHand(undo)}: ${trouble ?? 'done'}`);
  }
  if (deeds.length > 0) journal.forget();
  for (const undo of remaining.reverse()) journal.add(undo);
  return { undone, left };
}

/** The same for the journal in a folder, with the programs of a Mac or of the tree that stands for one. */
export async function recoverIn(folder: string, root: RootMap, owner?: JournalOwner): Promise<Recovered> {
  const { signal } = new AbortController();
  const journal = new Journal(folder, owner);
  try {
    return await recover(journal, (program, args) =>
      runTool(root.toHost(program), args, { timeoutMs: runLimitMs, mostBytes, signal }),
    );
  } finally {
    journal.close();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}
