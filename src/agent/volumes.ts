import { isLocalType, linuxVolumes, type Volume } from '../enrich/index.js';
import { loadAddon } from '../sensors/addon/index.js';

/** The volumes that are mounted now, asked of the kernel in a way that never waits. None where that cannot be had. */
export function mountedVolumes(): readonly Volume[] {
  if (process.platform === 'linux') return linuxVolumes();
  const loaded = loadAddon();
  if (loaded.state !== 'loaded') return [];
  return (loaded.addon.mountedVolumes?.() ?? []).map(({ path, type, local }) => ({
    path,
    local: local && isLocalType(type),
  }));
}
