import * as v from 'valibot';
import { bytes, milliseconds, secretRef, text } from './values.js';

/** What every destination has. */
export const commonOptions = {
  /** Names it in `forward status` and in the outbox; the type when absent. */
  name: v.optional(
    v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'a name of small letters, digits, "-" and "_"')),
  ),
  /** Lets events of a `--root` tree out to a network destination. */
  simulated: v.optional(v.boolean(), false),
  /** Raw events: none, those around an alert, or all in the streams that Elastic's own rules read. */
  raw_events: v.optional(
    v.picklist(
      ['off', 'matched-context', 'endpoint-compatible'],
      'off, matched-context or endpoint-compatible',
    ),
    'off',
  ),
  /** Caps of what waits for it. */
  queue: v.optional(
    v.strictObject({
      event_rows: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 1_000_000),
      event_bytes: v.optional(bytes, '200 MiB'),
      alert_rows: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 1_000_000),
      alert_bytes: v.optional(bytes, '50 MiB'),
      when_full: v.optional(v.picklist(['drop_oldest_events', 'drop_newest_events']), 'drop_oldest_events'),
    }),
    {},
  ),
};

/** How a network destination is reached. */
export const tlsOptions = v.strictObject({
  /** PEM file of the roots to trust, or `system` for those of the machine; Node.js's own list when absent. */
  ca: v.optional(text),
  /** PEM files of the client's certificate and key. */
  cert: v.optional(text),
  key: v.optional(text),
  key_passphrase: v.optional(secretRef),
  /** The name that the server's certificate must carry; the host of the address when absent. */
  server_name: v.optional(text),
  min_version: v.optional(v.picklist(['1.2', '1.3'], '1.2 or 1.3'), '1.2'),
  /** Base64 SHA-256 of the server's public key (SPKI); one of them must match. */
  pin_spki_sha256: v.optional(
    v.array(v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{43}=$/, 'a SHA-256 in base64, 44 characters'))),
    [],
  ),
});

export const networkOptions = {
  tls: v.optional(tlsOptions, {}),
  /** `http://[user@]host:port`; `none` ignores the environment's HTTPS_PROXY and the system's setting. */
  proxy: v.optional(text),
  proxy_password: v.optional(secretRef),
  /** How long one request may take. */
  timeout: v.optional(milliseconds, '60s'),
};

export const batchOptions = {
  /** Documents in one request. */
  batch_items: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000)), 500),
  /** Bytes in one request, before compression. */
  batch_bytes: v.optional(bytes, '5 MiB'),
};

export type TlsOptions = v.InferOutput<typeof tlsOptions>;
