import { createRequire } from 'node:module';
import { Client } from '@elastic/elasticsearch';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { afterEach, expect, test } from 'vitest';
import { FakeElasticsearch } from './receivers/elasticsearch.js';
import { FakeHec } from './receivers/hec.js';
import { type Handler, HttpReceiver } from './receivers/http.js';
import { FakeOtlp } from './receivers/otlp.js';

// The stand-ins that our destinations are tested against, tested by the receivers' own clients.

let receiver: HttpReceiver;

async function listen(handler: Handler): Promise<string> {
  receiver = await HttpReceiver.listen(handler);
  return receiver.url;
}

afterEach(() => receiver.close());

test("Elastic's own client stores, is refused and finds duplicates as at the real one", async () => {
  const fake = new FakeElasticsearch();
  const node = await listen(fake.handler);
  const client = new Client({ node, auth: { apiKey: 'aWQ6a2V5' } });
  const documents = ['a', 'b', 'c', 'd'].map((id) => ({ id, '@timestamp': '2026-11-22T05:40:00Z' }));
  fake.refuse = (id) =>
    id === 'c'
      ? { status: 400, error: { type: 'document_parsing_exception', reason: 'bad field' } }
      : undefined;
  const bulk = () => {
    const dropped: (number | undefined)[] = [];
    const done = client.helpers.bulk<(typeof documents)[number]>({
      datasource: documents,
      onDocument: ({ id }) => ({ create: { _index: 'logs-launchwarden.alerts-default', _id: id } }),
      onDrop: ({ status }) => dropped.push(status),
      retries: 0,
    });
    return done.then((stats) => ({ ok: stats.successful, failed: stats.failed, dropped }));
  };
  expect(await bulk()).toEqual({ ok: 3, failed: 1, dropped: [400] });
  expect(await bulk()).toEqual({ ok: 0, failed: 4, dropped: [409, 409, 400, 409] });
  expect(fake.stored()).toEqual(['a', 'b', 'd']);
  await client.close();
});

test("OpenTelemetry's own exporter is understood", async () => {
  const fake = new FakeOtlp();
  const url = await listen(fake.handler);
  const exporter = new OTLPLogExporter({ url: `${url}/v1/logs` });
  const provider = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] });
  provider.getLogger('test').emit({
    severityNumber: 13,
    severityText: 'medium',
    body: 'something happened',
    eventName: 'launchwarden.alert',
    attributes: { 'event.id': 'a', count: 3, simulated: true },
  });
  await provider.forceFlush();
  await provider.shutdown();
  const [record] = fake.records;
  expect(fake.stored()).toEqual(['a']);
  expect(record).toMatchObject({
    severityNumber: 13,
    severityText: 'medium',
    eventName: 'launchwarden.alert',
    body: { stringValue: 'something happened' },
    timeUnixNano: expect.stringMatching(/^\d+$/),
  });
});

interface SplunkLogger {
  error: (error: Error) => void;
  send(event: object, callback: (error: Error | null, response: unknown, body: unknown) => void): void;
}

test("Splunk's own logger is understood, and refused with a wrong token", async () => {
  const fake = new FakeHec(false);
  const url = await listen(fake.handler);
  const { Logger } = createRequire(import.meta.url)('splunk-logging') as {
    Logger: new (config: object) => SplunkLogger;
  };
  const send = (token: string) =>
    new Promise<unknown>((resolve) => {
      const logger = new Logger({ token, url, maxRetries: 0 });
      logger.error = (error) => resolve(error.message);
      logger.send({ message: { id: 'a' }, severity: 'high' }, (error, _, body) => resolve(error ?? body));
    });
  expect(await send(fake.token)).toMatchObject({ code: 0, text: 'Success' });
  expect(await send('wrong')).toMatch(/Invalid token/);
  expect(fake.events).toHaveLength(1);
});
