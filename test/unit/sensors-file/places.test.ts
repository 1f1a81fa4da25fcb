import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Scope } from '../../../src/sensors/file-watch/index.js';
import { agents, patient, plugIns, Rig } from './rig.js';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig.remove());

const userAgents = '/Users/alice/Library/LaunchAgents';

describe('folders that come and go', () => {
  test('a folder made and filled at once: nothing is lost', async () => {
    await rig.start();
    for (let round = 0; round < 30; round++) {
      const folder = `/Users/user${round}/Library/LaunchAgents`;
      rig.folder(folder);
      writeFileSync(rig.host(`${folder}/x.plist`), String(round));
    }
    for (let round = 0; round < 30; round++)
      await rig.event(`/Users/user${round}/Library/LaunchAgents/x.plist`);
  });

  test('made and filled by another process while we put up the watcher', async () => {
    await rig.start();
    const rounds = 150;
    const fill = `for n in $(seq ${rounds}); do mkdir "$0/u$n" "$0/u$n/Library" "$0/u$n/Library/LaunchAgents"; : > "$0/u$n/Library/LaunchAgents/x.plist"; done`;
    const child = spawn('/bin/sh', ['-c', fill, rig.host('/Users')], { stdio: 'inherit' });
    await new Promise((resolve) => child.once('exit', resolve));
    for (let n = 1; n <= rounds; n++) await rig.event(`/Users/u${n}/Library/LaunchAgents/x.plist`);
    expect(rig.sensor?.health().counters['missed']).toBe(0);
  });

  test('a home with several levels missing, each made as slowly as it likes', async () => {
    rmSync(rig.host('/Users'), { recursive: true });
    await rig.start();
    for (const folder of [
      '/Users',
      '/Users/carol',
      '/Users/carol/Library',
      '/Users/carol/Library/LaunchAgents',
    ]) {
      mkdirSync(rig.host(folder));
      await rig.quiet();
    }
    rig.write('/Users/carol/Library/LaunchAgents/x.plist');
    await rig.event('/Users/carol/Library/LaunchAgents/x.plist');
  });

  test("root's home", async () => {
    await rig.start();
    rig.write('/private/var/root/Library/LaunchAgents/x.plist');
    await rig.event('/private/var/root/Library/LaunchAgents/x.plist');
  });

  test('a folder deleted and made again: later files are seen', async () => {
    rig.write(`${userAgents}/before.plist`);
    await rig.start();
    for (let round = 0; round < 10; round++) {
      rmSync(rig.host(userAgents), { recursive: true });
      mkdirSync(rig.host(userAgents));
      rig.write(`${userAgents}/at-once${round}.plist`);
      await rig.event(`${userAgents}/at-once${round}.plist`);
      rig.write(`${userAgents}/later${round}.plist`);
      await rig.event(`${userAgents}/later${round}.plist`);
    }
    await rig.event(`${userAgents}/before.plist`, 'deletion');
  });

  test('a folder swapped for another one by two renames: what it holds is new at that moment', async () => {
    rig.write(`${userAgents}/before.plist`);
    rig.write('/private/tmp/staged/evil.plist', 'staged long ago');
    await rig.start();
    await rig.quiet();
    const before = Date.now() * 1000;
    renameSync(rig.host(userAgents), rig.host('/private/tmp/away'));
    renameSync(rig.host('/private/tmp/staged'), rig.host(userAgents));
    const event = await rig.event(`${userAgents}/evil.plist`);
    // Its own ctime is older; it became visible with its folder. A ctime may lag the clock by one tick.
    expect(event.time).toBeGreaterThan(before - 20_000);
    rig.write(`${userAgents}/later.plist`);
    await rig.event(`${userAgents}/later.plist`);
    await rig.event(`${userAgents}/before.plist`, 'deletion');
  });

  test('a volume mounted over a folder: what it holds is new at that moment, however old', async (context) => {
    rig.folder(userAgents);
    const volume = rig.folder('/private/tmp/volume');
    rig.write('/private/tmp/volume/evil.plist');
    const mount = (...args: string[]) => spawnSync('mount', args).status === 0;
    if (!mount('-t', 'tmpfs', 'tmpfs', volume)) context.skip('no permission to mount');
    try {
      rig.write('/private/tmp/volume/evil.plist');
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      const before = Date.now() * 1000;
      await rig.start();
      expect(mount('--bind', volume, rig.host(userAgents))).toBe(true);
      const after = Date.now() * 1000;
      const { time } = await rig.event(`${userAgents}/evil.plist`);
      // Between the last look that did not find it and the mount: a load that follows at once comes later.
      expect(time).toBeGreaterThanOrEqual(before);
      expect(time).toBeLessThanOrEqual(after);
      rig.write(`${userAgents}/later.plist`);
      await rig.event(`${userAgents}/later.plist`);
    } finally {
      await rig.stop();
      spawnSync('umount', [rig.host(userAgents)]);
      spawnSync('umount', [volume]);
    }
  });

  test('the root itself replaced: found by the slow look', async () => {
    await rig.start({ limits: { rescanMs: 100 } });
    renameSync(rig.root, `${rig.base}/away`);
    rig.write(`${agents}/x.plist`);
    await rig.event(`${agents}/x.plist`);
    rig.write(`${agents}/y.plist`);
    await rig.event(`${agents}/y.plist`);
  });
});

describe('links', () => {
  test('a folder replaced by a link: the link is an event, and what is behind it is watched', async () => {
    rig.folder(userAgents);
    rig.write('/private/tmp/evil/present.plist', 'present');
    await rig.start();
    rmSync(rig.host(userAgents), { recursive: true });
    symlinkSync('/private/tmp/evil', rig.host(userAgents));
    const link = await rig.event(userAgents);
    expect(link.doc.file?.type).toBe('symlink');
    expect(link.doc.launchwarden?.findings).toEqual(['symlink']);
    const present = await rig.event(`${userAgents}/present.plist`);
    expect(present.doc.launchwarden?.findings).toEqual(['parent-symlink']);
    rig.write('/private/tmp/evil/later.plist', 'later');
    await rig.event(`${userAgents}/later.plist`);
    expect(rig.content(`${userAgents}/later.plist`)).toBe('later');
  });

  test.each([
    ['in a circle', 'LaunchAgents'],
    ['to nowhere', '/nowhere/at/all'],
    ['above the root', '../../../../../../../../etc'],
  ])('a link that leads %s does no harm', async (_, target) => {
    await rig.start();
    symlinkSync(target, rig.host(userAgents));
    expect((await rig.event(userAgents)).doc.file?.type).toBe('symlink');
    unlinkSync(rig.host(userAgents));
    rig.write(`${userAgents}/x.plist`);
    await rig.event(`${userAgents}/x.plist`);
  });

  test('a property list that is a link: what it leads to inside the root is read, and its change is seen', async () => {
    await rig.start({ limits: { settleMs: 10 } });
    const target = rig.write('/private/tmp/real.plist', 'one');
    symlinkSync('/tmp/real.plist', rig.host(`${agents}/link.plist`));
    const event = await rig.event(`${agents}/link.plist`);
    expect(event.doc.launchwarden?.findings).toEqual(['symlink']);
    await new Promise((resolve) => setTimeout(resolve, 20));
    writeFileSync(target, 'two');
    await expect.poll(() => rig.content(`${agents}/link.plist`), patient).toBe('two');
    const last = rig.sink.observations.findLast((one) => one.event.doc.file?.path === `${agents}/link.plist`);
    expect(last?.event.doc.file?.target_path).toBe('/private/tmp/real.plist');
    // Its time is that of the change, not that of the link.
    expect(last!.event.time).toBeGreaterThan(event.time);
    expect(rig.actions(`${agents}/link.plist`)).toEqual(['modification', 'modification']);
    expect(rig.sink.late).toEqual([]);
  });

  test('a link on the way that leads over another link: when that one is moved, what is behind it is new', async () => {
    rig.write('/private/tmp/first/present.plist');
    symlinkSync('/private/tmp/first', rig.host('/private/tmp/inner'));
    symlinkSync('/private/tmp/inner', rig.host(userAgents));
    rig.write('/private/tmp/second/evil.plist');
    await rig.start();
    unlinkSync(rig.host('/private/tmp/inner'));
    symlinkSync('/private/tmp/second', rig.host('/private/tmp/inner'));
    await rig.event(`${userAgents}/evil.plist`);
    await rig.event(`${userAgents}/present.plist`, 'deletion');
    rig.write('/private/tmp/second/later.plist');
    await rig.event(`${userAgents}/later.plist`);
  });

  test('a link that was there before is no event, as long as it leads to the same', async () => {
    const target = rig.write('/private/tmp/real.plist', 'one');
    symlinkSync('/private/tmp/real.plist', rig.host(`${agents}/link.plist`));
    await rig.start({ limits: { rescanMs: 50 } });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(rig.sink.events).toEqual([]);
    await rig.stop();
    const remembered = [...rig.items.values()];
    await rig.start({ remembered, completeThrough: rig.sink.completes.at(-1)! });
    await rig.stop();
    expect(rig.sink.events).toEqual([]);
    writeFileSync(target, 'two');
    await rig.start({ remembered, completeThrough: rig.sink.completes.at(-1)! });
    expect(rig.actions(`${agents}/link.plist`)).toEqual(['modification']);
  });

  test('a link never leads out of the root', async () => {
    writeFileSync(`${rig.base}/secret`, 'outside');
    await rig.start();
    symlinkSync(`../../../secret`, rig.host(`${agents}/relative.plist`));
    symlinkSync(`${rig.base}/secret`, rig.host(`${agents}/absolute.plist`));
    for (const name of ['relative', 'absolute']) await rig.event(`${agents}/${name}.plist`);
    await rig.quiet();
    for (const { content } of rig.sink.observations)
      expect(Buffer.from(content?.bytes ?? []).toString()).not.toContain('outside');
  });
});

describe('bundles', () => {
  const bundle = `${plugIns}/evil.dsplug`;

  function stage(): string {
    rig.write('/private/tmp/evil.dsplug/Contents/Info.plist', 'info');
    rig.write('/private/tmp/evil.dsplug/Contents/MacOS/evil', Buffer.alloc(100_000, 7));
    rig.write('/private/tmp/evil.dsplug/Contents/Resources/a/b/c/deep', 'deep');
    return rig.host('/private/tmp/evil.dsplug');
  }

  const ways: [string, (from: string, to: string) => void][] = [
    ['cp -R', (from, to) => execFileSync('cp', ['-R', from, to])],
    ['cp -a', (from, to) => execFileSync('cp', ['-a', from, to])],
    ['mv', (from, to) => execFileSync('mv', [from, to])],
    [
      'tar',
      (from, to) => {
        execFileSync('tar', ['-cf', `${rig.base}/x.tar`, '-C', path.dirname(from), 'evil.dsplug']);
        execFileSync('tar', ['-xpf', `${rig.base}/x.tar`, '-C', path.dirname(to)]);
      },
    ],
  ];
  test.each(ways)('%s: one event of the bundle, and one of everything in it', async (_, copy) => {
    const from = stage();
    // Long enough for a busy machine.
    await rig.start({ limits: { settleMs: 10_000 } });
    copy(from, rig.host(bundle));
    await rig.event(`${bundle}/Contents/Resources/a/b/c/deep`);
    await rig.event(`${bundle}/Contents/MacOS/evil`);
    await rig.quiet();
    const seen = rig.sink.events
      .map((event) => event.doc.file?.path ?? '')
      .filter((one) => one.startsWith(bundle));
    expect([...seen].sort()).toEqual(
      [
        '',
        '/Contents',
        '/Contents/Info.plist',
        '/Contents/MacOS',
        '/Contents/MacOS/evil',
        '/Contents/Resources',
        '/Contents/Resources/a',
        '/Contents/Resources/a/b',
        '/Contents/Resources/a/b/c',
        '/Contents/Resources/a/b/c/deep',
      ].map((rest) => bundle + rest),
    );
    expect(rig.content(`${bundle}/Contents/Info.plist`)).toBe('info');
  });

  test('a slow copy that sets mode and times at its end is still one event of the bundle', async () => {
    const from = stage();
    await rig.start({ limits: { settleMs: 1_500 } });
    mkdirSync(rig.host(bundle), { mode: 0o700 });
    mkdirSync(rig.host(`${bundle}/Contents`), { mode: 0o700 });
    const part = Buffer.alloc(1024 * 1024, 1);
    for (let round = 0; round < 12; round++) {
      writeFileSync(rig.host(`${bundle}/Contents/data`), part, { flag: 'a' });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    cpSync(from, rig.host(bundle), { recursive: true, preserveTimestamps: true });
    execFileSync('chmod', ['0755', rig.host(bundle)]);
    execFileSync('touch', ['-d', '2020-01-01', rig.host(bundle)]);
    await rig.event(`${bundle}/Contents/Info.plist`);
    await rig.quiet();
    expect(rig.actions(bundle)).toEqual(['modification']);
    expect(rig.latest(rig.eventsOf(bundle)[0]!.id)?.event.doc.file?.mode).toBe('0755');
  });

  test('taking it away gives deletions alone', async () => {
    execFileSync('cp', ['-R', stage(), rig.host(bundle)]);
    await rig.start();
    rmSync(rig.host(bundle), { recursive: true });
    await rig.event(bundle, 'deletion');
    await rig.quiet();
    expect(new Set(rig.sink.events.map((event) => event.doc.event?.action))).toEqual(new Set(['deletion']));
    expect(rig.sink.events).toHaveLength(10);
  });

  test('a file in a bundle that was there before is seen when it is overwritten', async () => {
    execFileSync('cp', ['-R', stage(), rig.host(bundle)]);
    await rig.start();
    writeFileSync(rig.host(`${bundle}/Contents/MacOS/evil`), readFileSync('/bin/sh').subarray(0, 4096));
    const event = await rig.event(`${bundle}/Contents/MacOS/evil`);
    await rig.quiet();
    expect(rig.latest(event.id)?.event.doc.file?.Ext?.header_bytes).toMatch(/^7f454c46|^cffaedfe|^cafebabe/);
    expect(rig.actions(bundle)).toEqual([]);
  });
});

describe('patterns of rules', () => {
  test('a file that a rule names is watched, its neighbours are not', async () => {
    await rig.start({ patterns: ['/Users/*/.zshrc', '/private/etc/periodic/*'] });
    rig.write('/Users/alice/.zshrc', 'evil');
    rig.write('/Users/alice/.bashrc', 'not asked for');
    rig.write('/private/etc/periodic/daily/999.evil', 'evil');
    await rig.event('/Users/alice/.zshrc');
    await rig.event('/private/etc/periodic/daily/999.evil');
    await rig.quiet();
    expect(rig.actions('/Users/alice/.bashrc')).toEqual([]);
  });

  test('letter case and the usual links do not matter', async () => {
    await rig.start({ patterns: ['/ETC/Emond.d/Rules/*.plist'] });
    rig.write('/private/etc/emond.d/rules/Evil.PLIST');
    rig.write('/private/etc/emond.d/rules/other.txt');
    await rig.event('/private/etc/emond.d/rules/Evil.PLIST');
    await rig.quiet();
    expect(rig.actions('/private/etc/emond.d/rules/other.txt')).toEqual([]);
  });

  test('a pattern that would watch most of the volume is refused, and health says so', async () => {
    const sensor = await rig.start({
      patterns: ['*/LaunchAgents/*', '/Users/*', '/*', '/a/*/b/*/c/*/d', '/*/x'],
    });
    const { notes } = sensor.health();
    for (const pattern of ['*/LaunchAgents/*', '/Users/*', '/*', '/a/*/b/*/c/*/d', '/*/x'])
      expect(notes.some((note) => note.startsWith(`not watched: ${pattern}: `))).toBe(true);
  });

  test('entries are those of one folder, each wildcard within one name', () => {
    const scope = new Scope(
      [],
      [
        '/Library/QuickLook/*.qlgenerator',
        '/Users/*/.zshrc',
        '/Users/*/.*/tasks.json',
        '/Library/Q/*/Contents/Info.plist',
      ],
    );
    expect(scope.skipped).toEqual([]);
    for (const path of [
      '/Library/QuickLook/X.QLGenerator',
      '/Users/alice/.zshrc',
      '/Users/alice/.vscode/tasks.json',
      '/Library/Q/X.bundle/Contents/Info.plist',
    ])
      expect({ path, covered: scope.covers(path) }).toEqual({ path, covered: true });
    for (const path of [
      '/Library/QuickLook/a/b.qlgenerator',
      '/Library/QuickLook/readme.txt',
      '/Users/alice/dotfiles/.zshrc',
      '/Users/alice/vscode/tasks.json',
      '/Library/Q/X.bundle/Contents/MacOS/Info.plist',
    ])
      expect({ path, covered: scope.covers(path) }).toEqual({ path, covered: false });
    expect(scope.names).toContain('/Users/*/.zshrc');
    expect(scope.places).toContain('/Users/*');
  });

  test('entries of a folder are seen, and what lies below it is not; homes everywhere have them', async () => {
    await rig.start({
      entries: ['/Library/QuickLook/*'],
      inHomes: ['.zshrc'],
      carries: (macPath) => macPath.endsWith('.zshrc'),
      homes: () => [{ user: 'kai', path: '/Volumes/Work/kai' }],
    });
    rig.write('/Library/QuickLook/new', 'x');
    rig.write('/Library/QuickLook/folder/below', 'x');
    rig.write('/Users/mara/.zshrc', 'echo');
    rig.write('/Users/mara/Documents/.zshrc', 'echo');
    rig.write('/private/var/root/.zshrc', 'echo');
    rig.write('/Volumes/Work/kai/.zshrc', 'echo');
    for (const path of ['/Users/mara/.zshrc', '/private/var/root/.zshrc', '/Volumes/Work/kai/.zshrc']) {
      await rig.event(path);
      expect(rig.content(path)).toBe('echo');
    }
    await rig.event('/Library/QuickLook/new');
    await rig.event('/Library/QuickLook/folder');
    await rig.quiet();
    expect(rig.actions('/Library/QuickLook/folder/below')).toEqual([]);
    expect(rig.actions('/Users/mara/Documents/.zshrc')).toEqual([]);
  });

  test('letter case of folders and endings does not hide a plug-in', async () => {
    await rig.start();
    const bundle = '/Library/directoryservices/PLUGINS/X.DSPLUG';
    rig.write(`${bundle}/Contents/Info.plist`, 'x');
    await rig.event(bundle);
    await rig.event(`${bundle}/Contents/Info.plist`);
  });

  test('what a scope covers', () => {
    const scope = new Scope(['/Library/LaunchAgents/*', '/Users/*/.z?hrc']);
    expect(scope.covers('/Library/LaunchAgents/a/b.plist')).toBe(true);
    expect(scope.covers('/library/launchagents/x')).toBe(true);
    expect(scope.covers('/Users/alice/.zshrc')).toBe(true);
    expect(scope.covers('/Library/LaunchAgents')).toBe(false);
    expect(scope.covers('/Users/alice/.zzshrc')).toBe(false);
    expect(scope.skipped).toEqual([]);
  });
});
