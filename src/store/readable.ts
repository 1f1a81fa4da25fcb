import { copyFileSync, existsSync, lstatSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { errnoOf } from '../base/errors.js';
import type { Connection } from './database.js';
import { troubleOf } from './sqlite.js';

/**
 * Opens a database for reading, also from a place where nothing can be written (a read-only volume, a copy for an
 * examiner), and one of an older version. SQLite needs a -shm file beside a -wal; where it can make none, and where the
 * schema has to be brought up to date, a private copy is read, which `remove` removes.
 */
export function openReadable(
  file: string,
  open: (file: string, writable?: boolean) => Connection,
): { readonly connection: Connection; readonly remove: () => void } {
  try {
    return { connection: open(file), remove: () => {} };
  } catch (error) {
    const older = errnoOf(error) === 'store/older-schema' && lstatSync(file).size > 0;
    if ((troubleOf(error) !== 'refused' && !older) || !existsSync(file)) throw error;
    return openCopy(file, (copy) => open(copy, older), error);
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
