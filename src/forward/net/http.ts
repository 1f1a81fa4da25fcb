import { Agent, type ClientRequestArgs, type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, gzip, inflate } from 'node:zlib';
import { errnoOf, messageOf } from '../../base/errors.js';
import { escapeText } from '../../base/escape.js';
import { retryAfterMs } from '../backoff.js';
import type { TlsOptions } from '../common-options.js';
import type { Verdict } from '../destination.js';
import { sentenceOf } from './failures.js';
import { findProxy, openSocket, type ProxyOptions, ProxyRefusal, type ProxyServer } from './proxy.js';
import { Secrets } from './secrets.js';
import { isHandshakeFailure, secureSocket, tlsConnection } from './tls.js';

const compress = promisify(gzip);
/** How answers may be packed, though we ask for none of it. */
const unpackers = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

/** An idle connection is closed by us after so long, milliseconds: before most receivers do. */
const idleMs = 4_000;

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
  /** Appended to the URL's own path, which is sent as configured when this is empty. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly gzip?: boolean;
  readonly maxReplyBytes?: number;
  /** How long the body may take after the status, milliseconds, where the status says everything. */
  readonly bodyMs?: number;
  readonly signal: AbortSignal;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Unpacked, at most `maxReplyBytes`. */
  readonly bytes: Buffer;
  /** The same without a byte order mark. */
  readonly text: string;
  readonly truncated: boolean;
  /** Why it is truncated. */
  readonly cut: Cut | undefined;
}

/** There was more than is read, the rest did not come in time, or what came cannot be unpacked. */
export type Cut = 'large' | 'late' | 'packed';

/** No reply: the connection, TLS or the proxy failed, or time ran out. */
export class HttpFailure extends Error {
  readonly refused: boolean;
  readonly handshake: boolean;
  readonly afterMs: number | undefined;

  /**
   * `afterMs`: when a proxy wants to be asked again. `refused`: our credentials or settings are at fault, not the network. `handshake`: TLS failed, on our certificates or
   * theirs.
   */
  constructor(
    message: string,
    how: { readonly refused?: boolean; readonly handshake?: boolean; readonly afterMs?: number } = {},
  ) {
    super(message);
    this.afterMs = how.afterMs;
    this.refused = how.refused === true;
    this.handshake = how.handshake === true;
  }
}

/** One HTTP receiver: own roots, client certificate, pins, proxy; no redirects, bounded replies, one time limit. */
export class HttpClient {
  readonly secrets: Secrets;
  readonly #agent: ReceiverAgent;
  readonly #url: URL;
  /** Path and query exactly as configured. */
  readonly #target: string;
  readonly #timeout: number;
  #clockSkewMs: number | undefined;

  private constructor(parts: { agent: ReceiverAgent; url: string; timeout: number; secrets: Secrets }) {
    this.#agent = parts.agent;
    this.#url = new URL(parts.url);
    this.#target = targetOf(parts.url);
    this.#timeout = parts.timeout;
    this.secrets = parts.secrets;
  }

  /** Throws a UserError when the options cannot be used. */
  static async open(options: HttpOptions, secrets = new Secrets()): Promise<HttpClient> {
    const url = new URL(options.url);
    for (const part of keysIn(url)) secrets.hide(part);
    const secure = url.protocol === 'https:';
    const to = {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port) || (secure ? 443 : 80),
    };
    const tls = await tlsConnection(options.tls, secrets);
    const proxy = await findProxy(to.host, options, { secrets, port: to.port });
    const agent = new ReceiverAgent({
      to,
      tls: secure ? { ...tls, ALPNProtocols: ['http/1.1'] } : undefined,
      proxy,
      timeoutMs: options.timeout,
    });
    return new HttpClient({ agent, url: options.url, timeout: options.timeout, secrets });
  }

  /** Our clock minus that of the receiver, to the second, as the Date of its last answer (RFC 9110, 6.6.1) said. */
  get clockSkewMs(): number | undefined {
    return this.#clockSkewMs;
  }

  /** Rejects with HttpFailure only. */
  async request(what: HttpRequest): Promise<HttpReply> {
    const { method, path, maxReplyBytes = 64 * 1024 } = what;
    const headers: Record<string, string> = {
      ...what.headers,
      host: this.#url.host,
      'accept-encoding': 'identity',
    };
    let { body } = what;
    if (body !== undefined && what.gzip === true) {
      body = await compress(body);
      headers['content-encoding'] = 'gzip';
    }
    if (body !== undefined) headers['content-length'] = String(Buffer.byteLength(body));
    const late = AbortSignal.timeout(this.#timeout);
    const signal = AbortSignal.any([what.signal, late]);
    try {
      const target = path === '' ? this.#target : `${this.#target.replace(/\/+$/, '')}${path}`;
      const reply = await exchange({ agent: this.#agent, method, path: target, headers, signal }, body);
      const date = Date.parse(reply.headers.date ?? '');
      if (!Number.isNaN(date)) this.#clockSkewMs = Date.now() - date;
      const { bytes, cut } = await readBounded(reply, { limit: maxReplyBytes, late, bodyMs: what.bodyMs });
      return {
        status: reply.statusCode ?? 0,
        headers: reply.headers,
        bytes,
        get text() {
          return bytes.toString('utf8').replace(/^\ufeff/, '');
        },
        truncated: cut !== undefined,
        cut,
      };
    } catch (error) {
      throw this.#failure(error, { stopped: what.signal.aborted, late: late.aborted });
    }
  }

  async close(): Promise<void> {
    this.#agent.close();
  }

  #failure(error: unknown, how: { readonly stopped: boolean; readonly late: boolean }): HttpFailure {
    if (how.stopped) return new HttpFailure('stopped');
    if (how.late) return new HttpFailure(`${this.#agent.waitsFor} in ${this.#timeout} ms`);
    const refusal = error instanceof ProxyRefusal ? error : undefined;
    if (refusal?.ours === true) this.secrets.forget();
    const text = this.secrets.redact(escapeText(sentenceOf(error))).slice(0, 500);
    return new HttpFailure(text, {
      refused: refusal?.ours === true,
      handshake: isHandshakeFailure(error),
      ...(refusal?.afterMs === undefined ? {} : { afterMs: refusal.afterMs }),
    });
  }
}

/** What follows the host in a URL, as it is written there. */
function targetOf(url: string): string {
  const rest = /^[^:]+:\/\/[^/?#]*([^#]*)/.exec(url)?.[1] ?? '';
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** What of an address may be a key: values of its query, and long segments of its path, as chat services give them. */
function keysIn({ pathname, searchParams }: URL): string[] {
  return [...searchParams.values(), ...pathname.split('/')].filter((part) => part.length >= leastKey);
}

interface ReceiverAgentOptions {
  readonly to: { readonly host: string; readonly port: number };
  readonly tls: ConnectionOptions | undefined;
  readonly proxy: ProxyServer | undefined;
  readonly timeoutMs: number;
}

/** Opens the one connection to a receiver as syslog does: through our own CONNECT, with our own TLS rules. */
class ReceiverAgent extends Agent {
  /** What there is none of yet, for a message when time runs out. */
  waitsFor = 'no reply';
  readonly #how: ReceiverAgentOptions;
  readonly #closing = new AbortController();

  constructor(how: ReceiverAgentOptions) {
    super({ keepAlive: true, maxSockets: 1, timeout: idleMs });
    this.#how = how;
  }

  override createConnection(
    _: ClientRequestArgs,
    callback?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    this.#open().then(
      (socket) => callback?.(null, socket),
      (error: Error) => callback?.(error, undefined as unknown as Duplex),
    );
  }

  close(): void {
    this.#closing.abort();
    this.destroy();
  }

  async #open(): Promise<Duplex> {
    const { to, tls, proxy, timeoutMs } = this.#how;
    const { signal } = this.#closing;
    this.waitsFor = proxy === undefined ? 'no connection' : 'no connection through the proxy';
    const socket = await openSocket(to, { proxy, timeoutMs, signal });
    // HTTP knows no half-open connections.
    socket.allowHalfOpen = false;
    socket.setNoDelay(true);
    if (tls !== undefined) this.waitsFor = 'no end of the TLS handshake (is it a TLS port?)';
    const opened =
      tls === undefined ? socket : await secureSocket(socket, to.host, { options: tls, timeoutMs, signal });
    this.waitsFor = 'no reply';
    return opened;
  }
}

/** Sends one request. Resolves when the head of the answer is there. Informational answers (1xx) are passed over. */
function exchange(args: ClientRequestArgs, body: string | Buffer | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(args);
    sent.once('response', resolve);
    // After the answer too: a receiver may close while it is still being sent to.
    sent.on('error', reject);
    sent.on('upgrade', (_, socket) => {
      socket.destroy();
      reject(new Error('the answer changes the protocol, which nobody asked for'));
    });
    sent.end(body);
  });
}

/**
 * The body, as much as is allowed. When the rest does not come in time what came is given: it may be all that matters.
 * Rejects when the connection breaks before the end.
 */
async function readBounded(
  reply: IncomingMessage,
  how: { readonly limit: number; readonly late: AbortSignal; readonly bodyMs: number | undefined },
): Promise<{ bytes: Buffer; cut: Cut | undefined }> {
  const chunks: Buffer[] = [];
  let size = 0;
  let isLate = false;
  const stop = () => {
    isLate = true;
    reply.destroy();
  };
  const timer = how.bodyMs === undefined ? undefined : setTimeout(stop, how.bodyMs);
  try {
    for await (const chunk of reply as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      // Leaving the loop destroys the body and with it the connection: nobody can make us read for ever.
      if (size > how.limit) break;
    }
  } catch (error) {
    if (!isLate && !(how.late.aborted && size > 0)) throw error;
    isLate = true;
  } finally {
    clearTimeout(timer);
  }
  const raw = Buffer.concat(chunks).subarray(0, how.limit);
  const unpacked = await unpack(raw, reply.headers['content-encoding'], how.limit);
  const cut = size > how.limit ? 'large' : isLate ? 'late' : undefined;
  if (Buffer.isBuffer(unpacked)) return { bytes: unpacked, cut };
  return { bytes: raw, cut: cut ?? unpacked };
}

/** `packed` when it is not what it claims to be, `large` when it would be more than the limit. */
async function unpack(
  raw: Buffer,
  encoding: string | undefined,
  limit: number,
): Promise<Buffer | 'packed' | 'large'> {
  const claimed = encoding?.trim().toLowerCase() ?? '';
  const zipped = raw[0] === 0x1f && raw[1] === 0x8b;
  const unpacker = zipped ? unpackers.gzip : unpackers[claimed as keyof typeof unpackers];
  if (unpacker === undefined || raw.length === 0) return raw;
  try {
    return await unpacker(raw, { maxOutputLength: limit });
  } catch (error) {
    return errnoOf(error) === 'ERR_BUFFER_TOO_LARGE' ? 'large' : 'packed';
  }
}

/** What a receiver said, made safe to store and print. */
export function excerpt(reply: HttpReply, secrets: Secrets): string {
  const said = escapeText(reply.text.slice(0, 300));
  return secrets.redact(`HTTP ${reply.status}${said === '' ? '' : `: ${said}`}`);
}

/** True of a web page, whatever its label says: a receiver's answer to a document is none. */
export function isHtml(text: string): boolean {
  return /^\s*(?:<!--[\s\S]{0,500}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b/i.test(text.slice(0, 1000));
}

/** A field of an answer that is a JSON object; undefined when it is none, or has no such field. */
export function jsonField(text: string, name: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  } catch {
    return undefined;
  }
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
  if (!(error instanceof HttpFailure)) return { kind: 'retry', reason };
  if (error.refused) return { kind: 'pause', reason, cause: 'auth' };
  const { handshake, afterMs } = error;
  return {
    kind: 'retry',
    reason,
    ...(handshake ? { reopen: true } : {}),
    ...(afterMs === undefined ? {} : { afterMs }),
  };
}
