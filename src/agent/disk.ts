import { readdirSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';

/** What a data folder takes up and what its volume has left, bytes; null where that cannot be learned. */
export interface DiskUse {
  readonly data_bytes: number | null;
  readonly free_bytes: number | null;
}

export function diskUse(dataDir: string): DiskUse {
  return { data_bytes: sizeOf(dataDir), free_bytes: freeOf(dataDir) };
}

function freeOf(folder: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return null;
  }
}

/** Of the files that stand in it: the databases and what SQLite keeps beside them. */
function sizeOf(folder: string): number | null {
  try {
    let size = 0;
    for (const one of readdirSync(folder, { withFileTypes: true })) {
      if (!one.isFile()) continue;
      size += statSync(path.join(folder, one.name), { throwIfNoEntry: false })?.size ?? 0;
    }
    return size;
  } catch {
    return null;
  }
}
