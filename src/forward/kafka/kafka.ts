import { createRequire } from 'node:module';
import type * as v from 'valibot';
import { errnoOf, messageOf, UserError } from '../../base/errors.js';
import { escapeText } from '../../base/escape.js';
import type { EcsDocument } from '../../event/document.js';
import type { Destination, Lane, OutboxItem, Verdict } from '../destination.js';
import { Secrets } from '../net/secrets.js';
import { tlsConnection } from '../net/tls.js';
import { documentId } from '../updates.js';
import type { KafkaClient, KafkaModule, KafkaProducer } from './kafkajs.js';
import type { kafkaOptions } from './options.js';

export type KafkaOptions = v.InferOutput<typeof kafkaOptions>;

const poison = ['MESSAGE_TOO_LARGE', 'INVALID_RECORD', 'CORRUPT_MESSAGE', 'INVALID_TIMESTAMP'];
const authFailures = [
  'SASL_AUTHENTICATION_FAILED',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
];
const configFailures = [
  'UNKNOWN_TOPIC_OR_PARTITION',
  'INVALID_TOPIC_EXCEPTION',
  'UNSUPPORTED_SASL_MECHANISM',
];

/** What an error of kafkajs means: `type` is the broker's error code, `retriable` kafkajs's own judgement. */
export function judgeKafkaError(error: unknown, alone: boolean): Verdict {
  const facts = error as { type?: unknown; name?: unknown; cause?: unknown };
  const inner = (facts.cause ?? error) as { type?: unknown; name?: unknown };
  const type = String(inner.type ?? facts.type ?? '');
  const reason = escapeText(`${type} ${messageOf(error)}`.trim()).slice(0, 500);
  if (poison.includes(type)) return alone ? { kind: 'poison', reason } : { kind: 'split', reason };
  if (authFailures.includes(type) || inner.name === 'KafkaJSSASLAuthenticationError')
    return { kind: 'pause', reason, cause: 'auth', certain: true };
  if (configFailures.includes(type)) return { kind: 'pause', reason, cause: 'config', certain: true };
  return { kind: 'retry', reason };
}

async function loadKafka(name: string): Promise<KafkaModule> {
  try {
    // Not a static import: the package is there only for those who installed it.
    return createRequire(import.meta.url)('kafkajs') as KafkaModule;
  } catch (error) {
    if (errnoOf(error) !== 'MODULE_NOT_FOUND') throw error;
    throw new UserError(
      'forward/no-kafkajs',
      `destination "${name}" needs the package kafkajs, which is not installed`,
      {
        hint: 'Run "npm install kafkajs@2.2.4" in the program\'s folder, or let a log shipper carry the NDJSON file to Kafka.',
      },
    );
  }
}

/** Kafka, one topic a lane, keyed by host so that one Mac's documents keep their order. */
export class KafkaDestination implements Destination {
  readonly name: string;
  readonly type = 'kafka';
  readonly network = true;
  readonly limits: { readonly maxItems: number; readonly maxBytes: number };
  readonly #options: KafkaOptions;
  readonly #client: KafkaClient;
  readonly #gzip: number;
  readonly #secrets: Secrets;
  #producer: KafkaProducer | undefined;

  private constructor(
    name: string,
    options: KafkaOptions,
    parts: { client: KafkaClient; gzip: number; secrets: Secrets },
  ) {
    this.name = name;
    this.#options = options;
    this.#client = parts.client;
    this.#gzip = parts.gzip;
    this.#secrets = parts.secrets;
    this.limits = { maxItems: options.batch_items, maxBytes: 900 * 1024 };
  }

  static async open(name: string, options: KafkaOptions): Promise<KafkaDestination> {
    const secrets = new Secrets();
    const kafka = await loadKafka(name);
    const { sasl, tls, timeout } = options;
    const client = new kafka.Kafka({
      clientId: 'launchwarden',
      brokers: options.brokers,
      logLevel: kafka.logLevel.NOTHING,
      connectionTimeout: Math.min(timeout, 10_000),
      requestTimeout: timeout,
      // Our own back-off decides when to come back.
      retry: { retries: 1, initialRetryTime: 100 },
      ssl: tls === false ? false : await tlsConnection(tls, secrets),
      ...(sasl === undefined
        ? {}
        : {
            sasl: {
              mechanism: sasl.mechanism,
              username: sasl.user,
              password: await secrets.get(sasl.password),
            },
          }),
    });
    return new KafkaDestination(name, options, { client, gzip: kafka.CompressionTypes.GZIP, secrets });
  }

  async send(items: readonly OutboxItem[]): Promise<readonly Verdict[]> {
    try {
      this.#producer ??= await this.#connect();
      const lane = items[0]?.lane ?? 'alert';
      await this.#producer.send({
        topic: this.#topic(lane),
        acks: -1,
        timeout: this.#options.timeout,
        compression: this.#gzip,
        messages: items.map((item) => ({
          key: (JSON.parse(item.body) as EcsDocument).host?.id ?? null,
          value: item.body,
          headers: {
            event_id: documentId(item),
            lane: item.lane,
            ...(item.update === true ? { event: 'updated' } : {}),
          },
        })),
      });
      return items.map(() => ({ kind: 'delivered' }));
    } catch (error) {
      const verdict = judgeKafkaError(error, items.length === 1);
      const reason = 'reason' in verdict ? this.#secrets.redact(verdict.reason ?? '') : '';
      await this.close();
      return items.map(() => ({ ...verdict, reason }) as Verdict);
    }
  }

  async probe(): Promise<{ ok: boolean; detail: string }> {
    const admin = this.#client.admin();
    try {
      await admin.connect();
      await admin.fetchTopicMetadata({ topics: [this.#options.topic] });
      return { ok: true, detail: `topic ${this.#options.topic} is there` };
    } catch (error) {
      return { ok: false, detail: this.#secrets.redact(escapeText(messageOf(error))).slice(0, 500) };
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.disconnect().catch(() => undefined);
  }

  #topic(lane: Lane): string {
    const { topic, status_topic, event_topic } = this.#options;
    return { alert: topic, status: status_topic, event: event_topic }[lane];
  }

  async #connect(): Promise<KafkaProducer> {
    const producer = this.#client.producer({ allowAutoTopicCreation: false, maxInFlightRequests: 1 });
    await producer.connect();
    return producer;
  }
}
