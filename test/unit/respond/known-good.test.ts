import { expect, test } from 'vitest';
import type { InventoryEntry, InventoryRow } from '../../../src/event/inventory.js';
import { compareWithKnown, knownGoodOf } from '../../../src/respond/known-good.js';
import { start, temporaryStore } from '../store/samples.js';

const vendor = { exists: true, trusted: true, signing_id: 'com.example.helper', team_id: 'ABCDE12345' };

function entry(more: Partial<InventoryEntry> = {}): InventoryEntry {
  return {
    ...{ item_id: 'a'.repeat(32), key: '', mechanism: 'launch-agent', path: '/Library/LaunchAgents/a.plist' },
    ...{ label: 'com.example.helper', runs: ['/opt/helper'], program: '/opt/helper', when: ['login'] },
    ...{ findings: [], removal: '', type: 'file', size: 1, mode: '0644', uid: 0, mtime: 1, stamp: '' },
    ...{ sha256: '11', program_sha256: '22', signer: vendor },
    ...more,
  };
}

const row = (one: InventoryEntry): InventoryRow => ({
  entry: one,
  ...{ firstSeen: start, lastSeen: start, changed: start, baseline: false },
});
const known = (one: InventoryEntry) => ({ entry: one, time: start, author: 'me', reason: '' });

test.each([
  ['same', {}],
  // An attribute that moved by itself is no difference.
  ['same', { mtime: 9, stamp: 'x' }],
  ['updated', { program_sha256: '33' }],
  ['updated', { program_sha256: '33', sha256: '44' }],
  ['changed', { program_sha256: '33', signer: { ...vendor, team_id: 'OTHER12345' } }],
  ['changed', { program_sha256: '33', signer: { ...vendor, signing_id: 'com.example.other' } }],
  ['changed', { program_sha256: '33', signer: { ...vendor, trusted: false } }],
  ['changed', { program_sha256: '33', signer: { exists: false } }],
  ['changed', { label: 'com.example.other', program_sha256: '33' }],
  ['changed', { runs: ['/tmp/helper'] }],
  ['changed', { mode: '0666' }],
] as const)('%s: %j', (verdict, change) => {
  const now = entry(change as Partial<InventoryEntry>);
  expect(compareWithKnown([row(now)], [known(entry())]).map((one) => one.verdict)).toEqual([verdict]);
});

test('what nobody signed is changed, not updated, whatever stands in its place', () => {
  const { signer: _, ...bare } = entry();
  const now = { ...bare, program_sha256: '33' };
  expect(compareWithKnown([row(now)], [known(bare)])[0]).toMatchObject({
    verdict: 'changed',
    fields: ['program_sha256'],
  });
});

test('an item is compared with the newest baseline or one by name, and accepted alone', () => {
  const store = temporaryStore();
  const by = (time: number) => ({ time, author: 'me', reason: 'audit' });
  expect(knownGoodOf(store, entry().item_id)).toEqual({
    baseline: undefined,
    verdict: undefined,
    entries: [],
  });
  store.inventory.apply([{ itemId: entry().item_id, entries: [entry()] }], start);
  store.baselines.save('first', [entry()], by(start));
  store.baselines.save('empty', [], by(start + 1));
  expect(knownGoodOf(store, entry().item_id)).toMatchObject({ verdict: 'new', baseline: { name: 'empty' } });
  expect(knownGoodOf(store, entry().item_id, 'first').verdict).toBe('same');
  store.baselines.approve('empty', [{ itemId: entry().item_id, entries: [entry()] }], by(start + 2));
  expect(knownGoodOf(store, entry().item_id).entries).toMatchObject([
    { verdict: 'same', known: { author: 'me' } },
  ]);
  store.inventory.apply([{ itemId: entry().item_id, entries: [] }], start + 3);
  expect(knownGoodOf(store, entry().item_id).verdict).toBe('gone');
  expect(store.baselines.approve('none', [], by(start))).toBe(false);
  expect([store.baselines.remove('empty'), store.baselines.remove('empty')]).toEqual([true, false]);
  expect(store.baselines.list()).toMatchObject([{ name: 'first', entries: 1, author: 'me' }]);
});

test('what a baseline holds is not given up for want of room', () => {
  const store = temporaryStore({ evidenceBytes: 10_000 });
  const put = (sha256: string) =>
    store.evidence.put(
      sha256,
      { bytes: new Uint8Array(1000), size: 1000, truncated: false },
      { path: `/${sha256}` },
    );
  for (const sha256 of ['11', '22']) put(sha256);
  store.baselines.save('good', [entry()], { time: start, author: 'me', reason: '' });
  for (let n = 0; n < 50; n++) put(`flood-${n}`);
  expect(store.evidence.get('11')).toBeDefined();
  expect(store.evidence.holders('22')).toEqual(['baseline:good']);
  store.baselines.remove('good');
  expect(store.evidence.holders('22')).toEqual([]);
});
