import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '../../base/errors.js';
import { closeToOthers, refusalOf } from '../../base/own-file.js';

/** Filebeat tells files apart by their first 1024 bytes: the header is longer than that and unlike any other. */
const headerBytes = 1100;

export interface NdjsonFileOptions {
  readonly path: string;
  readonly rotateBytes: number;
  readonly keep: number;
  readonly mode: number;
  /** ISO 8601; the header's and the archive's time. */
  now(): string;
  /** Called before it is opened; throws when others could put another file in its place. */
  check?(): void;
}

/**
 * A file of JSON lines with a fixed name, appended to in whole lines, synchronised before it counts as written. It
 * rotates by rename into `archive/`, so that a reader which follows it by name or by inode reads each line once.
 */
export class NdjsonFile {
  readonly #options: NdjsonFileOptions;
  #handle: FileHandle | undefined;
  #identity = '';
  #size = 0;

  constructor(options: NdjsonFileOptions) {
    this.#options = options;
  }

  /** Appends whole lines (each with its line feed) in one write. All or nothing: a write that fails half-way is undone. */
  async append(lines: string): Promise<void> {
    let handle = await this.#open();
    if (this.#size >= this.#options.rotateBytes) {
      // Before anything is written: what cannot be rotated is an error, and not a line that stands there twice.
      await this.#rotate();
      handle = await this.#open();
    }
    const before = this.#size;
    const bytes = Buffer.from(lines);
    try {
      let written = 0;
      while (written < bytes.length) written += (await handle.write(bytes, written)).bytesWritten;
      await handle.datasync();
      this.#size = before + bytes.length;
    } catch (error) {
      await handle.truncate(before).catch(() => undefined);
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  async #open(): Promise<FileHandle> {
    if (this.#handle !== undefined) {
      // Somebody else may have moved or removed the file: the lines belong under its name.
      const there = await lstat(this.#options.path, { bigint: true }).catch(() => undefined);
      if (there !== undefined && identityOf(there) === this.#identity) return this.#handle;
      await this.close();
    }
    this.#options.check?.();
    const flags =
      constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await open(this.#options.path, flags, this.#options.mode);
    try {
      const facts = await handle.stat({ bigint: true });
      const reason = refusalOf(await handle.stat());
      if (reason !== undefined) throw new Error(`${this.#options.path} ${reason}`);
      closeToOthers(handle.fd, this.#options.mode);
      this.#identity = identityOf(facts);
      this.#size = Number(facts.size);
      const opening = this.#size === 0 ? this.#header() : (await endsOpen(handle, this.#size)) ? '\n' : '';
      if (opening !== '') {
        await handle.write(opening);
        this.#size += Buffer.byteLength(opening);
      }
    } catch (error) {
      await handle.close();
      throw error;
    }
    this.#handle = handle;
    return handle;
  }

  #header(): string {
    const record = {
      '@timestamp': this.#options.now(),
      event: {
        kind: 'state',
        module: 'launchwarden',
        dataset: 'launchwarden.file',
        action: 'file-opened',
        id: randomUUID(),
      },
      message: 'launchwarden begins a file',
      launchwarden: { padding: '' },
    };
    record.launchwarden.padding = '.'.repeat(Math.max(0, headerBytes - JSON.stringify(record).length));
    return `${JSON.stringify(record)}\n`;
  }

  async #rotate(): Promise<void> {
    const { path: file, keep } = this.#options;
    const folder = path.join(path.dirname(file), 'archive');
    const { name, ext } = path.parse(file);
    await this.close();
    await mkdir(folder, { mode: 0o750 }).catch((error: unknown) => {
      if (errnoOf(error) !== 'EEXIST') throw error;
    });
    const facts = await lstat(folder);
    if (!facts.isDirectory()) throw new Error(`${folder} is not a directory`);
    if (facts.uid !== 0 && facts.uid !== process.geteuid?.())
      throw new Error(`${folder} belongs to user ${facts.uid}`);
    const stamp = this.#options.now().replaceAll(/[-:]/g, '').replace('.', '_');
    await rename(file, path.join(folder, `${name}-${stamp}-${randomUUID().slice(0, 8)}${ext}`));
    const old = (await readdir(folder))
      .filter((entry) => entry.startsWith(`${name}-`) && entry.endsWith(ext))
      .sort();
    for (const entry of old.slice(0, Math.max(0, old.length - keep))) await unlink(path.join(folder, entry));
  }
}

function identityOf({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${dev}:${ino}`;
}

/** True when the last line was cut off, by a crash in the middle of a write. */
async function endsOpen(handle: FileHandle, size: number): Promise<boolean> {
  const last = Buffer.alloc(1);
  await handle.read(last, 0, 1, size - 1);
  return last[0] !== 0x0a;
}
