import { readBounded } from './read-bounded.js';

/** A line of a hash list. */
export interface ListedHash {
  /** What follows the hash on its line, a name or a comment; empty when nothing does. */
  readonly name: string;
  /** The list, and the 1-based line. */
  readonly file: string;
  readonly line: number;
}

/** A line that is none. */
export interface RefusedLine {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

export interface HashList {
  readonly hashes: ReadonlyMap<string, ListedHash>;
  readonly refused: readonly RefusedLine[];
}

const maxListBytes = 256 * 1024 * 1024;
const maxName = 200;
/** Lines that are told of; the rest of what is wrong is counted by them. */
const maxRefused = 20;

/**
 * Reads a text file of SHA-256 hashes, one a line: the hash, then optionally a blank, tab, comma or semicolon and a name.
 * `sha256sum` writes such files. Lines that begin with `#` and blank lines mean nothing. Throws a UserError when the file
 * cannot be read.
 */
export function readHashList(file: string): HashList {
  return parseHashList(readBounded(file, maxListBytes, 'a hash list'), file);
}

export function parseHashList(text: string, file: string): HashList {
  const hashes = new Map<string, ListedHash>();
  const refused: RefusedLine[] = [];
  let number = 0;
  for (const line of text.split(/\r?\n/)) {
    number++;
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const [, hash, rest = ''] = /^"?([0-9a-f]{64})"?(?:[\s,;]+(.*))?$/i.exec(trimmed) ?? [];
    if (hash === undefined) {
      if (refused.length < maxRefused) refused.push({ file, line: number, message: reasonFor(trimmed) });
      continue;
    }
    // sha256sum marks binary files with an asterisk.
    const name = rest
      .replace(/^[*#]\s*/, '')
      .trim()
      .slice(0, maxName);
    if (!hashes.has(hash.toLowerCase())) hashes.set(hash.toLowerCase(), { name, file, line: number });
  }
  return { hashes, refused };
}

function reasonFor(line: string): string {
  const digits = /^[0-9a-f]+/i.exec(line)?.[0].length ?? 0;
  if (digits === 32) return 'this is an MD5 hash: only SHA-256 (64 hexadecimal digits) is read';
  if (digits === 40) return 'this is a SHA-1 hash: only SHA-256 (64 hexadecimal digits) is read';
  return 'not a SHA-256 hash (64 hexadecimal digits)';
}
