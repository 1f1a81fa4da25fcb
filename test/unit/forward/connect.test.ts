import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { messageOf } from '../../../src/base/errors.js';
import { alternate, connectHost } from '../../../src/forward/net/connect.js';
import { hostsEntries, Resolver } from '../../../src/forward/net/lookup.js';

const never = new AbortController().signal;
const four = (address: string) => ({ address, family: 4 });

/** A resolver of the test's own: what each name resolves to; `hang` never answers. */
function resolverOf(
  system: Record<string, readonly string[] | 'hang'>,
  servers: Record<string, string> = {},
) {
  const asked: string[] = [];
  const resolver = new Resolver({
    system: (name) => {
      asked.push(name);
      const found = system[name];
      if (found === 'hang') return new Promise(() => {});
      return found === undefined
        ? Promise.reject(new Error(`ENOTFOUND ${name}`))
        : Promise.resolve(found.map(four));
    },
    servers: (name) => {
      const found = servers[name];
      return found === undefined ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve([four(found)]);
    },
  });
  return { asked, resolver };
}

async function listener(host: string): Promise<number> {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as { port: number }).port;
}

test('names that nobody answers for hold two look-ups of the system, and delay no other name', async () => {
  const system = { one: 'hang', two: 'hang', three: 'hang' } as const;
  const { asked, resolver } = resolverOf(system, { good: '192.0.2.7' });
  const lost = ['one', 'two', 'three', 'one', 'two'].map((name) => resolver.lookup(name, 50));
  expect(await resolver.lookup('good', 10_000)).toEqual([four('192.0.2.7')]);
  const reasons = await Promise.allSettled(lost);
  expect(reasons.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'rejected'));
  // Asked again and again, they hold no more.
  for (let n = 0; n < 20; n++) await resolver.lookup('one', 1).catch(() => undefined);
  expect(asked).toEqual(['one', 'two']);
});

test('an address is its own, a name is resolved by the system first, and a reason names it', async () => {
  const { asked, resolver } = resolverOf({ siem: ['192.0.2.1', '192.0.2.2'] });
  expect(await resolver.lookup('192.0.2.9', 10)).toEqual([four('192.0.2.9')]);
  expect(await resolver.lookup('::1', 10)).toEqual([{ address: '::1', family: 6 }]);
  expect(await resolver.lookup('siem', 10_000)).toEqual([four('192.0.2.1'), four('192.0.2.2')]);
  expect(asked).toEqual(['siem']);
  await expect(resolver.lookup('nobody', 10_000)).rejects.toThrow('nobody');
});

test('a hosts file is read as the system reads it', () => {
  const text = '127.0.0.1 localhost\n# 10.0.0.1 siem\n::1\tip6 SIEM # note\n10.0.0.2   other siem\nx siem\n';
  expect(hostsEntries(text, 'siem')).toEqual([
    { address: '::1', family: 6 },
    { address: '10.0.0.2', family: 4 },
  ]);
});

test('the first address that answers is used, though another one refuses', async () => {
  const port = await listener('127.0.0.3');
  const { resolver } = resolverOf({ siem: ['127.0.0.2', '127.0.0.3'] });
  const socket = await connectHost({ host: 'siem', port }, { timeoutMs: 10_000, signal: never, resolver });
  onTestFinished(() => {
    socket.destroy();
  });
  expect(socket.remoteAddress).toBe('127.0.0.3');
});

test('when no address answers each has its reason', async () => {
  const port = await listener('127.0.0.9');
  const { resolver } = resolverOf({ siem: ['127.0.0.2', '127.0.0.3'] });
  const connecting = connectHost({ host: 'siem', port }, { timeoutMs: 10_000, signal: never, resolver });
  await expect(connecting).rejects.toThrow(
    `connect ECONNREFUSED 127.0.0.2:${port}; connect ECONNREFUSED 127.0.0.3:${port}`,
  );
});

test('a shutdown ends a connection attempt, also while its name is resolved', async () => {
  const { resolver } = resolverOf({ siem: 'hang' });
  const stop = new AbortController();
  const how = { timeoutMs: 10_000, signal: stop.signal, resolver };
  const connecting = connectHost({ host: 'siem', port: 1 }, how);
  stop.abort();
  await expect(connecting).rejects.toThrow('stopped');
  await expect(connectHost({ host: '127.0.0.1', port: 1 }, how)).rejects.toThrow('stopped');
});

test('families take turns, beginning with the first', () => {
  const six = (address: string) => ({ address, family: 6 });
  const order = alternate([six('a'), six('b'), six('c'), four('1')]).map(({ address }) => address);
  expect(order).toEqual(['a', '1', 'b', 'c']);
});

test('a failure of several addresses in one is told address by address', () => {
  const both = new AggregateError([new Error('connect ECONNREFUSED ::1:9'), new Error('connect ETIMEDOUT')]);
  expect(messageOf(both)).toBe('connect ECONNREFUSED ::1:9; connect ETIMEDOUT');
});
