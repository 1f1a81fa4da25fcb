// Forwarding: the outbox beside a bare loop of the same client, the commit of an alert beside a bare insert of its
// document, and a fleet that comes back after an outage.
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../../dist/base/clock.js';
import { silentLogger } from '../../dist/base/log.js';
import type { Detection } from '../../dist/event/alert.js';
import type { Event } from '../../dist/event/event.js';
import { alertId } from '../../dist/event/ids.js';
import {
  type DestinationOptions,
  Forwarder,
  type OutboxItem,
  openDestination,
} from '../../dist/forward/index.js';
import { openStore, type Store } from '../../dist/store/index.js';
import { fleetRows } from './fleet.js';
import { median, type Row } from './row.js';

const alerts = 100_000;
const commits = 2_000;
const documentBytes = 4_000;

const caps = {
  eventRows: 1e6,
  eventBytes: 1e9,
  alertRows: 1e6,
  alertBytes: 4e9,
  policy: 'drop_oldest_events',
} as const;
const context = { version: '0', agentId: 'a', created: 1.79e15, sensors: ['file-watch'], simulated: false };

/** A receiver of `_bulk` on a thread of its own, which answers each document with 201. */
const receiverSource = `
const { createServer } = require('node:http');
const { gunzipSync } = require('node:zlib');
const { parentPort } = require('node:worker_threads');
createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const text = gunzipSync(Buffer.concat(chunks)).toString('latin1');
    const items = [...text.matchAll(/^\\{"create":\\{"_index":"[^"]*","_id":"([^"]*)"\\}\\}$/gm)];
    response.end(JSON.stringify({ errors: false, items: items.map(([, _id]) => ({ create: { _id, status: 201 } })) }));
  });
}).listen(0, '127.0.0.1', function () { parentPort.postMessage(this.address().port); });
`;

function detection(n: number, padding: string): Detection {
  const event = (id: string, extra: object): Event => ({
    id,
    time: 1.79e15 + n,
    nanos: 0,
    sequence: 1,
    doc: {
      '@timestamp': '2026-11-22T05:40:00.000000Z',
      event: { id, kind: 'event' },
      host: { id: 'h', name: 'mac' },
      ...extra,
    },
  });
  const events = [
    event(`f${n}`, { file: { path: `/Users/alice/Library/LaunchAgents/${n}.plist` } }),
    event(`p${n}`, {
      process: { pid: n, executable: '/bin/launchctl', args: ['launchctl', 'load', `${n}`] },
    }),
  ];
  return {
    id: alertId('rule', [`f${n}`, `p${n}`]),
    rule: {
      ...{
        id: 'rule',
        name: 'A rule',
        description: 'd',
        type: 'eql',
        language: 'eql',
        severity: 'low',
        riskScore: 21,
      },
      ...{
        version: 1,
        author: ['x'],
        license: 'Apache-2.0',
        tags: [],
        references: [],
        falsePositives: [],
        threat: [],
      },
      ...{
        note: padding,
        setup: '',
        interval: '5m',
        from: 'now-9m',
        maxSignals: 100,
        file: 'builtin/x.toml',
        query: 'any',
      },
    },
    kind: 'match',
    time: 1.79e15 + n,
    events,
    joinKeys: [],
    candidates: [],
    repeats: 0,
    suppressed: 0,
  };
}

/** Padding that makes an alert's document as long as wanted. */
function paddingFor(folder: string): string {
  const store = openStore({ dataDir: path.join(folder, 'probe'), clock: systemClock });
  const bare = JSON.stringify(store.alerts.upsert(detection(1, ''), context, []).alert.doc).length;
  store.close();
  return 'x'.repeat(documentBytes - bare);
}

function fill(store: Store, padding: string): void {
  for (let n = 0; n < alerts; n += 1000) {
    store.transaction(() => {
      for (let k = n; k < n + 1000; k++) store.alerts.upsert(detection(k, padding), context, ['siem']);
    });
  }
}

async function drainRows(folder: string, padding: string): Promise<Row[]> {
  const worker = new Worker(receiverSource, { eval: true });
  const [port] = (await once(worker, 'message')) as [number];
  process.env['BENCH_KEY'] = 'aWQ6a2V5';
  const options = {
    ...{
      type: 'elasticsearch',
      name: 'siem',
      simulated: false,
      raw_events: 'off',
      namespace: 'default',
      timeout: 60_000,
    },
    ...{
      url: `http://127.0.0.1:${port}`,
      api_key: 'env:BENCH_KEY',
      batch_items: 500,
      batch_bytes: 5 * 1024 * 1024,
    },
    queue: {
      event_rows: 1,
      event_bytes: 1,
      alert_rows: alerts,
      alert_bytes: 4e9,
      when_full: 'drop_oldest_events',
    },
    tls: { min_version: '1.2', pin_spki_sha256: [] },
  } as DestinationOptions;
  const opening = { clock: systemClock, log: silentLogger, version: '0' };
  const store = openStore({ dataDir: path.join(folder, 'drain'), clock: systemClock });
  fill(store, padding);

  const bare = await openDestination(options, opening);
  const take = { maxItems: 500, maxBytes: 5 * 1024 * 1024, now: 0 };
  const batch = store.outbox.take('siem', 'alert', take) as OutboxItem[];
  const never = new AbortController().signal;
  await bare.send(batch, never);
  let start = performance.now();
  for (let n = 0; n < alerts; n += batch.length) await bare.send(batch, never);
  const bareRate = (alerts * 1000) / (performance.now() - start);
  await bare.close();

  const destination = await openDestination(options, opening);
  const forwarder = new Forwarder({
    outbox: store.outbox,
    targets: [{ destination, caps, simulated: false, rawEvents: 'off' }],
    clock: systemClock,
    log: silentLogger,
    splayMs: 0,
  });
  start = performance.now();
  forwarder.start();
  const done = await forwarder.flush();
  const rate = (alerts * 1000) / (performance.now() - start);
  await forwarder.stop();
  if (!done) throw new Error('the outbox was not drained');
  store.close();
  await worker.terminate();
  const against = 'a bare loop of the same client without the outbox';
  return [
    {
      name: `${alerts} alerts of 4 kB drained to a local receiver`,
      value: rate,
      unit: 'alerts/s',
      against,
      ratio: rate / bareRate,
    },
  ];
}

/** Alternates the two, so that what else the machine does falls on both. */
function commitRows(folder: string, padding: string): Row[] {
  const store = openStore({ dataDir: path.join(folder, 'commit'), clock: systemClock });
  const Database = createRequire(import.meta.url)('better-sqlite3');
  const bareFile = path.join(folder, 'bare.db');
  const bare = new Database(bareFile);
  bare.pragma('journal_mode = WAL');
  bare.pragma('synchronous = FULL');
  bare.exec('CREATE TABLE alerts (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, doc TEXT NOT NULL)');
  const insert = bare.prepare('INSERT INTO alerts (id, doc) VALUES (?, ?)');
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let n = 0; n < commits; n++) {
    const found = detection(n, padding);
    let start = performance.now();
    const { alert } = store.alerts.upsert(found, context, ['siem', 'file']);
    ours.push(performance.now() - start);
    start = performance.now();
    insert.run(alert.id, JSON.stringify(alert.doc));
    theirs.push(performance.now() - start);
  }
  store.close();
  bare.close();
  const bytes = (file: string) => statSync(file).size / commits;
  const [our, their] = [bytes(path.join(folder, 'commit', 'launchwarden.db')), bytes(bareFile)];
  const against = 'a bare insert of the document once';
  return [
    {
      name: 'commit of an alert with two destinations',
      value: median(ours),
      unit: 'ms',
      against,
      ratio: median(ours) / median(theirs),
    },
    {
      name: 'bytes on disk of an alert with two destinations',
      value: our,
      unit: 'bytes',
      against,
      ratio: our / their,
    },
  ];
}

export async function rows(): Promise<Row[]> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-bench-'));
  try {
    const padding = paddingFor(folder);
    return [...commitRows(folder, padding), ...(await drainRows(folder, padding)), ...(await fleetRows())];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
