import { clip } from '../../base/escape.js';
import { at, recordsAt } from '../../base/value-at.js';
import { safe } from './output.js';

export { at };

// Documents hold what sensors, captures and attackers wrote: any type may stand anywhere, and any length.
const maxText = 4096;

/** One safe line of bounded length; undefined when nothing stands there. */
export function textAt(document: unknown, path: string): string | undefined {
  const value = at(document, path);
  return safe(
    typeof value === 'string' ? clip(value, maxText) : Array.isArray(value) ? value.slice(0, 100) : value,
  );
}

/** Safe lines of a list; a single value counts as a list of one. */
export function listAt(document: unknown, path: string): string[] {
  const value = at(document, path);
  const items = Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
  return items.map((item) => safe(typeof item === 'string' ? clip(item, maxText) : item) ?? '');
}

/** The objects of a list. */
export const objectsAt = recordsAt;

/** An argument as one would type it in a shell, safe to print: quoted when it is not plain. */
export function quoted(safeText: string): string {
  return /^[\w@%+=:,./~-]+$/.test(safeText) ? safeText : `'${safeText.replaceAll("'", "'\\''")}'`;
}
