import type * as v from 'valibot';
import type { Clock } from '../../base/clock.js';
import { UserError } from '../../base/errors.js';
import type { Destination, OutboxItem, Verdict } from '../destination.js';
import { excerpt, failureVerdict, HttpClient, jsonField, statusVerdict } from '../net/http.js';
import { Secrets } from '../net/secrets.js';
import { encodeBulk, judgeBulk } from './bulk.js';
import type { elasticsearchOptions } from './options.js';
import { streamOf } from './streams.js';

export type ElasticsearchOptions = v.InferOutput<typeof elasticsearchOptions>;

const fields = [
  'errors',
  'items.*._id',
  'items.*.status',
  'items.*.error.type',
  'items.*.error.reason',
  'items.*.failure_store',
];
const bulkPath = `/_bulk?filter_path=${fields.join(',')}`;

/** Elasticsearch data streams through `_bulk`. */
export class ElasticsearchDestination implements Destination {
  readonly name: string;
  readonly type = 'elasticsearch';
  readonly network = true;
  readonly limits: { readonly maxItems: number; readonly maxBytes: number };
  readonly #options: ElasticsearchOptions;
  readonly #http: HttpClient;
  readonly #clock: Clock;

  get clockSkewMs(): number | undefined {
    return this.#http.clockSkewMs;
  }

  private constructor(
    name: string,
    options: ElasticsearchOptions,
    parts: { http: HttpClient; clock: Clock },
  ) {
    this.name = name;
    this.#options = options;
    this.#http = parts.http;
    this.#clock = parts.clock;
    this.limits = { maxItems: options.batch_items, maxBytes: options.batch_bytes };
  }

  static async open(
    name: string,
    options: ElasticsearchOptions,
    clock: Clock,
  ): Promise<ElasticsearchDestination> {
    if ((options.api_key === undefined) === (options.user === undefined)) {
      throw new UserError(
        'forward/credentials',
        `destination "${name}" needs either "api_key" or "user" and "password"`,
        {
          hint: 'An API key of its own per Mac, with create_doc and auto_configure on our streams, is best.',
        },
      );
    }
    const secrets = new Secrets();
    const http = await HttpClient.open(options, secrets);
    const made = new ElasticsearchDestination(name, options, { http, clock });
    await made.authorization();
    return made;
  }

  stream(item: OutboxItem): string {
    return streamOf(item, this.#options.namespace);
  }

  async send(items: readonly OutboxItem[], signal: AbortSignal): Promise<readonly Verdict[]> {
    const all = (verdict: Verdict) => items.map(() => verdict);
    try {
      const reply = await this.#http.request({
        method: 'POST',
        path: bulkPath,
        headers: { 'content-type': 'application/x-ndjson', authorization: await this.authorization() },
        body: encodeBulk(items, this.#options.namespace),
        gzip: true,
        maxReplyBytes: 64 * 1024 + items.length * 2048,
        signal,
      });
      const whole = statusVerdict(reply, { now: this.#clock.now() / 1000, secrets: this.#http.secrets });
      return whole === undefined ? judgeBulk(items, reply.text) : all(whole);
    } catch (error) {
      return all(failureVerdict(error));
    }
  }

  /** Asks who we are: needs no privilege on any index. */
  async probe(signal: AbortSignal): Promise<{ ok: boolean; detail: string }> {
    try {
      const headers = { authorization: await this.authorization() };
      const reply = await this.#http.request({
        method: 'GET',
        path: '/_security/_authenticate',
        headers,
        signal,
      });
      if (reply.status === 200 && jsonField(reply.text, 'username') === undefined)
        return { ok: false, detail: `HTTP 200, and no answer of Elasticsearch: ${portal}` };
      return {
        ok: reply.status === 200,
        detail: excerpt({ ...reply, text: reply.status === 200 ? '' : reply.text }, this.#http.secrets),
      };
    } catch (error) {
      return { ok: false, detail: failureDetail(error) };
    }
  }

  /** Asks Elasticsearch whether the key may write into the streams of alerts and status documents. */
  async mayWrite(signal: AbortSignal): Promise<{ ok: boolean | null; detail: string }> {
    const names = (['alert', 'status'] as const).map((lane) =>
      streamOf({ seq: 0, lane, id: '', revision: 1, body: '{}' }, this.#options.namespace),
    );
    const reply = await this.#http.request({
      method: 'POST',
      path: '/_security/user/_has_privileges',
      headers: { 'content-type': 'application/json', authorization: await this.authorization() },
      body: JSON.stringify({ index: [{ names, privileges: ['create_doc', 'auto_configure'] }] }),
      signal,
    });
    const all = jsonField(reply.text, 'has_all_requested');
    if (reply.status !== 200 || typeof all !== 'boolean')
      return { ok: null, detail: `it does not tell (HTTP ${reply.status}); --send shows it` };
    return all
      ? { ok: true, detail: `may write to ${names.join(' and ')}` }
      : {
          ok: false,
          detail: `the credentials lack create_doc or auto_configure on ${names.join(' or ')}: give the key these rights`,
        };
  }

  /** Installs an asset (template, pipeline). Resolves to the receiver's answer; the caller judges the status. */
  async put(path: string, body: object, signal: AbortSignal): Promise<{ status: number; detail: string }> {
    const headers = { 'content-type': 'application/json', authorization: await this.authorization() };
    const reply = await this.#http.request({
      method: 'PUT',
      path,
      headers,
      body: JSON.stringify(body),
      signal,
    });
    return { status: reply.status, detail: excerpt(reply, this.#http.secrets) };
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  async authorization(): Promise<string> {
    const { api_key, user, password } = this.#options;
    const { secrets } = this.#http;
    if (api_key !== undefined) return `ApiKey ${await secrets.get(api_key)}`;
    const plain = `${user}:${password === undefined ? '' : await secrets.get(password)}`;
    const encoded = Buffer.from(plain).toString('base64');
    secrets.hide(encoded);
    return `Basic ${encoded}`;
  }
}

function failureDetail(error: unknown): string {
  const verdict = failureVerdict(error);
  return 'reason' in verdict ? verdict.reason : verdict.kind;
}

/** What a 200 that is none of the receiver's means. */
const portal = 'a login page or a portal on the way answered; check "url", or log in to the network';
