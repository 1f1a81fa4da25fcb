import { UserError } from '../../../base/errors.js';
import { quote } from '../../../base/escape.js';

const maxFields = 100;

/** Names of fields as they are written after `--json`: `status,doc.file.path`. Throws a UserError. */
export function fieldNames(text: string): readonly string[] {
  const names = text.split(',').map((one) => one.trim());
  if (names.length <= maxFields && names.every((one) => /^[\w@-]+(?:\.[\w@-]+)*$/.test(one))) return names;
  throw new UserError('cli/invalid-value', `--json got ${quote(text, 100)}; expected names of fields`, {
    hint: 'Such as --json status,priority.score,doc.file.path; without names the whole document is printed.',
  });
}

/** Of a document what stands at these names, in the same nesting; null where nothing does. */
export function pickFields(document: object, names: readonly string[]): object {
  const picked: Record<string, unknown> = {};
  for (const name of names) {
    const parts = name.split('.');
    let value: unknown = document;
    for (const part of parts)
      value =
        typeof value === 'object' && value !== null && Object.hasOwn(value, part)
          ? (value as Record<string, unknown>)[part]
          : undefined;
    let place = picked;
    for (const part of parts.slice(0, -1)) {
      const next = Object.hasOwn(place, part) ? place[part] : undefined;
      place[part] = typeof next === 'object' && next !== null ? next : Object.create(null);
      place = place[part] as Record<string, unknown>;
    }
    place[parts.at(-1) as string] = value ?? null;
  }
  return picked;
}
