import * as v from 'valibot';
import { parseSize } from '../base/size.js';
import { parseDuration } from '../base/time.js';

/** Bytes, written as a whole number or as text with a unit. */
export const size = v.pipe(
  v.union([v.string(), v.number()], 'a size such as "512 MiB"'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const bytes = typeof dataset.value === 'number' ? dataset.value : parseSize(dataset.value);
    if (bytes !== undefined && Number.isSafeInteger(bytes) && bytes > 0) return bytes;
    addIssue({ message: 'a size of more than nothing, such as "512 MiB"' });
    return NEVER;
  }),
);

/** Microseconds, written as text with a unit. */
export const duration = v.pipe(
  v.string('a duration such as "90d"'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const micros = parseDuration(dataset.value);
    if (micros !== undefined && micros > 0) return micros;
    addIssue({ message: 'a duration of more than nothing, such as "90d"' });
    return NEVER;
  }),
);

/** A text that is not empty and holds no NUL: a path, an id, a name. */
export const name = v.pipe(v.string('a text'), v.regex(/^[^\0]{1,4096}$/, 'a text of 1 to 4096 characters'));
