import { connect as connectTcp, type Socket } from 'node:net';
import { errnoOf, messageOf } from '../../base/errors.js';
import { resolver as shared } from './lookup.js';

/** How long an address has for itself before the next one is tried beside it, milliseconds (RFC 8305 section 8). */
const headStartMs = 250;
/** Of a name with more addresses only so many are tried. */
const maxAddresses = 16;

interface Address {
  readonly address: string;
  readonly family: number;
}

/** Families in turn, beginning with the one that the resolver put first (RFC 8305 section 4). */
export function alternate<T extends Address>(addresses: readonly T[]): T[] {
  const first = addresses.filter(({ family }) => family === addresses[0]?.family);
  const other = addresses.filter(({ family }) => family !== addresses[0]?.family);
  return Array.from({ length: Math.max(first.length, other.length) }, (_, n) => [first[n], other[n]])
    .flat()
    .filter((one) => one !== undefined);
}

/**
 * A TCP connection to the first address of a name that answers. Unlike Node.js's own attempts a slow one is not broken off
 * for the next: a receiver 300 ms away is reached though its other address is dead. Rejects with the reason of each
 * address. The socket allows a half-open connection.
 */
export async function connectHost(
  to: { readonly host: string; readonly port: number },
  how: {
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
    readonly resolver?: Pick<typeof shared, 'lookup'>;
  },
): Promise<Socket> {
  const { host, port } = to;
  const { timeoutMs, signal, resolver = shared } = how;
  const end = performance.now() + timeoutMs;
  const addresses = await untilAborted(resolver.lookup(host, timeoutMs), signal);
  const left = alternate(addresses).slice(0, maxAddresses);
  return new Promise((resolve, reject) => {
    const open = new Set<Socket>();
    const reasons: string[] = [];
    let next: NodeJS.Timeout | undefined;
    const finish = (winner: Socket | undefined, error?: Error) => {
      clearTimeout(next);
      clearTimeout(limit);
      signal.removeEventListener('abort', aborted);
      left.length = 0;
      for (const socket of open) {
        if (socket === winner) continue;
        socket.on('error', () => undefined);
        socket.destroy();
      }
      if (winner !== undefined) {
        winner.removeAllListeners();
        resolve(winner);
      } else reject(error);
    };
    const timedOut = () => {
      const tried = [...open].map(() => `${host} does not answer`);
      finish(undefined, new Error([...new Set([...reasons, ...tried, 'connection timed out'])].join('; ')));
    };
    const limit = setTimeout(timedOut, Math.max(1, end - performance.now()));
    const aborted = () => finish(undefined, new Error('stopped'));
    signal.addEventListener('abort', aborted, { once: true });
    const attempt = () => {
      clearTimeout(next);
      const address = left.shift();
      if (address === undefined) return;
      const socket = connectTcp({ host: address.address, port, allowHalfOpen: true });
      open.add(socket);
      socket.once('connect', () => finish(socket));
      socket.once('error', (error) => {
        open.delete(socket);
        reasons.push(messageOf(error) || (errnoOf(error) ?? 'failed'));
        if (left.length > 0) attempt();
        else if (open.size === 0)
          finish(undefined, Object.assign(new Error(reasons.join('; ')), { code: errnoOf(error) }));
      });
      if (left.length > 0) next = setTimeout(attempt, headStartMs);
    };
    if (signal.aborted) aborted();
    else if (left.length === 0) finish(undefined, new Error(`${host} has no address`));
    else attempt();
  });
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = () => reject(new Error('stopped'));
    if (signal.aborted) aborted();
    signal.addEventListener('abort', aborted, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
  });
}
