import { closeSync, constants, openSync } from 'node:fs';
import { errnoOf, messageOf } from './errors.js';
import type { RootMap } from './root.js';

/** Whether this process may read what only Full Disk Access opens. */
export type DiskAccess =
  | { readonly state: 'granted' }
  | { readonly state: 'denied'; readonly reason: string }
  | { readonly state: 'unknown'; readonly reason: string };

/** A file that macOS opens to nobody without Full Disk Access, root neither (macOS path). */
export const guardedFile = '/Library/Application Support/com.apple.TCC/TCC.db';

/** Proves it: opens the guarded file and closes it again. No database is asked who was granted what. */
export function diskAccess(root: RootMap): DiskAccess {
  const file = root.toHost(guardedFile);
  try {
    closeSync(openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW));
    return { state: 'granted' };
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'EPERM' || code === 'EACCES')
      return { state: 'denied', reason: `${file} may not be opened (${code})` };
    const reason = code === 'ENOENT' ? `there is no ${file}` : messageOf(error);
    return { state: 'unknown', reason };
  }
}
