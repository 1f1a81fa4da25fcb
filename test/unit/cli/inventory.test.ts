import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { cli, documents } from '../../helpers/run-cli.js';
import { daemon, daemonList, Tree } from '../inventory/tree.js';

let tree: Tree;

beforeEach(() => {
  tree = new Tree();
  tree.write(daemon, daemonList('/private/tmp/.x'));
  tree.write(
    '/System/Library/LaunchDaemons/com.apple.a.plist',
    daemonList('/usr/libexec/a').replace('example.x', 'apple.a'),
  );
  tree.write('/private/var/at/tabs/mara', '0 * * * * /opt/b\n');
});

const run = (...argv: string[]) => cli(['inventory', ...argv, '--root', tree.folder]);

describe('inventory without an agent', () => {
  test('lists what persists, odd things with a level, the system apart', async () => {
    const { code, stdout } = await run('list');
    expect(code).toBe(0);
    expect(stdout).toMatch(/launch daemon +odd \w+ +before +com\.example\.x +\/private\/tmp\/\.x/);
    expect(stdout).toMatch(/cron job +quiet/);
    expect(stdout).not.toContain('com.apple.a');
    expect((await run('list', '--all')).stdout).toContain('com.apple.a');
    expect((await run('list', '--mechanism', 'cron')).stdout).not.toContain('com.example.x');
  });

  test('as JSON, with the columns of osquery', async () => {
    const found = documents((await run('list', '--json')).stdout);
    expect(found).toMatchObject([
      {
        schema: 'launchwarden.inventory/1',
        mechanism: 'launch-daemon',
        launchd: { label: 'com.example.x' },
        verdict: 'odd',
        techniques: ['T1543.004'],
        gone: null,
      },
      { mechanism: 'cron', as: 'mara' },
    ]);
    expect(found[0]).not.toHaveProperty('stamp');
  });

  test('shows an item by label, path or the beginning of its id', async () => {
    const [{ item_id }] = documents((await run('list', '--json')).stdout) as [{ item_id: string }];
    const { stdout } = await run('show', 'com.example.x');
    for (const text of ['T1543.004 Launch Daemon', daemon, 'hidden-program: ', 'launchctl bootout'])
      expect(stdout).toContain(text);
    expect((await run('show', daemon)).stdout).toContain('com.example.x');
    expect((await run('show', item_id.slice(0, 12))).stdout).toContain('com.example.x');
    const { code, stderr } = await run('show', 'nothing');
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('inventory/unknown-item'),
    });
  });

  test('an export is compared with what is there later', async () => {
    const file = path.join(tree.folder, 'before.ndjson');
    expect((await run('export', '--output', file)).code).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await run('diff', '--against', file)).stdout).toBe('Nothing differs.\n');
    expect((await run('export', '--output', file)).stderr).toContain('inventory/not-written');
    tree.write('/private/etc/sudoers.d/x', 'mara ALL=(ALL) NOPASSWD: ALL\n');
    tree.write(daemon, daemonList('/opt/other'));
    rmSync(tree.root.toHost('/private/var/at/tabs/mara'));
    const found = documents((await run('diff', '--against', file, '--json')).stdout);
    expect(found.map(({ change, mechanism }) => [change, mechanism])).toEqual([
      ['changed', 'launch-daemon'],
      ['added', 'sudoers'],
      ['gone', 'cron'],
    ]);
    expect(found[0]).toMatchObject({ fields: expect.arrayContaining(['runs', 'sha256']) });
  });

  test.each([
    ['no json\n', 1],
    ['{"schema":"launchwarden.inventory/1"}\n', 1],
  ])('a file that is no export is refused as a whole: %j', async (text, line) => {
    const file = path.join(tree.folder, 'before.ndjson');
    await run('export', '--output', file);
    writeFileSync(file, text + readFileSync(file, 'utf8'));
    const { code, stdout, stderr } = await run('diff', '--against', file);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('inventory/bad-file');
    expect(stderr).toContain(`${file}:${line}`);
  });

  test('every mechanism is listed with who sees it and how much there is', async () => {
    const found = documents((await run('mechanisms', '--json')).stdout);
    expect(found.find(({ id }) => id === 'cron')).toMatchObject({ entries: 1, seen_by: 'events' });
    expect(found.find(({ id }) => id === 'app-extension')).toMatchObject({
      entries: 0,
      seen_by: 'inventory',
    });
    expect((await run('mechanisms')).stdout).toMatch(/cron +cron job +T1053\.003 +Cron Jobs +events +1/);
  });

  test('without an inventory of before there is no difference to tell, and none is claimed', async () => {
    const { code, stdout, stderr } = await run('diff');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('what was there before is not known [inventory/no-past]');
  });

  test('a report without an agent says that nothing is watched, and that alerts are not known', async () => {
    const { stdout } = await cli(['report', '--host', '--root', tree.folder]);
    expect(stdout).toContain('alerts are not known: no agent has stored any here.');
    expect(stdout).toContain('No agent runs; it could run with tier scan;');
    expect(stdout).not.toContain('0 open alerts');
    expect(stdout).toContain(`launchwarden report --host --html mac.html --root ${tree.folder}`);
  });

  test('hostile names are shown escaped', async () => {
    tree.write('/Library/LaunchDaemons/\u001b[31m.plist', daemonList('/opt/\u001b]0;x'));
    const { stdout } = await run('list');
    expect(stdout).not.toContain('\u001b');
  });
});
