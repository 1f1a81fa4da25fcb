import * as v from 'valibot';
import { commonOptions } from '../common-options.js';
import { bytes, text } from '../values.js';

export const fileOptions = v.strictObject({
  type: v.literal('file'),
  ...commonOptions,
  /** The live file, or an existing folder that gets `alerts.ndjson`. Its name never changes while it is written. */
  path: text,
  /** The live file moves to `archive/` beside it when it has grown to this. */
  rotate_bytes: v.optional(bytes, '50 MiB'),
  /** Archived files kept. */
  keep: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10_000)), 10),
  /** A longer document loses its bulky parts first: readers cut or drop long lines. */
  max_line_bytes: v.optional(bytes, '64 KiB'),
  /** Octal text. */
  mode: v.optional(v.pipe(v.string(), v.regex(/^0?[0-7]{3}$/, 'an octal mode such as "0640"')), '0640'),
});
