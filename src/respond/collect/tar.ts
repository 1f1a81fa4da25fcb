import { Buffer } from 'node:buffer';

/**
 * Writes entries of a POSIX ustar archive (IEEE Std 1003.1, pax(1), "ustar Interchange Format"): regular files with short
 * ASCII names, so that no extension of the format is needed and every tar reads it.
 */

const block = 512;
const maxName = 100;

export interface TarFile {
  /** ASCII, at most 100 characters. */
  readonly name: string;
  readonly content: Uint8Array;
}

/** Header, content and padding of one file. `seconds`: its time since 1970. */
export function tarEntry({ name, content }: TarFile, seconds: number): Uint8Array {
  if (!/^[\x21-\x7e]+$/.test(name) || name.length > maxName) throw new Error(`not a name for tar: ${name}`);
  const header = Buffer.alloc(block);
  header.write(name, 0, 'ascii');
  header.write(octal(0o600, 8), 100, 'ascii');
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
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'ascii');
  const padding = Buffer.alloc((block - (content.length % block)) % block);
  return Buffer.concat([header, content, padding]);
}

/** What ends an archive. */
export const tarEnd: Uint8Array = new Uint8Array(2 * block);

function octal(value: number, width: number): string {
  return `${Math.floor(value)
    .toString(8)
    .padStart(width - 1, '0')}\0`;
}
