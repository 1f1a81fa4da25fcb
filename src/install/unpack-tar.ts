import {
  closeSync,
  constants,
  createReadStream,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import { errnoOf, messageOf, UserError } from '../base/errors.js';
import { isInside, linkOutside } from './manifest.js';
import { cannotWrite } from './place.js';

const block = 512;
const maxEntries = 100_000;
const maxBytes = 4 * 1024 ** 3;
const maxExtended = 1024 * 1024;

function bad(file: string, reason: string, cause?: unknown): UserError {
  return new UserError('install/damaged-payload', `${file} cannot be unpacked: ${reason}`, {
    hint: 'Name a tar archive, plain or with gzip. Fetch or build it again.',
    cause,
  });
}

/**
 * Unpacks a tar archive (IEEE Std 1003.1, pax(1), "ustar" and "pax Interchange Format"; GNU long names) of regular files,
 * folders and links that stay inside, plain or with gzip, into an empty folder of ours. Nothing is written outside of it,
 * through a link, or twice. Throws `install/damaged-payload`, `install/disk-full`.
 */
export async function unpackTar(file: string, into: string): Promise<void> {
  let reader: Blocks | undefined;
  try {
    reader = new Blocks(openBytes(file));
    await new Unpacking(file, into, reader).run();
  } catch (error) {
    if (error instanceof UserError) throw error;
    const code = errnoOf(error);
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw cannotWrite(`cannot unpack ${file} into ${into}`, error);
    throw bad(file, messageOf(error), error);
  } finally {
    await reader?.close();
  }
}

function openBytes(file: string): AsyncIterable<Buffer> {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  const magic = Buffer.alloc(2);
  try {
    // A pipe has no beginning to look at, and a device no end.
    if (!fstatSync(fd).isFile()) throw new Error('it is not a regular file');
    readSync(fd, magic, 0, 2, 0);
  } finally {
    closeSync(fd);
  }
  const bytes = createReadStream(file);
  if (magic[0] !== 0x1f || magic[1] !== 0x8b) return bytes as AsyncIterable<Buffer>;
  const unzip = createGunzip();
  bytes.on('error', (error) => unzip.destroy(error));
  return bytes.pipe(unzip) as AsyncIterable<Buffer>;
}

/** Bytes of a stream, in the pieces that are asked for. */
class Blocks {
  readonly #from: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(from: AsyncIterable<Buffer>) {
    this.#from = from[Symbol.asyncIterator]();
  }

  /** At most so many bytes, at least one; undefined at the end. */
  async some(most: number): Promise<Buffer | undefined> {
    while (this.#held.length === 0) {
      const next = await this.#from.next();
      if (next.done === true) return undefined;
      this.#held = next.value;
    }
    const taken = this.#held.subarray(0, most);
    this.#held = this.#held.subarray(taken.length);
    return taken;
  }

  /** Exactly so many. Throws when it ends before. */
  async take(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let rest = count; rest > 0; ) {
      const part = await this.some(rest);
      if (part === undefined) throw new Error('it is cut short');
      parts.push(part);
      rest -= part.length;
    }
    return Buffer.concat(parts);
  }

  async close(): Promise<void> {
    await this.#from.return?.();
  }
}

interface Extended {
  path?: string;
  linkpath?: string;
}

class Unpacking {
  readonly #file: string;
  readonly #into: string;
  readonly #bytes: Blocks;
  readonly #links = new Map<string, string>();
  #entries = 0;
  #total = 0;

  constructor(file: string, into: string, bytes: Blocks) {
    this.#file = file;
    this.#into = into;
    this.#bytes = bytes;
  }

  async run(): Promise<void> {
    let extended: Extended = {};
    for (;;) {
      const header = await this.#bytes.take(block);
      if (header.every((byte) => byte === 0)) return this.#end();
      if (!isSound(header)) throw bad(this.#file, 'it is no tar archive, or was damaged');
      if (++this.#entries > maxEntries) throw bad(this.#file, `it holds more than ${maxEntries} files`);
      const size = number(header, 124, 12);
      const type = String.fromCharCode(header[156] ?? 0);
      if (type === 'x' || type === 'g' || type === 'L' || type === 'K') {
        if (size > maxExtended) throw bad(this.#file, 'it has too long a name');
        const text = await this.#bytes.take(size);
        await this.#bytes.take(padding(size));
        if (type === 'x') extended = { ...extended, ...records(text) };
        if (type === 'L') extended.path = cString(text, 0, text.length);
        if (type === 'K') extended.linkpath = cString(text, 0, text.length);
        continue;
      }
      this.#total += size;
      if (this.#total > maxBytes) throw bad(this.#file, 'it is too large');
      const name = this.#nameOf(extended.path ?? ustarName(header));
      const target = extended.linkpath ?? cString(header, 157, 100);
      extended = {};
      if (type === '5') {
        if (name !== '') this.#folder(name);
        await this.#bytes.take(size + padding(size));
      } else if (type === '0' || type === '\0' || type === '7')
        await this.#regular(name, size, number(header, 100, 8));
      else if (type === '2') this.#link(name, target);
      else throw bad(this.#file, `${JSON.stringify(name)} is no file, folder or link`);
    }
  }

  /** Only now all links are known through which each one leads. */
  #end(): void {
    const outside = linkOutside(this.#links);
    if (outside !== undefined) throw this.#leadsOut(outside);
  }

  #leadsOut(name: string): UserError {
    return bad(this.#file, `${JSON.stringify(name)} is a link that leads out of it`);
  }

  #nameOf(name: string): string {
    const clean = name.replace(/^(?:\.\/)+/, '').replace(/\/+$/, '');
    if (clean === '' || clean === '.') return '';
    if (!isInside(clean)) throw bad(this.#file, `it would write to ${JSON.stringify(name)}`);
    return clean;
  }

  /** Makes the folder and those above it; none of them may be a link. */
  #folder(name: string): string {
    let at = this.#into;
    for (const part of name.split('/').filter(Boolean)) {
      at = path.join(at, part);
      const facts = lstatSync(at, { throwIfNoEntry: false });
      if (facts === undefined) mkdirSync(at, 0o755);
      else if (!facts.isDirectory()) throw bad(this.#file, `it would write through ${JSON.stringify(name)}`);
    }
    return at;
  }

  async #regular(name: string, size: number, mode: number): Promise<void> {
    if (name === '') throw bad(this.#file, 'a file has no name');
    const folder = this.#folder(path.posix.dirname(name) === '.' ? '' : path.posix.dirname(name));
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const fd = openSync(
      path.join(folder, path.posix.basename(name)),
      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
      0o600,
    );
    try {
      for (let rest = size; rest > 0; ) {
        const part = await this.#bytes.some(rest);
        if (part === undefined) throw new Error('it is cut short');
        for (let at = 0; at < part.length; ) at += writeSync(fd, part, at, part.length - at);
        rest -= part.length;
      }
      fchmodSync(fd, (mode & 0o111) === 0 ? 0o644 : 0o755);
    } finally {
      closeSync(fd);
    }
    await this.#bytes.take(padding(size));
  }

  #link(name: string, target: string): void {
    if (name === '' || linkOutside(new Map([[name, target]])) !== undefined) throw this.#leadsOut(name);
    this.#links.set(name, target);
    const folder = this.#folder(path.posix.dirname(name) === '.' ? '' : path.posix.dirname(name));
    symlinkSync(target, path.join(folder, path.posix.basename(name)));
  }
}

function padding(size: number): number {
  return (block - (size % block)) % block;
}

/** The sum of all bytes of the header, its own field counted as blanks. */
function isSound(header: Buffer): boolean {
  let sum = 0;
  for (let at = 0; at < block; at++) sum += at >= 148 && at < 156 ? 32 : (header[at] ?? 0);
  return sum === number(header, 148, 8);
}

function cString(bytes: Buffer, at: number, length: number): string {
  const end = bytes.indexOf(0, at);
  return bytes.toString('utf8', at, end === -1 || end > at + length ? at + length : end);
}

/** Octal digits, or, with the highest bit set, a binary number (GNU). Throws for what is neither. */
function number(header: Buffer, at: number, length: number): number {
  if (((header[at] ?? 0) & 0x80) !== 0) {
    let value = (header[at] ?? 0) & 0x7f;
    for (let index = at + 1; index < at + length; index++) value = value * 256 + (header[index] ?? 0);
    if (!Number.isSafeInteger(value)) throw new Error('a number is too large');
    return value;
  }
  const text = cString(header, at, length).trim();
  if (!/^[0-7]*$/.test(text)) throw new Error('a number cannot be read');
  return text === '' ? 0 : Number.parseInt(text, 8);
}

function ustarName(header: Buffer): string {
  const name = cString(header, 0, 100);
  const prefix = cString(header, 257, 6).startsWith('ustar') ? cString(header, 345, 155) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** `27 path=some/long/name\n`, one after the other; the length counts the whole record in bytes. */
function records(text: Buffer): Extended {
  const found: Extended = {};
  for (let at = 0; at < text.length; ) {
    const space = text.indexOf(32, at);
    const length = Number(text.toString('latin1', at, space));
    if (space === -1 || !Number.isSafeInteger(length) || length <= 0)
      throw new Error('a name cannot be read');
    const record = text.toString('utf8', space + 1, at + length - 1);
    const equals = record.indexOf('=');
    const key = record.slice(0, equals);
    if (key === 'path' || key === 'linkpath') found[key] = record.slice(equals + 1);
    if (key === 'size') throw new Error('a file is too large');
    at += length;
  }
  return found;
}
