import { readdirSync, statSync } from 'node:fs';
import { launchItemKind } from '../../base/launch-paths.js';
import type { RootMap } from '../../base/root.js';

const home = /^(\/Users\/[^/]+|\/private\/var\/root)\/Library\/LaunchAgents\//i;

/** Owner of a file or folder; undefined when there is none. */
function ownerOf(hostPath: string): number | undefined {
  try {
    return statSync(hostPath, { throwIfNoEntry: false })?.uid;
  } catch {
    return undefined;
  }
}

/** root has no session; on a tree of --root its user is whoever runs the test, root as well. */
function mayHaveSession(uid: number | undefined, root: RootMap): uid is number {
  return uid !== undefined && (uid !== 0 || root.simulated);
}

/** The user in front of the screen: who owns /dev/console. root stands there for the login window. */
export function consoleUser(root: RootMap): number | undefined {
  const uid = ownerOf(root.toHost('/dev/console'));
  return uid === 0 ? undefined : uid;
}

/** Who has a home below /Users, at most `most`: any of them may log in, at the screen or elsewhere. */
export function homeOwners(root: RootMap, most: number): readonly number[] {
  const folder = root.toHost('/Users');
  const owners = new Set<number>();
  try {
    for (const name of readdirSync(folder).slice(0, 1_000)) {
      // Nobody's home.
      if (name === 'Shared' || name.startsWith('.')) continue;
      const owner = owners.size < most ? ownerOf(`${folder}/${name}`) : undefined;
      if (mayHaveSession(owner, root)) owners.add(owner);
    }
  } catch {
    // No homes.
  }
  return [...owners];
}

/** The domains of one user: the session at the screen, and the one that also exists without it. */
export function domainsOfUser(uid: number): readonly string[] {
  return [`gui/${uid}`, `user/${uid}`];
}

/**
 * Where the job of a launch item can come to be loaded: a daemon's in `system`; an agent's in the sessions of its owner,
 * or of everybody who is logged in, and in `system` when root ran `launchctl load` (launchctl(1)).
 */
export function domainsOf(macPath: string, users: readonly number[], root: RootMap): readonly string[] {
  if (launchItemKind(macPath) === 'daemon') return ['system'];
  const folder = home.exec(macPath)?.[1];
  const owner = folder === undefined ? undefined : ownerOf(root.toHost(folder));
  const sessions = folder === undefined ? users : mayHaveSession(owner, root) ? [owner] : [];
  return [...sessions.flatMap(domainsOfUser), 'system'];
}

/** Whose items these are, for a fair share: a home, or the system's own places. */
export function ownerKey(macPath: string): string {
  return /^\/Users\/[^/]+|^\/private\/var\/root/i.exec(macPath)?.[0].toLowerCase() ?? 'system';
}
