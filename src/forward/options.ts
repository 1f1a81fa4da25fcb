import * as v from 'valibot';
import { elasticsearchOptions } from './elasticsearch/options.js';
import { fileOptions } from './file/options.js';
import { kafkaOptions } from './kafka/options.js';
import { moduleOptions } from './module/options.js';
import { notificationOptions } from './notification/options.js';
import { otlpOptions } from './otlp/options.js';
import { splunkOptions } from './splunk/options.js';
import { syslogOptions } from './syslog/options.js';
import { days, milliseconds } from './values.js';
import { webhookOptions } from './webhook/options.js';

/**
 * One `[[destination]]` of the configuration. Keys are those of the file; durations come out as milliseconds, sizes as
 * bytes.
 */
export const destinationOptions = v.variant(
  'type',
  [
    fileOptions,
    elasticsearchOptions,
    splunkOptions,
    syslogOptions,
    webhookOptions,
    otlpOptions,
    kafkaOptions,
    moduleOptions,
    notificationOptions,
  ],
  'a type of destination: file, elasticsearch, splunk, syslog, webhook, otlp, kafka, module or notification',
);

export type DestinationOptions = v.InferOutput<typeof destinationOptions>;

export const destinationTypes = [
  'file',
  'elasticsearch',
  'splunk',
  'syslog',
  'webhook',
  'otlp',
  'kafka',
  'module',
  'notification',
] as const;

/** The name of a destination: its own, or its type when it has none. Two of one name are an error of the configuration. */
export function destinationName(options: {
  readonly name?: string | undefined;
  readonly type: string;
}): string {
  return options.name ?? options.type;
}

/** What concerns forwarding as a whole: the `[forward]` table. */
export const forwardOptions = v.strictObject({
  /** How often a heartbeat goes to every destination. */
  heartbeat: v.optional(milliseconds, '5m'),
  /** Dead letters kept, and for how long. */
  dead_rows: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 10_000),
  dead_age: v.optional(days, '30d'),
  /** How long rows of a destination that was taken out of the configuration wait for it. */
  parked_age: v.optional(days, '7d'),
});

export type ForwardOptions = v.InferOutput<typeof forwardOptions>;
