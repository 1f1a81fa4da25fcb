import * as v from 'valibot';
import { commonOptions } from '../common-options.js';
import { text } from '../values.js';

/** A destination that somebody else wrote: an ES module whose default export makes it. */
export const moduleOptions = v.strictObject({
  type: v.literal('module'),
  ...commonOptions,
  /** Absolute path of the module. It runs with the agent's rights, so nobody but its owner may write to it. */
  path: v.pipe(text, v.startsWith('/', 'an absolute path')),
  /** Handed to the module as they are. */
  settings: v.optional(v.record(v.string(), v.unknown()), {}),
});
