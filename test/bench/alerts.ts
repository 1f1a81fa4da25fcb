// `npm run bench -- --only alerts`: `alerts list` on a million alerts beside a bare `node -e 0`. The store is built once,
// some 30 s, and removed afterwards. "reading" is what the database takes; the rest is loading the program.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { multiplyAlerts } from '../helpers/many-alerts.js';
import { median, type Row } from './row.js';

const alerts = 1_000_000;
const rounds = 9;
const dist = (name: string) => import(path.resolve('dist', name));

/** How long a child process takes, milliseconds. */
function timeOf(argv: readonly string[]): number {
  const begun = performance.now();
  const done = spawnSync(process.execPath, argv, { stdio: 'ignore' });
  if (done.status !== 0) throw new Error(`${argv.join(' ')} ended with ${done.status}`);
  return performance.now() - begun;
}

const event = (id: string, item: string) => {
  const time = 1_795_326_000_000_000;
  const doc = {
    '@timestamp': '2026-11-22T05:40:00.000Z',
    event: { id, category: ['file'], type: ['change'], action: 'modification' },
    file: { path: `/Library/LaunchDaemons/${id}.plist` },
    launchwarden: { persistence: { item_id: item, mechanism: 'launch-daemon', path: '/x' } },
  };
  return { id, time, nanos: 0, sequence: 0, doc };
};

export async function rows(): Promise<Row[]> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'lw-bench-'));
  const dataDir = path.join(folder, 'data');
  try {
    const { openStore } = await dist('store/index.js');
    const { systemClock } = await dist('base/clock.js');
    const { loadBuiltinRules } = await dist('rules/index.js');
    const [rule] = loadBuiltinRules();
    const store = openStore({ dataDir, clock: systemClock });
    const context = {
      version: '1',
      agentId: 'bench',
      created: Date.now() * 1000,
      sensors: [],
      simulated: false,
    };
    for (const [index, id] of ['a1', 'b2', 'c3'].entries()) {
      const one = event(id, index === 0 ? '' : `item-${index}`);
      const found = { id: id.repeat(16), rule: rule.meta, kind: 'match', time: one.time, events: [one] };
      store.alerts.upsert({ ...found, joinKeys: [], candidates: [], repeats: 0, suppressed: 0 }, context, []);
    }
    store.close();
    multiplyAlerts(dataDir, alerts);
    const list = ['bin/launchwarden.js', 'alerts', 'list', '--data-dir', dataDir];
    const pairs = Array.from({ length: rounds }, () => ({ bare: timeOf(['-e', '0']), list: timeOf(list) }));
    const bare = median(pairs.map((one) => one.bare));
    const whole = median(pairs.map((one) => one.list));
    const reader = openStore({ dataDir, clock: systemClock, readOnly: true });
    const status = ['open', 'acknowledged'];
    const begun = performance.now();
    reader.alerts.groups({ status, limit: 100 }, 1);
    reader.alerts.count({ status });
    reader.alerts.any({ status: 'closed' });
    const reading = performance.now() - begun;
    reader.close();
    const against = 'node -e 0';
    return [
      { name: `alerts list, ${alerts} alerts`, value: whole, unit: 'ms', against, ratio: whole / bare },
      { name: '  of that, reading', value: reading, unit: 'ms', against, ratio: reading / bare },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
