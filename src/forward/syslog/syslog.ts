import type { Socket } from 'node:net';
import { hostname } from 'node:os';
import type * as v from 'valibot';
import { UserError } from '../../base/errors.js';
import { escapeText } from '../../base/escape.js';
import type { Destination, OutboxItem, Verdict } from '../destination.js';
import { sentenceOf } from '../net/failures.js';
import { findProxy, ProxyRefusal } from '../net/proxy.js';
import { Secrets } from '../net/secrets.js';
import { isHandshakeFailure, tlsConnection } from '../net/tls.js';
import { splitHostPort } from '../values.js';
import {
  type ConnectOptions,
  connectReceiver,
  type Ending,
  type Receiver,
  sendAndConfirm,
  sendUnconfirmed,
  settle,
} from './connection.js';
import { encodeMessage, frame, type MessageOptions } from './message.js';
import type { syslogOptions } from './options.js';
import { RelpSession } from './relp.js';

export type SyslogOptions = v.InferOutput<typeof syslogOptions>;

/** A balancer with nobody behind it closes a connection sooner than this, milliseconds, where it is told at once. */
const settleMs = 50;
/** A connection that waits for the next batch is given back after so long, milliseconds. */
const idleMs = 5_000;
const bareWarning =
  'the receiver ends connections without a TLS closing alert, and one that is killed may look the same: ' +
  'confirm = "relp" is certain';

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
  /** Open since a moment ago, for the next batch. */
  #ready: { readonly receiver: Receiver; readonly idle: NodeJS.Timeout } | undefined;
  /** How this receiver ends connections that nothing was sent on; undefined until that had to be known. */
  #ends: Ending | undefined;
  #warned = false;

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
      proxy: await findProxy(host, options, { secrets, port }),
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
      if (this.#options.confirm === 'none') await sendUnconfirmed(await this.#kept(signal), data, how);
      else await this.#confirmed(data, signal);
      return items.map(() => ({ kind: 'delivered', ...this.#warning() }));
    } catch (error) {
      this.#drop();
      const verdict = this.#failure(error);
      return items.map(() => verdict);
    }
  }

  async probe(signal: AbortSignal): Promise<{ ok: boolean; detail: string }> {
    try {
      const answers = `${this.#options.address} answers`;
      if (this.#options.confirm === 'relp') {
        (await RelpSession.open((await this.#open(signal)).socket, this.#connect.timeoutMs)).close();
        return { ok: true, detail: answers };
      }
      const ending = await this.#probeEnding(signal);
      const warns = ending === 'bare' && this.#wantsAlert;
      return { ok: true, detail: warns ? `${answers}; ${bareWarning}` : answers };
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

  /** TLS's closing alert is what confirms, from a receiver that sends it. */
  get #wantsAlert(): boolean {
    return this.#options.confirm === 'half-close' && this.#connect.tls !== undefined;
  }

  /**
   * Sends on a connection that had stayed open, and counts it once the receiver has ended that in its own orderly way and
   * still takes another one, which then waits for the next batch. Who was killed meanwhile, or was never there behind a
   * balancer, is found out by that: the balancer closes the next one as it closed the first, and about as soon.
   */
  async #confirmed(data: Buffer, signal: AbortSignal): Promise<void> {
    const receiver = this.#takeReady() ?? (await this.#settled(settleMs, signal));
    const { timeoutMs } = this.#connect;
    const { ending, afterMs } = await sendAndConfirm(receiver, data, { timeoutMs, signal });
    if (ending === 'alert') this.#ends = 'alert';
    else if (this.#wantsAlert && this.#ends !== 'bare') {
      // GnuTLS as rsyslog uses it, and nginx, never send one: seen by how they end what nothing was sent on.
      this.#ends = await this.#probeEnding(signal);
      if (this.#ends === 'alert') throw new Error('the receiver closed without a TLS close_notify');
    }
    this.#keepReady(await this.#settled(Math.min(afterMs + settleMs, timeoutMs), signal));
  }

  async #settled(forMs: number, signal: AbortSignal): Promise<Receiver> {
    const receiver = await this.#open(signal);
    try {
      await settle(receiver, forMs, signal);
      return receiver;
    } catch (error) {
      release(receiver);
      throw error;
    }
  }

  async #probeEnding(signal: AbortSignal): Promise<Ending> {
    const receiver = await this.#settled(settleMs, signal);
    const { timeoutMs } = this.#connect;
    return (await sendAndConfirm(receiver, Buffer.alloc(0), { timeoutMs, signal })).ending;
  }

  #keepReady(receiver: Receiver): void {
    const { socket } = receiver;
    const drop = () => {
      if (this.#ready?.receiver !== receiver) return;
      this.#takeReady();
      release(receiver);
    };
    this.#ready = { receiver, idle: setTimeout(drop, idleMs).unref() };
    socket.on('end', drop).on('close', drop).on('error', drop);
  }

  #takeReady(): Receiver | undefined {
    clearTimeout(this.#ready?.idle);
    const receiver = this.#ready?.receiver;
    this.#ready = undefined;
    return receiver;
  }

  /** Once: it is about the receiver, not about each document. */
  #warning(): { readonly warning?: string } {
    if (this.#warned || this.#ends !== 'bare') return {};
    this.#warned = true;
    return { warning: bareWarning };
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
    const ready = this.#takeReady();
    if (ready !== undefined) release(ready);
  }

  #failure(error: unknown): Verdict {
    const reason = this.#secrets.redact(escapeText(sentenceOf(error))).slice(0, 500);
    if (error instanceof ProxyRefusal && error.ours) {
      this.#secrets.forget();
      return { kind: 'pause', reason, cause: 'auth' };
    }
    const afterMs = error instanceof ProxyRefusal ? error.afterMs : undefined;
    return {
      kind: 'retry',
      reason,
      ...(isHandshakeFailure(error) ? { reopen: true } : {}),
      ...(afterMs === undefined ? {} : { afterMs }),
    };
  }
}

/** Ends a connection that is of no more use, in order where that still can be. */
function release({ socket, orderly }: Receiver): void {
  socket.on('error', () => undefined);
  if (socket.destroyed) orderly?.release();
  else {
    socket.once('close', () => orderly?.release());
    socket.end(() => socket.destroy());
  }
}
