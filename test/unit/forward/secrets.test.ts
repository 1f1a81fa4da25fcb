import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { createLogger } from '../../../src/base/log.js';
import { destinationOptions, Forwarder, openTargets } from '../../../src/forward/index.js';
import { bypasses, findProxy } from '../../../src/forward/net/proxy.js';
import { Secrets } from '../../../src/forward/net/secrets.js';
import { openStore } from '../../../src/store/index.js';
import { HttpReceiver } from '../../contract/receivers/http.js';
import { context, detection } from '../store/sample-data.js';
import { temporaryFolder, until } from './fakes.js';

const refusal = (ref: string) =>
  new Secrets({}).get(ref).then(
    () => 'given',
    (error) => error.code,
  );

test('a secret comes from a file that nobody else can read or replace', async () => {
  const folder = temporaryFolder();
  const file = path.join(folder, 'token');
  writeFileSync(file, 'the-token\n', { mode: 0o600 });
  expect(await new Secrets({}).get(`file:${file}`)).toBe('the-token');
  chmodSync(file, 0o640);
  expect(await refusal(`file:${file}`)).toBe('forward/secret');
  chmodSync(file, 0o600);
  symlinkSync(file, path.join(folder, 'link'));
  expect(await refusal(`file:${folder}/link`)).toBe('forward/secret');
  expect(await refusal(`file:${folder}/none`)).toBe('forward/secret');
  expect(await refusal(`file:${folder}`)).toBe('forward/secret');
  const open = path.join(folder, 'open');
  mkdirSync(open);
  writeFileSync(path.join(open, 'token'), 'x', { mode: 0o600 });
  chmodSync(open, 0o777);
  expect(await refusal(`file:${open}/token`)).toBe('forward/secret');
});

test('a secret comes from the environment, and an empty one is none', async () => {
  expect(await new Secrets({ TOKEN: 'x1' }).get('env:TOKEN')).toBe('x1');
  expect(await refusal('env:TOKEN')).toBe('forward/secret');
  await expect(new Secrets({ TOKEN: 'a\nb' }).get('env:TOKEN')).rejects.toMatchObject({
    code: 'forward/secret',
  });
});

test('a rotated secret is taken up after a refusal', async () => {
  const environment: Record<string, string> = { TOKEN: 'old' };
  const secrets = new Secrets(environment);
  await secrets.get('env:TOKEN');
  environment['TOKEN'] = 'new';
  expect(await secrets.get('env:TOKEN')).toBe('old');
  secrets.forget();
  expect(await secrets.get('env:TOKEN')).toBe('new');
});

test('a configuration takes references, never a secret itself', () => {
  const parse = (api_key: string) =>
    v.safeParse(destinationOptions, { type: 'elasticsearch', url: 'https://es', api_key });
  expect(parse('file:/etc/key').success).toBe(true);
  expect(parse('keychain:launchwarden/es').success).toBe(true);
  expect(parse('c2VjcmV0').success).toBe(false);
  expect(v.safeParse(destinationOptions, { type: 'webhook', url: 'https://user:pass@host/' }).success).toBe(
    false,
  );
});

test('the proxy is the destination’s own, else that of the environment unless NO_PROXY names the host', async () => {
  const secrets = new Secrets({ PASSWORD: 'pw' });
  const environment = { HTTPS_PROXY: 'http://env-proxy:8080', NO_PROXY: 'internal.example, .corp' };
  const find = (host: string, options = {}) => findProxy(host, options, { secrets, environment });
  expect(await find('siem.example')).toEqual({ host: 'env-proxy', port: 8080 });
  for (const host of ['internal.example', 'a.corp', 'localhost', '127.0.0.1'])
    expect(await find(host)).toBeUndefined();
  expect(await find('siem.example', { proxy: 'none' })).toBeUndefined();
  expect(await find('a.corp', { proxy: 'http://me@own:3128', proxy_password: 'env:PASSWORD' })).toEqual({
    host: 'own',
    port: 3128,
    authorization: `Basic ${Buffer.from('me:pw').toString('base64')}`,
  });
  await expect(find('x', { proxy: 'http://me:inline@own:3128' })).rejects.toMatchObject({
    code: 'forward/proxy',
  });
  await expect(find('x', { proxy: 'socks5://own' })).rejects.toMatchObject({ code: 'forward/proxy' });
  expect(bypasses('a.b.example', '*')).toBe(true);
  expect(bypasses('notexample', 'example')).toBe(false);
});

const canary = 'c4nary-0f-the-t3st';

afterEach(() => {
  delete process.env['CANARY'];
});

test('a secret is in nothing that we write: no database, log, error or status', async () => {
  const folder = temporaryFolder();
  process.env['CANARY'] = canary;
  // A receiver that says our own secrets back to us, in every kind of answer.
  let status = 401;
  const receiver = await HttpReceiver.listen(({ headers }) => ({
    status,
    body: JSON.stringify({ error: `bad ${headers.authorization} ${canary}`, text: `bad ${canary}`, code: 4 }),
  }));
  onTestFinished(() => receiver.close());
  const url = receiver.url;
  const options = [
    { type: 'elasticsearch', name: 'es', url, user: 'lw', password: 'env:CANARY' },
    { type: 'splunk', name: 'hec', url, token: 'env:CANARY' },
    { type: 'webhook', name: 'hook', url, secret_headers: { authorization: 'env:CANARY' } },
    { type: 'otlp', name: 'otel', url, secret_headers: { authorization: 'env:CANARY' } },
    {
      type: 'webhook',
      name: 'proxied',
      url: 'https://siem.example',
      proxy: url.replace('//', '//me@'),
      proxy_password: 'env:CANARY',
    },
  ].map((one) => v.parse(destinationOptions, { timeout: '1s', ...one }));
  const log = createLogger({ level: 'debug', file: path.join(folder, 'log') });
  const store = openStore({ dataDir: path.join(folder, 'data'), clock: systemClock });
  const targets = await openTargets(options, { clock: systemClock, log, version: '0.1.0' });
  const forwarder = new Forwarder({ outbox: store.outbox, targets, clock: systemClock, log });
  store.alerts.upsert(detection('a'), context, forwarder.names({ simulated: false }));
  forwarder.start();
  for (status of [401, 400, 500]) {
    for (const { destination } of targets) forwarder.resume(destination.name);
    await until(() => forwarder.status().every(({ state }) => state !== 'sending'), 'the answers');
    await forwarder.flush();
  }
  const shown = JSON.stringify([forwarder.status(), store.outbox.states(), store.outbox.dead.list()]);
  const probes = await Promise.all(
    targets.map(({ destination }) => destination.probe(new AbortController().signal)),
  );
  await forwarder.stop(0);
  store.close();
  expect(receiver.requests.length).toBeGreaterThan(5);
  const written = readdirSync(path.join(folder, 'data')).map((name) => path.join(folder, 'data', name));
  const everything =
    [...written, path.join(folder, 'log')].map((file) => readFileSync(file, 'latin1')).join('') +
    shown +
    JSON.stringify(probes);
  expect(everything).toContain('[redacted]');
  const forms = [
    canary,
    Buffer.from(`lw:${canary}`).toString('base64'),
    Buffer.from(`me:${canary}`).toString('base64'),
  ];
  expect(forms.filter((form) => everything.includes(form))).toEqual([]);
});
