import path from 'node:path';

export const jobLabel = 'com.launchwarden.agent';

/** Where everything stands on a Mac (macOS paths). */
export const places = {
  job: `/Library/LaunchDaemons/${jobLabel}.plist`,
  // /etc is a link to /private/etc.
  logRotation: '/private/etc/newsyslog.d/com.launchwarden.conf',
  home: '/Library/Application Support/launchwarden',
  config: '/Library/Application Support/launchwarden/config.toml',
  data: '/Library/Application Support/launchwarden/data',
  logs: '/Library/Logs/launchwarden',
  log: '/Library/Logs/launchwarden/agent.log',
  crashLog: '/Library/Logs/launchwarden/crash.log',
} as const;

/** The place of a macOS path in the tree that stands for a Mac, or on the Mac itself. */
export function placed(macPath: string, root: string | undefined): string {
  return root === undefined ? macPath : path.join(root, macPath);
}
