import { chmodSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import type { InventoryEntry } from '../../../src/event/inventory.js';
import { launchdJob } from '../../../src/inventory/index.js';
import { daemon, daemonList, Tree } from './tree.js';

let tree: Tree;
beforeEach(() => {
  tree = new Tree();
  tree.write('/opt/x', '#!/bin/sh\n');
  chmodSync(tree.root.toHost('/opt/x'), 0o755);
  tree.write(daemon, daemonList('/opt/x'));
});

const item = { path: daemon, mechanism: 'launch-daemon' };
const entry = (fields: Partial<InventoryEntry>) => fields as InventoryEntry;
/** launchctl by what it is asked. */
const answers =
  (by: Record<string, string>) =>
  async (args: readonly string[]): Promise<{ status: number; stdout: string; stderr: string }> => {
    const stdout = by[args.join(' ')];
    return stdout === undefined ? { status: 113, stdout: '', stderr: '' } : { status: 0, stdout, stderr: '' };
  };

test('a list as it should be, which launchd runs', async () => {
  const run = answers({
    'print-disabled system': 'disabled services = {\n}\n',
    'print system/com.example.x': `system/com.example.x = {\n\tpath = ${tree.root.toHost(daemon)}\n\tstate = running\n\tpid = 12\n}\n`,
  });
  expect(await launchdJob(item, { root: tree.root, entries: [], run })).toMatchObject({
    label: 'com.example.x',
    loading: { answer: 'yes', starts: true, obstacles: [] },
    disabled: { answer: false },
    live: { loaded: true, running: true, says: 'It runs in system (process 12).' },
    triggers: [{ key: 'RunAtLoad' }, { key: 'StartInterval', values: ['60'] }],
    executes: ['/opt/x'],
    as: 'root',
  });
});

test('what surrounds a list counts: overrides, a second list, a program that is gone', async () => {
  const run = answers({
    'print-disabled system': '\tdisabled services = {\n\t\t"com.example.x" => disabled\n\t}\n',
  });
  tree.write(daemon, daemonList('/opt/gone'));
  const other = {
    mechanism: 'launch-daemon',
    path: '/Library/LaunchDaemons/b.plist',
    label: 'com.example.x',
  };
  const job = await launchdJob(item, { root: tree.root, entries: [entry(other)], run });
  expect(job.loading.obstacles.map(({ word }) => word)).toEqual([
    'disabled-by-override',
    'label-clash',
    'program-missing',
  ]);
  expect(job.disabled).toMatchObject({ answer: true, by: 'override' });
  expect(job.live).toMatchObject({ loaded: false });
});

test('the file of overrides counts where launchctl cannot be asked, and what a person switched off', async () => {
  tree.write(
    '/private/var/db/com.apple.xpc.launchd/disabled.plist',
    '<plist><dict><key>com.example.x</key><true/></dict></plist>',
  );
  const off = { mechanism: 'background-item', key: 'UUID/16.com.example.x', enabled: false };
  const job = await launchdJob(item, { root: tree.root, entries: [entry(off)] });
  expect(job.loading.obstacles.map(({ word }) => word)).toEqual(['disabled-by-override', 'disabled-by-user']);
  expect(job.live).toMatchObject({
    loaded: null,
    says: expect.stringContaining('there is no /bin/launchctl here'),
  });
});

test('nothing is guessed of a list that is gone', async () => {
  const job = await launchdJob(
    { path: '/Library/LaunchDaemons/gone.plist', mechanism: 'launch-daemon' },
    { root: tree.root, entries: [] },
  );
  expect(job).toMatchObject({
    label: undefined,
    loading: { answer: 'no', says: 'launchd does not load it again: its list is gone.' },
    disabled: { answer: null },
    live: { loaded: null },
  });
});

test('a list that is gone may have left its job with launchd', async () => {
  const run = answers({
    'print system/com.example.gone': 'system/com.example.gone = {\n\tstate = running\n\tpid = 9\n}\n',
  });
  const gone = {
    path: '/Library/LaunchDaemons/gone.plist',
    mechanism: 'launch-daemon',
    label: 'com.example.gone',
  };
  expect(await launchdJob(gone, { root: tree.root, entries: [], run })).toMatchObject({
    label: 'com.example.gone',
    live: { loaded: true, running: true },
  });
});

test('a list with rubbish in it', async () => {
  tree.write(daemon, 'rubbish');
  const job = await launchdJob(item, { root: tree.root, entries: [], run: answers({}) });
  expect(job.loading).toMatchObject({ answer: 'no', obstacles: [{ word: 'no-job' }] });
});
