import type { Socket } from 'node:net';
import type tls from 'node:tls';
import { openSocket, type ProxyServer } from '../net/proxy.js';
import { secureSocket } from '../net/tls.js';
import { OrderlyStream } from './orderly.js';

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
  /** There under TLS, when it matters how the connection ends. */
  readonly orderly?: OrderlyStream;
}

/**
 * Connects, TLS done. With TLS 1.3 the receiver may still refuse our certificate afterwards. `orderly`: the end of the
 * connection is to be a confirmation.
 */
export async function connectReceiver(
  options: ConnectOptions,
  how: { readonly signal: AbortSignal; readonly orderly: boolean },
): Promise<Receiver> {
  const { host, port, proxy, timeoutMs } = options;
  const { signal } = how;
  const socket = await openSocket({ host, port }, { proxy, timeoutMs, signal });
  socket.setNoDelay(true);
  if (options.tls === undefined) return { socket };
  const secure = { options: options.tls, timeoutMs, signal };
  if (!how.orderly) return { socket: await secureSocket(socket, host, secure) };
  const orderly = new OrderlyStream(socket);
  return { socket: await secureSocket(orderly, host, secure), orderly };
}

/** How a receiver ended a connection: under TLS by its closing alert, or only below (always, without TLS). */
export type Ending = 'alert' | 'bare';

/**
 * Resolves when the connection is still open after `forMs`. A balancer takes a connection before it knows whether anybody
 * is behind it, and closes it in order when nobody is.
 */
export function settle({ socket }: Receiver, forMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (error?: Error) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      socket.removeListener('end', early).removeListener('close', early).removeListener('error', finish);
      if (error === undefined) resolve();
      else reject(error);
    };
    const early = () => finish(new Error('the receiver closed a connection before anything was sent on it'));
    const aborted = () => finish(new Error('stopped'));
    const timer = setTimeout(finish, forMs);
    signal.addEventListener('abort', aborted, { once: true });
    socket.once('end', early).once('close', early).once('error', finish);
    if (socket.readableEnded || socket.destroyed) early();
    // What it says is of no interest, but unread data would turn the close into a reset.
    socket.resume();
  });
}

/**
 * Writes everything, closes our half and waits for the receiver to close its own without an error: whoever answered has
 * read all of it then. A write that succeeded proves nothing, it only filled a buffer. Resolves to how the receiver
 * ended it and how long that took; rejects with the reason, also when it ended it before we had.
 */
export function sendAndConfirm(
  { socket, orderly }: Receiver,
  data: Buffer,
  how: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<{ readonly ending: Ending; readonly afterMs: number }> {
  return new Promise((resolve, reject) => {
    let endedAt: number | undefined;
    let ending: Ending | undefined;
    const finish = (error?: Error) => {
      clearTimeout(timer);
      how.signal.removeEventListener('abort', aborted);
      socket.on('error', () => undefined);
      socket.destroy();
      orderly?.release();
      if (error !== undefined) reject(error);
      else resolve({ ending: ending ?? 'bare', afterMs: performance.now() - (endedAt ?? 0) });
    };
    const timer = setTimeout(() => finish(new Error('the receiver did not confirm in time')), how.timeoutMs);
    const aborted = () => finish(new Error('stopped'));
    how.signal.addEventListener('abort', aborted, { once: true });
    socket.once('error', finish);
    socket.once('close', () => {
      if (ending === undefined) finish(new Error('the receiver closed without confirming'));
    });
    socket.once('end', () => {
      if (endedAt === undefined || orderly?.unsent === true) {
        finish(new Error('the receiver closed before it had everything'));
        return;
      }
      ending = orderly === undefined || orderly.tornDown ? 'bare' : 'alert';
      // One that closes without having read is found out by the reset that follows.
      if (orderly === undefined) finish();
      else orderly.ended.then(() => finish(), finish);
    });
    // What it says is of no interest, but unread data would turn the close into a reset.
    socket.resume();
    socket.write(data, () => {
      endedAt = performance.now();
      socket.end();
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
