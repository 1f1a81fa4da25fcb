import { createHash, createHmac } from 'node:crypto';
import type * as v from 'valibot';
import type { Clock } from '../../base/clock.js';
import { UserError } from '../../base/errors.js';
import type { Destination, OutboxItem, Verdict } from '../destination.js';
import { excerpt, failureVerdict, HttpClient, type HttpReply, isHtml, statusVerdict } from '../net/http.js';
import { Secrets } from '../net/secrets.js';
import { documentId } from '../updates.js';
import { isForPeople, isMessageFormat, messageBody } from './body.js';
import type { webhookOptions } from './options.js';

export type WebhookOptions = v.InferOutput<typeof webhookOptions>;

/** The status is the answer; the body is for people, and has so long, milliseconds. */
const bodyMs = 2_000;

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

  get clockSkewMs(): number | undefined {
    return this.#http.clockSkewMs;
  }

  private constructor(name: string, options: WebhookOptions, parts: { http: HttpClient; clock: Clock }) {
    this.name = name;
    this.#options = options;
    this.#http = parts.http;
    this.#clock = parts.clock;
    const single = options.format === 'json' || isMessageFormat(options.format);
    this.limits = { maxItems: single ? 1 : options.batch_items, maxBytes: options.batch_bytes };
  }

  static async open(name: string, options: WebhookOptions, clock: Clock): Promise<WebhookDestination> {
    if (options.url.startsWith('http:') && !options.insecure && !isLoopback(options.url)) {
      throw new UserError('forward/insecure', `destination "${name}" would send alerts unencrypted`, {
        hint: 'Use https, or set "insecure = true" if that is what you want.',
      });
    }
    if ((options.format === 'pagerduty') !== (options.routing_key !== undefined)) {
      throw new UserError(
        'forward/credentials',
        `destination "${name}" needs "routing_key" for PagerDuty alone`,
        {
          hint: 'Set format = "pagerduty" and "routing_key" (file:, env: or keychain:) together, or neither.',
        },
      );
    }
    if (isMessageFormat(options.format) && options.raw_events !== 'off') {
      throw new UserError(
        'forward/raw-events',
        `destination "${name}" sends messages to people, no raw events`,
        {
          hint: `Set raw_events = "off", or another format than "${options.format}".`,
        },
      );
    }
    const secrets = new Secrets();
    const made = new WebhookDestination(name, options, {
      http: await HttpClient.open(options, secrets),
      clock,
    });
    await made.#headers('', []);
    await made.#routingKey();
    return made;
  }

  async send(items: readonly OutboxItem[], signal: AbortSignal): Promise<readonly Verdict[]> {
    const all = (verdict: Verdict) => items.map(() => verdict);
    const { format, gzip } = this.#options;
    const [first] = items;
    if (first !== undefined && isMessageFormat(format) && !isForPeople(first, format))
      return all({ kind: 'delivered' });
    try {
      const body = this.#encode(items, await this.#routingKey());
      const headers = await this.#headers(body, items);
      const reply = await this.#http.request({
        method: 'POST',
        path: '',
        headers,
        body,
        gzip,
        bodyMs,
        signal,
      });
      return all(this.#judge(reply));
    } catch (error) {
      return all(failureVerdict(error));
    }
  }

  /** A webhook has no question that does nothing: whether the address answers at all is what can be asked. */
  async probe(signal: AbortSignal): Promise<{ ok: boolean; detail: string }> {
    try {
      const headers = await this.#headers('', []);
      const reply = await this.#http.request({ method: 'GET', path: '', headers, bodyMs, signal });
      const said = excerpt(reply, this.#http.secrets);
      const { status } = reply;
      if (status >= 200 && status < 300 && this.#isPage(reply))
        return { ok: false, detail: `${said}: a web page, no receiver; check "url"` };
      if (status >= 200 && status < 300) return { ok: true, detail: said };
      // What takes POST alone says so to a GET.
      if (status === 405 || status === 400 || status === 415)
        return {
          ok: true,
          detail: `HTTP ${status}: it answers; "forward test --send" shows whether it takes documents`,
        };
      const cure = adviceFor(status);
      return { ok: false, detail: cure === undefined ? said : `${said}: ${cure}` };
    } catch (error) {
      const verdict = failureVerdict(error);
      return { ok: false, detail: 'reason' in verdict ? verdict.reason : '' };
    }
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  #judge(reply: HttpReply): Verdict {
    const { secrets } = this.#http;
    // Our idempotency key is known to the receiver: it has had this very request.
    if (reply.status === 409) return { kind: 'duplicate' };
    const verdict = statusVerdict(reply, { now: this.#clock.now() / 1000, secrets });
    if (verdict === undefined) {
      if (!this.#isPage(reply)) return { kind: 'delivered' };
      const reason = `${excerpt(reply, secrets)}: a web page is no acknowledgement (a login page, a portal?); if it is the receiver's own, set "accept_html = true"`;
      return { kind: 'pause', cause: 'config', reason };
    }
    const advice = this.#advice(reply);
    return advice === undefined || !('reason' in verdict)
      ? verdict
      : { ...verdict, reason: `${verdict.reason} (${advice})` };
  }

  #isPage(reply: HttpReply): boolean {
    return !this.#options.accept_html && isHtml(reply.text);
  }

  /** Services that take no documents, but a message of their own, say so in their own ways. */
  #advice({ status, text }: HttpReply): string | undefined {
    if (status !== 400 || isMessageFormat(this.#options.format)) return undefined;
    if (/^(?:no_text|invalid_payload|missing_text_or_fallback_or_attachments)\b/.test(text))
      return 'Slack takes messages: set format = "slack"';
    if (text.includes('routing_key'))
      return 'PagerDuty takes events of its own: set format = "pagerduty" and "routing_key"';
    return /summary or text is required|adaptive ?card/i.test(text)
      ? 'Teams takes messages: set format = "teams"'
      : 'check that it takes what "format" names';
  }

  async #routingKey(): Promise<string> {
    const { routing_key } = this.#options;
    return routing_key === undefined ? '' : this.#http.secrets.get(routing_key);
  }

  #encode(items: readonly OutboxItem[], routingKey: string): string {
    const { format } = this.#options;
    const bodies = items.map((item) =>
      isMessageFormat(format) ? messageBody(item, format, routingKey) : item.body,
    );
    if (format === 'ndjson') return `${bodies.join('\n')}\n`;
    return format === 'json-array' ? `[${bodies.join(',')}]` : (bodies[0] ?? '');
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

function adviceFor(status: number): string | undefined {
  if (status >= 300 && status < 400)
    return 'it sends elsewhere, and no redirect is followed; set the final address as "url"';
  if (status === 404 || status === 410)
    return 'nothing is there for a GET; check "url", and try "forward test --send" if it takes POST alone';
  if (status === 401 || status === 403 || status === 407) return 'check the credentials ("secret_headers")';
  return undefined;
}
