import type { Socket } from 'node:net';
import { hostname } from 'node:os';
import type * as v from 'valibot';
import { messageOf, UserError } from '../../base/errors.js';
import { escapeText } from '../../base/escape.js';
import type { Destination, OutboxItem, Verdict } from '../destination.js';
import { findProxy, ProxyRefusal } from '../net/proxy.js';
import { Secrets } from '../net/secrets.js';
import { isHandshakeFailure, tlsConnection } from '../net/tls.js';
import { splitHostPort } from '../values.js';
import {
  type ConnectOptions,
  connectReceiver,
  type Receiver,
  sendAndConfirm,
  sendUnconfirmed,
} from './connection.js';
import { encodeMessage, frame, type MessageOptions } from './message.js';
import type { syslogOptions } from './options.js';
import { RelpSession } from './relp.js';

export type SyslogOptions = v.InferOutput<typeof syslogOptions>;

/** Syslog (RFC 5424) over TCP or TLS, confirmed by the receiver's orderly close or by RELP. */
export class SyslogDestination implements Destination {
  readonly name: string;
  readonly type = 'syslog';
  readonly network = true;
  readonly limits: { readonly maxItems: number; readonly maxBytes: number };
  readonly #options: SyslogOptions;
  readonly #connect: ConnectOptions;
  readonly #message: MessageOptions;
  readonly #secrets: Secrets;
  #session: RelpSession | undefined;
  #socket: Socket | undefined;

  private constructor(
    name: string,
    options: SyslogOptions,
    parts: { connect: ConnectOptions; secrets: Secrets; version: string },
  ) {
    this.name = name;
    this.#options = options;
    this.#connect = parts.connect;
    this.#secrets = parts.secrets;
    this.#message = {
      format: options.format,
      facility: options.facility,
      appName: options.app_name,
      hostname: options.hostname ?? hostname(),
      processId: process.pid,
      version: parts.version,
      maxBytes: options.max_message_bytes,
    };
    // The documents are bounded as they are stored; what is sent is at most `max_message_bytes` each.
    this.limits = { maxItems: options.batch_items, maxBytes: 8 * 1024 * 1024 };
  }

  static async open(name: string, options: SyslogOptions, version: string): Promise<SyslogDestination> {
    const secrets = new Secrets();
    const { host, port } = splitHostPort(options.address);
    const connect: ConnectOptions = {
      host,
      port,
      timeoutMs: options.timeout,
      tls: options.transport === 'tls' ? await tlsConnection(options.tls, secrets) : undefined,
      proxy: await findProxy(host, options, { secrets }),
    };
    const byClose = options.confirm === 'half-close' || options.confirm === 'eof';
    if (connect.proxy !== undefined && byClose && (connect.tls === undefined || options.confirm === 'eof')) {
      throw new UserError(
        'forward/unconfirmed',
        `destination "${name}" could not tell what arrived: a proxy closes connections by itself`,
        {
          hint: 'Use transport = "tls" with confirm = "half-close", or confirm = "relp", or proxy = "none".',
        },
      );
    }
    return new SyslogDestination(name, options, { connect, secrets, version });
  }

  async send(items: readonly OutboxItem[], signal: AbortSignal): Promise<readonly Verdict[]> {
    const messages = items.map((item) => encodeMessage(item, this.#message));
    try {
      if (this.#options.confirm === 'relp') return await this.#relp(messages, signal);
      const data = Buffer.concat(messages.map((message) => frame(message, this.#options.framing)));
      const how = { timeoutMs: this.#connect.timeoutMs, signal };
      if (this.#options.confirm === 'half-close' || this.#options.confirm === 'eof') {
        await sendAndConfirm(await this.#open(signal), data, how);
      } else await sendUnconfirmed(await this.#kept(signal), data, how);
      return items.map(() => ({ kind: 'delivered' }));
    } catch (error) {
      this.#drop();
      const verdict = this.#failure(error);
      return items.map(() => verdict);
    }
  }

  async probe(signal: AbortSignal): Promise<{ ok: boolean; detail: string }> {
    try {
      const receiver = await this.#open(signal);
      if (this.#options.confirm === 'relp')
        (await RelpSession.open(receiver.socket, this.#connect.timeoutMs)).close();
      else await sendAndConfirm(receiver, Buffer.alloc(0), { timeoutMs: this.#connect.timeoutMs, signal });
      return { ok: true, detail: `${this.#options.address} answers` };
    } catch (error) {
      const verdict = this.#failure(error);
      return { ok: false, detail: 'reason' in verdict ? verdict.reason : '' };
    }
  }

  async close(): Promise<void> {
    this.#session?.close();
    this.#socket?.end();
    this.#drop();
  }

  async #relp(messages: readonly Buffer[], signal: AbortSignal): Promise<Verdict[]> {
    const { timeoutMs } = this.#connect;
    if (this.#session?.usable !== true) {
      this.#session = await RelpSession.open((await this.#open(signal)).socket, timeoutMs);
    }
    const session = this.#session;
    const end = (reason: string) => () => session.abort(reason);
    const timer = setTimeout(end('the receiver did not answer in time'), timeoutMs);
    const aborted = end('stopped');
    signal.addEventListener('abort', aborted, { once: true });
    try {
      const answers = await Promise.allSettled(messages.map((message) => session.send(message)));
      return answers.map((answer) => {
        if (answer.status === 'rejected') return this.#failure(answer.reason);
        if (answer.value === 'acknowledged') return { kind: 'delivered' };
        return { kind: 'retry', reason: `RELP: ${answer.value.refused}` };
      });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
    }
  }

  /** The connection of `confirm = "none"`, which stays open. */
  async #kept(signal: AbortSignal): Promise<Socket> {
    if (this.#socket?.writable !== true) {
      const { socket } = await this.#open(signal);
      socket.on('error', () => socket.destroy());
      socket.on('end', () => socket.destroy());
      socket.resume();
      this.#socket = socket;
    }
    return this.#socket;
  }

  #open(signal: AbortSignal): Promise<Receiver> {
    return connectReceiver(this.#connect, { signal, orderly: this.#options.confirm === 'half-close' });
  }

  #drop(): void {
    this.#session?.abort('closed');
    this.#session = undefined;
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #failure(error: unknown): Verdict {
    const reason = this.#secrets.redact(escapeText(messageOf(error))).slice(0, 500);
    if (error instanceof ProxyRefusal && error.ours) {
      this.#secrets.forget();
      return { kind: 'pause', reason, cause: 'auth' };
    }
    return { kind: 'retry', reason, ...(isHandshakeFailure(error) ? { reopen: true } : {}) };
  }
}
