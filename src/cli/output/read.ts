import { clip } from '../../base/escape.js';
import { safe } from './output.js';

// Documents hold what sensors, captures and attackers wrote: any type may stand anywhere, and any length.
const maxText = 4096;

/** The value at a dotted path of a document, whatever it is. */
export function at(document: unknown, path: string): unknown {
  let value: unknown = document;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

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
export function objectsAt(document: unknown, path: string): Record<string, unknown>[] {
  const value = at(document, path);
  return Array.isArray(value) ? value.filter((item) => typeof item === 'object' && item !== null) : [];
}

/** An argument as one would type it in a shell, safe to print: quoted when it is not plain. */
export function quoted(safeText: string): string {
  return /^[\w@%+=:,./~-]+$/.test(safeText) ? safeText : `'${safeText.replaceAll("'", "'\\''")}'`;
}
