import path from 'node:path';
import type { JobKeys } from './job-keys.js';

/**
 * What an obstacle does: `refused`, launchd takes the list from nobody; `off`, it is switched off; `elsewhere`, it is for
 * other sessions or Macs; `by-hand`, launchd does not find it by itself and loads it when it is told to; `doubt`, it may
 * or may not load; `cannot-start`, it is loaded and its program cannot run; `note`, nothing, worth knowing.
 */
export type ObstacleEffect = 'refused' | 'off' | 'elsewhere' | 'by-hand' | 'doubt' | 'cannot-start' | 'note';

/** Why a job is not loaded or does not start. */
export interface Obstacle {
  /** Stable word. */
  readonly word: string;
  readonly effect: ObstacleEffect;
  /** A clause that follows "launchd does not load it:". */
  readonly because: string;
}

/** The file of a list as it was seen. */
export interface ListFile {
  /** Canonical macOS path. */
  readonly path: string;
  readonly type: 'file' | 'dir' | 'symlink' | 'other';
  readonly uid?: number | undefined;
  /** Permission bits. */
  readonly mode?: number | undefined;
}

/** What surrounds a list, as far as it is known. */
export interface Surroundings {
  /** Owner and permission bits of the folder that holds the list. */
  readonly folder?: { readonly uid: number; readonly mode: number };
  /** Who owns the home that the list stands in. */
  readonly homeOwner?: number | undefined;
  /** Of launchd's table of overrides: true for disabled; undefined when the table does not have the label. */
  readonly override?: boolean | undefined;
  /** Of the database of background items: whether its user has it switched on; undefined when it is not there. */
  readonly background?: boolean | undefined;
  /** Other lists with the same label that would be loaded in the same domain. */
  readonly sameLabel?: readonly string[];
  readonly program?: ProgramState | undefined;
  /** Values of hardware properties of this Mac (`model`). */
  readonly hardware?: ReadonlyMap<string, string> | undefined;
}

export interface ProgramState {
  readonly path: string;
  readonly state: 'there' | 'missing' | 'not-executable' | 'folder';
}

/** A list, and what is known of it. `job`: undefined when what it holds is no job. */
export interface Question {
  readonly daemon: boolean;
  /** Inside an application that registers it (SMAppService). */
  readonly bundled?: boolean;
  readonly file: ListFile;
  readonly job: JobKeys | undefined;
  readonly around?: Surroundings;
}

/**
 * Everything that keeps a job from being loaded or from starting, worst first. Sources: launchd.plist(5), launchctl(1);
 * ownership and mode as launchd's own message "Path had bad ownership/permissions" names them.
 */
export function obstaclesOf(question: Question): readonly Obstacle[] {
  const { job } = question;
  const found = [...ofFile(question), ...ofPlace(question), ...ofFolder(question)];
  if (job === undefined)
    found.push(refused('no-job', 'what the file holds is no property list with a job in it'));
  else found.push(...ofKeys(job, question), ...ofSwitches(job, question), ...ofProgram(job, question));
  return found.sort((a, b) => rank[a.effect] - rank[b.effect]);
}

const rank: Readonly<Record<ObstacleEffect, number>> = {
  refused: 0,
  off: 1,
  elsewhere: 2,
  'by-hand': 3,
  doubt: 4,
  'cannot-start': 5,
  note: 6,
};

function refused(word: string, because: string): Obstacle {
  return { word, effect: 'refused', because };
}

function* ofFile({ file, around, bundled }: Question): Generator<Obstacle> {
  const { type, uid, mode } = file;
  if (type === 'dir' || type === 'other') {
    yield refused('not-a-file', 'it is no regular file');
    return;
  }
  if (bundled === true) return;
  // Of a link, what counts is the file that it leads to.
  if (type === 'file' && mode !== undefined && (mode & 0o022) !== 0)
    yield refused('writable-by-others', 'its group or everybody may write the list');
  if (uid === undefined || uid === 0 || type !== 'file') return;
  if (!inHome(file.path)) yield refused('not-owned-by-root', `the list belongs to user ${uid}, not to root`);
  else if (around?.homeOwner !== undefined && uid !== around.homeOwner)
    yield refused(
      'not-owned-by-user',
      `the list belongs to user ${uid}, neither to root nor to user ${around.homeOwner} whose home it stands in`,
    );
}

/** A home, wherever it stands. */
function inHome(macPath: string): boolean {
  return !/^\/(?:System\/|Library\/)/i.test(macPath);
}

function* ofPlace({ file, bundled, around }: Question): Generator<Obstacle> {
  if (bundled === true) {
    if (around?.background === undefined)
      yield {
        word: 'not-registered',
        effect: 'by-hand',
        because:
          'the application that holds it must register it first, and no background item says that it did',
      };
    return;
  }
  const name = path.posix.basename(file.path);
  if (!name.toLowerCase().endsWith('.plist'))
    yield { word: 'not-plist-name', effect: 'by-hand', because: 'its name does not end in .plist' };
  if (!/^launch(?:agents|daemons|angels)$/i.test(path.posix.basename(path.posix.dirname(file.path))))
    yield {
      word: 'in-subfolder',
      effect: 'by-hand',
      because: 'it stands in a folder below the launch directory',
    };
}

function* ofFolder({ file, around, bundled }: Question): Generator<Obstacle> {
  const { folder } = around ?? {};
  if (folder === undefined || bundled === true) return;
  const others = (folder.mode & 0o022) !== 0 && (folder.mode & 0o1000) === 0;
  if (others)
    yield {
      word: 'folder-writable-by-others',
      effect: 'note',
      because: 'its group or everybody may put other lists into its folder',
    };
  const owner = inHome(file.path) ? around?.homeOwner : 0;
  if (owner !== undefined && folder.uid !== 0 && folder.uid !== owner)
    yield {
      word: 'folder-of-another-user',
      effect: 'note',
      because: `its folder belongs to user ${folder.uid}, who may put other lists into it`,
    };
}

function* ofKeys(job: JobKeys, question: Question): Generator<Obstacle> {
  if (job.label === undefined || job.label === '') yield refused('no-label', 'it has no Label');
  if (!job.program && !job.bundleProgram)
    yield refused('no-program', 'it names no program: neither Program nor ProgramArguments');
  yield* ofSessions(job, question);
  yield* ofHardware(job, question);
  const hosts = [...job.toHosts, ...job.fromHosts];
  if (hosts.length > 0)
    yield {
      word: 'limited-to-hosts',
      effect: 'note',
      because: 'it is limited to some hosts, a key which launchd no longer heeds',
    };
  if (!question.daemon && job.userName !== undefined)
    yield {
      word: 'user-name-ignored',
      effect: 'note',
      because: 'UserName counts for daemons alone: an agent runs as whoever is logged in',
    };
  const others = question.around?.sameLabel ?? [];
  if (others.length > 0)
    yield {
      word: 'label-clash',
      effect: 'doubt',
      because: `${others.slice(0, 3).join(', ')}${others.length > 3 ? ' and more' : ''} has the same label, and launchd keeps the first one that it loads`,
    };
}

/** Where no key says it: agents in the session at the screen. */
const usualSession = 'Aqua';

/** Of an agent. Source: Technical Note TN2083, "Daemons and Agents". */
const sessionsOf: Readonly<Record<string, string>> = {
  loginwindow: 'at the login window, before anybody has logged in',
  background: 'for each user, also without a screen',
  standardio: 'in sessions that are not at the screen, such as those of SSH',
};

function whereLoaded(type: string): string {
  return sessionsOf[type.toLowerCase()] ?? `in sessions of the type ${type.slice(0, 100)}`;
}

function* ofSessions({ sessionTypes }: JobKeys, { daemon }: Question): Generator<Obstacle> {
  if (sessionTypes.length === 0) return;
  const has = (wanted: string) => sessionTypes.some((one) => one.toLowerCase() === wanted.toLowerCase());
  const listed = sessionTypes.slice(0, 5).join(', ');
  const known = daemon ? ['System'] : [usualSession, 'Background', 'LoginWindow', 'StandardIO'];
  if (!known.some(has))
    yield {
      word: 'other-session',
      effect: 'elsewhere',
      because: `it is limited to sessions of the type ${listed}, in which ${daemon ? 'daemons' : 'agents'} are not loaded`,
    };
  else if (!daemon && !has(usualSession))
    yield {
      word: 'not-at-the-screen',
      effect: 'note',
      because: `it is limited to sessions of the type ${listed}: it loads ${sessionTypes.map(whereLoaded).join(', and ')}, and not in the session of whoever is logged in at the screen`,
    };
}

function* ofHardware({ toHardware, fromHardware }: JobKeys, { around }: Question): Generator<Obstacle> {
  for (const [key, values] of toHardware) {
    const own = around?.hardware?.get(key);
    if (own === undefined)
      yield {
        word: 'hardware-not-known',
        effect: 'doubt',
        because: `it is limited to Macs whose hw.${key} is one of ${values.slice(0, 3).join(', ')}, and what this one's is, is not known`,
      };
    else if (!values.includes(own))
      yield {
        word: 'other-hardware',
        effect: 'elsewhere',
        because: `it is not for a Mac whose hw.${key} is ${own}`,
      };
  }
  for (const [key, values] of fromHardware) {
    const own = around?.hardware?.get(key);
    if (own !== undefined && values.includes(own))
      yield {
        word: 'other-hardware',
        effect: 'elsewhere',
        because: `it is not for a Mac whose hw.${key} is ${own}`,
      };
  }
}

function* ofSwitches(job: JobKeys, { around, bundled }: Question): Generator<Obstacle> {
  const { override, background } = around ?? {};
  if (override === true)
    yield {
      word: 'disabled-by-override',
      effect: 'off',
      because: "launchd's table of overrides has its label disabled (`launchctl disable`)",
    };
  // The table counts more than the key.
  if (job.disabled === true && override === undefined)
    yield { word: 'disabled-by-key', effect: 'off', because: 'its key Disabled is set' };
  if (job.disabled === true && override === false)
    yield {
      word: 'enabled-by-override',
      effect: 'note',
      because: "its key Disabled is set, and launchd's table of overrides has it enabled, which counts more",
    };
  if (background === false)
    yield {
      word: 'disabled-by-user',
      effect: 'off',
      because: bundled
        ? 'its application has not been allowed to run in the background (Login Items in System Settings)'
        : 'its user has switched it off under Login Items in System Settings',
    };
}

function* ofProgram({ program }: JobKeys, { around }: Question): Generator<Obstacle> {
  if (program !== undefined && program !== '' && !program.includes('/'))
    yield {
      word: 'bare-program',
      effect: 'note',
      because:
        'it names its program without a folder: which one runs is decided by the search path of launchd',
    };
  const { state, path: at } = around?.program ?? {};
  if (state === undefined || state === 'there') return;
  const because = {
    missing: `there is nothing at ${at}`,
    'not-executable': `${at} may not be executed by anybody`,
    folder: `${at} is a folder`,
  }[state];
  yield { word: `program-${state}`, effect: 'cannot-start', because };
}
