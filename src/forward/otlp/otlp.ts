import type * as v from 'valibot';
import type { Clock } from '../../base/clock.js';
import type { Destination, OutboxItem, Verdict } from '../destination.js';
import { excerpt, failureVerdict, HttpClient, type HttpReply, statusVerdict } from '../net/http.js';
import { Secrets } from '../net/secrets.js';
import { encodeOtlp, judgeOtlp } from './encode.js';
import type { otlpOptions } from './options.js';

export type OtlpOptions = v.InferOutput<typeof otlpOptions>;

/** After a partial success records go one by one for so long, milliseconds: none that was taken is sent twice then. */
const singlyMs = 600_000;

/**
 * OTLP/HTTP logs in JSON. The protocol wants only 429, 502, 503 and 504 tried again; collectors answer 500 to what passes
 * (a full memory, a backend that is away), so that every 5xx is.
 */
export class OtlpDestination implements Destination {
  readonly name: string;
  readonly type = 'otlp';
  readonly network = true;
  readonly #options: OtlpOptions;
  readonly #http: HttpClient;
  readonly #clock: Clock;
  readonly #version: string;
  #singlyUntil = Number.NEGATIVE_INFINITY;

  get clockSkewMs(): number | undefined {
    return this.#http.clockSkewMs;
  }

  private constructor(
    name: string,
    options: OtlpOptions,
    parts: { http: HttpClient; clock: Clock; version: string },
  ) {
    this.name = name;
    this.#options = options;
    this.#http = parts.http;
    this.#clock = parts.clock;
    this.#version = parts.version;
  }

  get limits(): { readonly maxItems: number; readonly maxBytes: number } {
    const { batch_items, batch_bytes } = this.#options;
    const singly = this.#clock.monotonic() < this.#singlyUntil;
    return { maxItems: singly ? 1 : batch_items, maxBytes: batch_bytes };
  }

  static async open(
    name: string,
    options: OtlpOptions,
    context: { readonly clock: Clock; readonly version: string },
  ): Promise<OtlpDestination> {
    const secrets = new Secrets();
    // An address alone is where the collector is, not where it takes logs.
    const { origin, pathname, search } = new URL(options.url);
    const url = pathname === '/' ? `${origin}/v1/logs${search}` : options.url;
    const made = new OtlpDestination(name, options, {
      ...context,
      http: await HttpClient.open({ ...options, url }, secrets),
    });
    await made.#headers();
    return made;
  }

  async send(items: readonly OutboxItem[], signal: AbortSignal): Promise<readonly Verdict[]> {
    try {
      const reply = await this.#post(encodeOtlp(items, this.#version), signal);
      const verdict = statusVerdict(reply, { now: this.#clock.now() / 1000, secrets: this.#http.secrets });
      if (verdict !== undefined) return items.map(() => verdict);
      const verdicts = this.#isBare(reply)
        ? items.map((): Verdict => ({ kind: 'delivered' }))
        : judgeOtlp(items, reply.truncated ? '' : reply.text);
      if (verdicts[0]?.kind === 'split') this.#singlyUntil = this.#clock.monotonic() + singlyMs;
      return verdicts;
    } catch (error) {
      const verdict = failureVerdict(error);
      return items.map(() => verdict);
    }
  }

  /** An export of nothing. */
  async probe(signal: AbortSignal): Promise<{ ok: boolean; detail: string }> {
    try {
      const reply = await this.#post(JSON.stringify({ resourceLogs: [] }), signal);
      const answer = statusVerdict(reply, { now: 0, secrets: this.#http.secrets });
      const ok = answer === undefined && (this.#isBare(reply) || judgeOtlp([], reply.text) !== undefined);
      return { ok, detail: excerpt(reply, this.#http.secrets) };
    } catch (error) {
      const verdict = failureVerdict(error);
      return { ok: false, detail: 'reason' in verdict ? verdict.reason : '' };
    }
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  async #post(body: string, signal: AbortSignal): Promise<HttpReply> {
    const headers = { ...(await this.#headers()), 'content-type': 'application/json' };
    const { gzip } = this.#options;
    return this.#http.request({
      method: 'POST',
      path: '',
      headers,
      body,
      gzip,
      maxReplyBytes: 4 * 1024 * 1024,
      signal,
    });
  }

  /** Nothing was wrong and nothing is said, by a collector: an empty answer of another kind may be anybody's. */
  #isBare({ text, headers, truncated }: HttpReply): boolean {
    const type = String(headers['content-type'] ?? '');
    return !truncated && text.trim() === '' && /^application\/(?:json|x-protobuf)\b/.test(type);
  }

  async #headers(): Promise<Record<string, string>> {
    const all: Record<string, string> = {};
    for (const [name, value] of Object.entries(this.#options.headers)) all[name.toLowerCase()] = value;
    for (const [name, ref] of Object.entries(this.#options.secret_headers))
      all[name.toLowerCase()] = await this.#http.secrets.get(ref);
    return all;
  }
}
