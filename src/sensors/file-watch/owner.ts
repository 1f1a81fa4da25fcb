import type { Snapshot } from './snapshot.js';

/** Whose noise the changes below a folder are: work is shared out by owner. */
export interface Owner {
  /** As gap records name it: `user alice`, `folder /private/tmp`; empty for the system's own places. */
  readonly name: string;
  readonly system: boolean;
}

export const systemOwner: Owner = { name: '', system: true };

/** Anybody may create files there. */
const worldWritable = 0o002;

/**
 * The owner of what a folder holds: the user of a home, the folder itself where everybody may write, and otherwise
 * whoever owns the folder above. `userOf` names the user of a home folder outside /Users.
 */
export function ownerOf(
  macPath: string,
  { mode, type }: Pick<Snapshot, 'mode' | 'type'>,
  above: { readonly path: string; readonly owner: Owner },
  userOf: (macPath: string) => string | undefined,
): Owner {
  const user = above.path === '/Users' ? macPath.slice('/Users/'.length) : userOf(macPath);
  if (user !== undefined) return { name: `user ${user}`, system: false };
  const open = type === 'dir' && (mode & worldWritable) !== 0;
  return open && above.owner.system ? { name: `folder ${macPath}`, system: false } : above.owner;
}
