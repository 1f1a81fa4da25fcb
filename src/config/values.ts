import * as v from 'valibot';
import { parseDuration } from '../base/time.js';

const unitBytes: Record<string, number> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** Reads `512 MiB`, `2GB`, `4096` as bytes. Undefined when it is no size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)\s*([a-z]{0,3})$/i.exec(text.trim());
  const unit = match === null ? undefined : unitBytes[match[2]!.toLowerCase() || 'b'];
  return match === null || unit === undefined ? undefined : Math.round(Number(match[1]) * unit);
}

/** Bytes, written as a whole number or as text with a unit. */
export const size = v.pipe(
  v.union([v.string(), v.number()], 'a size such as "512 MiB"'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const bytes = typeof dataset.value === 'number' ? dataset.value : parseSize(dataset.value);
    if (bytes !== undefined && Number.isSafeInteger(bytes) && bytes >= 0) return bytes;
    addIssue({ message: 'a size such as "512 MiB"' });
    return NEVER;
  }),
);

/** Microseconds, written as text with a unit. */
export const duration = v.pipe(
  v.string('a duration such as "90d"'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const micros = parseDuration(dataset.value);
    if (micros !== undefined) return micros;
    addIssue({ message: 'a duration such as "90d"' });
    return NEVER;
  }),
);

/** A text that is not empty and holds no NUL: a path, an id, a name. */
export const name = v.pipe(v.string('a text'), v.regex(/^[^\0]{1,4096}$/, 'a text of 1 to 4096 characters'));
