import type { Socket } from 'node:net';
import type tls from 'node:tls';
import { openSocket, type ProxyServer } from '../net/proxy.js';
import { secureSocket } from '../net/tls.js';
import { Tunnel } from './tunnel.js';

export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  /** Absent for a plain connection. */
  readonly tls?: tls.ConnectionOptions | undefined;
  readonly proxy?: ProxyServer | undefined;
  readonly timeoutMs: number;
}

/** A connection to the receiver. */
export interface Receiver {
  readonly socket: Socket;
  /** There when a proxy stands in between. */
  readonly tunnel?: Tunnel;
}

/** Connects, TLS done. With TLS 1.3 the receiver may still refuse our certificate afterwards. */
export async function connectReceiver(options: ConnectOptions, signal: AbortSignal): Promise<Receiver> {
  const { host, port, proxy, timeoutMs } = options;
  const socket = await openSocket({ host, port }, { proxy, timeoutMs, signal });
  socket.setNoDelay(true);
  if (options.tls === undefined) return { socket };
  const how = { options: options.tls, timeoutMs, signal };
  if (proxy === undefined) return { socket: await secureSocket(socket, host, how) };
  const tunnel = new Tunnel(socket);
  return { socket: await secureSocket(tunnel, host, how), tunnel };
}

/**
 * Writes everything, closes our half and waits for the receiver to close its own without an error: it has read all of
 * it then. A write that succeeded proves nothing, it only filled a buffer. Rejects with the reason.
 */
export function sendAndConfirm(
  { socket, tunnel }: Receiver,
  data: Buffer,
  how: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    let flushed = false;
    let ended = false;
    const finish = (error?: Error) => {
      clearTimeout(timer);
      how.signal.removeEventListener('abort', aborted);
      socket.on('error', () => undefined);
      socket.destroy();
      if (error === undefined) resolve();
      else reject(error);
    };
    const timer = setTimeout(() => finish(new Error('the receiver did not confirm in time')), how.timeoutMs);
    const aborted = () => finish(new Error('stopped'));
    how.signal.addEventListener('abort', aborted, { once: true });
    socket.once('error', finish);
    const closed = () =>
      finish(ended && flushed ? undefined : new Error('the receiver closed without confirming'));
    socket.once('end', () => {
      ended = tunnel?.tornDown !== true;
      if (!flushed) finish(new Error('the receiver closed before it had everything'));
      // Through a tunnel the connection itself stays open until we close it.
      else if (tunnel !== undefined) closed();
    });
    socket.once('close', closed);
    // What it says is of no interest, but unread data would turn the close into a reset.
    socket.resume();
    socket.end(data, () => {
      flushed = true;
    });
  });
}

/** Writes everything on a connection that stays open. Resolves when it was handed to the system: that proves little. */
export function sendUnconfirmed(
  socket: Socket,
  data: Buffer,
  how: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (error?: Error | null) => {
      clearTimeout(timer);
      how.signal.removeEventListener('abort', aborted);
      socket.removeListener('error', finish).removeListener('close', closed);
      if (error === undefined || error === null) resolve();
      else reject(error);
    };
    const closed = () => finish(new Error('the receiver closed the connection'));
    const timer = setTimeout(() => finish(new Error('the receiver takes nothing')), how.timeoutMs);
    const aborted = () => finish(new Error('stopped'));
    how.signal.addEventListener('abort', aborted, { once: true });
    socket.once('error', finish).once('close', closed);
    socket.write(data, (error) => finish(error));
  });
}
