import { rmSync } from 'node:fs';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { foundChanges } from '../../../src/agent/found-changes.js';
import { InventoryKeeper, type InventoryKeeperOptions } from '../../../src/agent/inventory.js';
import { silentLogger } from '../../../src/base/log.js';
import type { Event } from '../../../src/event/event.js';
import { MechanismPlaces, mechanisms } from '../../../src/mechanisms/index.js';
import { type InventoryChange, openStore, type Store } from '../../../src/store/index.js';
import { lockOf } from '../../helpers/lock.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { tempFolder } from '../../helpers/run-cli.js';
import { daemon, daemonList, Tree } from '../inventory/tree.js';

const places = new MechanismPlaces(mechanisms);
const tabs = '/private/var/at/tabs/mara';

let tree: Tree;
let store: Store;
let clock: ManualClock;
let told: { readonly changes: readonly InventoryChange[]; readonly away: boolean }[];

beforeEach(() => {
  tree = new Tree();
  clock = new ManualClock();
  store = openStore({ dataDir: `${tempFolder()}/data`, clock });
  told = [];
  return () => store.close();
});

function keeper(more: Partial<InventoryKeeperOptions> = {}): InventoryKeeper {
  return new InventoryKeeper({
    store,
    root: tree.root,
    clock,
    log: silentLogger,
    mechanisms,
    places,
    homes: () => [],
    onChanges: (changes, { away }) => told.push({ changes, away }),
    ...more,
  });
}

/** Reading pauses by the clock: time goes on until it is over. */
async function refreshed(one: InventoryKeeper) {
  let done = false;
  const result = one.refresh().finally(() => {
    done = true;
  });
  while (!done) {
    clock.pass(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return result;
}

function event(path: string): Event {
  const process = { executable: '/usr/bin/crontab', pid: 7 };
  const doc = { file: { path }, process, user: { name: 'mara' }, launchwarden: { persistence: { path } } };
  return { id: 'e', time: 1, nanos: 0, sequence: 0, doc };
}

test('the first reading is the baseline and tells of nothing; later ones tell what differs', async () => {
  tree.write(daemon, daemonList('/opt/x'));
  const one = keeper();
  expect(await refreshed(one)).toEqual({ items: 1, added: 1, changed: 0, gone: 0 });
  expect(store.inventory.list()).toMatchObject([{ baseline: true }]);
  expect(told).toEqual([]);
  tree.write(tabs, '* * * * * /opt/y\n');
  expect(await refreshed(one)).toEqual({ items: 2, added: 1, changed: 0, gone: 0 });
  rmSync(tree.root.toHost(tabs));
  expect(await refreshed(one)).toMatchObject({ gone: 1 });
  expect(told).toMatchObject([
    { away: false, changes: [{ kind: 'added', entry: { mechanism: 'cron' } }] },
    { away: false, changes: [{ kind: 'gone' }] },
  ]);
});

test('what the first reading of a later run finds happened while no agent ran', async () => {
  await refreshed(keeper());
  tree.write(daemon, daemonList('/opt/x'));
  await refreshed(keeper());
  // Nothing was there at the first one, which therefore told of nothing.
  tree.write(tabs, '* * * * * /opt/y\n');
  await refreshed(keeper());
  expect(told).toMatchObject([{ away: true, changes: [{ entry: { path: tabs } }] }]);
});

test('an item is read a moment after its event, with who wrote it', async () => {
  tree.write(daemon, daemonList('/opt/x'));
  const one = keeper();
  await refreshed(one);
  tree.write(tabs, '* * * * * /opt/y\n');
  one.noticed([event(tabs)]);
  expect(store.inventory.list()).toHaveLength(1);
  clock.pass(1_000);
  expect(store.inventory.list().find(({ entry }) => entry.path === tabs)).toMatchObject({
    baseline: false,
    by: { executable: '/usr/bin/crontab', user: 'mara', pid: 7 },
  });
});

test('what there was an event of before the first reading came to it is no part of the baseline', async () => {
  tree.write(daemon, daemonList('/opt/x'));
  tree.write(tabs, '* * * * * /opt/y\n');
  for (const isRead of [true, false]) {
    store.close();
    store = openStore({ dataDir: `${tempFolder()}/data`, clock });
    const one = keeper();
    one.noticed([event(tabs)]);
    // Read a second later, and then before the first reading is stored.
    if (isRead) clock.pass(1_000);
    await refreshed(one);
    const rows = store.inventory.list();
    expect(rows.find(({ entry }) => entry.path === daemon)).toMatchObject({ baseline: true });
    expect(rows.find(({ entry }) => entry.path === tabs)).toMatchObject({
      baseline: false,
      by: { executable: '/usr/bin/crontab', user: 'mara' },
    });
  }
  expect(told).toEqual([]);
});

test('who asks while all is read gets what came after its place was passed, too', async () => {
  const one = keeper();
  const running = one.refresh();
  tree.write(tabs, '* * * * * /opt/y\n');
  one.noticed([event(tabs)]);
  let done = false;
  const asked = one.refresh().finally(() => {
    done = true;
  });
  // Less than until an item is read by itself.
  for (let turn = 0; turn < 20 && !done; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (!done) clock.pass(40);
  }
  expect(await running).toMatchObject({ items: 0 });
  await asked;
  expect(store.inventory.list()).toMatchObject([{ baseline: false, entry: { path: tabs } }]);
});

test('where nothing persisted at the first reading the next item is known a second after its event', async () => {
  const one = keeper();
  await refreshed(one);
  tree.write(tabs, '* * * * * /opt/y\n');
  one.noticed([event(tabs)]);
  clock.pass(1_000);
  expect(store.inventory.list()).toMatchObject([{ baseline: false, entry: { path: tabs } }]);
});

test('while another program locks the database the inventory waits; nothing is lost or taken for the first', async () => {
  store.close();
  const dataDir = `${tempFolder()}/data`;
  store = openStore({ dataDir, clock, keepGoing: true });
  const tended = setInterval(() => store.tend(), 0);
  onTestFinished(() => clearInterval(tended));
  tree.write(daemon, daemonList('/opt/x'));
  const one = keeper();
  await refreshed(one);
  const lock = lockOf(dataDir, 'launchwarden.db');
  store.exceptionHits.add({ id: 'any', hits: 1, first: 1, last: 1 });
  expect(store.inventory.held).toBe(true);
  await expect(one.refresh()).rejects.toThrow(/waits for its database/);
  tree.write(tabs, '* * * * * /opt/y\n');
  one.noticed([event(tabs)]);
  for (let second = 0; second < 5; second++) clock.pass(1_000);
  lock();
  store.tend();
  expect(store.inventory.held).toBe(false);
  expect(store.exceptionHits.list()).toMatchObject([{ id: 'any', hits: 1 }]);
  expect(store.inventory.list()).toHaveLength(1);
  clock.pass(1_000);
  expect(store.inventory.list().find(({ entry }) => entry.path === tabs)).toMatchObject({
    baseline: false,
    by: { executable: '/usr/bin/crontab' },
  });
  // One that begins while memory serves, and one in which it takes over.
  const again = lockOf(dataDir, 'launchwarden.db');
  store.exceptionHits.add({ id: 'any', hits: 1, first: 1, last: 1 });
  one.start();
  clock.pass(3_000);
  tree.write(daemon, daemonList('/opt/z'));
  again();
  for (let turn = 0; turn < 50 && told.length === 0; turn++) {
    clock.pass(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  one.stop();
  expect(told).toMatchObject([{ changes: [{ kind: 'changed', entry: { path: daemon } }] }]);
  expect(store.exceptionHits.list()).toMatchObject([{ hits: 2 }]);
});

test('a signer is asked for once', async () => {
  tree.write(daemon, daemonList('/opt/x'));
  const asked: string[] = [];
  const one = keeper({
    signer: async (program) => {
      asked.push(program);
      return { exists: true, team_id: 'T' };
    },
  });
  await refreshed(one);
  await refreshed(one);
  expect(asked).toEqual(['/opt/x']);
  expect(store.inventory.list()[0]?.entry.signer).toEqual({ exists: true, team_id: 'T' });
  expect(told).toEqual([]);
});

test('after it was stopped it reads nothing and takes nothing for gone', async () => {
  tree.write(daemon, daemonList('/opt/x'));
  const one = keeper();
  await refreshed(one);
  one.stop();
  await refreshed(one);
  expect(store.inventory.list()[0]?.gone).toBeUndefined();
});

test('only changes in places that are not watched become events, one an item', async () => {
  tree.write(daemon, daemonList('/opt/x'));
  const one = keeper();
  await refreshed(one);
  const extension = '/Applications/A.app/Contents/PlugIns/B.appex';
  tree.write(
    `${extension}/Contents/Info.plist`,
    '<plist><dict><key>CFBundleExecutable</key><string>b</string></dict></plist>',
  );
  tree.write(tabs, '* * * * * /opt/y\n');
  await refreshed(one);
  const [{ changes } = { changes: [] }] = told;
  const events = foundChanges(changes, { places, boot: 'b', now: 2_000_000, since: 1_000_000, away: true });
  expect(events.map(({ event: { doc } }) => doc)).toMatchObject([
    {
      event: { action: 'modification', type: ['creation', 'change'] },
      file: { path: extension, name: 'B.appex', extension: 'appex' },
      launchwarden: {
        sensor: { precision: 'interval', reason: 'found by the inventory' },
        findings: expect.arrayContaining(['changed-while-away']),
        persistence: { runs: [`${extension}/Contents/MacOS/b`], entries: 1 },
      },
    },
  ]);
});
