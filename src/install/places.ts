import { existsSync } from 'node:fs';
import path from 'node:path';

export const jobLabel = 'com.launchwarden.agent';

const home = '/Library/Application Support/launchwarden';

/** Where everything stands on a Mac (macOS paths). */
export const places = {
  job: `/Library/LaunchDaemons/${jobLabel}.plist`,
  // /etc is a link to /private/etc.
  logRotation: '/private/etc/newsyslog.d/com.launchwarden.conf',
  home,
  config: `${home}/config.toml`,
  data: `${home}/data`,
  /** One folder a version, `<version>-<hash>`, each with all that it runs. */
  versions: `${home}/versions`,
  /** A link to the version that runs. It is changed by a rename, so that it always leads to a whole one. */
  current: `${home}/current`,
  /** Where the .pkg puts its files; its postinstall installs from there (`scripts/package/release-plan.mjs`). */
  package: `${home}/package`,
  /** What is installed (`state.ts`), and what is under way (`transaction.ts`). */
  state: `${home}/install.json`,
  journal: `${home}/install.journal`,
  logs: '/Library/Logs/launchwarden',
  log: '/Library/Logs/launchwarden/agent.log',
  crashLog: '/Library/Logs/launchwarden/crash.log',
} as const;

/** Of the .pkg, as macOS remembers it (pkgutil(1)). */
export const packageId = 'com.launchwarden.agent.pkg';

/** What the job runs, whichever version is current: the same paths for all of them. */
export const jobProgram = {
  node: `${places.current}/node`,
  script: `${places.current}/app/bin/launchwarden.js`,
} as const;

/** The place of a macOS path in the tree that stands for a Mac, or on the Mac itself. */
export function placed(macPath: string, root: string | undefined): string {
  return root === undefined ? macPath : path.join(root, macPath);
}

/** What the job of a tree names may stand in the tree or beside it: where it is on this machine. */
export function onThisMachine(written: string, root: string | undefined): string;
export function onThisMachine(written: string | undefined, root: string | undefined): string | undefined;
export function onThisMachine(written: string | undefined, root: string | undefined): string | undefined {
  if (written === undefined || root === undefined) return written;
  const inside = path.join(root, written);
  return existsSync(inside) ? inside : written;
}
