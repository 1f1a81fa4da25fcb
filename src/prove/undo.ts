import { lstatSync, rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { errnoOf, messageOf } from '../base/errors.js';
import type { ToolAnswer } from '../base/tool.js';
import type { Undo } from './journal.js';
import { launchctl } from './launch-job.js';

const tries = 25;
const pauseMs = 200;

/** Runs a program by its macOS path. Never rejects. */
export type RunProgram = (program: string, args: readonly string[]) => Promise<ToolAnswer>;

/** Undoes one deed; undefined when it is undone, or never came to be done, else why it is not. Never rejects. */
export async function undoOne(undo: Undo, run: RunProgram): Promise<string | undefined> {
  try {
    switch (undo.kind) {
      case 'folder':
        return removeFolder(undo.path);
      case 'file':
        rmSync(undo.path, { force: true });
        return undefined;
      case 'job':
        return await bootOut(undo, run);
      case 'process':
        return await endProcess(undo, run);
    }
  } catch (error) {
    return messageOf(error);
  }
}

/** What somebody has to do by hand, in one line. */
export function byHand(undo: Undo): string {
  switch (undo.kind) {
    case 'folder':
      return `remove the folder ${undo.path}`;
    case 'file':
      return `remove ${undo.path}`;
    case 'job':
      return `launchctl bootout ${undo.domain ?? 'system'} ${undo.file}`;
    case 'process':
      return `end process ${undo.pid} (${undo.program})`;
  }
}

function removeFolder(folder: string): undefined {
  const facts = lstatSync(folder, { throwIfNoEntry: false });
  if (facts === undefined) return undefined;
  // A link or a file in its place is not what we made.
  if (!facts.isDirectory()) throw new Error('it is no folder any more');
  if (facts.uid !== process.geteuid?.()) throw new Error(`it belongs to user ${facts.uid}`);
  rmSync(folder, { recursive: true, force: true });
  return undefined;
}

/** By its file, since a label may hold anything; and by its label, where the file is gone. */
async function bootOut(
  { file, label, domain = 'system' }: Extract<Undo, { kind: 'job' }>,
  run: RunProgram,
): Promise<string | undefined> {
  await run(launchctl, ['bootout', domain, file]);
  if (!/^[\w.-]+$/.test(label)) return undefined;
  const target = `${domain}/${label}`;
  for (let turn = 0; turn < tries; turn++) {
    if ((await run(launchctl, ['print', target])).status !== 0) return undefined;
    await run(launchctl, ['bootout', target]);
    // bootout returns before the job has gone.
    await pause(pauseMs);
  }
  return 'it is still loaded';
}

/** Ends a process that an earlier run has left, if its pid still belongs to that program. */
async function endProcess(
  { pid, program }: Extract<Undo, { kind: 'process' }>,
  run: RunProgram,
): Promise<string | undefined> {
  const { stdout } = await run('/bin/ps', ['-o', 'comm=', '-p', String(pid)]);
  const name = program.slice(program.lastIndexOf('/') + 1);
  if (!stdout.trim().endsWith(name)) return undefined;
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error;
  }
  return undefined;
}
