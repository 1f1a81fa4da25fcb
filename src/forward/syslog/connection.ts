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

/**
 * Writes everything, closes our half and waits for the receiver to close its own without an error: it has read all of
 * it then. A write that succeeded proves nothing, it only filled a buffer. Without TLS a receiver that is killed after
 * reading looks the same as one that closes. Rejects with the reason.
 */
export function sendAndConfirm(
  { socket, orderly }: Receiver,
  data: Buffer,
  how: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    let flushed = false;
    const finish = (error?: Error) => {
      clearTimeout(timer);
      how.signal.removeEventListener('abort', aborted);
      socket.on('error', () => undefined);
      socket.destroy();
      orderly?.release();
      if (error === undefined) resolve();
      else reject(error);
    };
    const timer = setTimeout(() => finish(new Error('the receiver did not confirm in time')), how.timeoutMs);
    const aborted = () => finish(new Error('stopped'));
    how.signal.addEventListener('abort', aborted, { once: true });
    socket.once('error', finish);
    let confirmed = false;
    socket.once('close', () => {
      if (!confirmed) finish(new Error('the receiver closed without confirming'));
    });
    socket.once('end', () => {
      if (orderly === undefined) {
        finish(flushed ? undefined : new Error('the receiver closed before it had everything'));
        return;
      }
      const { flaw } = orderly;
      confirmed = flaw === undefined;
      // One that closes without having read is found out by the reset that follows.
      if (confirmed) orderly.ended.then(() => finish(), finish);
      else finish(new Error(flaw));
    });
    // What it says is of no interest, but unread data would turn the close into a reset.
    socket.resume();
    socket.write(data, () => {
      flushed = true;
    });
    socket.end();
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
