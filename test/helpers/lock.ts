import { createRequire } from 'node:module';
import path from 'node:path';
import type { Connection } from '../../src/store/database.js';

/** Its types are not exported as a constructor. */
export const Driver = createRequire(import.meta.url)('better-sqlite3') as new (file: string) => Connection;

/** Another program holds a lock on a database of the data folder until the returned function is called. */
export function lockOf(dataDir: string, name: 'launchwarden.db' | 'events.db'): () => void {
  const other = new Driver(path.join(dataDir, name));
  other.exec('BEGIN EXCLUSIVE');
  return () => {
    other.exec('ROLLBACK');
    other.close();
  };
}
