import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { errnoOf, reasonOf } from '../../base/errors.js';
import { diagnosticOf, querySource } from '../diagnostic.js';
import type { Diagnostic } from '../rule.js';
import type { Exception, ExceptionSet } from './exception.js';
import { maxExceptionFileBytes, readExceptionFile } from './file.js';
import type { ExceptionPack } from './options.js';

const maxFiles = 1_000;

export interface LoadedExceptions {
  readonly sets: readonly ExceptionSet[];
  readonly exceptions: readonly Exception[];
  /** What keeps files from being sets. When there are any, none of the sets is to be used: all or nothing. */
  readonly diagnostics: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
}

/**
 * Reads the `.toml` files of folders (not of those below them; names with a leading dot left out) and the packs that come
 * with the program. A folder that is not there holds none. Never throws: whatever is wrong is a diagnostic.
 */
export function loadExceptions(
  folders: readonly string[],
  packs: readonly ExceptionPack[],
): LoadedExceptions {
  const sets: ExceptionSet[] = [];
  const diagnostics: Diagnostic[] = [];
  const warnings: Diagnostic[] = [];
  const owners = new Map<string, string>();
  const report = (file: string, code: string, message: string) => {
    const problem = { code: `exceptions/${code}`, message, span: { start: 0, end: 0 } };
    diagnostics.push(diagnosticOf(querySource('', file), problem));
  };
  const take = (text: string | undefined, file: string, pack: boolean) => {
    if (text === undefined) return;
    const result = readExceptionFile(text, file, { pack });
    if ('diagnostics' in result) {
      diagnostics.push(...result.diagnostics);
      return;
    }
    warnings.push(...result.warnings);
    sets.push(result.set);
    for (const { id } of result.set.exceptions) {
      const known = owners.get(id);
      if (known === undefined) owners.set(id, file);
      else report(file, 'duplicate-id', `the exception id ${id} is already taken by ${known}`);
    }
  };
  for (const pack of packs) take(packText(pack), `pack/${pack}`, true);
  for (const folder of folders) {
    const names = namesIn(folder, report);
    for (const name of names.slice(0, maxFiles)) {
      const file = path.join(folder, name);
      take(readBounded(file, report), file, false);
    }
    if (names.length > maxFiles) report(folder, 'too-many', `more than ${maxFiles} files`);
  }
  return { sets, exceptions: sets.flatMap(({ exceptions }) => exceptions), diagnostics, warnings };
}

function packText(pack: ExceptionPack): string {
  return readFileSync(fileURLToPath(new URL(`./packs/${pack}.toml`, import.meta.url)), 'utf8');
}

type Report = (file: string, code: string, message: string) => void;

function namesIn(folder: string, report: Report): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.toml') && !name.startsWith('.'))
      .sort();
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT')
      report(folder, 'unreadable', `the folder cannot be read: ${reasonOf(error)}`);
    return [];
  }
}

/** Of a regular file, and no link: what it leads to may be anybody's. */
function readBounded(file: string, report: Report): string | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    if (!fstatSync(descriptor).isFile()) {
      report(file, 'unreadable', 'this is no regular file');
      return undefined;
    }
    const buffer = Buffer.alloc(maxExceptionFileBytes + 1);
    let length = 0;
    for (let read = 1; read > 0 && length < buffer.length; length += read)
      read = readSync(descriptor, buffer, length, buffer.length - length, null);
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length));
  } catch (error) {
    const invalid = errnoOf(error) === 'ERR_ENCODING_INVALID_ENCODED_DATA';
    report(
      file,
      'unreadable',
      invalid ? 'the file is not UTF-8' : `the file cannot be read: ${reasonOf(error)}`,
    );
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
