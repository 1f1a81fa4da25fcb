import { readFileSync, statSync } from 'node:fs';
import { reasonOf, UserError } from '../../../base/errors.js';

/** Of an exported entry what a comparison needs. */
export interface ExportedEntry {
  readonly item_id: string;
  readonly key: string;
  readonly mechanism: string;
  readonly path: string;
  readonly label?: string;
  readonly runs: readonly string[];
  readonly when: readonly string[];
  readonly sha256?: string;
  readonly program_sha256?: string;
  readonly gone: string | null;
}

const maxBytes = 256 * 1024 * 1024;

/**
 * Reads what `inventory export` wrote. The whole file counts or nothing of it: throws a UserError `inventory/bad-file` with
 * the first line that is wrong.
 */
export function readExported(file: string): ExportedEntry[] {
  const bad = (message: string, line?: number, cause?: unknown) =>
    new UserError('inventory/bad-file', message, {
      at: { file, ...(line === undefined ? {} : { line }) },
      hint: 'Name a file that "launchwarden inventory export" wrote.',
      cause,
    });
  let text: string;
  try {
    if (statSync(file).size > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`);
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw bad(`the inventory cannot be read: ${reasonOf(error)}`, undefined, error);
  }
  return text.split('\n').flatMap((line, index) => {
    if (line === '') return [];
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      throw bad('not a line of JSON', index + 1, error);
    }
    if (!isEntry(value)) throw bad('not an entry of an inventory', index + 1);
    return [value];
  });
}

function isEntry(value: unknown): value is ExportedEntry {
  if (typeof value !== 'object' || value === null) return false;
  const one = value as Record<string, unknown>;
  const texts = (list: unknown) => Array.isArray(list) && list.every((text) => typeof text === 'string');
  return (
    one['schema'] === 'launchwarden.inventory/1' &&
    ['item_id', 'key', 'mechanism', 'path'].every((name) => typeof one[name] === 'string') &&
    texts(one['runs']) &&
    texts(one['when']) &&
    ['sha256', 'program_sha256', 'label'].every(
      (name) => one[name] === undefined || typeof one[name] === 'string',
    ) &&
    (one['gone'] === null || typeof one['gone'] === 'string')
  );
}
