import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../base/clock.js';
import { errnoOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import { readPlist } from '../base/plist/index.js';
import { canonicalMacPath, type RootMap } from '../base/root.js';
import type { Home } from '../sensors/file-watch/index.js';

/** The records of local users, which root alone may read: a property list each. Source: opendirectoryd(8). */
const records = '/private/var/db/dslocal/nodes/Default/users';
const maxRecords = 4_096;
/** The records are looked at no more often than this, milliseconds. */
const freshMs = 1_000;
const maxBytes = 1024 * 1024;
const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/**
 * Reads the homes of local users from their records: they may stand on any volume. A record is read again only when it
 * has changed. Without the right to read them, none is known, which is logged once.
 */
export function userHomes(root: RootMap, clock: Clock, log: Logger): () => readonly Home[] {
  const folder = root.toHost(records);
  const read = new Map<string, { readonly stamp: string; readonly homes: readonly Home[] }>();
  let changed = '';
  let homes: readonly Home[] = [];
  let said = '';
  let lookedAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = clock.monotonic();
    if (now - lookedAt < freshMs) return homes;
    lookedAt = now;
    try {
      const stamp = stampOf(folder);
      if (stamp === changed) return homes;
      const names = readdirSync(folder).filter((name) => name.endsWith('.plist'));
      const found: Home[] = [];
      for (const name of names.slice(0, maxRecords)) found.push(...homesIn(path.join(folder, name), read));
      [homes, changed] = [found, stamp];
    } catch (error) {
      const code = errnoOf(error) ?? 'unknown';
      if (code !== 'ENOENT' && code !== said)
        log.warn({ code }, 'user records cannot be read: homes outside of /Users are not known');
      said = code;
    }
    return homes;
  };
}

function homesIn(
  file: string,
  read: Map<string, { readonly stamp: string; readonly homes: readonly Home[] }>,
): readonly Home[] {
  try {
    const stamp = stampOf(file);
    const before = read.get(file);
    if (before?.stamp === stamp) return before.homes;
    const homes = parse(bytesOf(file));
    read.set(file, { stamp, homes });
    return homes;
  } catch {
    // One bad record hides no other.
    return [];
  }
}

function stampOf(host: string): string {
  const { ino, ctimeNs, size } = lstatSync(host, { bigint: true });
  return `${ino}:${ctimeNs}:${size}`;
}

function bytesOf(file: string): Uint8Array {
  const fd = openSync(file, flags);
  try {
    if (!fstatSync(fd).isFile()) return new Uint8Array();
    const bytes = Buffer.alloc(maxBytes);
    return bytes.subarray(0, readSync(fd, bytes, 0, maxBytes, 0));
  } finally {
    closeSync(fd);
  }
}

/** Values stand in arrays: `name` is the short name, `home` the folder. */
function parse(bytes: Uint8Array): Home[] {
  const list = readPlist(bytes);
  if (!list.ok || !(list.value instanceof Map)) return [];
  const { value } = list;
  const texts = (key: string) => {
    const found = value.get(key);
    return (Array.isArray(found) ? found : [found]).filter((one): one is string => typeof one === 'string');
  };
  const user = texts('name')[0];
  if (user === undefined) return [];
  return texts('home')
    .filter((home) => home.startsWith('/') && home.length <= 1024 && canonicalMacPath(home) !== '/')
    .map((home) => ({ user, path: canonicalMacPath(home) }));
}
