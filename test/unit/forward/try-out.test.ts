import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/log.js';
import { type TestStep, testSteps } from '../../../src/forward/index.js';
import { destinationOptions } from '../../../src/forward/options.js';
import { makePki, type Pki } from '../../e2e/forward/pki.js';

let folder: string;
let pki: Pki;

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'lw-try-'));
  pki = makePki(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Listens on a port of this machine until the test has ended. */
async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  return (server.address() as AddressInfo).port;
}

const answering =
  (status: number, body: string): http.RequestListener =>
  (request, response) => {
    request.resume();
    response.writeHead(status, { connection: 'close' }).end(body);
  };

async function tried(options: object): Promise<TestStep[]> {
  const steps: TestStep[] = [];
  const context = { clock: systemClock, log: silentLogger, version: '1' };
  const { signal } = new AbortController();
  for await (const step of testSteps(v.parse(destinationOptions, { proxy: 'none', ...options }), context, {
    signal,
  }))
    steps.push(step);
  return steps;
}

const outcome = (steps: readonly TestStep[]) => steps.map(({ step, ok }) => `${step} ${ok}`);

const elastic = (port: number, more: object = {}) => ({
  type: 'elasticsearch',
  url: `https://localhost:${port}`,
  user: 'u',
  password: 'env:LW_TRY_OUT',
  ...more,
});

process.env['LW_TRY_OUT'] = 'a-password';

function tlsServer(handler: http.RequestListener): Server {
  const { serverCert, serverKey } = pki;
  return https.createServer({ cert: readFileSync(serverCert), key: readFileSync(serverKey) }, handler);
}

test('every step of one that takes documents, and whether it may write', async () => {
  const rights = { value: true };
  const port = await listening(
    tlsServer((request, response) => {
      request.resume();
      const body = request.url?.includes('_has_privileges')
        ? { has_all_requested: rights.value }
        : { username: 'launchwarden' };
      response.writeHead(200, { connection: 'close' }).end(JSON.stringify(body));
    }),
  );
  const steps = await tried(elastic(port, { tls: { ca: pki.ca } }));
  expect(outcome(steps)).toEqual(
    ['settings', 'name', 'connect', 'tls', 'login', 'write'].map((one) => `${one} true`),
  );
  expect(steps[3]?.detail).toMatch(/^TLSv1\.3, .*the pin of its key is "[A-Za-z0-9+/]{43}="$/);
  rights.value = false;
  expect((await tried(elastic(port, { tls: { ca: pki.ca } }))).at(-1)).toMatchObject({
    step: 'write',
    ok: false,
    detail: expect.stringContaining('create_doc'),
  });
});

test('a certificate that nobody here trusts: what to set, and the pin that the server has', async () => {
  const port = await listening(tlsServer(answering(200, '{}')));
  const steps = await tried(elastic(port));
  expect(outcome(steps).at(-1)).toBe('tls false');
  expect(steps.at(-1)?.detail).toMatch(/"ca" in \[destination\.tls\].*pin "[A-Za-z0-9+/]{43}="$/);
});

test.each([
  ['elasticsearch', { user: 'u', password: 'env:LW_TRY_OUT' }],
  ['splunk', { token: 'env:LW_TRY_OUT' }],
  ['webhook', {}],
])('a captive portal is no receiver: %s', async (type, more) => {
  const port = await listening(tlsServer(answering(200, '<html><body>Please log in</body></html>')));
  const steps = await tried({ type, url: `https://localhost:${port}`, tls: { ca: pki.ca }, ...more });
  expect(steps.at(-1)).toMatchObject({ step: 'login', ok: false });
  expect(steps.at(-1)?.detail).toMatch(/web page|portal/);
});

test('what fails says what to do, in words and not in a code alone', async () => {
  const closed = createServer();
  const port = await listening(closed);
  await new Promise<void>((resolve) => void closed.close(() => resolve()));
  closed.on('error', () => {});
  const refused = await tried(elastic(port));
  expect(refused.at(-1)).toEqual({
    step: 'connect',
    ok: false,
    detail: `nothing listens on port ${port} of localhost: check the port, or start the receiver`,
  });
  const secret = await tried(elastic(port, { password: 'file:/nowhere/at/all' }));
  expect(outcome(secret)).toEqual(['settings false']);
  expect(secret[0]?.detail).toContain('/nowhere/at/all');
  const plain = await listening(http.createServer(answering(200, 'x')) as unknown as Server);
  expect((await tried(elastic(plain))).at(-1)?.detail).toContain('does not speak TLS');
  const name = await tried({ ...elastic(1), url: 'https://no-such-host.invalid:9200' });
  expect(name.at(-1)).toMatchObject({
    step: 'name',
    ok: false,
    detail: expect.stringContaining('set "proxy"'),
  });
});
