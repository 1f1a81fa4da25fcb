import { randomUUID } from 'node:crypto';
import type * as v from 'valibot';
import type { Clock } from '../../base/clock.js';
import type { Destination, OutboxItem, Verdict } from '../destination.js';
import {
  excerpt,
  failureVerdict,
  HttpClient,
  type HttpReply,
  jsonField,
  statusVerdict,
} from '../net/http.js';
import { Secrets } from '../net/secrets.js';
import { encodeHec, judgeHecCode, readHecReply } from './hec.js';
import type { splunkOptions } from './options.js';

export type SplunkOptions = v.InferOutput<typeof splunkOptions>;

/** The wait between two questions whether a batch is indexed: from the first to the last, milliseconds. */
const firstPollMs = 200;
const lastPollMs = 10_000;

/** Splunk's HTTP Event Collector, with indexer acknowledgement where the token has it. */
export class SplunkDestination implements Destination {
  readonly name: string;
  readonly type = 'splunk';
  readonly network = true;
  readonly limits: { readonly maxItems: number; readonly maxBytes: number };
  readonly #options: SplunkOptions;
  readonly #http: HttpClient;
  readonly #clock: Clock;
  #channel: string | undefined;
  #ack: boolean;

  get clockSkewMs(): number | undefined {
    return this.#http.clockSkewMs;
  }

  private constructor(name: string, options: SplunkOptions, parts: { http: HttpClient; clock: Clock }) {
    this.name = name;
    this.#options = options;
    this.#http = parts.http;
    this.#clock = parts.clock;
    this.#ack = options.ack !== 'off';
    this.#channel = options.ack === 'off' ? undefined : randomUUID();
    this.limits = { maxItems: options.batch_items, maxBytes: options.batch_bytes };
  }

  static async open(name: string, options: SplunkOptions, clock: Clock): Promise<SplunkDestination> {
    const secrets = new Secrets();
    const http = await HttpClient.open(options, secrets);
    await secrets.get(options.token);
    return new SplunkDestination(name, options, { http, clock });
  }

  async send(items: readonly OutboxItem[], signal: AbortSignal): Promise<readonly Verdict[]> {
    const all = (verdict: Verdict) => items.map(() => verdict);
    try {
      const body = items.map((item) => encodeHec(item, this.#options)).join('\n');
      const reply = await this.#post('/services/collector/event', body, signal);
      if (reply.status < 200 || reply.status >= 300) return this.#refused(items, reply);
      const { ackId, code } = readHecReply(reply.text);
      if (code !== undefined && code !== 0) return all({ kind: 'retry', reason: this.#excerpt(reply) });
      if (ackId !== undefined && this.#ack) return all(await this.#acknowledged(ackId, signal));
      if (this.#options.ack === 'on') {
        return all({
          kind: 'pause',
          cause: 'config',
          certain: true,
          reason: 'the token gives no acknowledgement and "ack" is "on"',
        });
      }
      // Without a body of Splunk's this may be any server that answers 200.
      return code === 0
        ? all({ kind: 'delivered' })
        : all({ kind: 'retry', reason: `no HEC reply: ${this.#excerpt(reply)}` });
    } catch (error) {
      return all(failureVerdict(error));
    }
  }

  async probe(signal: AbortSignal): Promise<{ ok: boolean; detail: string }> {
    try {
      const headers = await this.#headers();
      const reply = await this.#http.request({
        method: 'GET',
        path: '/services/collector/health',
        headers,
        signal,
      });
      if (reply.status === 200 && jsonField(reply.text, 'code') === undefined)
        return {
          ok: false,
          detail:
            'HTTP 200, and no answer of Splunk: a login page or a portal on the way answered; check "url", or log in to the network',
        };
      return { ok: reply.status === 200, detail: this.#excerpt(reply) };
    } catch (error) {
      const verdict = failureVerdict(error);
      return { ok: false, detail: 'reason' in verdict ? verdict.reason : '' };
    }
  }

  /** An empty batch: HEC looks at the token first, and takes nothing ("No data", code 5). */
  async mayWrite(signal: AbortSignal): Promise<{ ok: boolean | null; detail: string }> {
    const headers = await this.#headers();
    const reply = await this.#http.request({
      method: 'POST',
      path: '/services/collector/event',
      headers,
      body: '',
      signal,
    });
    const code = jsonField(reply.text, 'code');
    // 10: it wants a channel, which it says of good tokens alone.
    if (code === 5 || code === 0 || code === 10) return { ok: true, detail: 'the token is taken' };
    if (reply.status === 401 || reply.status === 403)
      return { ok: false, detail: `${this.#excerpt(reply)}: check "token", and that HEC has it enabled` };
    return { ok: null, detail: `it does not tell (HTTP ${reply.status}); --send shows it` };
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  #refused(items: readonly OutboxItem[], reply: HttpReply): readonly Verdict[] {
    const judged = judgeHecCode(items, readHecReply(reply.text), this.#excerpt(reply));
    if (judged?.advice === 'use-channel') this.#channel = randomUUID();
    if (judged?.advice === 'no-ack') this.#ack = false;
    if (judged?.verdicts[0]?.kind === 'pause') this.#http.secrets.forget();
    if (judged !== undefined) return judged.verdicts;
    const verdict = statusVerdict(reply, { now: this.#clock.now() / 1000, secrets: this.#http.secrets });
    return items.map(() => verdict ?? { kind: 'retry', reason: this.#excerpt(reply) });
  }

  /** Asks until the batch is indexed. `false` means pending or unknown; there is no negative answer. */
  async #acknowledged(ackId: number, signal: AbortSignal): Promise<Verdict> {
    const end = this.#clock.monotonic() + this.#options.ack_timeout;
    for (let wait = firstPollMs; this.#clock.monotonic() < end; wait = Math.min(wait * 2, lastPollMs)) {
      await this.#pause(wait, signal);
      if (signal.aborted) break;
      const path = `/services/collector/ack?channel=${this.#channel}`;
      const reply = await this.#post(path, JSON.stringify({ acks: [ackId] }), signal);
      if (reply.status < 200 || reply.status >= 300) {
        const verdict = statusVerdict(reply, { now: this.#clock.now() / 1000, secrets: this.#http.secrets });
        if (verdict?.kind === 'retry') continue;
        return {
          kind: 'pause',
          cause: 'config',
          certain: true,
          reason: `no acknowledgement to be had: ${this.#excerpt(reply)}`,
        };
      }
      if (isAcked(reply.text, ackId)) return { kind: 'delivered' };
    }
    return { kind: 'retry', reason: 'not acknowledged in time' };
  }

  #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(milliseconds, done);
      signal.addEventListener('abort', done, { once: true });
      function done() {
        timer.cancel();
        signal.removeEventListener('abort', done);
        resolve();
      }
    });
  }

  async #post(path: string, body: string, signal: AbortSignal): Promise<HttpReply> {
    const headers = { ...(await this.#headers()), 'content-type': 'application/json' };
    return this.#http.request({ method: 'POST', path, headers, body, gzip: true, signal });
  }

  async #headers(): Promise<Record<string, string>> {
    const authorization = `Splunk ${await this.#http.secrets.get(this.#options.token)}`;
    return this.#channel === undefined
      ? { authorization }
      : { authorization, 'x-splunk-request-channel': this.#channel };
  }

  #excerpt(reply: HttpReply): string {
    return excerpt(reply, this.#http.secrets);
  }
}

function isAcked(text: string, ackId: number): boolean {
  try {
    const acks = (JSON.parse(text) as { acks?: Record<string, unknown> } | null)?.acks;
    return typeof acks === 'object' && acks !== null && acks[String(ackId)] === true;
  } catch {
    return false;
  }
}
