import { rmdirSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../base/errors.js';
import { type JournalErrors, JournalFile } from '../base/journal-file.js';

/** How every label, folder and file that is made here begins: nothing else is ever undone. */
export const labelPrefix = 'com.launchwarden.prove.';
export const folderPrefix = 'launchwarden-prove-';

/** Something that was, or was about to be, done to the machine. Paths are those of this machine. */
export type Undo =
  /** A private folder, with all that is in it. */
  | { readonly kind: 'folder'; readonly path: string }
  /** A property list in a launch directory. */
  | { readonly kind: 'file'; readonly path: string }
  /** A job: `file` is what it was loaded from. `domain` of launchd, such as `gui/501`; `system` when absent. */
  | { readonly kind: 'job'; readonly file: string; readonly label: string; readonly domain?: string }
  | { readonly kind: 'process'; readonly pid: number; readonly program: string };

interface Entry {
  readonly id: number;
  readonly undo: Undo;
}

/** The command that journals, as its errors name it, and how the label of every item that it makes begins. */
export interface JournalOwner {
  readonly command: string;
  readonly labelPrefix: string;
}

const proveOwner: JournalOwner = { command: 'prove', labelPrefix };

export const journalErrors = errorsOf(proveOwner);

function errorsOf({ command }: JournalOwner): JournalErrors {
  return {
    unsafe: (place, reason, cause) =>
      new UserError(`${command}/unsafe-journal`, `${place} ${reason}: it could tell root what to undo`, {
        hint: 'Name a data folder with --data-dir that belongs to root, in folders that belong to root.',
        cause,
      }),
    unwritable: (file, reason, cause) =>
      new UserError(`${command}/no-journal`, `${file} cannot be written: ${reason}`, {
        hint: `What ${command} does is journaled first, so that it can be undone. Use sudo, or name a folder of yours with --data-dir.`,
        cause,
      }),
  };
}

/**
 * What has to be undone, in a file, so that a run that was killed is cleaned up by the next one. An entry is on the disk
 * before its deed is done, and is struck out when it is undone.
 */
export class Journal {
  readonly #lines: JournalFile;
  readonly #owner: JournalOwner;
  #open = new Map<number, Undo>();
  #next = 1;

  /** `folder`: private to us, made when there is something to write. */
  constructor(folder: string, owner: JournalOwner = proveOwner) {
    this.#owner = owner;
    this.#lines = new JournalFile(path.join(folder, 'journal.ndjson'), errorsOf(owner));
  }

  /**
   * What an earlier run left, newest first. Throws `COMMAND/running` when that run still runs, and
   * `COMMAND/unsafe-journal` when somebody else could have written it.
   */
  left(alive: (pid: number) => boolean): Undo[] {
    const { command, labelPrefix: prefix } = this.#owner;
    const open = new Map<number, Undo>();
    for (const line of this.#lines.read() ?? []) {
      const entry = parse(line, prefix);
      if (entry.pid !== undefined && entry.pid !== process.pid && alive(entry.pid))
        throw new UserError(
          `${command}/running`,
          `another run of ${command} is at work (process ${entry.pid})`,
          { hint: `Wait for its end. If that process is no run of ${command}, remove ${this.#lines.file}.` },
        );
      if (entry.id !== undefined && entry.undo !== undefined) open.set(entry.id, entry.undo);
      if (entry.done !== undefined) open.delete(entry.done);
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
    if (!this.#lines.isOpen) return;
    this.#lines.close();
    if (this.#open.size > 0) return;
    this.#lines.remove();
    const folder = path.dirname(this.#lines.file);
    const outermost = this.#lines.madeFolder ?? folder;
    for (let at = folder; at.startsWith(outermost); at = path.dirname(at)) removeEmpty(at);
  }

  /** Of an earlier run, once all that it left is undone. */
  forget(): void {
    this.#lines.remove();
    removeEmpty(path.dirname(this.#lines.file));
  }

  #write(line: object): void {
    if (!this.#lines.isOpen) this.#lines.append({ pid: process.pid });
    this.#lines.append(line);
  }
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It holds something, answers say.
  }
}

interface Line {
  readonly pid?: number;
  readonly id?: number;
  readonly undo?: Undo;
  readonly done?: number;
}

/** A line of the journal; empty for what is none of ours. */
function parse(value: Record<string, unknown>, prefix: string): Line {
  const number = (key: string) => (Number.isSafeInteger(value[key]) ? (value[key] as number) : undefined);
  const [pid, id, done] = [number('pid'), number('id'), number('done')];
  const undo = undoOf(value['undo'], prefix);
  return {
    ...(pid === undefined ? {} : { pid }),
    ...(id === undefined ? {} : { id }),
    ...(done === undefined ? {} : { done }),
    ...(undo === undefined ? {} : { undo }),
  };
}

function undoOf(value: unknown, prefix: string): Undo | undefined {
  const undo = value as
    | Partial<Record<'kind' | 'path' | 'file' | 'label' | 'domain' | 'pid' | 'program', unknown>>
    | undefined;
  const text = (key: 'path' | 'file' | 'label' | 'domain' | 'program') => String(undo?.[key] ?? '');
  switch (undo?.kind) {
    case 'folder':
      return path.basename(text('path')).startsWith(folderPrefix)
        ? { kind: 'folder', path: text('path') }
        : undefined;
    case 'file':
      return path.basename(text('path')).startsWith(prefix)
        ? { kind: 'file', path: text('path') }
        : undefined;
    case 'job':
      return text('label').startsWith(prefix)
        ? {
            kind: 'job',
            file: text('file'),
            label: text('label'),
            ...(/^(?:gui|user)\/\d+$/.test(text('domain')) ? { domain: text('domain') } : {}),
          }
        : undefined;
    case 'process':
      return Number.isSafeInteger(undo.pid) && (undo.pid as number) > 1
        ? { kind: 'process', pid: undo.pid as number, program: text('program') }
        : undefined;
    default:
      return undefined;
  }
}
