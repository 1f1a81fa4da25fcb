/** The value at a dotted path of a document, whatever it is. */
export function at(document: unknown, path: string): unknown {
  let value: unknown = document;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/** The text at a dotted path; undefined when none stands there. */
export function stringAt(document: unknown, path: string): string | undefined {
  const value = at(document, path);
  return typeof value === 'string' ? value : undefined;
}

/** The objects of the list at a dotted path. */
export function recordsAt(document: unknown, path: string): Record<string, unknown>[] {
  const value = at(document, path);
  return Array.isArray(value) ? value.filter((item) => typeof item === 'object' && item !== null) : [];
}
