/**
 * Where macOS looks for launch items and directory plug-ins, as wildcard patterns of canonical macOS paths (`*` in a
 * folder's place stands for one folder). Source: launchd.plist(5), launchd(8); reference/macos.md sections 1.7 and 8.
 */
export const launchItemPatterns: readonly string[] = [
  '/Library/LaunchAgents/*',
  '/Library/LaunchDaemons/*',
  '/Users/*/Library/LaunchAgents/*',
  '/private/var/root/Library/LaunchAgents/*',
  '/System/Library/LaunchAgents/*',
  '/System/Library/LaunchDaemons/*',
  '/System/Library/LaunchAngels/*',
  '/Library/Apple/System/Library/LaunchAgents/*',
  '/Library/Apple/System/Library/LaunchDaemons/*',
];

/** Folders of DirectoryService plug-ins: each `*.dsplug` below is a bundle, that is, a folder. */
export const plugInPatterns: readonly string[] = ['/Library/DirectoryServices/PlugIns/*'];

const launchItem =
  /^(?:(?:\/System|\/Library\/Apple\/System)?\/Library|\/Users\/[^/]+\/Library|\/private\/var\/root\/Library)\/(LaunchAgents|LaunchDaemons|LaunchAngels)\/./i;
/** Of homes on other volumes, which hold agents alone; which they are, the user records say. */
const elsewhere = /^\/Volumes\/.+\/Library\/LaunchAgents\/./i;

/** What launchd would take the file for by its folder; undefined when it stands in no launch directory. */
export function launchItemKind(macPath: string): 'agent' | 'daemon' | undefined {
  const folder = launchItem.exec(macPath)?.[1]?.toLowerCase();
  if (folder === undefined) return elsewhere.test(macPath) ? 'agent' : undefined;
  return folder === 'launchdaemons' ? 'daemon' : 'agent';
}

/** True for a folder in which launchd looks for items, and for the one of directory plug-ins. */
export function isLaunchFolder(macPath: string): boolean {
  return (
    (launchItemKind(`${macPath}/x`) !== undefined && launchItemKind(macPath) === undefined) ||
    /^\/Library\/DirectoryServices\/PlugIns$/i.test(macPath)
  );
}

/** True inside a directory plug-in, `x.dsplug/Contents/Info.plist`, not for the bundle itself. */
export function insidePlugIn(macPath: string): boolean {
  return /^\/Library\/DirectoryServices\/PlugIns\/[^/]+\/./i.test(macPath);
}

/** The home that a path stands in, where homes usually are. */
export function homeOf(macPath: string): string | undefined {
  return /^(\/Users\/[^/]+|\/private\/var\/root)\//i.exec(macPath)?.[1];
}
