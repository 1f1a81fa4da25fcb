import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { errnoOf, messageOf, reasonOf, UserError } from '../base/errors.js';
import { quote } from '../base/escape.js';
import { OwnershipCheck, realFiles } from '../base/ownership.js';
import { type PlistValue, readPlist } from '../base/plist/index.js';
import { dotted, type KeyPath } from '../base/toml-positions.js';
import { isTable, type Tables } from './layers.js';
import { type Issue, issueError } from './read.js';
import { configSchema } from './schema.js';

/** Where macOS puts what device management sets for our domain (an implementation detail of macOS, known only here). */
const managedFile = '/Library/Managed Preferences/com.launchwarden.agent.plist';
const maxBytes = 1024 * 1024;
const maxDepth = 16;
/** So many keys are named; a profile of another product has any number. */
const mostIgnored = 50;

/** What device management set. */
export interface Managed {
  readonly file: string;
  /** Without what cannot be used. */
  readonly tables: Tables;
  /** What cannot be used, each with the key: it is left out, the rest holds. */
  readonly problems: readonly UserError[];
}

function refused(file: string, reason: string, cause?: unknown): UserError {
  return new UserError('config/managed-refused', `managed preferences are not used: ${reason}`, {
    at: { file },
    hint: 'macOS writes this file itself, owned by root: push the profile again, and find out who changed it.',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** On the machine itself root alone may be able to change it; in a tree that stands for a Mac nobody but its maker. */
function requireSafe(file: string, facts: Stats, simulated: boolean): void {
  if (!facts.isFile()) throw refused(file, 'it is not a regular file');
  if (facts.size > maxBytes) throw refused(file, `it is larger than ${maxBytes} bytes`);
  if ((facts.mode & 0o022) !== 0) throw refused(file, 'others than its owner can write to it');
  if (simulated) {
    if (facts.uid !== 0 && facts.uid !== process.geteuid?.())
      throw refused(file, `it belongs to user ${facts.uid}`);
    return;
  }
  new OwnershipCheck(realFiles, {
    owners: [0],
    stickyPasses: false,
    refuse: (place, reason, cause) => refused(file, `${place} ${reason}`, cause),
  }).path(file);
}

function bytesOf(file: string, simulated: boolean): Uint8Array | undefined {
  let descriptor: number;
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    descriptor = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    if (errnoOf(error) === 'ELOOP') throw refused(file, 'it is a link', error);
    throw refused(file, `it cannot be read: ${reasonOf(error)}`, error);
  }
  try {
    requireSafe(file, fstatSync(descriptor), simulated);
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** A value as the configuration knows it; null for what it has no form for (a date, data): no key takes that. */
function plain(value: PlistValue, depth = 0): unknown {
  if (depth > maxDepth) return null;
  if (value instanceof Map)
    return Object.fromEntries(
      [...value]
        .filter(([key]) => key !== '__proto__')
        .map(([key, child]) => [key, plain(child, depth + 1)] as const),
    );
  if (Array.isArray(value)) return value.map((one) => plain(one, depth + 1));
  return ['string', 'number', 'boolean'].includes(typeof value) ? value : null;
}

/** The tables without what stands at the path; in `[[destination]]` the whole destination goes, else the list. */
function without(tables: unknown, path: KeyPath): unknown {
  const [key, ...rest] = path;
  if (Array.isArray(tables) && typeof key === 'number') return tables.filter((_, index) => index !== key);
  if (!isTable(tables) || key === undefined) return tables;
  const child = tables[key];
  const { [key as string]: _, ...others } = tables;
  const inside = rest.length > 0 && (isTable(child) || (Array.isArray(child) && child.every(isTable)));
  if (!inside) return others;
  // A key that is missing there: without its table the rest may hold.
  if (isTable(child) && rest.length === 1 && !Object.hasOwn(child, rest[0] as string)) return others;
  const left = without(child, rest);
  return Array.isArray(left) && left.length === 0 ? others : { ...others, [key]: left };
}

/** Takes out what the schema does not accept, one key after the other, until the rest is accepted. */
function usable(
  tables: Tables,
  file: string,
): { readonly tables: Tables; readonly problems: readonly UserError[] } {
  const problems: UserError[] = [];
  let left = tables;
  for (let round = 0; round < mostIgnored; round++) {
    const result = v.safeParse(configSchema, left);
    if (result.success) return { tables: left, problems };
    const issue = result.issues[0] as Issue;
    const at = (issue.path ?? []).map((item) => item.key as string | number);
    const { code, message, hint } = issueError(issue, { file });
    problems.push(
      new UserError(code, `managed preference ${quote(dotted(at), 80)} is not used: ${message}`, {
        at: { file },
        ...(hint === undefined ? {} : { hint }),
      }),
    );
    left = without(left, at) as Tables;
  }
  problems.push(refused(file, `more than ${mostIgnored} keys cannot be used`));
  return { tables: {}, problems };
}

/** Tells one state of the managed preferences from another, without reading them. */
export function managedMark(root: string | undefined, platform: NodeJS.Platform): string {
  if (root === undefined && platform !== 'darwin') return '';
  try {
    const { ino, size, mode, uid, mtimeNs, ctimeNs } = lstatSync(path.join(root ?? '/', managedFile), {
      bigint: true,
    });
    return [ino, size, mode, uid, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    return errnoOf(error) ?? 'unknown';
  }
}

/**
 * Reads what device management set for this Mac. Never throws: what cannot be used is a problem, and left out. Undefined
 * where nothing is managed.
 */
export function readManaged(root: string | undefined, platform: NodeJS.Platform): Managed | undefined {
  if (root === undefined && platform !== 'darwin') return undefined;
  const file = path.join(root ?? '/', managedFile);
  try {
    const bytes = bytesOf(file, root !== undefined);
    if (bytes === undefined) return undefined;
    const read = readPlist(bytes);
    if (!read.ok) throw refused(file, read.detail);
    if (!(read.value instanceof Map)) throw refused(file, 'it holds no dictionary');
    const tables = Object.fromEntries(
      // Of the profile itself (PayloadUUID and the like).
      Object.entries(plain(read.value) as Tables).filter(([key]) => !key.startsWith('Payload')),
    );
    return { file, ...usable(tables, file) };
  } catch (error) {
    const problem = error instanceof UserError ? error : refused(file, messageOf(error), error);
    return { file, tables: {}, problems: [problem] };
  }
}
