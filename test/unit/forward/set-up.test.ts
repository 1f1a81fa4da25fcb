import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { expect, onTestFinished, test } from 'vitest';
import { silentLogger } from '../../../src/base/log.js';
import {
  type Destination,
  destinationOptions,
  Forwarder,
  openTargets,
  Reporter,
} from '../../../src/forward/index.js';
import { filesOf, SetUpDestination } from '../../../src/forward/set-up.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { context, detection, temporaryStore } from '../store/samples.js';
import { delivered, ScriptedDestination, target, temporaryFolder, until } from './fakes.js';

const missing = '/nonexistent';

/** Options that cannot be used, and a part of the reason. */
const unusable: [string, Record<string, unknown>, RegExp][] = [
  [
    'a missing secret',
    { type: 'splunk', url: 'https://x.example', token: `file:${missing}/token` },
    /nonexistent/,
  ],
  ['an unset variable', { type: 'splunk', url: 'https://x.example', token: 'env:NOT_SET_AT_ALL' }, /NOT_SET/],
  ['missing roots', { type: 'webhook', url: 'https://x.example', tls: { ca: `${missing}/ca.pem` } }, /roots/],
  [
    'a certificate that is not there',
    { type: 'syslog', address: 'x.example:6514', tls: { cert: `${missing}/c.pem` } },
    /client certificate/,
  ],
  ['no credentials', { type: 'elasticsearch', url: 'https://x.example' }, /api_key/],
  ['a proxy of another kind', { type: 'otlp', url: 'https://x.example', proxy: 'socks5://p:1' }, /proxy/],
  ['a module that is not there', { type: 'module', path: `${missing}/mine.mjs` }, /nonexistent/],
  ['an unencrypted address', { type: 'webhook', url: 'http://x.example/' }, /unencrypted/],
  ['a file below a file', { type: 'file', path: '/dev/null/x/alerts.ndjson' }, /destination|dev\/null/],
];

async function forwarderOf(all: Record<string, unknown>[], clock = new ManualClock()) {
  const store = temporaryStore();
  const log = silentLogger;
  const options = all.map((one) => v.parse(destinationOptions, one));
  const targets = await openTargets(options, { clock, log, version: '1' });
  const told: [string, string | undefined][] = [];
  const forwarder = new Forwarder({
    outbox: store.outbox,
    targets,
    clock,
    log,
    random: () => 0,
    onParked: (name, reason) => told.push([name, reason]),
  });
  forwarder.start();
  onTestFinished(() => forwarder.stop(0));
  return { store, forwarder, clock, told };
}

test.each(unusable)(
  '%s parks a destination, with its reason, and keeps no other from its alerts',
  async (_, bad, reason) => {
    const folder = temporaryFolder();
    const { store, forwarder, told } = await forwarderOf([
      { ...bad, name: 'bad' },
      { type: 'file', name: 'good', path: `${folder}/alerts.ndjson` },
    ]);
    store.alerts.upsert(detection('a'), context, ['bad', 'good']);
    forwarder.wake();
    await until(() => store.outbox.depth('good', 'alert').rows === 0, 'the other destination');
    await until(() => forwarder.status()[0]?.state === 'parked', 'parking');
    expect(forwarder.status()[0]).toMatchObject({
      state: 'parked',
      reason: expect.stringMatching(reason),
      dead: 0,
      lanes: { alert: { rows: 1 } },
    });
    expect(told).toEqual([['bad', expect.stringMatching(reason)]]);
  },
);

test('what was missing is taken up when it is there: the alert arrives without a restart', async () => {
  const folder = temporaryFolder();
  const module = path.join(folder, 'mine.mjs');
  writeFileSync(module, 'throw new Error("not yet");\n', { mode: 0o600 });
  const { store, forwarder, clock, told } = await forwarderOf([
    { type: 'module', name: 'mine', path: module, settings: { out: `${folder}/out` } },
  ]);
  store.alerts.upsert(detection('a'), context, ['mine']);
  await until(() => forwarder.status()[0]?.state === 'parked', 'parking');
  writeFileSync(
    module,
    `import { appendFileSync } from 'node:fs';
     export default ({ settings }) => ({
       async send(items) { appendFileSync(settings.out, 'x'); return items.map(() => ({ kind: 'delivered' })); },
     });`,
  );
  await until(() => {
    clock.pass(10_000);
    return store.outbox.depth('mine', 'alert').rows === 0;
  }, 'the alert');
  expect(existsSync(`${folder}/out`)).toBe(true);
  expect(told).toEqual([
    ['mine', expect.stringContaining('not yet')],
    ['mine', undefined],
  ]);
});

/** A destination that counts how often it was opened and closed. */
function counted(files: readonly string[] = []) {
  const clock = new ManualClock();
  const made: ScriptedDestination[] = [];
  let broken: Error | undefined;
  let hold: Promise<void> = Promise.resolve();
  const subject = new SetUpDestination({
    ...{ name: 'siem', type: 'scripted', network: true, files, clock },
    random: () => 0,
    async open() {
      await hold;
      if (broken !== undefined) throw broken;
      const one = new ScriptedDestination('siem');
      made.push(one);
      return one as Destination;
    },
  });
  return {
    ...{ clock, made, subject },
    fail: (error: Error | undefined) => {
      broken = error;
    },
    hang: (until: Promise<void>) => {
      hold = until;
    },
  };
}

const never = new AbortController().signal;
const item = { seq: 1, lane: 'alert', id: 'a', revision: 1, body: '{}' } as const;

test('a renewed certificate is taken up, and a half-written one leaves the old one in use', async () => {
  const file = path.join(temporaryFolder(), 'cert.pem');
  writeFileSync(file, 'old');
  const { subject, made, fail } = counted([file]);
  expect(await subject.setUp()).toBeUndefined();
  expect(await subject.changed()).toBe(false);
  writeFileSync(file, 'half of the new');
  fail(new Error('the key does not fit'));
  expect(await subject.changed()).toBe(true);
  expect(await subject.setUp()).toBeUndefined();
  expect(await subject.send([item], never)).toEqual([delivered]);
  expect(made).toHaveLength(1);
  writeFileSync(file, 'all of the new one');
  fail(undefined);
  expect(await subject.changed()).toBe(true);
  expect(await subject.setUp()).toBeUndefined();
  expect(made.map(({ closed }) => closed)).toEqual([true, false]);
  // A change of rights alone is one too.
  chmodSync(file, 0o400);
  expect(await subject.changed()).toBe(true);
  rmSync(file);
  expect(await subject.changed()).toBe(true);
});

test.each([
  ['a failed handshake', { kind: 'retry', reason: 'CERT_HAS_EXPIRED', reopen: true } as const],
  ['refused credentials', { kind: 'pause', reason: '401', cause: 'auth' } as const],
])('%s opens the destination anew before the next try', async (_, verdict) => {
  const { subject, made } = counted();
  await subject.setUp();
  made[0]!.answer = () => [verdict];
  await subject.send([item], never);
  await subject.setUp();
  expect(made).toHaveLength(2);
  expect(await subject.send([item], never)).toEqual([delivered]);
  await subject.setUp();
  expect(made).toHaveLength(2);
});

test('one that never becomes ready is parked, and used once it is', async () => {
  const { subject, clock, made, hang } = counted();
  let ready = () => {};
  hang(
    new Promise((resolve) => {
      ready = resolve;
    }),
  );
  const first = subject.setUp();
  clock.pass(30_000);
  expect(await first).toMatchObject({ reason: expect.stringContaining('not ready after 30 s') });
  ready();
  await until(() => made.length === 1, 'readiness');
  expect(await subject.setUp()).toBeUndefined();
});

test('one that fails is tried again with growing pauses, not at each commit', async () => {
  const { subject, clock, fail, made } = counted();
  fail(new Error('no'));
  const waits: number[] = [];
  for (let n = 0; n < 6; n++) {
    const parked = await subject.setUp();
    expect(parked).toMatchObject({ reason: 'no' });
    waits.push(parked!.retryInMs);
    expect((await subject.setUp())?.retryInMs).toBe(waits.at(-1));
    clock.pass(waits.at(-1)!);
  }
  expect(waits).toEqual([2_500, 5_000, 10_000, 20_000, 30_000, 30_000]);
  fail(undefined);
  expect(await subject.setUp()).toBeUndefined();
  expect(made).toHaveLength(1);
});

test('every file that the options name is watched', () => {
  const options = v.parse(destinationOptions, {
    type: 'webhook',
    url: 'https://x.example/',
    hmac_secrets: ['file:/s/one', 'env:X'],
    secret_headers: { 'x-token': 'file:/s/two' },
    proxy: 'http://u@p:1',
    proxy_password: 'file:/s/three',
    tls: { ca: '/t/ca', cert: '/t/cert', key: '/t/key', key_passphrase: 'file:/s/four' },
  });
  expect(filesOf(options).sort()).toEqual(
    ['/s/one', '/s/two', '/s/three', '/s/four', '/t/ca', '/t/cert', '/t/key'].sort(),
  );
  const module = v.parse(destinationOptions, { type: 'module', path: '/m.mjs' });
  expect(filesOf(module)).toEqual(['/m.mjs']);
});

test('the others are told that a destination is parked, and that it is set up', () => {
  const store = temporaryStore();
  const clock = new ManualClock();
  const reporter = new Reporter({
    outbox: store.outbox,
    ...{ clock, log: silentLogger, destinations: ['bad', 'good'], heartbeatMs: 300_000 },
    context: { version: '1', agentId: 'a', simulated: false },
    chain: () => store.alerts.chain(),
    health: () => ({}),
    added: () => undefined,
  });
  reporter.parked('bad', 'no certificate');
  reporter.parked('bad', undefined);
  const docs = store.outbox
    .take('good', 'status', { maxItems: 9, maxBytes: 1e6, now: 0 })
    .map(({ body }) => JSON.parse(body));
  expect(docs.map(({ event }) => event.action)).toEqual(['destination-parked', 'destination-set-up']);
  expect(docs[0].launchwarden.status).toMatchObject({ destination: 'bad', reason: 'no certificate' });
  expect(store.outbox.depth('bad', 'status').rows).toBe(0);
});

test('a destination that keeps simulated events here says so, and one by hand that it is paused', async () => {
  const store = temporaryStore();
  const far = new ScriptedDestination('far', undefined, true);
  const forwarder = new Forwarder({
    outbox: store.outbox,
    targets: [target(far), target(new ScriptedDestination('near'))],
    clock: new ManualClock(),
    log: silentLogger,
    simulated: true,
  });
  expect(forwarder.status().map(({ state }) => state)).toEqual(['not_started', 'not_started']);
  forwarder.start();
  onTestFinished(() => forwarder.stop(0));
  await forwarder.flush();
  expect(forwarder.status().map(({ state }) => state)).toEqual(['holding_simulated', 'idle']);
  forwarder.pause('near', 'maintenance');
  await forwarder.flush();
  expect(forwarder.status()[1]).toMatchObject({
    state: 'paused',
    paused: 'by hand',
    reason: expect.stringContaining('maintenance'),
  });
});
