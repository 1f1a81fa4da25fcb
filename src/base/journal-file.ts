import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { errnoOf, messageOf, reasonOf, UserError } from './errors.js';
import { checkOwnFolder, refusalOf } from './own-file.js';

/** The errors of one journal. */
export interface JournalErrors {
  /** Somebody else could have written it: `place` is what is unsafe, `reason` says why. */
  unsafe(place: string, reason: string, cause?: unknown): UserError;
  unwritable(file: string, reason: string, cause: unknown): UserError;
}

const defaultMaxBytes = 1024 * 1024;

/**
 * A file of JSON lines that tells what is about to be done and what was done: a line is on the disk before `append`
 * returns. What a killed process left of a line is passed over, and nothing is glued to it.
 */
export class JournalFile {
  readonly file: string;
  readonly #errors: JournalErrors;
  readonly #maxBytes: number;
  #fd: number | undefined;
  #made: string | undefined;

  constructor(file: string, errors: JournalErrors, maxBytes = defaultMaxBytes) {
    this.file = file;
    this.#errors = errors;
    this.#maxBytes = maxBytes;
  }

  get isOpen(): boolean {
    return this.#fd !== undefined;
  }

  /** The outermost folder that was made for the file. */
  get madeFolder(): string | undefined {
    return this.#made;
  }

  /** Undefined when there is no file. Throws `unsafe`. */
  read(): Record<string, unknown>[] | undefined {
    return readOwn(this.file, this.#errors, this.#maxBytes)?.split('\n').flatMap(objectOf);
  }

  /** Throws `unwritable` or `unsafe`: then nothing may be done. */
  append(line: object): void {
    try {
      this.#fd ??= this.#open();
      writeSync(this.#fd, `${JSON.stringify(line)}\n`);
      fsyncSync(this.#fd);
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw this.#errors.unwritable(this.file, messageOf(error), error);
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  remove(): void {
    this.close();
    rmSync(this.file, { force: true });
  }

  #open(): number {
    const folder = path.dirname(this.file);
    this.#made = makeOwnFolder(folder, this.#errors);
    const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
    const fd = openSync(this.file, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
    try {
      const facts = fstatSync(fd);
      const refusal = refusalOf(facts);
      if (refusal !== undefined) throw this.#errors.unsafe(this.file, refusal);
      const last = Buffer.alloc(1);
      if (facts.size > 0 && readSync(fd, last, 0, 1, facts.size - 1) === 1 && last[0] !== 10)
        writeSync(fd, '\n');
      // A new file is there after a power cut when its folder says so.
      if (facts.size === 0) syncFolder(folder);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return fd;
  }
}

/** Puts the names of a folder on the disk. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Makes a folder of ours, private; gives the outermost one that had to be made. Throws `unsafe` when others could put
 * another one in its place, `unwritable` when it cannot be made.
 */
export function makeOwnFolder(folder: string, { unsafe, unwritable }: JournalErrors): string | undefined {
  checkOwnFolder(path.dirname(folder), { refuse: unsafe });
  try {
    return mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unwritable(folder, reasonOf(ownReason(folder, error)), error);
  }
}

/** Of a read-only disk Node.js says ENOENT when the folders above are to be made, too. */
function ownReason(folder: string, error: unknown): unknown {
  if (errnoOf(error) !== 'ENOENT') return error;
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (own) {
    return own;
  }
  return error;
}

/** The text of a file that only we can have written; undefined when there is none. */
export function readOwn(
  file: string,
  { unsafe }: JournalErrors,
  maxBytes = defaultMaxBytes,
): string | undefined {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw unsafe(file, `cannot be read: ${reasonOf(error)}`, error);
  }
  try {
    const facts = fstatSync(fd);
    const refusal = facts.size > maxBytes ? 'is too large' : refusalOf(facts);
    if (refusal !== undefined) throw unsafe(file, refusal);
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

function objectOf(line: string): Record<string, unknown>[] {
  try {
    const value = JSON.parse(line) as Record<string, unknown> | null;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? [value] : [];
  } catch {
    return [];
  }
}
