import { bundleItem, nameOf } from './bundle.js';
import { itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { runsOfProgram } from './read.js';

const starts = { when: ['mount'], as: 'root' } as const;

/** Code that macOS runs as root when a volume is looked at or mounted. Source: mount(8), diskarbitrationd(8). */
export const fileSystem: Mechanism = {
  id: 'file-system',
  name: 'file system',
  techniques: ['T1546'],
  places: [
    { scope: 'system', path: '/Library/Filesystems', what: 'bundles', extensions: ['fs'] },
    // The tools that look at, mount and check a volume.
    { scope: 'system', path: '/Library/Filesystems/*.fs/Contents/Resources', what: 'entries' },
    { scope: 'system', path: '/Library/Filesystems/NetFSPlugins', what: 'bundles', extensions: ['bundle'] },
  ],
  read: (file) => (/\/Contents\/Resources\//i.test(file.path) ? toolIn(file) : bundleItem(file, starts)),
  removal: (_item, { path }) => `Unmount the volumes that need it, then delete ${path}.`,
};

function toolIn(file: MechanismFile): PersistentItem[] {
  if (file.type !== 'file' || ((file.mode ?? 0) & 0o111) === 0) return [];
  return [itemOf({ label: nameOf(file.path), runs: [runsOfProgram(file.path)], ...starts })];
}
