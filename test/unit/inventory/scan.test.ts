import { chmodSync, chownSync, rmSync, symlinkSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import type { InventoryEntry } from '../../../src/event/inventory.js';
import { InventoryScan, type ScanOptions } from '../../../src/inventory/index.js';
import { mechanisms } from '../../../src/mechanisms/index.js';
import { asNobody } from '../../helpers/as-nobody.js';
import { daemon, daemonList, Tree } from './tree.js';

let tree: Tree;

beforeEach(() => {
  tree = new Tree();
});

function scan(more: Partial<ScanOptions> = {}): InventoryEntry[] {
  const homes = ['/private/var/root', '/Users/mara'];
  const scanned = [...new InventoryScan({ root: tree.root, mechanisms, homes, ...more }).all()];
  return scanned.flatMap((item) => item?.entries ?? []);
}

test('an item is read with its hashes, owner, what it runs and the columns of osquery', () => {
  tree.write(daemon, daemonList('/usr/local/bin/x'));
  tree.write('/usr/local/bin/x', '#!/bin/sh\n');
  const [entry, ...others] = scan();
  expect(others).toEqual([]);
  expect(entry).toMatchObject({
    mechanism: 'launch-daemon',
    path: daemon,
    label: 'com.example.x',
    runs: ['/usr/local/bin/x'],
    program: '/usr/local/bin/x',
    when: ['boot', 'load', 'interval'],
    as: 'root',
    type: 'file',
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    program_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    launchd: { label: 'com.example.x', run_at_load: '1', start_interval: '60', keep_alive: '', path: daemon },
    startup_items: { name: 'com.example.x', type: 'Launch Daemon', status: 'enabled', username: 'root' },
  });
});

test('items of homes, of lists with several entries, and of bundles', () => {
  tree.write('/private/var/at/tabs/mara', '@reboot /opt/a\n0 * * * * /opt/b\n');
  tree.write('/Users/mara/.zshrc', '/opt/c &\n');
  tree.write('/Users/other/.zshrc', '/opt/d &\n');
  tree.write(
    '/Users/mara/Library/QuickLook/L.qlgenerator/Contents/Info.plist',
    '<plist><dict><key>CFBundleExecutable</key><string>l</string></dict></plist>',
  );
  const found = scan();
  expect(found.map(({ mechanism, home, runs }) => [mechanism, home, runs.at(-1)])).toEqual([
    ['cron', undefined, '/opt/a'],
    ['cron', undefined, '/opt/b'],
    ['shell-startup', '/Users/mara', '/opt/c'],
    ['quick-look-generator', '/Users/mara', '/Users/mara/Library/QuickLook/L.qlgenerator/Contents/MacOS/l'],
  ]);
  const [a, b] = found;
  expect(a?.item_id).toBe(b?.item_id);
  expect(a?.key).not.toBe(b?.key);
});

test('an item whose file and program are as before is not read again; a swapped program is seen', () => {
  tree.write(daemon, daemonList('/usr/local/bin/x'));
  tree.write('/usr/local/bin/x', 'one');
  const before = scan();
  const known = new Map([[before[0]?.item_id ?? '', before]]);
  expect(scan({ known })[0]).toBe(before[0]);
  tree.write('/usr/local/bin/x', 'two');
  const [after] = scan({ known });
  expect(after).not.toBe(before[0]);
  expect(after?.program_sha256).not.toBe(before[0]?.program_sha256);
  expect(after?.sha256).toBe(before[0]?.sha256);
});

test('no link leads out of the tree, and a circle or a folder in the place of a file costs nothing else', () => {
  tree.write(daemon, daemonList('/usr/local/bin/x'));
  tree.write('/private/etc/sudoers/below', 'x');
  symlinkSync('/', tree.root.toHost('/Library/LaunchAgents'));
  symlinkSync('loop', tree.root.toHost('/Library/QuickLook'));
  rmSync(tree.root.toHost('/Library/QuickLook'));
  symlinkSync('QuickLook', tree.root.toHost('/Library/QuickLook'));
  const found = scan();
  expect(found.map(({ path }) => path)).toContain(daemon);
  for (const { path } of found) expect(path).toMatch(/^\/Library\/(?:LaunchDaemons|LaunchAgents)\//);
});

test('what cannot be understood is there all the same', () => {
  tree.write(daemon, 'no property list');
  expect(scan()[0]).toMatchObject({
    path: daemon,
    findings: expect.arrayContaining(['plist-unknown-format']),
  });
});

test('a folder that may not be listed is named: what it holds is not gone', async () => {
  tree.write('/private/var/at/tabs/mara', '0 * * * * /opt/b\n');
  const tabs = tree.root.toHost('/private/var/at/tabs');
  chmodSync(tree.folder, 0o755);
  chmodSync(tabs, 0);
  const denied = new InventoryScan({ root: tree.root, mechanisms, homes: [] });
  try {
    const found = await asNobody(() => [...denied.all()].filter((one) => one !== undefined));
    expect(found).toEqual([]);
  } finally {
    chmodSync(tabs, 0o755);
  }
  expect(denied.refused).toEqual(['/private/var/at/tabs']);
});

test('the entries of one user take no room of the others, and what is left out is said', () => {
  for (let index = 0; index < 20; index++) tree.write(`/Users/mara/Library/LaunchAgents/${index}.plist`, 'x');
  tree.write('/private/var/root/.zshrc', '/opt/a &\n');
  tree.write(daemon, daemonList('/opt/x'));
  const homes = ['/Users/mara', '/private/var/root'];
  const some = new InventoryScan({ root: tree.root, mechanisms, homes, maxOfHome: 5 });
  const found = [...some.all()].flatMap((item) => item?.entries ?? []);
  expect(found.filter(({ home }) => home === '/Users/mara')).toHaveLength(5);
  expect(found.map(({ path }) => path)).toEqual(expect.arrayContaining([daemon, '/private/var/root/.zshrc']));
  expect(some.refused).toEqual(['/Users/mara']);
});

test.skipIf(process.getuid?.() !== 0)(
  'the hash of a program that the user of its item could not read tells nobody what stands there',
  () => {
    const agent = '/Users/mara/Library/LaunchAgents/com.example.x.plist';
    tree.write(agent, daemonList('/opt/tools/secret'));
    tree.write(daemon, daemonList('/opt/tools/secret'));
    tree.write('/opt/tools/secret', 'of root alone');
    for (const one of ['/Users/mara', '/Users/mara/Library', '/Users/mara/Library/LaunchAgents', agent])
      chownSync(tree.root.toHost(one), 4501, 4501);
    chmodSync(tree.root.toHost('/'), 0o755);
    const hashes = () =>
      Object.fromEntries(scan().map(({ path, program_sha256: hash }) => [path, hash !== undefined]));
    chmodSync(tree.root.toHost('/opt/tools/secret'), 0o600);
    expect(hashes()).toEqual({ [agent]: false, [daemon]: true });
    chmodSync(tree.root.toHost('/opt/tools/secret'), 0o755);
    expect(hashes()).toEqual({ [agent]: true, [daemon]: true });
    chmodSync(tree.root.toHost('/opt/tools'), 0o700);
    expect(hashes()).toEqual({ [agent]: false, [daemon]: true });
  },
);
