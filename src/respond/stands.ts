import type { Version } from '../store/index.js';
import { closeLooked, lookAt } from './content.js';
import { holdPlace, Refused } from './held.js';
import type { Machine } from './machine.js';
import { allResponses, type Response } from './response.js';

/**
 * Whether what stands at its path is a version already: content, owner and mode. Of a bundle that is not told: its hash is
 * another one than that of what was kept.
 */
export async function standsAlready(version: Version, machine: Machine): Promise<boolean> {
  const { path, sha256, mode, uid, gid, type, kind } = version;
  if (type !== 'file' || kind === 'bundle' || sha256 === undefined) return false;
  let place: ReturnType<typeof holdPlace>;
  try {
    place = holdPlace(machine, path);
  } catch (error) {
    if (error instanceof Refused) return false;
    throw error;
  }
  try {
    const now = await lookAt(machine.files, place, { content: true, keepTimes: true });
    closeLooked(now);
    return (
      now?.type === 'file' &&
      now.sha256 === sha256 &&
      now.uid === uid &&
      now.gid === gid &&
      (now.mode & 0o7777) === mode
    );
  } catch (error) {
    if (error instanceof Refused) return false;
    throw error;
  } finally {
    place.close();
  }
}

/** The newest restoring of a path that is in force, and the version that it put there. */
export function lastRestored(
  path: string,
  { dataDir }: Pick<Machine, 'dataDir'>,
): { readonly response: Response; readonly version: number } | undefined {
  for (const response of allResponses(dataDir))
    for (const { step, state, undo } of response.records)
      if (step.kind === 'place' && step.path === path && state === 'done' && undo?.state !== 'done')
        return { response, version: step.version };
  return undefined;
}
