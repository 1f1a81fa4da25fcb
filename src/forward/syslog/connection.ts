import type { Socket } from 'node:net';
import tls from 'node:tls';
import { openSocket, type ProxyServer } from '../net/proxy.js';

export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  /** Absent for a plain connection. */
  readonly tls?: tls.ConnectionOptions | undefined;
  readonly proxy?: ProxyServer | undefined;
  readonly timeoutMs: number;
}

/** A connection to the receiver, TLS done. With TLS 1.3 the receiver may still refuse our certificate afterwards. */
export async function connectReceiver(options: ConnectOptions, signal: AbortSignal): Promise<Socket> {
  const { host, port, proxy, timeoutMs } = options;
  const socket = await openSocket({ host, port }, { proxy, timeoutMs, signal });
  socket.setNoDelay(true);
  if (options.tls === undefined) return socket;
  const name = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
  const secure = tls.connect({ ...name, host, ...options.tls, socket });
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      clearTimeout(timer);
      secure.destroy();
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error('the TLS handshake timed out')), timeoutMs);
    const aborted = () => fail(new Error('stopped'));
    signal.addEventListener('abort', aborted, { once: true });
    secure.once('error', fail);
    secure.once('close', () => fail(new Error('the connection was closed in the TLS handshake')));
    secure.once('secureConnect', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      secure.removeAllListeners('error').removeAllListeners('close');
      resolve(secure);
    });
  });
}

/**
 * Writes everything, closes our half and waits for the receiver to close its own without an error: it has read all of
 * it then. A write that succeeded proves nothing, it only filled a buffer. Rejects with the reason.
 */
export function sendAndConfirm(
  socket: Socket,
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
    socket.once('end', () => {
      ended = true;
      if (!flushed) finish(new Error('the receiver closed before it had everything'));
    });
    socket.once('close', () =>
      finish(ended && flushed ? undefined : new Error('the receiver closed without confirming')),
    );
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
