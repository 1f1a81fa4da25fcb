import path from 'node:path';

const macHome = '/Library/Application Support/launchwarden';

/** Where configuration and data stand when nobody says otherwise. Paths of this machine. */
export interface DefaultPaths {
  readonly config: string;
  readonly dataDir: string;
}

/**
 * On a Mac, and in a tree that stands for one (`root`, absolute), /Library/Application Support/launchwarden: root owns
 * every folder on the way there. Elsewhere the places of hier(7).
 */
export function defaultPaths(platform: NodeJS.Platform, root?: string): DefaultPaths {
  if (root !== undefined || platform === 'darwin') {
    const home = path.join(root ?? '/', macHome);
    return { config: path.join(home, 'config.toml'), dataDir: path.join(home, 'data') };
  }
  return { config: '/etc/launchwarden/config.toml', dataDir: '/var/lib/launchwarden' };
}
