import { Buffer } from 'node:buffer';

/**
 * Writes entries of a POSIX ustar archive (IEEE Std 1003.1, pax(1), "ustar Interchange Format"): regular files with
 * ASCII names that fit, so that no extension of the format is needed and every tar reads it.
 */

const block = 512;
const maxName = 100;
const maxPrefix = 155;

export interface TarFile {
  /** ASCII, at most 100 characters; or 155 more before a `/`. */
  readonly name: string;
  /** 0600 when absent. */
  readonly mode?: number;
  readonly content: Uint8Array;
}

/** Header, content and padding of one file. `seconds`: its time since 1970. */
export function tarEntry({ name, mode = 0o600, content }: TarFile, seconds: number): Uint8Array {
  const parts = /^[\x21-\x7e]+$/.test(name) ? split(name) : undefined;
  if (parts === undefined) throw new Error(`not a name for tar: ${name}`);
  const header = Buffer.alloc(block);
  header.write(parts.name, 0, 'ascii');
  header.write(octal(mode, 8), 100, 'ascii');
  header.write(octal(0, 8), 108, 'ascii');
  header.write(octal(0, 8), 116, 'ascii');
  header.write(octal(content.length, 12), 124, 'ascii');
  header.write(octal(seconds, 12), 136, 'ascii');
  // The sum counts its own field as blanks.
  header.write(' '.repeat(8), 148, 'ascii');
  header.write('0', 156, 'ascii');
  header.write('ustar\0' + '00', 257, 'ascii');
  header.write('root', 265, 'ascii');
  header.write('wheel', 297, 'ascii');
  header.write(parts.prefix, 345, 'ascii');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'ascii');
  const padding = Buffer.alloc((block - (content.length % block)) % block);
  return Buffer.concat([header, content, padding]);
}

/** A name in the two fields of the header; undefined when it does not fit. */
function split(name: string): { readonly prefix: string; readonly name: string } | undefined {
  if (name.length <= maxName) return { prefix: '', name };
  const at = name.indexOf('/', name.length - maxName - 1);
  if (at < 1 || at > maxPrefix || at === name.length - 1) return undefined;
  return { prefix: name.slice(0, at), name: name.slice(at + 1) };
}

/** What ends an archive. */
export const tarEnd: Uint8Array = new Uint8Array(2 * block);

function octal(value: number, width: number): string {
  return `${Math.floor(value)
    .toString(8)
    .padStart(width - 1, '0')}\0`;
}
