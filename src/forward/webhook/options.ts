import * as v from 'valibot';
import { batchOptions, commonOptions, networkOptions } from '../common-options.js';
import { httpUrl, secretRef, text } from '../values.js';

export const webhookOptions = v.strictObject({
  type: v.literal('webhook'),
  ...commonOptions,
  ...networkOptions,
  ...batchOptions,
  url: httpUrl,
  /** One document a request, an array of them, or one a line; or a message as Slack, Teams or PagerDuty take it. */
  format: v.optional(
    v.picklist(
      ['json', 'json-array', 'ndjson', 'slack', 'teams', 'pagerduty'],
      'json, json-array, ndjson, slack, teams or pagerduty',
    ),
    'json',
  ),
  /** PagerDuty's integration key. */
  routing_key: v.optional(secretRef),
  /** Takes a 2xx with an HTML page for an acknowledgement; else it is a login page or a portal on the way. */
  accept_html: v.optional(v.boolean(), false),
  gzip: v.optional(v.boolean(), false),
  /** Keys that sign each request; several while one replaces another. */
  hmac_secrets: v.optional(v.array(secretRef), []),
  /** Further headers, and those whose value is a secret. */
  headers: v.optional(v.record(v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/)), text), {}),
  secret_headers: v.optional(v.record(v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/)), secretRef), {}),
  /** Allows http to another machine. */
  insecure: v.optional(v.boolean(), false),
});
