import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { UserError } from '../../../src/base/errors.js';
import { fetchBundle } from '../../../src/policy/fetch.js';
import { policyOptions } from '../../../src/policy/options.js';
import { makePki, type Pki } from '../../e2e/forward/pki.js';

let folder: string;
let pki: Pki;

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'lw-fetch-'));
  pki = makePki(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function fetched(answer: http.RequestListener, how: { etag?: string; ca?: string } = {}) {
  const server = https.createServer(
    { cert: readFileSync(pki.serverCert), key: readFileSync(pki.serverKey) },
    answer,
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const options = v.parse(policyOptions, { proxy: 'none', timeout: '5s', tls: { ca: how.ca ?? pki.ca } });
  try {
    return await fetchBundle({
      url: `https://localhost:${port}/fleet/policy`,
      network: options as never,
      etag: how.etag ?? null,
      version: '1.0',
      signal: new AbortController().signal,
    });
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return { code: (error as UserError).code, message: (error as UserError).message };
  }
}

test('the bytes and the ETag of a bundle; nothing, when it has not changed', async () => {
  const text = 'launchwarden-policy/1\n\u00e4\n';
  const server: http.RequestListener = (request, response) => {
    expect(request.headers['user-agent']).toBe('launchwarden/1.0');
    if (request.headers['if-none-match'] === '"7"') response.writeHead(304).end();
    else response.writeHead(200, { etag: '"7"' }).end(text);
  };
  expect(await fetched(server)).toEqual({ kind: 'bundle', bytes: Buffer.from(text), etag: '"7"' });
  expect(await fetched(server, { etag: '"7"' })).toEqual({ kind: 'unchanged' });
});

test.each<[string, http.RequestListener, string]>([
  [
    'a redirect to http',
    (_, r) => r.writeHead(302, { location: 'http://evil.example/p' }).end(),
    'policy/redirect',
  ],
  ['a redirect', (_, r) => r.writeHead(301, { location: '/elsewhere' }).end(), 'policy/redirect'],
  ['a captive portal', (_, r) => r.writeHead(200).end('<!DOCTYPE html><html>Log in'), 'policy/web-page'],
  ['an empty web page', (_, r) => r.writeHead(200, { 'content-type': 'text/html' }).end(), 'policy/web-page'],
  ['nothing at that address', (_, r) => r.writeHead(404).end('no'), 'policy/http-status'],
  ['"not modified" that nobody asked for', (_, r) => r.writeHead(304).end(), 'policy/http-status'],
  ['too much', (_, r) => r.writeHead(200).end(Buffer.alloc(17 * 1024 * 1024)), 'policy/too-large'],
  [
    'less than was announced',
    (_, r) => {
      r.writeHead(200, { 'content-length': '100' }).write('launchwarden');
      setImmediate(() => r.destroy());
    },
    'policy/unreachable',
  ],
])('%s is no bundle', async (_, answer, code) => {
  expect(await fetched(answer)).toMatchObject({ code });
});

test('a server that nobody vouches for is not asked', async () => {
  const result = await fetched((_, response) => response.end('x'), { ca: pki.clientCert });
  expect(result).toMatchObject({
    code: 'policy/unreachable',
    message: expect.stringContaining('[policy.tls]'),
  });
});
