import { expect, test } from 'vitest';
import { exchangedPrograms, runningItems, trustedLabels } from '../../../src/agent/running-items.js';
import type { InventoryEntry } from '../../../src/event/inventory.js';

function entry(more: Partial<InventoryEntry> = {}): InventoryEntry {
  return {
    item_id: 'item',
    key: '',
    mechanism: 'launch-daemon',
    path: '/Library/LaunchDaemons/x.plist',
    label: 'com.example.x',
    runs: ['/usr/local/bin/x'],
    program: '/usr/local/bin/x',
    program_sha256: 'a',
    when: [],
    findings: [],
    removal: '',
    type: 'file',
    size: 1,
    mode: '0644',
    uid: 0,
    mtime: 0,
    stamp: '',
    ...more,
  };
}

test('entries of one file are one item, with all that they run', () => {
  const other = entry({ key: 'b', label: 'com.example.y', runs: ['/usr/local/bin/y'] });
  expect(runningItems([entry(), other, entry({ path: '/z.plist', runs: [] })])).toEqual([
    {
      path: '/Library/LaunchDaemons/x.plist',
      labels: ['com.example.x', 'com.example.y'],
      runs: ['/usr/local/bin/x', '/usr/local/bin/y'],
      hashes: { '/usr/local/bin/x': 'a' },
    },
    { path: '/z.plist', labels: ['com.example.x'], runs: [], hashes: { '/usr/local/bin/x': 'a' } },
  ]);
});

test('a program whose hash is another one was exchanged; another program, and one that was never hashed, was not', () => {
  const changed = (now: Partial<InventoryEntry>, before?: Partial<InventoryEntry>) => ({
    kind: 'changed' as const,
    entry: entry(now),
    ...(before === undefined ? {} : { before: entry(before) }),
  });
  expect(exchangedPrograms([changed({ program_sha256: 'b' }, {})])).toEqual(['/usr/local/bin/x']);
  const { program_sha256: _, ...unhashed } = entry();
  expect(
    exchangedPrograms([
      changed({}, {}),
      changed({ program_sha256: 'b' }),
      changed({ program_sha256: 'b', program: '/opt/other' }, {}),
      { kind: 'changed', entry: entry(), before: unhashed },
    ]),
  ).toEqual([]);
});

test('labels are trusted that were there before, or whose program a known signer vouches for', () => {
  const row = (more: Partial<InventoryEntry>, baseline = false, gone?: number) => ({
    entry: entry(more),
    ...{ firstSeen: 1, lastSeen: 1, changed: 1, baseline },
    ...(gone === undefined ? {} : { gone }),
  });
  const trusted = { exists: true, trusted: true };
  expect(
    trustedLabels([
      row({ label: 'before' }, true),
      row({ label: 'gone' }, true, 2),
      row({ label: 'new' }),
      row({ label: 'signed', signer: trusted }),
      row({ label: 'ad-hoc', signer: { exists: true, trusted: false } }),
      row({ label: 'like', findings: ['look-alike-label'] }, true),
      row({ label: 'job', mechanism: 'cron' }, true),
    ]),
  ).toEqual(['before', 'signed']);
});
