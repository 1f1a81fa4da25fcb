import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/log.js';
import { Forwarder } from '../../../src/forward/index.js';
import { openStore, type Store } from '../../../src/store/index.js';
import { open } from '../../contract/destinations.js';
import { alertItem, hostile } from '../../contract/receivers/items.js';
import { target, until } from '../../unit/forward/fakes.js';
import { context, detection } from '../../unit/store/sample-data.js';
import { missing, rsyslog, type SyslogDaemon, syslogNg } from './daemons.js';
import { makePki, type Pki } from './pki.js';

const never = new AbortController().signal;
const batch = 20;
let base: string;
let pki: Pki;
let folder: string;
let receiver: SyslogDaemon;

beforeAll(() => {
  if (missing('openssl') !== undefined) return;
  base = mkdtempSync(path.join(tmpdir(), 'launchwarden-syslog-'));
  pki = makePki(base);
  return () => rmSync(base, { recursive: true, force: true });
});

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'launchwarden-syslog-'));
});

afterEach(async () => {
  await receiver?.daemon.kill();
  rmSync(folder, { recursive: true, force: true });
});

const clientTls = () => ({ ca: pki.ca, cert: pki.clientCert, key: pki.clientKey });

interface Setting {
  readonly program: 'rsyslogd' | 'syslog-ng';
  readonly start: () => Promise<SyslogDaemon>;
  readonly options: () => Record<string, unknown>;
  /** Plain TCP, or `eof`: a receiver killed after it has read a batch looks like one that took it. README says so. */
  readonly losesWhenKilled?: boolean;
  /** The first batch comes with a warning about that. */
  readonly warns?: boolean;
}

const settings: Record<string, Setting> = {
  'rsyslog over TCP': {
    program: 'rsyslogd',
    start: () => rsyslog(folder, 'tcp', pki),
    options: () => ({ transport: 'tcp' }),
    losesWhenKilled: true,
  },
  'rsyslog over TLS with client certificates': {
    program: 'rsyslogd',
    start: () => rsyslog(folder, 'tls', pki),
    options: () => ({ tls: clientTls() }),
  },
  'rsyslog over TLS by GnuTLS, which sends no closing alert': {
    program: 'rsyslogd',
    start: () => rsyslog(folder, 'gtls', pki),
    options: () => ({ tls: clientTls() }),
    losesWhenKilled: true,
    warns: true,
  },
  'rsyslog over TLS, any end of the connection': {
    program: 'rsyslogd',
    start: () => rsyslog(folder, 'tls', pki),
    options: () => ({ tls: clientTls(), confirm: 'eof' }),
    losesWhenKilled: true,
  },
  'rsyslog with RELP': {
    program: 'rsyslogd',
    start: () => rsyslog(folder, 'relp', pki),
    options: () => ({ transport: 'tcp', confirm: 'relp' }),
  },
  'rsyslog with RELP over TLS with client certificates': {
    program: 'rsyslogd',
    start: () => rsyslog(folder, 'relp-tls', pki),
    options: () => ({ confirm: 'relp', tls: clientTls() }),
  },
  'syslog-ng over TLS with client certificates': {
    program: 'syslog-ng',
    start: () => syslogNg(folder, pki),
    options: () => ({ tls: clientTls() }),
  },
};

function destination(setting: Setting, more: Record<string, unknown> = {}) {
  const address = `127.0.0.1:${receiver.daemon.port}`;
  return open({
    type: 'syslog',
    name: 'siem',
    address,
    timeout: '1s',
    max_message_bytes: '200 KiB',
    ...setting.options(),
    ...more,
  });
}

function idsOf(docs: readonly Record<string, unknown>[]): string[] {
  return docs.map((doc) => String((doc['event'] as { id: string }).id));
}

/** Commits `count` alerts and drains them; returns their ids, and how to go on. */
function agent(store: Store, forwarder: Forwarder) {
  return {
    commit(prefix: string, count: number): string[] {
      const ids = Array.from(
        { length: count },
        (_, n) => store.alerts.upsert(detection(`${prefix}${n}`), context, ['siem']).alert.id,
      );
      forwarder.wake();
      return ids;
    },
    left: () => store.outbox.depth('siem', 'alert').rows,
    /** Does not wait for the back-off. */
    hurry: () => forwarder.resume('siem'),
  };
}

describe.each(Object.entries(settings))('%s', (_, setting) => {
  const reason = missing('openssl') ?? missing(setting.program);
  test.skipIf(reason !== undefined)(
    `stores each message whole${reason === undefined ? '' : ` (skipped: ${reason})`}`,
    async () => {
      receiver = await setting.start();
      const siem = await destination(setting);
      const items = [
        alertItem('a', { text: hostile }),
        alertItem('b', { text: 'x'.repeat(100_000) }),
        alertItem('c'),
      ];
      const delivered =
        setting.warns === true
          ? { kind: 'delivered', warning: expect.stringContaining('relp') }
          : { kind: 'delivered' };
      expect((await siem.send(items, never))[0]).toEqual(delivered);
      await until(() => receiver.stored().length === 3, 'the messages');
      const ids = items.map(({ body }) => String(JSON.parse(body).event.id));
      expect(idsOf(receiver.stored())).toEqual(ids);
      const [first] = receiver.stored() as { file: { name: string } }[];
      // A surrogate that stands alone is no character; JSON carries it as an escape, a receiver may replace it.
      expect(first?.file.name.replace(/\ufffd|\ud800/g, '')).toBe(hostile.replace('\ud800', ''));
      await siem.close();
    },
  );

  test.skipIf(reason !== undefined)(
    'stopped, killed and restarted in mid-stream: what it acknowledged is stored, and everything arrives',
    async () => {
      receiver = await setting.start();
      const store = openStore({ dataDir: path.join(folder, 'data'), clock: systemClock });
      const siem = await destination(setting, { batch_items: batch });
      const forwarder = new Forwarder({
        outbox: store.outbox,
        targets: [target(siem)],
        clock: systemClock,
        log: silentLogger,
      });
      forwarder.start();
      const { commit, left, hurry } = agent(store, forwarder);
      const committed = commit('a', 200);
      await until(() => left() < 150, 'the first part');
      receiver.daemon.signal('SIGSTOP');
      committed.push(...commit('b', 100));
      await until(() => forwarder.status()[0]?.state === 'waiting', 'the stall to be noticed');
      // Nothing may count as delivered while the receiver stands still.
      const stalled = left();
      hurry();
      await until(() => forwarder.status()[0]?.state === 'waiting', 'the second try');
      expect(left()).toBe(stalled);
      receiver.daemon.signal('SIGCONT');
      hurry();
      await until(() => left() < stalled - 50, 'progress');
      await receiver.daemon.kill();
      const acked = () => {
        const waiting = new Set(
          store.outbox
            .take('siem', 'alert', { maxItems: 1e6, maxBytes: 1e12, now: Number.MAX_SAFE_INTEGER })
            .map(({ id }) => id),
        );
        return committed.filter((id) => !waiting.has(id));
      };
      await until(() => forwarder.status()[0]?.state === 'waiting', 'the loss to be noticed');
      const there = new Set(idsOf(receiver.stored()));
      const lost = acked().filter((id) => !there.has(id));
      expect(lost.length).toBeLessThanOrEqual(setting.losesWhenKilled ? batch : 0);
      committed.push(...commit('c', 50));
      await receiver.daemon.start();
      await until(
        () => {
          if (forwarder.status()[0]?.state === 'waiting') hurry();
          return left() === 0;
        },
        'the rest',
        30_000,
      );
      const everything = new Set(committed);
      for (const id of lost) everything.delete(id);
      await until(() => new Set(idsOf(receiver.stored())).size >= everything.size, 'the file');
      expect(new Set(idsOf(receiver.stored()))).toEqual(everything);
      expect(store.outbox.state('siem')).toMatchObject({ delivered: committed.length, dead: 0, evicted: 0 });
      await forwarder.stop(0);
      store.close();
    },
  );
});

const tlsMissing = missing('openssl') ?? missing('rsyslogd');
test.skipIf(tlsMissing !== undefined).each([
  ['no client certificate', () => ({ ca: pki.ca })],
  ['an unknown root', () => ({ cert: pki.clientCert, key: pki.clientKey })],
  ['a pin of another key', () => ({ ...clientTls(), pin_spki_sha256: [`${'A'.repeat(43)}=`] })],
  ['another name', () => ({ ...clientTls(), server_name: 'other.example' })],
])('with %s nothing counts as delivered', async (_, tls) => {
  receiver = await rsyslog(folder, 'tls', pki);
  const setting = settings['rsyslog over TLS with client certificates'] as Setting;
  const siem = await destination({ ...setting, options: () => ({ tls: tls() }) });
  const [verdict] = await siem.send([alertItem('a')], never);
  expect(verdict?.kind).toBe('retry');
  expect(receiver.stored()).toEqual([]);
  await siem.close();
});
