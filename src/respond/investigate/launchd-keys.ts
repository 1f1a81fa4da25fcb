import type { AnswerMark } from '../../event/investigation.js';

/** What a key of launchd.plist(5) makes of its job, and when it is suspicious. */
export interface LaunchdKey {
  readonly says: string;
  /** Whether this value is what an attacker would write; `notable` and `worrying` are explained by `because`. */
  readonly suspicious?: (value: unknown) => AnswerMark | undefined;
  readonly because?: string;
}

const always = (mark: AnswerMark) => () => mark;
const whenTrue = (mark: AnswerMark) => (value: unknown) => (value === true ? mark : undefined);
const texts = (value: unknown): string[] => {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(texts);
  return typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, one]) => [key, ...texts(one)])
    : [];
};
const holds = (pattern: RegExp, mark: AnswerMark) => (value: unknown) =>
  texts(value).some((text) => pattern.test(text)) ? mark : undefined;

/** Folders that everybody may write, or that hide what stands there. */
const oddPlace =
  /^(?:\/private)?\/(?:tmp|var\/tmp|var\/folders)\/|^\/Users\/Shared\/|^\/Volumes\/|\/\.[^/.]|^\/Users\/[^/]+\/(?:Downloads|Public)\//;
/** What an argument says when it fetches, hides or runs something. */
const oddArgument =
  /\b(?:curl|wget|nscurl|osascript|base64|eval|openssl|xxd|python[\d.]*|perl|ruby|nohup|mkfifo)\b|\/dev\/tcp\/|https?:\/\/|\bnc\b|-e\b.*\bdo shell script\b/i;
const shortInterval = 300;

/** Source: launchd.plist(5). The order is that in which they are shown. */
export const launchdKeys: Readonly<Record<string, LaunchdKey>> = {
  Label: {
    says: 'The name by which launchd knows the job.',
    suspicious: holds(/^com\.apple\./i, 'worrying'),
    because: "the name claims to be Apple's",
  },
  Program: {
    says: 'The program that launchd starts.',
    suspicious: holds(oddPlace, 'worrying'),
    because: 'it stands in a folder that is hidden or that everybody may write',
  },
  ProgramArguments: {
    says: 'The program with its arguments.',
    suspicious: (value) => holds(oddPlace, 'worrying')(value) ?? holds(oddArgument, 'worrying')(value),
    because: 'they fetch, decode or run something, or name a place where nothing should run from',
  },
  BundleProgram: { says: 'The program inside of the application that brought the job.' },
  RunAtLoad: { says: 'It starts at once when it is loaded: at every boot or login.' },
  KeepAlive: {
    says: 'launchd starts it again whenever it ends.',
    suspicious: (value) => (value === true ? 'notable' : undefined),
    because: 'whoever kills the process sees it come back; the job has to be booted out',
  },
  StartInterval: {
    says: 'It starts again every so many seconds.',
    suspicious: (value) => (typeof value === 'number' && value < shortInterval ? 'notable' : undefined),
    because: 'so short an interval is usual for what calls home',
  },
  StartCalendarInterval: { says: 'It starts at given times.' },
  StartOnMount: {
    says: 'It starts whenever a volume is mounted.',
    suspicious: whenTrue('notable'),
    because: 'few programs need that',
  },
  WatchPaths: {
    says: 'It starts whenever one of these files or folders changes.',
    suspicious: holds(/^\/Users\/|Keychains|Downloads|\/private\/etc/, 'notable'),
    because: 'it waits for what a user does',
  },
  QueueDirectories: { says: 'It starts as long as one of these folders is not empty.' },
  Sockets: {
    says: 'launchd listens on the network, or on a socket, and starts it for each connection.',
    suspicious: always('notable'),
    because: 'somebody else can start it from elsewhere',
  },
  MachServices: {
    says: 'It starts when another program asks for one of these services.',
    suspicious: holds(/^com\.apple\./i, 'worrying'),
    because: "a service of that name would be Apple's",
  },
  LaunchEvents: { says: 'It starts when the system reports one of these events.' },
  EnvironmentVariables: {
    says: 'Variables that its process gets.',
    suspicious: holds(
      /^(?:DYLD_|NODE_OPTIONS$|PYTHONSTARTUP$|PERL5OPT$|RUBYOPT$|BASH_ENV$|ENV$|LD_PRELOAD$)/,
      'worrying',
    ),
    because: 'they make a program load or run foreign code, even one that is signed',
  },
  UserName: {
    says: 'The user as whom it runs; launchd ignores it in an agent.',
    suspicious: holds(/^root$/, 'notable'),
    because: 'it runs with all rights',
  },
  GroupName: { says: 'The group as which it runs.' },
  WorkingDirectory: {
    says: 'The folder that it works in.',
    suspicious: holds(oddPlace, 'notable'),
    because: 'a relative name then leads to a place that everybody may write, or that is hidden',
  },
  RootDirectory: {
    says: 'The folder that it takes for the root of the file system.',
    suspicious: always('notable'),
    because: 'all its paths mean something else than they seem to',
  },
  StandardInPath: {
    says: 'Where its input comes from.',
    suspicious: holds(oddPlace, 'notable'),
    because: 'an interpreter runs what stands there',
  },
  StandardOutPath: {
    says: 'Where its output goes.',
    suspicious: holds(/^\/dev\/null$/, 'notable'),
    because: 'what it prints is thrown away, so that nobody sees it',
  },
  StandardErrorPath: {
    says: 'Where its messages go.',
    suspicious: holds(/^\/dev\/null$/, 'notable'),
    because: 'its complaints are thrown away, so that nobody sees them',
  },
  LimitLoadToSessionType: {
    says: 'In which kind of session an agent is loaded.',
    suspicious: holds(/^LoginWindow$/, 'worrying'),
    because: 'it runs before anybody has logged in, where passwords are typed',
  },
  ProcessType: { says: 'How much of the machine it may use.' },
  AbandonProcessGroup: {
    says: 'What it started goes on when it ends.',
    suspicious: whenTrue('notable'),
    because: 'booting the job out does not end its children',
  },
  EnablePressuredExit: { says: 'It may be ended when memory is short.' },
  ExitTimeOut: { says: 'So many seconds it gets to end.' },
  ThrottleInterval: { says: 'launchd waits so many seconds before it starts it again.' },
  Disabled: { says: 'It is not loaded by itself, unless somebody enables it.' },
  LegacyTimers: { says: 'Its timers are exact.' },
  Nice: { says: 'Its priority.' },
  LowPriorityIO: { says: 'It reads and writes when nobody else does.' },
  Umask: { says: 'Which rights its files do not get.' },
  SessionCreate: {
    says: 'It gets a security session of its own.',
    suspicious: whenTrue('notable'),
    because: 'only what shows a login needs one',
  },
  EnableGlobbing: {
    says: 'Wildcards in its arguments are filled in.',
    suspicious: whenTrue('notable'),
    because: 'what runs depends on which files exist; launchd itself dropped this',
  },
  LaunchOnlyOnce: { says: 'It can start once alone until the next boot.' },
  InitGroups: { says: 'It gets all groups of its user.' },
  inetdCompatibility: {
    says: 'It is started for each connection, as inetd does.',
    suspicious: always('notable'),
    because: 'somebody else can start it from elsewhere',
  },
  AssociatedBundleIdentifiers: {
    says: 'The applications under whose name Login Items shows it.',
    suspicious: holds(/^com\.apple\./i, 'worrying'),
    because: "it would be shown as one of Apple's",
  },
};
