import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { isDiskFull, openStore } from '../../../src/store/index.js';
import { open } from '../../contract/destinations.js';
import { alertItem } from '../../contract/receivers/items.js';
import { fillUp, smallVolume } from '../../helpers/volumes.js';
import { context, detection } from '../../unit/store/sample-data.js';

test('a store on a full disk says so, keeps what it has, and goes on when there is room', ({ skip }) => {
  const disk = smallVolume(4096);
  if ('reason' in disk) return skip(disk.reason);
  const store = openStore({ dataDir: path.join(disk.folder, 'data'), clock: systemClock });
  const committed = [store.alerts.upsert(detection('a'), context, ['siem']).alert.id];
  const free = fillUp(disk.folder);
  let failure: unknown;
  for (let n = 0; n < 1000 && failure === undefined; n++) {
    try {
      committed.push(store.alerts.upsert(detection(`n${n}`), context, ['siem']).alert.id);
    } catch (error) {
      failure = error;
    }
  }
  expect(isDiskFull(failure)).toBe(true);
  expect(store.check()).toEqual([]);
  expect(new Set(store.alerts.ids())).toEqual(new Set(committed));
  expect(store.outbox.depth('siem', 'alert').rows).toBe(committed.length);
  free();
  expect(store.alerts.upsert(detection('later'), context, ['siem']).change).toBe('new');
  expect(store.check()).toEqual([]);
  store.close();
});

test('a file on a full disk gets no half line, and what was not written is tried again', async ({ skip }) => {
  const disk = smallVolume(256);
  if ('reason' in disk) return skip(disk.reason);
  const never = new AbortController().signal;
  mkdirSync(path.join(disk.folder, 'logs'));
  const live = path.join(disk.folder, 'logs', 'alerts.ndjson');
  const file = await open({ type: 'file', path: live });
  onTestFinished(() => file.close());
  expect((await file.send([alertItem('a')], never))[0]?.kind).toBe('delivered');
  const free = fillUp(disk.folder);
  let refused = 0;
  const ids = [alertItem('a').id];
  for (let n = 0; n < 10; n++) {
    const items = [alertItem(`n${n}`), alertItem(`m${n}`)];
    const [verdict] = await file.send(items, never);
    if (verdict?.kind === 'delivered') ids.push(...items.map(({ id }) => id));
    else refused++;
  }
  expect(refused).toBeGreaterThan(0);
  free();
  const last = alertItem('last');
  expect((await file.send([last], never))[0]?.kind).toBe('delivered');
  const lines = readFileSync(live, 'utf8').split('\n').slice(1, -1);
  expect(lines.map((line) => JSON.parse(line).event.id)).toEqual([...ids, last.id]);
});
