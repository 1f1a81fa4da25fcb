import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { errnoOf, messageOf, UserError } from '../base/errors.js';
import { checkOwnFolder, refusalOf } from '../base/own-file.js';

/** How every label, folder and file that is made here begins: nothing else is ever undone. */
export const labelPrefix = 'com.launchwarden.prove.';
export const folderPrefix = 'launchwarden-prove-';

/** Something that was, or was about to be, done to the machine. Paths are those of this machine. */
export type Undo =
  /** A private folder, with all that is in it. */
  | { readonly kind: 'folder'; readonly path: string }
  /** A property list in a launch directory. */
  | { readonly kind: 'file'; readonly path: string }
  /** A job in the domain `system`: `file` is what it was loaded from. */
  | { readonly kind: 'job'; readonly file: string; readonly label: string }
  | { readonly kind: 'process'; readonly pid: number; readonly program: string };

interface Entry {
  readonly id: number;
  readonly undo: Undo;
}

const maxBytes = 1024 * 1024;

/**
 * What has to be undone, in a file, so that a run that was killed is cleaned up by the next one. An entry is on the disk
 * before its deed is done, and is struck out when it is undone.
 */
export class Journal {
  readonly #file: string;
  #fd: number | undefined;
  #open = new Map<number, Undo>();
  #next = 1;
  /** The outermost folder that was made for the file. */
  #made: string | undefined;

  /** `folder`: private to us, made when there is something to write. */
  constructor(folder: string) {
    this.#file = path.join(folder, 'journal.ndjson');
  }

  /**
   * What an earlier run left, newest first. Throws `prove/running` when that run still runs, and `prove/unsafe-journal`
   * when somebody else could have written it.
   */
  left(alive: (pid: number) => boolean): Undo[] {
    const text = readOwn(this.#file);
    if (text === undefined) return [];
    const open = new Map<number, Undo>();
    for (const line of text.split('\n')) {
      const entry = parse(line);
      if (entry?.pid !== undefined && entry.pid !== process.pid && alive(entry.pid))
        throw new UserError('prove/running', `another run of prove is at work (process ${entry.pid})`, {
          hint: `Wait for its end. If that process is no run of prove, remove ${this.#file}.`,
        });
      if (entry?.id !== undefined && entry.undo !== undefined) open.set(entry.id, entry.undo);
      if (entry?.done !== undefined) open.delete(entry.done);
    }
    return [...open.values()].reverse();
  }

  /** Journals a deed; the number strikes it out. Throws a UserError when it cannot be written: then nothing may be done. */
  add(undo: Undo): number {
    const entry: Entry = { id: this.#next++, undo };
    this.#write(entry);
    this.#open.set(entry.id, undo);
    return entry.id;
  }

  done(id: number): void {
    this.#open.delete(id);
    this.#write({ done: id });
  }

  /** Removes the file when everything is undone, and the folders that were made for it, unless they hold something. */
  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
    if (this.#open.size > 0) return;
    rmSync(this.#file, { force: true });
    const outermost = this.#made ?? path.dirname(this.#file);
    for (let at = path.dirname(this.#file); at.startsWith(outermost); at = path.dirname(at)) removeEmpty(at);
  }

  /** Of an earlier run, once all that it left is undone. */
  forget(): void {
    rmSync(this.#file, { force: true });
    removeEmpty(path.dirname(this.#file));
  }

  #write(line: object): void {
    try {
      if (this.#fd === undefined) {
        const folder = path.dirname(this.#file);
        this.#made = makeOwnFolder(folder);
        const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
        this.#fd = openSync(this.#file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
        writeSync(this.#fd, `${JSON.stringify({ pid: process.pid })}\n`);
      }
      writeSync(this.#fd, `${JSON.stringify(line)}\n`);
      fsyncSync(this.#fd);
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError('prove/no-journal', `${this.#file} cannot be written: ${messageOf(error)}`, {
        hint: 'What prove does is journaled first, so that it can be undone. Use sudo, or name a folder of yours with --data-dir.',
        cause: error,
      });
    }
  }
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It holds something, answers say.
  }
}

/** Makes a folder of ours, private; gives the outermost one that had to be made. Throws `prove/unsafe-journal` when others could put another one in its place. */
export function makeOwnFolder(folder: string): string | undefined {
  checkOwnFolder(path.dirname(folder), { refuse: unsafe });
  return mkdirSync(folder, { recursive: true, mode: 0o700 });
}

function unsafe(place: string, reason: string, cause?: unknown): UserError {
  return new UserError('prove/unsafe-journal', `${place} ${reason}: it could tell root what to undo`, {
    hint: 'Name a data folder with --data-dir that belongs to root, in folders that belong to root.',
    cause,
  });
}

/** The text of a file that only we can have written; undefined when there is none. */
export function readOwn(file: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw unsafe(file, `cannot be read: ${messageOf(error)}`, error);
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

interface Line {
  readonly pid?: number;
  readonly id?: number;
  readonly undo?: Undo;
  readonly done?: number;
}

/** A line of the journal; undefined for the half line of a run that was killed, and for what is none of ours. */
function parse(line: string): Line | undefined {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const number = (key: string) => (Number.isSafeInteger(value[key]) ? (value[key] as number) : undefined);
  const [pid, id, done] = [number('pid'), number('id'), number('done')];
  const undo = undoOf(value['undo']);
  return {
    ...(pid === undefined ? {} : { pid }),
    ...(id === undefined ? {} : { id }),
    ...(done === undefined ? {} : { done }),
    ...(undo === undefined ? {} : { undo }),
  };
}

function undoOf(value: unknown): Undo | undefined {
  const undo = value as
    | Partial<Record<'kind' | 'path' | 'file' | 'label' | 'pid' | 'program', unknown>>
    | undefined;
  const text = (key: 'path' | 'file' | 'label' | 'program') => String(undo?.[key] ?? '');
  switch (undo?.kind) {
    case 'folder':
      return path.basename(text('path')).startsWith(folderPrefix)
        ? { kind: 'folder', path: text('path') }
        : undefined;
    case 'file':
      return path.basename(text('path')).startsWith(labelPrefix)
        ? { kind: 'file', path: text('path') }
        : undefined;
    case 'job':
      return text('label').startsWith(labelPrefix)
        ? { kind: 'job', file: text('file'), label: text('label') }
        : undefined;
    case 'process':
      return Number.isSafeInteger(undo.pid) && (undo.pid as number) > 1
        ? { kind: 'process', pid: undo.pid as number, program: text('program') }
        : undefined;
    default:
      return undefined;
  }
}
