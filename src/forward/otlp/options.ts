import * as v from 'valibot';
import { batchOptions, commonOptions, networkOptions } from '../common-options.js';
import { httpUrl, secretRef, text } from '../values.js';

export const otlpOptions = v.strictObject({
  type: v.literal('otlp'),
  ...commonOptions,
  ...networkOptions,
  ...batchOptions,
  /** Base of the collector, `https://collector:4318`; `/v1/logs` is added when the URL has no path. */
  url: httpUrl,
  headers: v.optional(v.record(v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/)), text), {}),
  secret_headers: v.optional(v.record(v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/)), secretRef), {}),
  gzip: v.optional(v.boolean(), true),
});
