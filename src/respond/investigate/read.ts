// Stored documents hold what sensors, captures and attackers wrote: any type may stand anywhere, at any length.

const maxText = 4_096;
const maxItems = 200;

/** The value at a dotted path of a document, whatever it is. */
export function valueIn(document: unknown, path: string): unknown {
  let value: unknown = document;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/** A text or a number as text, bounded, as it is written. Undefined for anything else and for an empty text. */
export function textIn(document: unknown, path: string): string | undefined {
  return asText(valueIn(document, path));
}

/** The texts of a list; a single one counts as a list of one. */
export function textsIn(document: unknown, path: string): string[] {
  const value = valueIn(document, path);
  const items = Array.isArray(value) ? value.slice(0, maxItems) : [value];
  return items.flatMap((item) => asText(item) ?? []);
}

/** The objects of a list. */
export function objectsIn(document: unknown, path: string): Record<string, unknown>[] {
  const value = valueIn(document, path);
  return Array.isArray(value)
    ? value.slice(0, maxItems).filter((item) => typeof item === 'object' && item !== null)
    : [];
}

function asText(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value !== 'string' || value === '') return undefined;
  return value.length <= maxText ? value : `${value.slice(0, maxText)}…`;
}
