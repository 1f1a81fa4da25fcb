import {
  accessSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import path from 'node:path';
import { messageOf } from '../base/errors.js';
import { eventsSchema, mainSchema } from './schema.js';
import { openDatabase, openMemory } from './sqlite.js';

/** Schema versions that this program knows. */
export const knownSchemas = { main: mainSchema.length, events: eventsSchema.length } as const;

const files = { main: 'launchwarden.db', events: 'events.db' } as const;

/** Throws a UserError `store/no-binding` when the SQLite library does not work here. */
export function trySqlite(): void {
  openMemory(1024 * 1024).close();
}

/**
 * Schema versions of the databases of a data folder; undefined of one that is not there. Undefined when one cannot be read:
 * the agent sets such a file aside.
 */
export function schemasOf(
  dataDir: string,
): { readonly main: number | undefined; readonly events: number | undefined } | undefined {
  try {
    return {
      main: schemaOf(path.join(dataDir, files.main)),
      events: schemaOf(path.join(dataDir, files.events)),
    };
  } catch {
    return undefined;
  }
}

function schemaOf(file: string): number | undefined {
  if (!existsSync(file)) return undefined;
  const db = openDatabase(file, { readOnly: true, busyMs: 1_000 });
  try {
    return db.pragma('user_version', { simple: true }) as number;
  } finally {
    db.close();
  }
}

/** Why the databases of a data folder cannot be written; undefined when they can, or there are none. */
export function readOnlyReason(dataDir: string): string | undefined {
  for (const name of [files.main, files.events]) {
    const file = path.join(dataDir, name);
    if (!existsSync(file)) continue;
    try {
      accessSync(file, constants.W_OK);
      accessSync(dataDir, constants.W_OK | constants.X_OK);
    } catch (error) {
      return messageOf(error);
    }
  }
  return undefined;
}

/** The write-ahead log first: a database without its own is one that was closed. */
function all(folder: string): string[] {
  return Object.values(files)
    .flatMap((name) => [`${name}-wal`, name])
    .filter((name) => existsSync(path.join(folder, name)));
}

/** Copies both databases, each with its log, into a private folder. Nobody may have them open. */
export function saveDatabases(dataDir: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { mode: 0o700 });
  for (const name of all(dataDir)) copy(path.join(dataDir, name), path.join(to, name));
  sync(to);
}

/**
 * Puts saved databases back where their schema is not the one that they had; the newer ones are moved to `aside`. Does nothing
 * when they are as they were. Can be done again when it was cut off.
 */
export function restoreDatabases(dataDir: string, from: string, aside: string): void {
  const saved = schemasOf(from);
  const now = schemasOf(dataDir);
  const isWhole = now?.main === saved?.main && now?.events === saved?.events;
  if (isWhole || saved === undefined) return;
  const away = freeFolder(aside);
  for (const name of all(dataDir)) renameSync(path.join(dataDir, name), path.join(away, name));
  sync(away);
  for (const name of Object.values(files)) rmSync(path.join(dataDir, `${name}-shm`), { force: true });
  for (const name of all(from)) copy(path.join(from, name), path.join(dataDir, name));
  sync(dataDir);
}

/** A new folder of that name, or, when an earlier attempt was cut off, of the next one: nothing is written over. */
function freeFolder(name: string): string {
  for (let attempt = 0; ; attempt++) {
    const folder = attempt === 0 ? name : `${name}-${attempt}`;
    if (existsSync(folder)) continue;
    mkdirSync(folder, { mode: 0o700 });
    return folder;
  }
}

function copy(from: string, to: string): void {
  const beside = `${to}.new`;
  copyFileSync(from, beside, constants.COPYFILE_FICLONE);
  sync(beside);
  renameSync(beside, to);
}

function sync(place: string): void {
  const fd = openSync(place, constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
