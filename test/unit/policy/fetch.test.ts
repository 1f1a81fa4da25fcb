import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type http from 'node:http';
import { createServer } from 'node:http';
import https from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { UserError } from '../../../src/base/errors.js';
import { fetchBundle } from '../../../src/policy/fetch.js';
import { policyOptions } from '../../../src/policy/options.js';
import { makePki, type Pki } from '../../e2e/forward/pki.js';

/** One for localhost that was good for a second of 2020; it vouches for itself. */
function expiredCertificate(place: string): { readonly cert: string; readonly key: string } {
  const [cert, key, csr, config] = ['old.pem', 'old.key', 'old.csr', 'old.conf'].map((name) =>
    path.join(place, name),
  ) as [string, string, string, string];
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe', cwd: place });
  writeFileSync(path.join(place, 'index.txt'), '');
  writeFileSync(
    config,
    `[ca]\ndefault_ca=own\n[own]\ndatabase=${place}/index.txt\nnew_certs_dir=${place}\nrand_serial=yes\n` +
      'default_md=sha256\npolicy=any\nx509_extensions=names\n[any]\ncommonName=supplied\n' +
      '[names]\nsubjectAltName=DNS:localhost\nbasicConstraints=CA:TRUE\n',
  );
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=localhost'];
  openssl('req', '-new', ...made, '-keyout', key, '-out', csr);
  const times = ['-startdate', '20200101000000Z', '-enddate', '20200101000001Z'];
  openssl(
    'ca',
    '-batch',
    '-notext',
    '-selfsign',
    '-config',
    config,
    '-keyfile',
    key,
    '-in',
    csr,
    '-out',
    cert,
    ...times,
  );
  return { cert, key };
}

let folder: string;
let pki: Pki;

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'lw-fetch-'));
  pki = makePki(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface How {
  readonly etag?: string;
  readonly ca?: string;
  /** Of the server, PEM. */
  readonly cert?: string;
  readonly key?: string;
  readonly more?: object;
}

async function fetched(answer: http.RequestListener, how: How = {}) {
  const { cert = pki.serverCert, key = pki.serverKey } = how;
  const server = https.createServer({ cert: readFileSync(cert), key: readFileSync(key) }, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const options = v.parse(policyOptions, {
    ...{ proxy: 'none', timeout: '5s', tls: { ca: how.ca ?? pki.ca } },
    ...how.more,
  });
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
    const { code, message, hint } = error as UserError;
    return { code, message, hint };
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
  ['status 206', (_, r) => r.writeHead(206).end('launch'), 'policy/http-status'],
  [
    'a body without an end',
    (_, r) => {
      const more = () => {
        while (!r.destroyed && r.write(Buffer.alloc(1024 * 1024, 97)));
        if (!r.destroyed) r.once('drain', more);
      };
      r.writeHead(200);
      more();
    },
    'policy/too-large',
  ],
  [
    'a little that unpacks to too much',
    (_, r) => r.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(17 * 1024 * 1024))),
    'policy/too-large',
  ],
  [
    'what cannot be unpacked',
    (_, r) => r.writeHead(200, { 'content-encoding': 'gzip' }).end('launchwarden-policy/1'),
    'policy/malformed',
  ],
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
    code: 'policy/tls',
    message: expect.stringContaining('[policy.tls]'),
  });
});

test('a body that does not come whole in time is a matter of the network, not of the bundle', async () => {
  const slow: http.RequestListener = (_, response) => response.writeHead(200).write('l');
  const result = await fetched(slow, { more: { timeout: '2s' } });
  expect(result).toEqual({
    code: 'policy/unreachable',
    message: 'the bundle did not come whole in 2000 ms',
    hint: expect.stringContaining('[policy] timeout'),
  });
});

test.each([
  ['https://user:pass@cdn.example/p?X-Amz-Signature=key#f', 'elsewhere: https://cdn.example/p'],
  ['http://cdn.example/p?key', 'elsewhere, and without encryption: http://cdn.example/p'],
  ['/other?key', 'elsewhere: https://localhost'],
  ['file:///etc/passwd', 'to a "file:" address'],
  ['http://[', 'to what is no address'],
])('of a redirect to %s nothing is told that may be a key', async (location, told) => {
  const result = await fetched((_, response) => response.writeHead(302, { location }).end());
  expect(result).toMatchObject({ code: 'policy/redirect', message: expect.stringContaining(told) });
  expect(JSON.stringify(result)).not.toMatch(/key|pass(?!wd)/);
});

test('the bytes are those that came, also what is no UTF-8', async () => {
  const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0xff, 0x00]);
  expect(await fetched((_, response) => response.end(bytes))).toMatchObject({ kind: 'bundle', bytes });
});

describe('a certificate', () => {
  test('for another host', async () => {
    const result = await fetched((_, response) => response.end('x'), {
      more: { tls: { ca: pki.ca, server_name: 'fleet.example' } },
    });
    expect(result).toMatchObject({
      code: 'policy/tls',
      message: expect.stringContaining('fleet.example'),
    });
  });

  test('that has expired', async () => {
    const place = expiredCertificate(folder);
    const result = await fetched((_, response) => response.end('x'), { ...place, ca: place.cert });
    expect(result).toMatchObject({ code: 'policy/tls', message: expect.stringContaining('expired') });
  });
});

test.each<[string, object, string]>([
  ['a file of roots that is not there', { tls: { ca: '/nowhere/ca.pem' } }, '[policy.tls]'],
  ['a proxy that is none', { proxy: 'http://proxy.example/path' }, 'in [policy]'],
  ['a secret that is not there', { proxy: 'http://u@127.0.0.1:1', proxy_password: 'env:LW_NONE' }, 'Set it'],
])('%s is said of [policy], at once', async (_, more, hint) => {
  expect(await fetched((__, response) => response.end('x'), { more })).toMatchObject({
    code: 'policy/cannot-ask',
    hint: expect.stringContaining(hint),
  });
});

test('it comes through a proxy, and one that wants a password is said', async () => {
  let asks = 0;
  const proxy = createServer().on('connect', (request, socket, head) => {
    if (++asks > 1) {
      socket.end('HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n');
      return;
    }
    const port = Number(String(request.url).split(':')[1]);
    const up = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      up.write(head);
      up.pipe(socket).pipe(up);
    });
    up.on('error', () => socket.destroy());
    socket.on('error', () => up.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void proxy.close());
  const more = { proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
  expect(await fetched((_, response) => response.end('x'), { more })).toMatchObject({ kind: 'bundle' });
  expect(await fetched((_, response) => response.end('x'), { more })).toMatchObject({
    code: 'policy/cannot-ask',
    message: expect.stringContaining('407'),
  });
});
