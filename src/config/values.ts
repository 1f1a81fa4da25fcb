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

/** A share of one processor, 1 is all of it, written as text such as "25%"; several processors are more than 100 %. */
export const processorShare = v.pipe(
  v.string('a share of one processor such as "50%"'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const percent = /^(\d{1,4}(?:\.\d{1,2})?) ?%$/.exec(dataset.value)?.[1];
    if (percent !== undefined && Number(percent) > 0) return Number(percent) / 100;
    addIssue({ message: 'a share of one processor of more than nothing, such as "50%"' });
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
