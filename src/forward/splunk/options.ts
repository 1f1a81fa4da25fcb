import * as v from 'valibot';
import { batchOptions, commonOptions, networkOptions } from '../common-options.js';
import { baseUrl, milliseconds, secretRef, text } from '../values.js';

export const splunkOptions = v.strictObject({
  type: v.literal('splunk'),
  ...commonOptions,
  ...networkOptions,
  ...batchOptions,
  /** Scheme, host and port of the HTTP Event Collector, `https://splunk:8088`. */
  url: baseUrl,
  token: secretRef,
  index: v.optional(text),
  source: v.optional(text, 'launchwarden'),
  /** Indexer acknowledgement: used when the receiver offers it, required, or never asked for. */
  ack: v.optional(v.picklist(['auto', 'on', 'off'], 'auto, on or off'), 'auto'),
  /** How long to wait for an acknowledgement before a batch is sent again. */
  ack_timeout: v.optional(milliseconds, '5m'),
});
