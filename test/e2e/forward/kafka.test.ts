import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { judgeKafkaError } from '../../../src/forward/kafka/kafka.js';
import { open } from '../../contract/destinations.js';
import { alertItem, hostile } from '../../contract/receivers/items.js';
import { until } from '../../unit/forward/fakes.js';
import { missing } from './daemons.js';

const never = new AbortController().signal;
const reason = missing('kcat');

/** librdkafka's own mock broker, with a consumer on it that prints key and value. */
async function broker(topic: string): Promise<{ address: string; lines: () => string[] }> {
  const args = [
    '-b',
    '127.0.0.1:1',
    '-C',
    '-t',
    topic,
    '-u',
    '-o',
    'beginning',
    '-X',
    'test.mock.num.brokers=1',
    '-d',
    'mock',
    '-f',
    '%k\t%h\t%s\n',
  ];
  const child = spawn('kcat', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  let said = '';
  let printed = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  child.stdout.on('data', (chunk) => {
    printed += chunk;
  });
  const address = () => /bootstrap\.servers=(127\.0\.0\.1:\d+)/.exec(said)?.[1];
  await until(() => address() !== undefined, 'the mock broker');
  return { address: address() as string, lines: () => printed.split('\n').slice(0, -1) };
}

test.skipIf(reason !== undefined)(
  `documents arrive keyed by host, with their id beside them${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  async () => {
    const { address, lines } = await broker('alerts');
    const kafka = await open({
      type: 'kafka',
      brokers: [address],
      topic: 'alerts',
      tls: false,
      timeout: '10s',
    });
    onTestFinished(() => kafka.close());
    const grown = { ...alertItem('a', { revision: 2 }), update: true };
    const items = [alertItem('a'), alertItem('b', { text: hostile }), grown];
    expect(await kafka.send(items, never)).toEqual(items.map(() => ({ kind: 'delivered' })));
    expect(await kafka.probe(never)).toMatchObject({ ok: true });
    await until(() => lines().length === 3, 'the consumer');
    for (const [n, line] of lines().entries()) {
      const [key, headers, value] = line.split('\t');
      expect(key).toBe('host-1');
      expect(headers).toContain(`event_id=${n === 2 ? `${items[0]!.id}-2` : items[n]!.id}`);
      expect(JSON.parse(value ?? '')).toEqual(JSON.parse(items[n]!.body));
    }
  },
);

test('brokers that are not there are tried again later', async () => {
  const kafka = await open({ type: 'kafka', brokers: ['127.0.0.1:1'], tls: false, timeout: '1s' });
  expect((await kafka.send([alertItem('a')], never))[0]?.kind).toBe('retry');
  expect((await kafka.probe(never)).ok).toBe(false);
  await kafka.close();
});

describe('an error of the broker', () => {
  test.each([
    ['MESSAGE_TOO_LARGE', true, 'poison'],
    ['MESSAGE_TOO_LARGE', false, 'split'],
    ['INVALID_RECORD', true, 'poison'],
    ['TOPIC_AUTHORIZATION_FAILED', false, 'pause'],
    ['SASL_AUTHENTICATION_FAILED', false, 'pause'],
    ['UNKNOWN_TOPIC_OR_PARTITION', false, 'pause'],
    ['NOT_LEADER_FOR_PARTITION', false, 'retry'],
    ['REQUEST_TIMED_OUT', false, 'retry'],
  ])('%s (alone: %s) means %s', (type, alone, kind) => {
    const error = Object.assign(new Error('said'), { type });
    expect(judgeKafkaError(error, alone).kind).toBe(kind);
    expect(judgeKafkaError(Object.assign(new Error('gave up'), { cause: error }), alone).kind).toBe(kind);
  });
});
