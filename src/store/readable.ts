import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Connection } from './database.js';
import { troubleOf } from './sqlite.js';

/**
 * Opens a database for reading, also from a place where nothing can be written (a read-only volume, a copy for an
 * examiner). SQLite needs a -shm file beside a -wal; where it can make none, a private copy is read, which `remove` removes.
 */
export function openReadable(
  file: string,
  open: (file: string) => Connection,
): { readonly connection: Connection; readonly remove: () => void } {
  try {
    return { connection: open(file), remove: () => {} };
  } catch (error) {
    if (troubleOf(error) !== 'refused' || !existsSync(file)) throw error;
    return openCopy(file, open, error);
  }
}

function openCopy(file: string, open: (file: string) => Connection, cause: unknown) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-copy-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const copy = path.join(folder, path.basename(file));
    for (const tail of ['', '-wal']) if (existsSync(file + tail)) copyFileSync(file + tail, copy + tail);
    return { connection: open(copy), remove };
  } catch {
    remove();
    throw cause;
  }
}
