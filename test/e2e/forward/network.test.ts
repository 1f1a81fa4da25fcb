import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Destination } from '../../../src/forward/index.js';
import { spkiPin } from '../../../src/forward/net/tls.js';
import { open } from '../../contract/destinations.js';
import { HttpReceiver } from '../../contract/receivers/http.js';
import { alertItem } from '../../contract/receivers/items.js';
import { Daemon, freePort, missing, rsyslog } from './daemons.js';
import { makePki, type Pki } from './pki.js';

const never = new AbortController().signal;
const openssl = missing('openssl');
const tinyproxy = openssl ?? missing('tinyproxy');
let base: string;
let pki: Pki;
const closers: (() => Promise<unknown> | unknown)[] = [];

beforeAll(() => {
  if (openssl !== undefined) return;
  base = mkdtempSync(path.join(tmpdir(), 'launchwarden-network-'));
  pki = makePki(base);
  return () => rmSync(base, { recursive: true, force: true });
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** An HTTPS receiver that wants a client certificate of our root. */
async function mutualTls(): Promise<HttpReceiver> {
  const receiver = await HttpReceiver.listen(() => ({ status: 200 }), {
    key: readFileSync(pki.serverKey),
    cert: readFileSync(pki.serverCert),
    ca: readFileSync(pki.ca),
    requestCert: true,
    rejectUnauthorized: true,
  });
  closers.push(() => receiver.close());
  return receiver;
}

async function webhook(receiver: HttpReceiver, options: Record<string, unknown>): Promise<Destination> {
  const made = await open({
    type: 'webhook',
    url: `https://localhost:${receiver.port}/hook`,
    timeout: '5s',
    ...options,
  });
  closers.push(() => made.close());
  return made;
}

const clientTls = () => ({ ca: pki.ca, cert: pki.clientCert, key: pki.clientKey });
const serverPin = () => spkiPin(new X509Certificate(readFileSync(pki.serverCert)).raw);

/** tinyproxy that asks for a name and a password and lets CONNECT through to `port` alone. */
async function proxy(port: number): Promise<Daemon> {
  const own = await freePort();
  const config = path.join(base, `tinyproxy-${own}.conf`);
  writeFileSync(
    config,
    `Port ${own}\nListen 127.0.0.1\nTimeout 30\nMaxClients 20\nBasicAuth mac s3cret-of-the-proxy\nConnectPort ${port}\nLogLevel Error\n`,
  );
  const daemon = new Daemon(own, ['tinyproxy', '-d', '-c', config]);
  await daemon.start();
  closers.push(() => daemon.kill());
  return daemon;
}

function secretFile(name: string, value: string): string {
  const file = path.join(base, name);
  writeFileSync(file, `${value}\n`, { mode: 0o600 });
  return `file:${file}`;
}

describe('a receiver that wants a client certificate', () => {
  test.skipIf(openssl !== undefined)('works from the configuration alone, with a pin too', async () => {
    const receiver = await mutualTls();
    for (const pins of [[], ['B'.repeat(43) + '=', serverPin()]]) {
      const siem = await webhook(receiver, { tls: { ...clientTls(), pin_spki_sha256: pins } });
      expect(await siem.send([alertItem('a')], never)).toEqual([{ kind: 'delivered' }]);
      expect(await siem.probe(never)).toMatchObject({ ok: true });
    }
  });

  test.skipIf(openssl !== undefined).each([
    ['without a client certificate', () => ({ ca: pki.ca })],
    ['without its root', () => ({ cert: pki.clientCert, key: pki.clientKey })],
    ['with a pin of another key', () => ({ ...clientTls(), pin_spki_sha256: [`${'A'.repeat(43)}=`] })],
    ['under another name', () => ({ ...clientTls(), server_name: 'other.example' })],
  ])('gets nothing %s', async (_, tls) => {
    const receiver = await mutualTls();
    const siem = await webhook(receiver, { tls: tls() });
    const [verdict] = await siem.send([alertItem('a')], never);
    expect(verdict?.kind).toBe('retry');
    expect(receiver.requests).toEqual([]);
  });

  test.skipIf(openssl !== undefined)('an old TLS version is refused', async () => {
    const receiver = await HttpReceiver.listen(() => ({ status: 200 }), {
      key: readFileSync(pki.serverKey),
      cert: readFileSync(pki.serverCert),
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    closers.push(() => receiver.close());
    const siem = await webhook(receiver, { tls: { ca: pki.ca } });
    expect((await siem.send([alertItem('a')], never))[0]?.kind).toBe('retry');
  });

  test.skipIf(openssl !== undefined)('files that do not fit are an error of the configuration', async () => {
    const receiver = await mutualTls();
    await expect(webhook(receiver, { tls: { ca: '/nowhere.pem' } })).rejects.toMatchObject({
      code: 'forward/tls-file',
    });
    await expect(webhook(receiver, { tls: { ...clientTls(), key: pki.serverKey } })).rejects.toMatchObject({
      code: 'forward/tls-file',
    });
  });
});

describe('through a proxy', () => {
  test.skipIf(tinyproxy !== undefined)(
    `with credentials${tinyproxy === undefined ? '' : ` (skipped: ${tinyproxy})`}`,
    async () => {
      const receiver = await mutualTls();
      const { port } = await proxy(receiver.port);
      const proxy_password = secretFile('proxy-password', 's3cret-of-the-proxy');
      const siem = await webhook(receiver, {
        tls: clientTls(),
        proxy: `http://mac@127.0.0.1:${port}`,
        proxy_password,
      });
      expect(await siem.send([alertItem('a')], never)).toEqual([{ kind: 'delivered' }]);
      const wrong = secretFile('wrong-password', 'not-that-one');
      const refused = await webhook(receiver, {
        tls: clientTls(),
        proxy: `http://mac@127.0.0.1:${port}`,
        proxy_password: wrong,
      });
      const [verdict] = await refused.send([alertItem('a')], never);
      expect(verdict).toMatchObject({ kind: 'pause', cause: 'auth' });
      expect(JSON.stringify(verdict)).not.toContain('not-that-one');
      expect(receiver.requests).toHaveLength(1);
    },
  );

  const syslogMissing = tinyproxy ?? missing('rsyslogd');
  test.skipIf(syslogMissing !== undefined)('syslog over TLS too', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'launchwarden-network-'));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
    const { daemon, stored } = await rsyslog(folder, 'tls', pki);
    closers.push(() => daemon.kill());
    const { port } = await proxy(daemon.port);
    const proxied = {
      proxy: `http://mac@127.0.0.1:${port}`,
      proxy_password: secretFile('proxy-password-2', 's3cret-of-the-proxy'),
    };
    const options = { type: 'syslog', address: `localhost:${daemon.port}`, timeout: '1s', tls: clientTls() };
    const siem = await open({ ...options, ...proxied });
    closers.push(() => siem.close());
    expect(await siem.send([alertItem('a')], never)).toEqual([{ kind: 'delivered' }]);
    expect(stored()).toHaveLength(1);
    // A proxy ends a connection by itself: that must not pass for the receiver's confirmation.
    daemon.signal('SIGSTOP');
    const stalled = await siem.send([alertItem('b')], never);
    daemon.signal('SIGCONT');
    expect(stalled[0]?.kind).toBe('retry');
    const anonymous = await open({ ...options, proxy: `http://127.0.0.1:${port}` });
    closers.push(() => anonymous.close());
    expect((await anonymous.send([alertItem('a')], never))[0]).toMatchObject({
      kind: 'pause',
      cause: 'auth',
    });
  });

  test('one that answers nonsense, too much or nothing is a failure that passes', async () => {
    const replies = [
      'HTTP/1.1 200 OK\r\n'.repeat(2000),
      'garbage\r\n\r\n',
      '',
      'HTTP/1.1 502 Bad Gateway\r\n\r\n',
    ];
    for (const reply of replies) {
      const server: Server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.write(reply);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const siem = await open({
        type: 'syslog',
        address: 'siem.example:6514',
        transport: 'tcp',
        confirm: 'relp',
        timeout: '300ms',
        proxy: `http://127.0.0.1:${port}`,
      });
      expect((await siem.send([alertItem('a')], never))[0]?.kind).toBe('retry');
      await siem.close();
      server.close();
    }
  });
});
