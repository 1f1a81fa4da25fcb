import * as v from 'valibot';
import { commonOptions, tlsOptions } from '../common-options.js';
import { hostPort, milliseconds, secretRef, text } from '../values.js';

/** Needs the package `kafkajs`, which is not installed by itself. */
export const kafkaOptions = v.strictObject({
  type: v.literal('kafka'),
  ...commonOptions,
  brokers: v.pipe(v.array(hostPort), v.minLength(1), v.maxLength(100)),
  topic: v.optional(text, 'launchwarden.alerts'),
  status_topic: v.optional(text, 'launchwarden.status'),
  event_topic: v.optional(text, 'launchwarden.events'),
  /** TLS to the brokers; `tls = false` for a plain connection. */
  tls: v.optional(v.union([v.literal(false), tlsOptions]), {}),
  sasl: v.optional(
    v.strictObject({
      mechanism: v.picklist(['plain', 'scram-sha-256', 'scram-sha-512']),
      user: text,
      password: secretRef,
    }),
  ),
  timeout: v.optional(milliseconds, '30s'),
  batch_items: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000)), 500),
});
