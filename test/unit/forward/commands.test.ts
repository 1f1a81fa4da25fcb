import * as v from 'valibot';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/log.js';
import {
  deadDocuments,
  destinationOptions,
  elasticAssets,
  Forwarder,
  installElasticAssets,
  openTargets,
  pauseStored,
  resumeStored,
  storedStatus,
  testDestination,
} from '../../../src/forward/index.js';
import { FakeElasticsearch } from '../../contract/receivers/elasticsearch.js';
import { HttpReceiver } from '../../contract/receivers/http.js';
import { context, detection, fileEvent, temporaryStore } from '../store/samples.js';
import { ScriptedDestination, target, temporaryFolder } from './fakes.js';

const opening = { clock: systemClock, log: silentLogger, version: '0.1.0' };
const never = new AbortController().signal;
const speaker = { version: '0.1.0', agentId: 'a', simulated: false };
let receiver: HttpReceiver;
let fake: FakeElasticsearch;

beforeEach(async () => {
  process.env['TEST_SECRET'] = 'aWQ6a2V5';
  fake = new FakeElasticsearch();
  receiver = await HttpReceiver.listen(fake.handler);
});

afterEach(() => receiver.close());

const elastic = () =>
  v.parse(destinationOptions, {
    type: 'elasticsearch',
    url: receiver.url,
    api_key: 'env:TEST_SECRET',
    timeout: '1s',
  });

test('a test asks, and sends a document only when told to', async () => {
  expect(await testDestination(elastic(), opening, { signal: never })).toMatchObject({ ok: true });
  expect(fake.stored()).toEqual([]);
  const sent = await testDestination(elastic(), opening, { signal: never, send: speaker });
  expect(sent).toMatchObject({ ok: true, verdict: { kind: 'delivered' } });
  const [[stream, docs]] = [...fake.streams] as [[string, Map<string, { event: { action: string } }>]];
  expect(stream).toBe('logs-launchwarden.status-default');
  expect([...docs.values()].map(({ event }) => event.action)).toEqual(['test']);
  receiver.intercept = () => ({ status: 401 });
  expect(await testDestination(elastic(), opening, { signal: never })).toMatchObject({ ok: false });
});

test('the assets of Elastic are installed in order, and the first refusal ends it', async () => {
  const done = await installElasticAssets(elastic(), opening, never);
  expect(done.map(({ path, ok }) => [path, ok])).toEqual(elasticAssets().map(({ path }) => [path, true]));
  expect([...fake.assets.keys()]).toEqual(elasticAssets().map(({ path }) => path));
  receiver.intercept = () => ({ status: 403, body: '{"error":"no"}' });
  expect(await installElasticAssets(elastic(), opening, never)).toMatchObject([{ ok: false }]);
  const file = v.parse(destinationOptions, { type: 'file', path: temporaryFolder() });
  await expect(installElasticAssets(file, opening, never)).rejects.toMatchObject({
    code: 'forward/not-elasticsearch',
  });
});

test('what the store knows is enough for status, pause and resume', () => {
  const { outbox, alerts } = temporaryStore();
  alerts.upsert(detection('a'), context, ['siem']);
  expect(storedStatus(outbox)).toMatchObject([
    {
      name: 'siem',
      paused: 'no',
      lanes: { alert: { rows: 1, oldest: expect.any(Number) }, event: { rows: 0 } },
    },
  ]);
  pauseStored(outbox, 'siem', 'maintenance');
  expect(storedStatus(outbox)).toMatchObject([{ paused: 'by hand', pauseReason: 'maintenance' }]);
  resumeStored(outbox, 'siem');
  expect(storedStatus(outbox)).toMatchObject([{ paused: 'no' }]);
});

test('dead letters of every lane are listed, exported with their document, retried and purged', async () => {
  const store = temporaryStore();
  const siem = new ScriptedDestination('siem');
  const { alert } = store.alerts.upsert(detection('a'), context, ['siem']);
  store.outbox.add({ id: 's1', body: '{"event":{"id":"s1"}}' }, ['siem']);
  store.outbox.addEvents(store.events.append([fileEvent('e1')]), ['siem']);
  // One beside each that is taken.
  const bad = [alert.id, 's1', 'e1'];
  store.alerts.upsert(detection('b'), context, ['siem']);
  store.outbox.add({ id: 's2', body: '{"event":{"id":"s2"}}' }, ['siem']);
  store.outbox.addEvents(store.events.append([fileEvent('e2')]), ['siem']);
  siem.answer = (items) =>
    items.map(({ id }) => (bad.includes(id) ? { kind: 'poison', reason: 'mapping' } : { kind: 'delivered' }));
  const forwarder = new Forwarder({
    outbox: store.outbox,
    targets: [target(siem)],
    clock: systemClock,
    log: silentLogger,
  });
  forwarder.start();
  await forwarder.flush();
  await forwarder.stop(0);
  const { dead } = store.outbox;
  const letters = dead.list().map(({ id, lane, reason }) => [id, lane, reason.includes('mapping')]);
  expect(new Set(letters.map((letter) => letter.join()))).toEqual(
    new Set(['s1,status,true', `${alert.id},alert,true`, 'e1,event,true']),
  );
  store.events.prune(1, Number.MAX_SAFE_INTEGER);
  const documents = [...deadDocuments(store.outbox)].map(({ document }) => document);
  expect(documents).toHaveLength(3);
  expect(documents).toEqual(
    expect.arrayContaining([{ event: { id: 's1' } }, alert.doc, fileEvent('e1').doc]),
  );
  expect(dead.retry({ id: alert.id.slice(0, 8) })).toBe(1);
  expect(store.outbox.depth('siem', 'alert').rows).toBe(1);
  // The event itself is pruned: there is nothing left to queue.
  expect(dead.retry({ destination: 'siem' })).toBe(1);
  expect(dead.purge({ destination: 'siem' })).toBe(1);
  expect(dead.list()).toEqual([]);
});

test('two destinations of one name are an error of the configuration', async () => {
  const file = v.parse(destinationOptions, { type: 'file', path: temporaryFolder() });
  await expect(openTargets([file, file], opening)).rejects.toMatchObject({ code: 'forward/duplicate-name' });
  const kept = { ...file, name: 'other' };
  expect((await openTargets([file, kept], opening)).map(({ destination }) => destination.name)).toEqual([
    'file',
    'other',
  ]);
});
