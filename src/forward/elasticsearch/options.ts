import * as v from 'valibot';
import { batchOptions, commonOptions, networkOptions } from '../common-options.js';
import { baseUrl, secretRef, text } from '../values.js';

export const elasticsearchOptions = v.strictObject({
  type: v.literal('elasticsearch'),
  ...commonOptions,
  ...networkOptions,
  ...batchOptions,
  url: baseUrl,
  /** The API key as Elasticsearch gives it out (base64 of id:key). */
  api_key: v.optional(secretRef),
  user: v.optional(text),
  password: v.optional(secretRef),
  /** Third part of the data streams' names. */
  namespace: v.optional(
    v.pipe(v.string(), v.regex(/^[^-\\/*?"<>| ,#A-Z]{1,100}$/, 'small letters without "-", at most 100')),
    'default',
  ),
});
