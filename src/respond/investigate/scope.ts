import type { AnswerMark } from '../../event/investigation.js';
import { defineStep, fact, point } from './answer.js';
import { type FileNow, fileNow } from './files.js';
import { textIn } from './read.js';

interface Facts {
  readonly path: string | undefined;
  readonly now: FileNow | undefined;
  /** Why the file could not be looked at. */
  readonly why: string | undefined;
  /** As the event saw it. */
  readonly owner: string | undefined;
  readonly ownerId: string | undefined;
  readonly runsAs: string | undefined;
}

/** Whom an item concerns, by where it stands. */
interface Scope {
  readonly mark: AnswerMark;
  readonly says: string;
  /** Whose home it stands in. */
  readonly user?: string;
}

export const scope = defineStep<Facts>({
  name: 'scope',
  question: 'Whom does it concern: one user, everybody, or the system?',
  read({ alert: { doc }, about, root }) {
    const now = about.path === undefined ? undefined : fileNow(root, about.path);
    return {
      path: about.path,
      now: now !== undefined && 'value' in now ? now.value : undefined,
      why: now !== undefined && 'why' in now ? now.why : undefined,
      owner: textIn(doc, 'file.owner'),
      ownerId: textIn(doc, 'file.uid'),
      runsAs: textIn(doc, 'launchwarden.plist.user_name') ?? textIn(doc, 'launchwarden.persistence.as'),
    };
  },
  says({ path, now, why, owner, ownerId, runsAs }, { about }) {
    if (path === undefined)
      return { mark: 'unknown', says: 'The alert is about no file.', unknown: ['the alert names no file'] };
    const { mark, says, user } = scopeOf(path, about.mechanism);
    const uid = now === undefined ? ownerId : String(now.uid);
    const foreign =
      user !== undefined && owner !== undefined && owner !== user && about.mechanism !== undefined;
    const writable = now !== undefined && now.type !== 'symlink' && (now.mode & 0o022) !== 0;
    return {
      mark: foreign && mark === 'neutral' ? 'notable' : mark,
      says,
      points: [
        user === undefined ? undefined : point('neutral', `It stands in the home of ${user}.`),
        foreign
          ? point('notable', `It belongs to ${owner}, and not to the user in whose home it stands.`)
          : undefined,
        writable ? point('notable', 'Its group or everybody may write it.') : undefined,
        runsAs === undefined
          ? undefined
          : point(runsAs === 'root' ? 'notable' : 'neutral', `It runs as ${runsAs}.`),
        /\/DirectoryServices\/PlugIns\/[^/]+\.dsplug(?:\/|$)/i.test(path)
          ? point(
              'notable',
              'The path is that of a directory plug-in: /Library/DirectoryServices/PlugIns/*.dsplug.',
            )
          : undefined,
      ],
      facts: [
        fact('path', path),
        about.file === path ? undefined : fact('file', about.file),
        fact('kind', about.kind),
        fact('owner', owner === undefined ? uid : uid === undefined ? owner : `${owner} (uid ${uid})`),
        now === undefined ? undefined : fact('mode', now.mode.toString(8).padStart(4, '0')),
      ],
      unknown: [why === undefined ? undefined : `how it stands there now: ${why}`],
    };
  },
});

export function scopeOf(path: string, mechanism: string | undefined): Scope {
  const user = /^\/Users\/(?!Shared\/)([^/]+)\//.exec(path)?.[1];
  if (/^\/System\//i.test(path))
    return {
      mark: 'worrying',
      says: 'The system itself, and so everybody: only macOS writes there, and it is sealed while System Integrity Protection is on.',
    };
  if (/\/LaunchDaemons\//i.test(path))
    return {
      mark: 'notable',
      says: 'The whole Mac: launchd runs it as root or as the user it names, with nobody logged in.',
    };
  if (user !== undefined)
    return { mark: 'neutral', says: `One user, ${user}: it runs when ${user} is logged in.`, user };
  if (/^\/private\/var\/root\//i.test(path))
    return { mark: 'notable', says: 'One user, root, whose home hardly any software uses.', user: 'root' };
  if (/\/LaunchAgents\//i.test(path))
    return { mark: 'notable', says: 'Every user of this Mac: it runs for each one who logs in.' };
  if (mechanism === 'directory-service-plug-in')
    return { mark: 'notable', says: 'The whole Mac: the directory service loads it as root, from boot on.' };
  return { mark: 'notable', says: 'The whole Mac: it stands in a place of the system and not of one user.' };
}
