import { beforeEach, expect, test } from 'vitest';
import type { InventoryEntry } from '../../../src/event/inventory.js';
import { openStore, type Store } from '../../../src/store/index.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { tempFolder } from '../../helpers/run-cli.js';

let store: Store;

beforeEach(() => {
  store = openStore({ dataDir: `${tempFolder()}/data`, clock: new ManualClock() });
  return () => store.close();
});

function entry(key: string, more: Partial<InventoryEntry> = {}): InventoryEntry {
  return {
    item_id: 'item',
    key,
    mechanism: 'cron',
    path: '/private/etc/crontab',
    runs: [`/opt/${key}`],
    when: ['calendar'],
    findings: [],
    removal: 'Delete it.',
    type: 'file',
    size: 1,
    mode: '0644',
    uid: 0,
    mtime: 1,
    stamp: 's',
    ...more,
  };
}

const item = (...entries: InventoryEntry[]) => [{ itemId: 'item', entries }];

test('the first inventory is the baseline; what comes, changes and goes later is told', () => {
  const { inventory } = store;
  expect(inventory.empty).toBe(true);
  expect(inventory.apply(item(entry('a')), 1, { baseline: true }).map(({ kind }) => kind)).toEqual(['added']);
  expect(inventory.empty).toBe(false);
  expect(inventory.apply(item(entry('a')), 2)).toEqual([]);
  expect(inventory.apply(item(entry('a'), entry('b')), 3)).toMatchObject([
    { kind: 'added', entry: { key: 'b' } },
  ]);
  expect(inventory.apply(item(entry('a', { sha256: 'x' }), entry('b')), 4)).toMatchObject([
    { kind: 'changed', entry: { key: 'a' } },
  ]);
  expect(inventory.apply(item(entry('a', { sha256: 'x' })), 5)).toMatchObject([
    { kind: 'gone', entry: { key: 'b' } },
  ]);
  expect(inventory.apply(item(entry('a', { sha256: 'x' })), 6)).toEqual([]);
  expect(inventory.list()).toMatchObject([
    { entry: { key: 'a' }, firstSeen: 1, lastSeen: 6, changed: 4, baseline: true },
    { entry: { key: 'b' }, firstSeen: 3, gone: 5, baseline: false },
  ]);
});

test('what comes back was first seen when it came first', () => {
  const { inventory } = store;
  inventory.apply(item(entry('a')), 1);
  inventory.apply(item(), 2);
  expect(inventory.apply(item(entry('a')), 3)).toMatchObject([{ kind: 'added' }]);
  const [row] = inventory.list();
  expect(row).toMatchObject({ firstSeen: 1, changed: 3 });
  expect(row?.gone).toBeUndefined();
});

test('who brought it and who signed it are kept until it is another one', () => {
  const { inventory } = store;
  const by = new Map([['item', { executable: '/bin/sh', user: 'mara' }]]);
  inventory.apply(item(entry('a', { signer: { team_id: 'T' } })), 1, { by });
  inventory.apply(item(entry('a', { mtime: 9, stamp: 'other' })), 2);
  expect(inventory.of('item')).toMatchObject([
    { by: { user: 'mara' }, entry: { signer: { team_id: 'T' } }, changed: 1 },
  ]);
  inventory.apply(item(entry('a', { sha256: 'y' })), 3);
  const [row] = inventory.of('item');
  expect(row?.by).toBeUndefined();
  expect(row?.entry.signer).toBeUndefined();
});

test('gone entries are forgotten after 90 days', () => {
  const { inventory } = store;
  inventory.apply(item(entry('a')), 1);
  inventory.apply(item(), 2);
  inventory.apply([], 91 * 86_400 * 1e6);
  expect(inventory.list()).toEqual([]);
});
