import { spawn } from 'node:child_process';
import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RootMap } from '../../../src/base/root.js';
import { formatMicros } from '../../../src/base/time.js';
import { linuxVolumes, NamedPaths, type Volume } from '../../../src/enrich/index.js';
import type { EcsDocument } from '../../../src/event/document.js';

const agents = '/Users/alice/Library/LaunchAgents';
const plist = `${agents}/evil.plist`;
const hour = 3_600_000_000;

let outside: string;
let root: RootMap;
let inode: string;

beforeEach(() => {
  outside = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'lw-named-')));
  root = new RootMap(path.join(outside, 'root'));
  mkdirSync(root.toHost(agents), { recursive: true });
  mkdirSync(root.toHost('/private/tmp'), { recursive: true });
  writeFileSync(root.toHost(plist), 'x');
  inode = String(statSync(root.toHost(plist)).ino);
});

afterEach(() => rmSync(outside, { recursive: true, force: true }));

const local: readonly Volume[] = [{ path: '/', local: true }];

function call(args: readonly string[], more: object = {}, start = Date.now() * 1000 + hour): EcsDocument {
  return {
    process: { name: 'launchctl', args: ['launchctl', ...args], start: formatMicros(start), ...more },
    launchwarden: { sensor: { kind: 'process-scan', precision: 'interval' } },
  };
}

const follow = (doc: EcsDocument, volumes = local) =>
  new NamedPaths({ root, volumes: () => volumes }).of(doc);
const led = (written: string, more: object = {}) => follow(call(['load', written], more))?.[0];

describe('the file that a launchctl call names', () => {
  test('by the numbers of its volume and inode', () => {
    for (const written of [`/.vol/16777232/${inode}`, `//.vol//1//${inode}/`])
      expect(led(written)).toMatchObject({ inode });
    expect(led(`/.vol/16777232/${inode}`)?.state).toBeUndefined();
    // Of what lies below a numbered folder a tree does not tell.
    expect(led('/.vol/16777232/2/Users/alice/evil.plist')).toMatchObject({ state: 'unread' });
    expect(led('/.vol/16777232/evil.plist')).toMatchObject({ state: 'missing' });
  });

  test.each([
    ['as it is', plist],
    ['with doubled slashes and dots', `/Users//alice/./Library/x/../LaunchAgents//evil.plist/`],
    ['by the data volume', `/System/Volumes/Data${plist}`],
  ])('%s', (_, written) => {
    mkdirSync(root.toHost('/Users/alice/Library/x'));
    expect(led(written)).toEqual({ path: plist, resolved: plist, inode });
  });

  test('through a link to the file, absolute in the tree, of this machine, relative, or a chain of them', () => {
    const links = [plist, root.toHost(plist), '../../Users/alice/Library/LaunchAgents/evil.plist', 'l0'];
    for (const [index, target] of links.entries()) symlinkSync(target, root.toHost(`/private/tmp/l${index}`));
    for (const index of links.keys())
      expect(led(`/tmp/l${index}`)).toEqual({ path: `/private/tmp/l${index}`, resolved: plist, inode });
  });

  test('through a link to a folder on the way, and up again from where it leads', () => {
    symlinkSync(agents, root.toHost('/private/tmp/folder'));
    expect(led('/tmp/folder/evil.plist')).toMatchObject({ resolved: plist, inode });
    expect(led('/tmp/folder/../LaunchAgents/evil.plist')).toMatchObject({ resolved: plist, inode });
    expect(led('/tmp/folder')).toMatchObject({ resolved: agents });
  });

  test('by a second name: the inode tells', () => {
    linkSync(root.toHost(plist), root.toHost('/private/tmp/second'));
    expect(led('/tmp/second')).toEqual({
      path: '/private/tmp/second',
      resolved: '/private/tmp/second',
      inode,
    });
  });

  test('from the working folder', () => {
    expect(led('evil.plist', { working_directory: agents })).toMatchObject({ path: plist, resolved: plist });
    expect(led('../LaunchAgents/evil.plist', { working_directory: agents })).toMatchObject({ inode });
    expect(led('evil.plist')).toBeUndefined();
  });

  test('by a link outside the tree that stands for a Mac', () => {
    symlinkSync(root.toHost(plist), path.join(outside, 'link'));
    expect(led(path.join(outside, 'link'))).toMatchObject({ resolved: plist, inode });
  });

  test('outside of what is watched: where it leads', () => {
    mkdirSync(root.toHost('/opt'));
    writeFileSync(root.toHost('/opt/real'), 'y');
    symlinkSync('/opt/real', root.toHost('/private/tmp/l'));
    expect(led('/tmp/l')).toMatchObject({ path: '/private/tmp/l', resolved: '/opt/real' });
  });

  test('that is gone, or a circle, says so', () => {
    symlinkSync('b', root.toHost('/private/tmp/a'));
    symlinkSync('a', root.toHost('/private/tmp/b'));
    symlinkSync('/nowhere', root.toHost('/private/tmp/dangling'));
    expect(led('/tmp/none.plist')).toEqual({ path: '/private/tmp/none.plist', state: 'missing' });
    expect(led('/tmp/dangling')).toMatchObject({ state: 'missing' });
    expect(led('/tmp/a')).toEqual({ path: '/private/tmp/a', state: 'unread' });
  });

  test('through a link that was made after the call began says so', () => {
    symlinkSync(plist, root.toHost('/private/tmp/l'));
    const [file] = follow(call(['load', '/tmp/l'], {}, Date.now() * 1000 - hour)) ?? [];
    expect(file).toMatchObject({ resolved: plist, state: 'changed' });
  });

  test.runIf(process.platform === 'linux')('by the number of an open file', async () => {
    const file = openSync(root.toHost(plist), 'r');
    const child = spawn('sleep', ['60'], { stdio: [file, 'ignore', 'ignore'] });
    closeSync(file);
    try {
      expect(led('/dev/fd/0', { pid: child.pid })).toMatchObject({
        path: '/dev/fd/0',
        resolved: plist,
        inode,
      });
      expect(led('/dev/stdin', { pid: child.pid })).toMatchObject({ inode });
      expect(led('/dev/fd/99', { pid: child.pid })).toMatchObject({ state: 'unread' });
    } finally {
      child.kill();
    }
  });

  test('on a volume that may hang is not looked at', () => {
    const volumes = [...local, { path: root.toHost('/private/tmp'), local: false }];
    symlinkSync('/private/tmp/x', root.toHost(`${agents}/l`));
    for (const written of ['/tmp/x', `${agents}/l`])
      expect(follow(call(['load', written]), volumes)?.[0]).toMatchObject({ state: 'unread' });
    expect(follow(call(['load', plist]), volumes)?.[0]).toMatchObject({ inode });
    expect(follow(call(['load', plist]), [])?.[0]).toMatchObject({ state: 'unread' });
  });

  test('is one of a bounded number, the first and the last ones', () => {
    const many = Array.from({ length: 5_000 }, (_, index) => `/tmp/n${index}`);
    const files = follow(call(['load', plist, ...many, plist])) ?? [];
    expect(files.length).toBe(64);
    expect(files[0]).toMatchObject({ inode });
    expect(files.at(-1)).toMatchObject({ inode });
  });

  test('has a bounded way', () => {
    const deep = `/tmp/${'../tmp/'.repeat(2_000)}`;
    expect(led(deep)).toMatchObject({ state: 'unread' });
  });

  test.each([
    ['another program', { process: { name: 'cp', args: ['cp', plist, '/x'] } }],
    ['a verb without paths', call(['list'])],
    ['a verb that takes a job away', call(['unload', plist])],
    ['no arguments', { process: { name: 'launchctl' } }],
  ])('is none of %s', (_, doc) => {
    expect(follow(doc)).toBeUndefined();
  });
});

test('the volumes of Linux, and which of them answer by themselves', () => {
  const table = [
    '21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
    '22 21 0:40 / /mnt/a\\040b rw shared:2 master:1 - nfs4 server:/x rw',
    '23 21 0:41 / /home/x rw - fuse.sshfs host:/ rw',
    '24 21 0:42 / /media/stick rw - fuseblk /dev/sdb1 rw',
    'nonsense',
    '',
  ].join('\n');
  expect(linuxVolumes(() => table)).toEqual([
    { path: '/', local: true },
    { path: '/mnt/a b', local: false },
    { path: '/home/x', local: false },
    { path: '/media/stick', local: true },
  ]);
});
