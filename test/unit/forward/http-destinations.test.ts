import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Destination, OutboxItem } from '../../../src/forward/index.js';
import { open } from '../../contract/destinations.js';
import { FakeElasticsearch } from '../../contract/receivers/elasticsearch.js';
import { concatenated, FakeHec } from '../../contract/receivers/hec.js';
import { type Answer, type Handler, HttpReceiver } from '../../contract/receivers/http.js';
import { alertItem, eventItem, statusItem } from '../../contract/receivers/items.js';

const never = new AbortController().signal;
const items = ['a', 'b', 'c', 'd'].map((name, seq) => alertItem(name, { seq }));
let receiver: HttpReceiver;
let destination: Destination;

async function connect(handler: Handler, options: Record<string, unknown>): Promise<Destination> {
  receiver = await HttpReceiver.listen(handler);
  destination = await open({ url: receiver.url, timeout: '500ms', ...options });
  return destination;
}

beforeEach(() => {
  process.env['TEST_SECRET'] = 'aWQ6a2V5';
});

afterEach(async () => {
  await destination.close();
  await receiver.close();
});

const kinds = async (sent: readonly OutboxItem[] = items) =>
  (await destination.send(sent, never)).map(({ kind }) => kind).join(' ');

const whole: [string, Answer, string][] = [
  ['too many requests', { status: 429, headers: { 'retry-after': '17' } }, 'retry'],
  ['a server error', { status: 503 }, 'retry'],
  ['a time-out of its own', { status: 408 }, 'retry'],
  ['wrong credentials', { status: 401 }, 'pause'],
  ['missing rights', { status: 403 }, 'pause'],
  ['a wrong address', { status: 404 }, 'pause'],
  ['a redirect', { status: 302, headers: { location: 'https://evil.example/' } }, 'pause'],
  ['too large a batch', { status: 413 }, 'split'],
  ['a bad request', { status: 400, body: '{"error":"x"}' }, 'split'],
  ['a cut connection', 'drop', 'retry'],
  ['silence', 'hang', 'retry'],
  ['an answer that trickles', 'trickle', 'retry'],
];

describe.each([
  ['elasticsearch', { type: 'elasticsearch', api_key: 'env:TEST_SECRET' }],
  ['splunk', { type: 'splunk', token: 'env:TEST_SECRET', ack: 'off' }],
  ['webhook', { type: 'webhook', format: 'ndjson' }],
  ['otlp', { type: 'otlp' }],
])('a whole request to %s', (_, options) => {
  test.each(whole)('meets %s', async (_name, answer, kind) => {
    await connect(() => answer, options);
    // Of a webhook's answer the status says everything: the body is for people.
    const expected = options.type === 'webhook' && answer === 'trickle' ? 'delivered' : kind;
    expect(await kinds()).toBe(Array(4).fill(expected).join(' '));
  });

  test('is told when to come back', async () => {
    await connect(() => ({ status: 429, headers: { 'retry-after': '17' } }), options);
    expect((await destination.send(items, never))[0]).toMatchObject({ kind: 'retry', afterMs: 17_000 });
  });

  test("says by how much our clock parts from the receiver's, once it has answered", async () => {
    const date = new Date(Date.now() - 3_600_000).toUTCString();
    await connect(() => ({ status: 503, headers: { date } }), options);
    expect(destination.clockSkewMs).toBeUndefined();
    await kinds();
    const skew = destination.clockSkewMs ?? 0;
    expect(skew).toBeGreaterThanOrEqual(3_600_000);
    expect(skew).toBeLessThan(3_600_000 + 60_000);
  });

  test('never follows a redirect', async () => {
    await connect(() => ({ status: 307, headers: { location: '/elsewhere' } }), options);
    await kinds();
    expect(receiver.requests.map(({ url }) => url)).not.toContain('/elsewhere');
    expect(receiver.requests).toHaveLength(1);
  });
});

describe('elasticsearch', () => {
  const options = { type: 'elasticsearch', api_key: 'env:TEST_SECRET' };
  let fake: FakeElasticsearch;

  beforeEach(() => {
    fake = new FakeElasticsearch();
  });

  test.each([
    [{ status: 429, error: { type: 'es_rejected_execution_exception', reason: 'queue full' } }, 'retry'],
    [{ status: 503, error: { type: 'unavailable_shards_exception', reason: '' } }, 'retry'],
    [{ status: 400, error: { type: 'document_parsing_exception', reason: 'failed to parse' } }, 'poison'],
    [{ status: 400, error: { type: 'illegal_argument_exception', reason: 'too many shards' } }, 'split'],
    [{ status: 409, error: { type: 'resource_already_exists_exception', reason: '' } }, 'split'],
    [{ status: 403, error: { type: 'cluster_block_exception', reason: 'read only' } }, 'pause'],
    [{ status: 403, error: { type: 'security_exception', reason: 'no' } }, 'pause'],
    [{ status: 404, error: { type: 'index_not_found_exception', reason: 'no' } }, 'pause'],
    [{ status: 201, failureStore: true }, 'delivered'],
  ])('judges each document by its own status: %j', async (refusal, kind) => {
    await connect(fake.handler, options);
    fake.refuse = (id) => (id === items[1]!.id ? refusal : undefined);
    const verdicts = await destination.send(items, never);
    expect(verdicts.map((verdict) => verdict.kind)).toEqual(['delivered', kind, 'delivered', 'delivered']);
    if ('failureStore' in refusal) expect(verdicts[1]).toHaveProperty('warning');
  });

  test('counts a document that is already there as delivered', async () => {
    await connect(fake.handler, options);
    await destination.send(items.slice(0, 2), never);
    expect(await kinds()).toBe('duplicate duplicate delivered delivered');
  });

  test.each<[string, Answer]>([
    ['no JSON', { status: 200, body: '<html>login</html>' }],
    ['an empty body', { status: 200 }],
    ['the wrong shape', { status: 200, body: '{"items":{"0":1}}' }],
    ['null', { status: 200, body: 'null' }],
    [
      'a body that claims to be zipped',
      { status: 200, headers: { 'content-encoding': 'gzip' }, body: 'not zipped' },
    ],
    ['an endless body', 'flood'],
    ['a body that is cut', 'cut'],
    [
      'other ids',
      {
        status: 200,
        body: JSON.stringify({ items: items.map(() => ({ create: { _id: 'x', status: 201 } })) }),
      },
    ],
  ])('takes a reply with %s for no delivery', async (_, answer) => {
    await connect(() => answer, options);
    expect(await kinds()).toBe('retry retry retry retry');
  });

  test('believes a reply with too few items only as far as it goes', async () => {
    const body = JSON.stringify({
      items: items.slice(0, 2).map(({ id }) => ({ create: { _id: id, status: 201 } })),
    });
    await connect(() => ({ status: 200, body }), options);
    expect(await kinds()).toBe('delivered delivered retry retry');
  });

  test('names stream, id and credentials as a data stream wants them', async () => {
    await connect(fake.handler, { ...options, namespace: 'fleet' });
    const grown = { ...alertItem('a', { revision: 2 }), update: true };
    await destination.send([items[0]!, grown], never);
    await destination.send([statusItem('s')], never);
    await destination.send([eventItem('e')], never);
    expect(Object.fromEntries([...fake.streams].map(([name, docs]) => [name, [...docs.keys()]]))).toEqual({
      'logs-launchwarden.alerts-fleet': [items[0]!.id, `${items[0]!.id}-2`],
      'logs-launchwarden.status-fleet': ['s'],
      'logs-endpoint.events.file-fleet': ['e'],
    });
    const doc = fake.streams.get('logs-endpoint.events.file-fleet')?.get('e');
    expect(doc).toMatchObject({
      event: { dataset: 'endpoint.events.file' },
      data_stream: { type: 'logs', dataset: 'endpoint.events.file', namespace: 'fleet' },
    });
    const [request] = receiver.requests;
    expect(request?.headers).toMatchObject({
      authorization: 'ApiKey aWQ6a2V5',
      'content-type': 'application/x-ndjson',
      'content-encoding': 'gzip',
    });
  });
});

describe('splunk', () => {
  const options = { type: 'splunk', token: 'env:TEST_SECRET' };
  const said = (status: number, code: number, more: object = {}): Answer => ({
    status,
    body: JSON.stringify({ text: 'said', code, ...more }),
  });

  test.each<[number, number, string]>([
    [403, 1, 'pause'],
    [401, 2, 'pause'],
    [401, 3, 'pause'],
    [403, 4, 'pause'],
    [400, 21, 'pause'],
    [400, 7, 'pause'],
    [400, 6, 'split'],
    [400, 13, 'split'],
    [500, 8, 'retry'],
    [503, 9, 'retry'],
    [429, 26, 'retry'],
    [400, 99, 'split'],
    [200, 9, 'retry'],
  ])('judges HTTP %i with code %i as %s', async (status, code, kind) => {
    await connect(() => said(status, code), options);
    expect(await kinds()).toBe([kind, kind, kind, kind].join(' '));
  });

  test('takes out the event that Splunk names and halves the rest', async () => {
    await connect(() => said(400, 12, { 'invalid-event-number': 2 }), options);
    expect(await kinds()).toBe('split split poison split');
    receiver.intercept = () => said(400, 12, { 'invalid-event-number': 99 });
    expect(await kinds()).toBe('split split split split');
  });

  test('waits for the acknowledgement, and says what was sent again with the same event_id', async () => {
    const fake = new FakeHec(true);
    process.env['TEST_SECRET'] = fake.token;
    fake.pendingPolls = 2;
    await connect(fake.handler, options);
    expect(await kinds()).toBe('delivered delivered delivered delivered');
    expect(receiver.requests.filter(({ url }) => url.startsWith('/services/collector/ack'))).toHaveLength(3);
    await kinds();
    expect(fake.events).toHaveLength(8);
    expect(fake.stored()).toEqual(items.map(({ id }) => id));
  });

  test('sends again what is never acknowledged', async () => {
    const fake = new FakeHec(true);
    process.env['TEST_SECRET'] = fake.token;
    fake.pendingPolls = Number.POSITIVE_INFINITY;
    await connect(fake.handler, { ...options, ack_timeout: '500ms' });
    expect(await kinds()).toBe('retry retry retry retry');
  });

  test('mends by itself how it talks: a channel where one is wanted, no acknowledgement where there is none', async () => {
    const fake = new FakeHec(true);
    process.env['TEST_SECRET'] = fake.token;
    await connect(fake.handler, { ...options, ack: 'off' });
    expect(await kinds()).toBe('retry retry retry retry');
    expect(await kinds()).toBe('delivered delivered delivered delivered');
  });

  test('insists on acknowledgements when told to', async () => {
    const fake = new FakeHec(false);
    process.env['TEST_SECRET'] = fake.token;
    await connect(fake.handler, { ...options, ack: 'on' });
    expect(await kinds()).toBe('pause pause pause pause');
  });

  test('takes 200 from something that is no Splunk for no delivery', async () => {
    await connect(() => ({ status: 200, body: '<html>' }), options);
    expect(await kinds()).toBe('retry retry retry retry');
  });

  test('gives each event its time, source and flat fields', async () => {
    const fake = new FakeHec(false);
    process.env['TEST_SECRET'] = fake.token;
    await connect(fake.handler, { ...options, index: 'endpoint' });
    await kinds();
    const [event] = concatenated(receiver.requests[0]!.body);
    expect(event).toMatchObject({
      time: 1795326000.001,
      source: 'launchwarden',
      sourcetype: 'launchwarden:alert',
      index: 'endpoint',
      event: JSON.parse(items[0]!.body),
      fields: { event_id: items[0]!.id, revision: '1', severity: 'low' },
    });
  });
});

describe('webhook', () => {
  test('sends one document a request, signed, with a key that stays the same', async () => {
    process.env['TEST_SECRET_2'] = 'the next key';
    await connect(() => ({ status: 204 }), {
      type: 'webhook',
      hmac_secrets: ['env:TEST_SECRET', 'env:TEST_SECRET_2'],
      headers: { 'X-Team': 'blue' },
      secret_headers: { 'X-Token': 'env:TEST_SECRET' },
    });
    expect(destination.limits.maxItems).toBe(1);
    for (let n = 0; n < 2; n++) expect(await kinds([items[0]!])).toBe('delivered');
    const [first, again] = receiver.requests;
    expect(JSON.parse(first!.body)).toEqual(JSON.parse(items[0]!.body));
    expect(first?.headers).toMatchObject({ 'x-team': 'blue', 'x-token': 'aWQ6a2V5' });
    expect(first?.headers['idempotency-key']).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(again?.headers['idempotency-key']).toBe(first?.headers['idempotency-key']);
    const match = /^t=(\d+),v1=([0-9a-f]{64}),v1=([0-9a-f]{64})$/.exec(
      String(first?.headers['x-launchwarden-signature']),
    );
    const sign = (key: string) =>
      createHmac('sha256', key).update(`${match?.[1]}.${first?.body}`).digest('hex');
    expect([match?.[2], match?.[3]]).toEqual([sign('aWQ6a2V5'), sign('the next key')]);
  });

  test.each([
    [
      'ndjson',
      (body: string) =>
        body
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line)),
    ],
    ['json-array', (body: string) => JSON.parse(body)],
  ])('sends many documents as %s', async (format, read) => {
    await connect(() => ({ status: 200 }), { type: 'webhook', format, gzip: true });
    await kinds();
    expect(read(receiver.requests[0]!.body)).toEqual(items.map(({ body }) => JSON.parse(body)));
  });

  test('refuses to send in the clear to another machine', async () => {
    await connect(() => ({ status: 200 }), { type: 'webhook' });
    await expect(open({ type: 'webhook', url: 'http://soar.example/x' })).rejects.toMatchObject({
      code: 'forward/insecure',
    });
  });
});

describe('otlp', () => {
  test.each([
    [500, 'retry'],
    [501, 'retry'],
    [502, 'retry'],
    [504, 'retry'],
    [400, 'split'],
  ])('judges HTTP %i as %s: a server error is never about a document', async (status, kind) => {
    await connect(() => ({ status }), { type: 'otlp' });
    expect(await kinds()).toBe([kind, kind, kind, kind].join(' '));
  });

  test.each([
    ['{}', 'delivered delivered delivered delivered'],
    ['', 'delivered delivered delivered delivered'],
    ['{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"old"}}', 'split split split split'],
    ['{"partialSuccess":{"rejectedLogRecords":4,"errorMessage":"all"}}', 'split split split split'],
    [
      '{"partialSuccess":{"rejectedLogRecords":0,"errorMessage":"soon full"}}',
      'delivered delivered delivered delivered',
    ],
    ['<html>', 'retry retry retry retry'],
  ])('reads partial success %s', async (body, expected) => {
    await connect(() => ({ status: 200, body }), { type: 'otlp' });
    expect(await kinds()).toBe(expected);
    const [first] = await destination.send(items, never);
    if (body.includes('soon full')) expect(first).toHaveProperty('warning', 'soon full');
    // What was rejected is found by sending singly: none of the others is sent more often than that.
    expect(destination.limits.maxItems).toBe(expected.startsWith('split') ? 1 : 500);
    if (expected.startsWith('split')) expect(first).toHaveProperty('singly', true);
  });
});
