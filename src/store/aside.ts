import { lstatSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { formatMicros, type Micros } from '../base/time.js';

/** So many that were set aside are kept of each database, the newest ones, and of those after the first so many bytes. */
const kept = 3;
const keptBytes = 256 * 1024 * 1024;
const tails = ['', '-wal', '-shm'] as const;
const pattern = /^(launchwarden|events)\.db\.(damaged|newer-schema)-(\d{1,17})(?:-wal|-shm)?$/;

/** A database that was set aside whole: `<file>`, with `-wal` and `-shm` beside it when it had them. */
export interface SetAside {
  readonly file: string;
  readonly why: string;
  /** When, as an ISO time. */
  readonly time: string;
}

function exists(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** Renames a database with what belongs to it. Returns its new path. Throws what `rename` failed with. */
export function setAside(file: string, why: 'damaged' | 'newer-schema', now: Micros): string {
  let time = now;
  while (tails.some((tail) => exists(`${file}.${why}-${time}${tail}`))) time++;
  const aside = `${file}.${why}-${time}`;
  // The -wal first: a crash in between leaves a database without its newest changes, never one with a foreign -wal.
  for (const tail of ['-wal', '-shm', ''] as const) {
    if (exists(file + tail)) renameSync(file + tail, aside + tail);
  }
  forgetOldest(path.dirname(file), path.basename(file));
  return aside;
}

/** What stands set aside in a data folder, the newest first. */
export function listAside(dataDir: string): SetAside[] {
  let names: string[];
  try {
    names = readdirSync(dataDir);
  } catch {
    return [];
  }
  const found = new Map<string, { readonly why: string; readonly at: number }>();
  for (const name of names) {
    const [, database, why, time] = pattern.exec(name) ?? [];
    // Of a database that was gone only what lay beside it is there.
    if (why !== undefined) found.set(`${database}.db.${why}-${time}`, { why, at: Number(time) });
  }
  return [...found]
    .sort(([, a], [, b]) => b.at - a.at)
    .map(([file, { why, at }]) => ({ file, why, time: formatMicros(at) }));
}

function forgetOldest(dataDir: string, name: string): void {
  let bytes = 0;
  for (const [index, { file }] of listAside(dataDir)
    .filter((one) => one.file.startsWith(`${name}.`))
    .entries()) {
    const all = tails.map((tail) => path.join(dataDir, file + tail));
    bytes += all.reduce((sum, one) => sum + (lstatSync(one, { throwIfNoEntry: false })?.size ?? 0), 0);
    if (index === 0 || (index < kept && bytes <= keptBytes)) continue;
    for (const one of all) rmSync(one, { recursive: true, force: true });
  }
}
