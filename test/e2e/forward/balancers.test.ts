import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { open } from '../../contract/destinations.js';
import { alertItem } from '../../contract/receivers/items.js';
import { until } from '../../unit/forward/fakes.js';
import {
  type Balancer,
  balancer,
  type Daemon,
  freePort,
  missing,
  rsyslog,
  type SyslogDaemon,
} from './daemons.js';
import { makePki, type Pki } from './pki.js';

// Syslog over TLS that ends at a balancer in front of the receiver: what the balancer closes in order, with a dead receiver
// behind it, must not count as delivered.

const never = new AbortController().signal;
let base: string;
let pki: Pki;
let folder: string;
const running: Daemon[] = [];

beforeAll(() => {
  if (missing('openssl') !== undefined) return;
  base = mkdtempSync(path.join(tmpdir(), 'launchwarden-balancers-'));
  pki = makePki(base);
  return () => rmSync(base, { recursive: true, force: true });
});

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'launchwarden-balancers-'));
});

afterEach(async () => {
  for (const daemon of running.splice(0)) await daemon.kill();
  rmSync(folder, { recursive: true, force: true });
});

async function destination(front: Daemon) {
  return open({
    type: 'syslog',
    name: 'siem',
    address: `127.0.0.1:${front.port}`,
    timeout: '5s',
    tls: { ca: pki.ca, server_name: 'localhost' },
  });
}

async function inFront(program: Balancer, behind: number): Promise<Daemon> {
  const daemon = await balancer(folder, program, { pki, behind });
  running.push(daemon);
  return daemon;
}

async function receiverAt(port: number): Promise<SyslogDaemon> {
  const receiver = await rsyslog(folder, 'tcp', pki, port);
  running.push(receiver.daemon);
  return receiver;
}

/** Whether bytes that nobody has read lie before a local port (proc_net_tcp: the local address, the state, the queues). */
function hasUnread(port: number): boolean {
  const rows = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) =>
    readFileSync(file, 'latin1').split('\n'),
  );
  return rows.some((row) => {
    const [, local = '', , state, queues = ''] = row.trim().split(/\s+/);
    const isListening = state === '0A';
    return (
      !isListening && Number.parseInt(local.split(':')[1] ?? '', 16) === port && /:0*[1-9A-F]/.test(queues)
    );
  });
}

describe.each(['nginx', 'haproxy', 'stunnel4'] as const)('%s', (program) => {
  const reason = missing('openssl') ?? missing('rsyslogd') ?? missing(program);
  const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

  test.skipIf(reason !== undefined)(`with nobody behind it confirms nothing${skipped}`, async () => {
    const siem = await destination(await inFront(program, await freePort()));
    for (let round = 0; round < 10; round++)
      expect((await siem.send([alertItem(`a${round}`)], never))[0]).toMatchObject({ kind: 'retry' });
    await siem.close();
  });

  test.skipIf(reason !== undefined)(
    `with a receiver behind it delivers each message once${skipped}`,
    async () => {
      const port = await freePort();
      const receiver = await receiverAt(port);
      const siem = await destination(await inFront(program, port));
      for (let round = 0; round < 5; round++)
        expect((await siem.send([alertItem(`a${round}`)], never))[0]).toMatchObject({ kind: 'delivered' });
      await until(() => receiver.stored().length === 5, 'the messages');
      await siem.close();
    },
  );

  // What nginx ends by itself says nothing about a receiver that stands still: README recommends RELP.
  const stops = reason ?? (program === 'nginx' ? 'nginx ends both sides at once' : undefined);
  test.skipIf(stops !== undefined)(
    `a receiver that stood still and was killed had nothing${stops === undefined ? '' : ` (skipped: ${stops})`}`,
    async () => {
      const port = await freePort();
      const receiver = await receiverAt(port);
      const siem = await destination(await inFront(program, port));
      expect((await siem.send([alertItem('before')], never))[0]).toMatchObject({ kind: 'delivered' });
      receiver.daemon.signal('SIGSTOP');
      const sent = siem.send([alertItem('killed')], never);
      // One that is killed before has nothing to lose: its end looks like that of one that has taken all.
      await until(() => hasUnread(port), 'the message to lie before the receiver');
      await receiver.daemon.kill();
      expect((await sent)[0]).toMatchObject({ kind: 'retry' });
      await siem.close();
    },
  );
});
