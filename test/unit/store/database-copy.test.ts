import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import {
  knownSchemas,
  openStore,
  readOnlyReason,
  restoreDatabases,
  saveDatabases,
  schemasOf,
} from '../../../src/store/index.js';
import { tempFolder } from '../../helpers/run-cli.js';

function dataFolder(): string {
  const dataDir = path.join(tempFolder(), 'data');
  const store = openStore({ dataDir, clock: systemClock });
  store.meta.set('before', 'yes');
  store.close();
  return dataDir;
}

function metaOf(dataDir: string): string | undefined {
  const store = openStore({ dataDir, readOnly: true, clock: systemClock });
  try {
    return store.meta.get('before');
  } finally {
    store.close();
  }
}

/** As a newer version would leave it. */
function bringUpToDate(dataDir: string): void {
  const db = new Database(path.join(dataDir, 'launchwarden.db'));
  db.exec("UPDATE meta SET value = 'changed' WHERE key = 'before'");
  db.pragma(`user_version = ${knownSchemas.main + 1}`);
  db.close();
}

test('saved databases are put back, and the newer ones are kept beside', () => {
  const dataDir = dataFolder();
  expect(schemasOf(dataDir)).toEqual(knownSchemas);
  const [saved, aside] = [path.join(dataDir, 'before-2'), path.join(dataDir, 'after-2')];
  saveDatabases(dataDir, saved);
  bringUpToDate(dataDir);
  expect(schemasOf(dataDir)?.main).toBe(knownSchemas.main + 1);
  restoreDatabases(dataDir, saved, aside);
  expect(schemasOf(dataDir)).toEqual(knownSchemas);
  expect(metaOf(dataDir)).toBe('yes');
  expect(schemasOf(aside)?.main).toBe(knownSchemas.main + 1);
  // Again, as after a crash: nothing to do.
  restoreDatabases(dataDir, saved, path.join(dataDir, 'after-3'));
  expect(existsSync(path.join(dataDir, 'after-3'))).toBe(false);
});

test('a copy in which a log stands beside its database keeps what the log holds', () => {
  const dataDir = dataFolder();
  const db = new Database(path.join(dataDir, 'launchwarden.db'));
  db.pragma('journal_mode = WAL');
  db.exec("UPDATE meta SET value = 'in the log' WHERE key = 'before'");
  const saved = path.join(dataDir, 'before-2');
  saveDatabases(dataDir, saved);
  db.close();
  expect(readdirSync(saved)).toContain('launchwarden.db-wal');
  bringUpToDate(dataDir);
  restoreDatabases(dataDir, saved, path.join(dataDir, 'after-2'));
  expect(metaOf(dataDir)).toBe('in the log');
});

test('no databases, and ones that cannot be written', () => {
  const empty = path.join(tempFolder(), 'none');
  expect(schemasOf(empty)).toEqual({ main: undefined, events: undefined });
  mkdirSync(empty);
  expect(readOnlyReason(empty)).toBeUndefined();
  const dataDir = dataFolder();
  expect(readOnlyReason(dataDir)).toBeUndefined();
  chmodSync(path.join(dataDir, 'launchwarden.db'), 0o400);
  // Root writes all the same.
  expect(readOnlyReason(dataDir) !== undefined).toBe(process.geteuid?.() !== 0);
});
