import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { errnoOf, messageOf, reasonOf, UserError } from '../base/errors.js';
import { quote } from '../base/escape.js';
import { type JournalErrors, makeOwnFolder, readOwn, syncFolder } from '../base/journal-file.js';
import { type Bundle, beginDigest, bundleLimits, readManifest } from './bundle.js';

/** One version of the policy whose files lie unpacked in the data folder. */
export interface Held {
  readonly version: number;
  /** SHA-256 of the bundle, hex. */
  readonly digest: string;
  /** Ids of the keys that signed it and were trusted then. */
  readonly keys: readonly string[];
  /** RFC 3339. */
  readonly issued: string;
  readonly expires: string;
  /** When it was put in force here, RFC 3339. */
  readonly applied: string;
  /** False until an agent has been ready with it for a while. */
  readonly proven?: boolean;
}

/** A version that was tried and rolled back: only a newer one is tried again. */
export interface Bad {
  readonly version: number;
  readonly digest: string;
  readonly reason: string;
  readonly at: string;
  /** False when it happened at a start, and the destinations do not know of it yet. */
  readonly told?: boolean;
}

/** What this Mac knows of its policy. One small file, replaced as a whole: what it names is in force. */
export interface PolicyState {
  /** The highest version that was ever in force here: an older one is refused. */
  readonly highest: number;
  readonly current: Held | null;
  /** What is in force again when the current one fails. */
  readonly previous: Held | null;
  /** What is in force again when that one fails too: the last one that has proven itself, where `previous` has not. */
  readonly proven: Held | null;
  /** Present until an agent has been ready with the current one for a while: starts that did not get there. */
  readonly trial: { readonly starts: number } | null;
  readonly bad: readonly Bad[];
  readonly etag: string | null;
  /** Which server and keys the ETag is of (`sourceMark`). */
  readonly source: string | null;
  /** RFC 3339: the last time that the server was asked, and that its answer was good. */
  readonly checked: string | null;
  readonly confirmed: string | null;
  /** Why the last answer was not good, what to do about it, and how often in a row. */
  readonly failure: {
    readonly code: string;
    readonly message: string;
    readonly times: number;
    readonly hint?: string | null;
  } | null;
}

const noPolicy: PolicyState = {
  highest: 0,
  current: null,
  previous: null,
  proven: null,
  trial: null,
  bad: [],
  etag: null,
  source: null,
  checked: null,
  confirmed: null,
  failure: null,
};

const stateName = 'state.json';
/** The manifest of a version, beside its files. */
const manifestName = 'manifest.json';
const folderPattern = /^v(\d{1,15})-([0-9a-f]{12})$/;
const maxStateBytes = 256 * 1024;
const maxBad = 20;

export function policyFolder(dataDir: string): string {
  return path.join(dataDir, 'policy');
}

/** Where the files of a held version lie. */
export function heldFolder(dataDir: string, { version, digest }: Pick<Held, 'version' | 'digest'>): string {
  return path.join(policyFolder(dataDir), `v${version}-${digest.slice(0, 12)}`);
}

const errors: JournalErrors = {
  unsafe: (place, reason, cause) =>
    new UserError('policy/unsafe-state', `${place} ${reason}: the policy is not used`, {
      hint: "The data folder must be its owner's alone.",
      ...(cause === undefined ? {} : { cause }),
    }),
  unwritable: (file, reason, cause) =>
    new UserError('policy/cannot-write', `${file} cannot be written: ${reason}`, { cause }),
};

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= 2_000;
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function isHeld(value: unknown): value is Held {
  const { version, digest, keys, issued, expires, applied } = (value ?? {}) as Partial<Held>;
  return (
    isCount(version) &&
    /^[0-9a-f]{64}$/.test(digest ?? '') &&
    Array.isArray(keys) &&
    keys.every(isText) &&
    isText(issued) &&
    isText(expires) &&
    isText(applied)
  );
}

function damaged(file: string, cause?: unknown): UserError {
  return new UserError('policy/damaged-state', 'what is known of the policy is damaged: none is in force', {
    at: { file },
    hint: 'The agent fetches the policy again.',
    ...(cause === undefined ? {} : { cause }),
  });
}

function checked(value: unknown, file: string): PolicyState {
  const state = { ...noPolicy, ...(value as PolicyState) };
  const heldOrNone = (one: unknown) => one === null || isHeld(one);
  const { highest, current, previous, proven, trial, bad } = state;
  if (
    !isCount(highest) ||
    !heldOrNone(current) ||
    !heldOrNone(previous) ||
    !heldOrNone(proven) ||
    !(trial === null || isCount(trial.starts)) ||
    !Array.isArray(bad)
  )
    throw damaged(file);
  return { ...state, bad: bad.filter((one) => isCount(one?.version)).slice(-maxBad) };
}

/** Versions whose files lie in the data folder: what is known of the highest one outlives a damaged state. */
function foldersOf(dataDir: string): string[] {
  try {
    return readdirSync(policyFolder(dataDir));
  } catch {
    return [];
  }
}

/** Throws a UserError `policy/damaged-state` or `policy/unsafe-state`. */
export function readPolicyState(dataDir: string): PolicyState {
  const file = path.join(policyFolder(dataDir), stateName);
  const text = readOwn(file, errors, maxStateBytes);
  if (text === undefined) return noPolicy;
  try {
    return checked(JSON.parse(text), file);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw damaged(file, error);
  }
}

/** Changes with the address and with the keys: an ETag of another server says nothing, nor who else signed the bundle. */
export function sourceMark(url: string, keys: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([url, keys]))
    .digest('hex');
}

/** The state with a newer version in force, on trial; nothing that can be gone back to is lost. */
export function withNewer(state: PolicyState, current: Held): PolicyState {
  const next = { ...state, highest: current.version, current, trial: { starts: 0 } };
  // The same once more: its key was trusted again, or its files were lost.
  if (state.current === null || state.current.digest === current.digest) return next;
  const previous = { ...state.current, proven: state.trial === null };
  if (previous.proven) return { ...next, previous, proven: null };
  return { ...next, previous, proven: state.previous?.proven === false ? state.proven : state.previous };
}

/** The state in which the version before is in force again; one that had not proven itself is on trial again. */
export function withoutCurrent(state: PolicyState, bad: Bad): PolicyState {
  const { previous, proven } = state;
  return {
    ...state,
    current: previous,
    previous: proven,
    proven: null,
    trial: previous?.proven === false ? { starts: 0 } : null,
    bad: [...state.bad, bad],
  };
}

/** The state after a trial. */
export function withProven(state: PolicyState): PolicyState {
  const { current } = state;
  return { ...state, current: current === null ? null : { ...current, proven: true }, trial: null };
}

/** The state to go on with when there is a damaged one: nothing is in force, and no older version comes back. */
export function recoveredState(dataDir: string): PolicyState {
  const versions = foldersOf(dataDir).map((name) => Number(folderPattern.exec(name)?.[1] ?? 0));
  return { ...noPolicy, highest: Math.max(0, ...versions) };
}

function writeSynced(file: string, bytes: string | Uint8Array): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const descriptor = openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    const buffer = Buffer.from(bytes);
    for (let at = 0; at < buffer.length; ) at += writeSync(descriptor, buffer, at);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** What is left is removed by the next sweep. */
function discard(place: string): void {
  try {
    rmSync(place, { recursive: true, force: true });
  } catch {
    // The reason why it was not finished says more.
  }
}

/** Replaces the state in one step, on the disk before it returns. Throws a UserError `policy/cannot-write`. */
export function writePolicyState(dataDir: string, state: PolicyState): void {
  const folder = policyFolder(dataDir);
  const file = path.join(folder, stateName);
  const beside = path.join(folder, `.state-${randomBytes(6).toString('hex')}`);
  try {
    makeOwnFolder(folder, errors);
    writeSynced(beside, `${JSON.stringify({ ...state, bad: state.bad.slice(-maxBad) }, undefined, 2)}\n`);
    renameSync(beside, file);
    syncFolder(folder);
  } catch (error) {
    discard(beside);
    if (error instanceof UserError) throw error;
    throw errors.unwritable(file, reasonOf(error), error);
  }
}

/**
 * Unpacks a version beside the others: it is there as a whole, or not at all. Nothing refers to it yet. Returns its folder.
 * The paths are checked ones, without `..`.
 */
export function placeVersion(
  dataDir: string,
  of: Pick<Held, 'version' | 'digest'>,
  { manifestBytes, files }: Pick<Bundle, 'manifestBytes' | 'files'>,
): string {
  const folder = heldFolder(dataDir, of);
  const parent = policyFolder(dataDir);
  const beside = path.join(parent, `.new-${randomBytes(6).toString('hex')}`);
  try {
    makeOwnFolder(parent, errors);
    mkdirSync(beside, { mode: 0o700 });
    const folders = new Set([beside]);
    for (const { path: name, bytes } of [{ path: manifestName, bytes: manifestBytes }, ...files]) {
      const file = path.join(beside, name);
      mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
      for (let at = path.dirname(file); at !== beside; at = path.dirname(at)) folders.add(at);
      writeSynced(file, bytes);
    }
    for (const one of folders) syncFolder(one);
    rmSync(folder, { recursive: true, force: true });
    renameSync(beside, folder);
    syncFolder(parent);
    return folder;
  } catch (error) {
    discard(beside);
    if (error instanceof UserError) throw error;
    throw errors.unwritable(folder, reasonOf(error), error);
  }
}

/**
 * Reads again what was unpacked: the manifest and every file must be those that were signed, and nothing may lie beside
 * them. Throws a UserError `policy/damaged-files`.
 */
export function requireWhole(dataDir: string, held: Held): void {
  const folder = heldFolder(dataDir, held);
  const refuse = (message: string, cause?: unknown) =>
    new UserError('policy/damaged-files', message, { at: { file: folder }, cause });
  const read = (name: string) => {
    const file = path.join(folder, name);
    try {
      const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        const facts = fstatSync(descriptor);
        if (!facts.isFile() || facts.size > bundleLimits.bytes) throw new Error('it is no file of a bundle');
        return readFileSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      throw refuse(`${quote(name, 100)} cannot be read: ${messageOf(error)}`, error);
    }
  };
  const line = read(manifestName);
  let names: string[];
  try {
    names = readManifest(line).files.map((file) => file.path);
  } catch (error) {
    throw refuse('its manifest was changed', error);
  }
  const known = new Set([manifestName, ...names]);
  const more = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .find((name) => !known.has(name));
  if (more !== undefined) throw refuse(`${quote(more, 100)} is not of the bundle`);
  const hash = beginDigest(line);
  for (const name of names) hash.update(read(name));
  if (hash.digest('hex') !== held.digest) throw refuse('its files are not those that were signed');
}

/** Removes what no state refers to: versions before those to go back to, and what a crash left half written. */
export function sweepVersions(dataDir: string, { current, previous, proven }: PolicyState): void {
  const kept = new Set(
    [current, previous, proven].flatMap((one) =>
      one === null ? [] : [path.basename(heldFolder(dataDir, one))],
    ),
  );
  for (const name of foldersOf(dataDir)) {
    if (kept.has(name) || !(folderPattern.test(name) || /^\.(?:new|state)-[0-9a-f]{12}$/.test(name)))
      continue;
    discard(path.join(policyFolder(dataDir), name));
  }
}

/** True when the state cannot be read only because somebody else than its owner asks. */
export function isForbidden(error: unknown): boolean {
  const cause = error instanceof UserError ? error.cause : error;
  return errnoOf(cause) === 'EACCES' || errnoOf(cause) === 'EPERM';
}
