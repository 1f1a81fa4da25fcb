import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Agent, type buildConnector, type Dispatcher, request } from 'undici';
import { errnoOf, messageOf } from '../../base/errors.js';
import { escapeText } from '../../base/escape.js';
import { retryAfterMs } from '../backoff.js';
import type { TlsOptions } from '../common-options.js';
import type { Verdict } from '../destination.js';
import { findProxy, openSocket, type ProxyOptions, ProxyRefusal, type ProxyServer } from './proxy.js';
import { Secrets } from './secrets.js';
import { isHandshakeFailure, secureSocket, tlsConnection } from './tls.js';

const compress = promisify(gzip);

/** A shorter part of an address is a word. */
const leastKey = 20;

export interface HttpOptions extends ProxyOptions {
  readonly url: string;
  readonly tls: TlsOptions;
  /** Milliseconds for one whole request. */
  readonly timeout: number;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Appended to the URL's own path. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly gzip?: boolean;
  readonly maxReplyBytes?: number;
  readonly signal: AbortSignal;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** At most `maxReplyBytes`; `truncated` when there was more. */
  readonly text: string;
  readonly truncated: boolean;
}

/** No reply: the connection, TLS or the proxy failed, or time ran out. */
export class HttpFailure extends Error {
  readonly refused: boolean;
  readonly handshake: boolean;

  /**
   * `refused`: our credentials or settings are at fault, not the network. `handshake`: TLS failed, on our certificates or
   * theirs.
   */
  constructor(message: string, how: { readonly refused?: boolean; readonly handshake?: boolean } = {}) {
    super(message);
    this.refused = how.refused === true;
    this.handshake = how.handshake === true;
  }
}

/** One HTTP receiver: own roots, client certificate, pins, proxy; no redirects, bounded replies, one time limit. */
export class HttpClient {
  readonly secrets: Secrets;
  readonly #dispatcher: Dispatcher;
  readonly #base: string;
  readonly #timeout: number;

  private constructor(parts: { dispatcher: Dispatcher; base: string; timeout: number; secrets: Secrets }) {
    this.#dispatcher = parts.dispatcher;
    this.#base = parts.base;
    this.#timeout = parts.timeout;
    this.secrets = parts.secrets;
  }

  /** Throws a UserError when the options cannot be used. */
  static async open(options: HttpOptions, secrets = new Secrets()): Promise<HttpClient> {
    const url = new URL(options.url);
    for (const part of keysIn(url)) secrets.hide(part);
    const connect = await tlsConnection(options.tls, secrets);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const proxy = await findProxy(host, options, { secrets });
    const dispatcher = new Agent({
      connect: connector({ tls: connect, proxy, timeoutMs: options.timeout }),
      connections: 1,
      pipelining: 1,
      headersTimeout: options.timeout,
      bodyTimeout: options.timeout,
    });
    const base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
    return new HttpClient({ dispatcher, base, timeout: options.timeout, secrets });
  }

  /** Rejects with HttpFailure only. */
  async request(what: HttpRequest): Promise<HttpReply> {
    const { method, path, maxReplyBytes = 64 * 1024 } = what;
    const headers: Record<string, string> = { ...what.headers, 'accept-encoding': 'identity' };
    let { body } = what;
    if (body !== undefined && what.gzip === true) {
      body = await compress(body);
      headers['content-encoding'] = 'gzip';
    }
    const signal = AbortSignal.any([what.signal, AbortSignal.timeout(this.#timeout)]);
    try {
      const reply = await request(`${this.#base}${path}`, {
        method,
        headers,
        signal,
        dispatcher: this.#dispatcher,
        ...(body === undefined ? {} : { body }),
      });
      const { text, truncated } = await readBounded(reply.body, maxReplyBytes);
      return { status: reply.statusCode, headers: reply.headers, text, truncated };
    } catch (error) {
      throw this.#failure(error, what.signal);
    }
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  #failure(error: unknown, signal: AbortSignal): HttpFailure {
    if (signal.aborted) return new HttpFailure('stopped');
    if ((error as { name?: string }).name === 'TimeoutError')
      return new HttpFailure(`no reply in ${this.#timeout} ms`);
    const inner = (error as { cause?: unknown }).cause;
    const code = errnoOf(inner) ?? errnoOf(error);
    const message = [messageOf(error), inner === undefined ? '' : messageOf(inner)]
      .filter((text) => text !== '')
      .join(': ');
    const refused = [error, inner].some((one) => one instanceof ProxyRefusal && one.ours);
    if (refused) this.secrets.forget();
    const text = code !== undefined && !message.includes(code) ? `${message} (${code})` : message;
    const handshake = [error, inner].some(isHandshakeFailure);
    return new HttpFailure(this.secrets.redact(escapeText(text)).slice(0, 500), { refused, handshake });
  }
}

/** What of an address may be a key: values of its query, and long segments of its path, as chat services give them. */
function keysIn({ pathname, searchParams }: URL): string[] {
  return [...searchParams.values(), ...pathname.split('/')].filter((part) => part.length >= leastKey);
}

/** Opens the connections of an undici agent as syslog does: through our own CONNECT, with our own TLS rules. */
function connector(how: {
  readonly tls: ConnectionOptions;
  readonly proxy: ProxyServer | undefined;
  readonly timeoutMs: number;
}): buildConnector.connector {
  const { proxy, timeoutMs } = how;
  const open = async ({ hostname, port, protocol }: buildConnector.Options): Promise<Socket> => {
    const host = hostname.replace(/^\[|\]$/g, '');
    const secure = protocol === 'https:';
    const to = { host, port: Number(port) || (secure ? 443 : 80) };
    const until = AbortSignal.timeout(timeoutMs);
    const socket = await openSocket(to, { proxy, timeoutMs, signal: until });
    // HTTP knows no half-open connections.
    socket.allowHalfOpen = false;
    if (!secure) return socket;
    const options = { ...how.tls, ALPNProtocols: ['http/1.1'] };
    return secureSocket(socket, host, { options, timeoutMs, signal: until });
  };
  return (options, callback) => {
    open(options).then(
      (socket) => callback(null, socket),
      (error: unknown) => callback(error instanceof Error ? error : new Error(messageOf(error)), null),
    );
  };
}

async function readBounded(
  body: AsyncIterable<Buffer>,
  limit: number,
): Promise<{ text: string; truncated: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    // Leaving the loop destroys the body and with it the connection: nobody can make us read for ever.
    if (size > limit) break;
  }
  return { text: Buffer.concat(chunks).subarray(0, limit).toString('utf8'), truncated: size > limit };
}

/** What a receiver said, made safe to store and print. */
export function excerpt(reply: HttpReply, secrets: Secrets): string {
  const said = escapeText(reply.text.slice(0, 300));
  return secrets.redact(`HTTP ${reply.status}${said === '' ? '' : `: ${said}`}`);
}

/** Statuses about who we are: credentials, rights, a paid service, a client certificate (nginx's 495 and 496). */
const unauthorized = [401, 402, 403, 407, 495, 496];
/** Statuses about how or where we send, not about what: the address, the method, the encoding, the headers. */
const misconfigured = [404, 405, 406, 410, 411, 415, 417, 421, 426, 431, 451];

/**
 * What a status means for a whole request where the protocol says nothing else; undefined for 2xx. 3xx is a wrong
 * address: we follow no redirects.
 */
export function statusVerdict(
  reply: HttpReply,
  how: { readonly now: number; readonly secrets: Secrets },
): Verdict | undefined {
  const { status } = reply;
  if (status >= 200 && status < 300) return undefined;
  const reason = excerpt(reply, how.secrets);
  if (status < 200 || [408, 420, 423, 425, 429, 499].includes(status) || status >= 500) {
    const afterMs = retryAfterMs(reply.headers['retry-after'], how.now);
    return { kind: 'retry', reason, ...(afterMs === undefined ? {} : { afterMs }) };
  }
  if (unauthorized.includes(status)) {
    how.secrets.forget();
    // 403 may be the word of a filter on the way about one document.
    return { kind: 'pause', reason, cause: 'auth', ...(status === 403 ? {} : { certain: true }) };
  }
  if (status < 400 || misconfigured.includes(status)) return { kind: 'pause', reason, cause: 'config' };
  return { kind: 'split', reason };
}

/** The verdict on a request that had no reply. */
export function failureVerdict(error: unknown): Verdict {
  const reason = messageOf(error).slice(0, 500);
  if (error instanceof HttpFailure && error.refused) return { kind: 'pause', reason, cause: 'auth' };
  const reopen = error instanceof HttpFailure && error.handshake;
  return { kind: 'retry', reason, ...(reopen ? { reopen } : {}) };
}
