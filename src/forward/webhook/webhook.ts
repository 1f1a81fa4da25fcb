import { createHash, createHmac } from 'node:crypto';
import type * as v from 'valibot';
import type { Clock } from '../../base/clock.js';
import { UserError } from '../../base/errors.js';
import type { Destination, OutboxItem, Verdict } from '../destination.js';
import { failureVerdict, HttpClient, statusVerdict } from '../net/http.js';
import { Secrets } from '../net/secrets.js';
import { documentId } from '../updates.js';
import type { webhookOptions } from './options.js';

export type WebhookOptions = v.InferOutput<typeof webhookOptions>;

function isLoopback(url: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);
}

/** The same for the same documents at every try: a UUID made from their ids. */
export function idempotencyKey(items: readonly OutboxItem[]): string {
  // The revision too: an alert that grew before it was acknowledged is another request.
  const names = items.map((item) => `${documentId(item)} ${item.revision}`);
  const hex = createHash('sha256').update(names.join('\n')).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** What the request tells of: documents that are new to the receiver, later revisions of alerts that it has, or both. */
function eventOf(items: readonly OutboxItem[]): 'created' | 'updated' | 'mixed' {
  const updates = items.filter(({ update }) => update === true).length;
  if (updates === 0) return 'created';
  return updates === items.length ? 'updated' : 'mixed';
}

/** `t=<seconds>,v1=<hex>,...`: HMAC-SHA-256 of `t.body` under each secret, so that one can replace another. */
export function signature(body: string, secrets: readonly string[], seconds: number): string {
  const sign = (secret: string) => createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return [`t=${seconds}`, ...secrets.map((secret) => `v1=${sign(secret)}`)].join(',');
}

/** A POST to an HTTPS address: one document a request, a list, or one a line. */
export class WebhookDestination implements Destination {
  readonly name: string;
  readonly type = 'webhook';
  readonly network = true;
  readonly limits: { readonly maxItems: number; readonly maxBytes: number };
  readonly #options: WebhookOptions;
  readonly #http: HttpClient;
  readonly #clock: Clock;

  private constructor(name: string, options: WebhookOptions, parts: { http: HttpClient; clock: Clock }) {
    this.name = name;
    this.#options = options;
    this.#http = parts.http;
    this.#clock = parts.clock;
    const single = options.format === 'json';
    this.limits = { maxItems: single ? 1 : options.batch_items, maxBytes: options.batch_bytes };
  }

  static async open(name: string, options: WebhookOptions, clock: Clock): Promise<WebhookDestination> {
    if (options.url.startsWith('http:') && !options.insecure && !isLoopback(options.url)) {
      throw new UserError('forward/insecure', `destination "${name}" would send alerts unencrypted`, {
        hint: 'Use https, or set "insecure = true" if that is what you want.',
      });
    }
    const secrets = new Secrets();
    const made = new WebhookDestination(name, options, {
      http: await HttpClient.open(options, secrets),
      clock,
    });
    await made.#headers('', []);
    return made;
  }

  async send(items: readonly OutboxItem[], signal: AbortSignal): Promise<readonly Verdict[]> {
    const all = (verdict: Verdict) => items.map(() => verdict);
    try {
      const body = this.#encode(items);
      const headers = await this.#headers(body, items);
      const { gzip } = this.#options;
      const reply = await this.#http.request({ method: 'POST', path: '', headers, body, gzip, signal });
      // Our idempotency key is known to the receiver: it has had this very request.
      if (reply.status === 409) return all({ kind: 'duplicate' });
      const verdict = statusVerdict(reply, { now: this.#clock.now() / 1000, secrets: this.#http.secrets });
      return all(verdict ?? { kind: 'delivered' });
    } catch (error) {
      return all(failureVerdict(error));
    }
  }

  /** A webhook has no question that does nothing: whether the address answers at all is what can be asked. */
  async probe(signal: AbortSignal): Promise<{ ok: boolean; detail: string }> {
    try {
      const reply = await this.#http.request({ method: 'GET', path: '', headers: {}, signal });
      return { ok: reply.status < 500, detail: `HTTP ${reply.status}` };
    } catch (error) {
      const verdict = failureVerdict(error);
      return { ok: false, detail: 'reason' in verdict ? verdict.reason : '' };
    }
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  #encode(items: readonly OutboxItem[]): string {
    const bodies = items.map(({ body }) => body);
    if (this.#options.format === 'json') return bodies[0] ?? '';
    return this.#options.format === 'ndjson' ? `${bodies.join('\n')}\n` : `[${bodies.join(',')}]`;
  }

  async #headers(body: string, items: readonly OutboxItem[]): Promise<Record<string, string>> {
    const { format, headers, secret_headers, hmac_secrets } = this.#options;
    const { secrets } = this.#http;
    const all: Record<string, string> = {
      'content-type': format === 'ndjson' ? 'application/x-ndjson' : 'application/json',
      'idempotency-key': idempotencyKey(items),
      ...(items.length === 0 ? {} : { 'x-launchwarden-event': eventOf(items) }),
    };
    for (const [name, value] of Object.entries(headers)) all[name.toLowerCase()] = value;
    for (const [name, ref] of Object.entries(secret_headers))
      all[name.toLowerCase()] = await secrets.get(ref);
    const keys = await Promise.all(hmac_secrets.map((ref) => secrets.get(ref)));
    const seconds = Math.floor(this.#clock.now() / 1e6);
    if (keys.length > 0) all['x-launchwarden-signature'] = signature(body, keys, seconds);
    return all;
  }
}
