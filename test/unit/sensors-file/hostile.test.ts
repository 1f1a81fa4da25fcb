import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { sha256Hex } from '../../../src/base/digest.js';
import { agents, patient, plugIns, Rig } from './rig.js';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig.remove());

const path = `${agents}/x.plist`;

describe('what is no property list', () => {
  test('a FIFO is a finding and never a wait', async () => {
    await rig.start();
    execFileSync('mkfifo', [rig.host(path)]);
    const event = await rig.event(path);
    expect(event.doc.file?.type).toBe('fifo');
    expect(event.doc.launchwarden?.findings).toEqual(['fifo']);
    rig.write(`${agents}/y.plist`);
    await rig.event(`${agents}/y.plist`);
  });

  test('a socket', async () => {
    await rig.start();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(rig.host(path), resolve));
    expect((await rig.event(path)).doc.launchwarden?.findings).toEqual(['socket']);
    await new Promise((resolve) => server.close(resolve));
  });

  test('a file exchanged for a FIFO again and again, between our look and our opening of it', async () => {
    await rig.start();
    const swap = 'cd "$0"; while :; do mkfifo f; mv f x.plist; echo a > g; mv g x.plist; done';
    const child = spawn('/bin/sh', ['-c', swap, rig.host(agents)], { stdio: 'ignore' });
    try {
      for (let round = 0; round < 40; round++) {
        rig.write(`${agents}/other${round}.plist`);
        await rig.event(`${agents}/other${round}.plist`);
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    } finally {
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
    }
  });

  test('a folder with such a name', async () => {
    await rig.start();
    mkdirSync(rig.host(path));
    expect((await rig.event(path)).doc.file?.type).toBe('dir');
  });

  test('one that may not be read', async (context) => {
    if (process.getuid?.() === 0) context.skip('root may read everything');
    await rig.start();
    writeFileSync(rig.host('/private-x'), 'x', { mode: 0 });
    execFileSync('mv', [rig.host('/private-x'), rig.host(path)]);
    expect((await rig.event(path)).doc.launchwarden?.findings).toEqual(['unreadable']);
    chmodSync(rig.host(path), 0o600);
  });

  test('a file of 200 MB: its beginning at once, its hash when it has come to rest', async () => {
    await rig.start();
    const size = 200 * 1024 * 1024;
    const fd = openSync(rig.host(path), 'w');
    ftruncateSync(fd, size);
    closeSync(fd);
    const event = await rig.event(path);
    await expect
      .poll(() => rig.latest(event.id)?.event.doc.file?.hash?.sha256, patient)
      // sha256 of 200 MiB of zeros, by sha256sum.
      .toBe(execFileSync('sha256sum', [rig.host(path)], { encoding: 'utf8' }).slice(0, 64));
    const last = rig.latest(event.id);
    expect(last?.event.doc.launchwarden?.findings).toEqual(['oversized']);
    expect(last?.content).toMatchObject({ truncated: true, size });
    expect(last?.content?.bytes.length).toBe(1024 * 1024);
    expect(rig.actions(path)).toEqual(['modification']);
  });

  test('one beyond the largest hashed size has no hash and is counted', async () => {
    const sensor = await rig.start({ limits: { maxHashed: 2 * 1024 * 1024 } });
    const fd = openSync(rig.host(path), 'w');
    ftruncateSync(fd, 3 * 1024 * 1024);
    closeSync(fd);
    await rig.event(path);
    await expect.poll(() => sensor.health().counters['hash_skipped'], patient).toBeGreaterThan(0);
  });

  test('a file that is truncated and rewritten all the time never stops the watcher', async () => {
    await rig.start();
    const child = spawn('/bin/sh', ['-c', 'while :; do echo a >"$0"; echo bb >>"$0"; done', rig.host(path)]);
    try {
      await rig.event(path);
      for (let round = 0; round < 5; round++) {
        rig.write(`${agents}/other${round}.plist`);
        await rig.event(`${agents}/other${round}.plist`);
      }
    } finally {
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
    }
    truncateSync(rig.host(path), 0);
    writeFileSync(rig.host(path), 'the end');
    await expect.poll(() => rig.content(path), patient).toBe('the end');
  });
});

describe('here and gone', () => {
  test('written and deleted before anybody could look: a modification, then a deletion', async () => {
    await rig.start();
    for (let round = 0; round < 50; round++) {
      const one = `${agents}/gone${round}.plist`;
      writeFileSync(rig.host(one), 'x');
      unlinkSync(rig.host(one));
    }
    for (let round = 0; round < 50; round++) {
      const one = `${agents}/gone${round}.plist`;
      const event = await rig.event(one);
      await rig.event(one, 'deletion');
      expect(rig.actions(one)).toEqual(['modification', 'deletion']);
      expect(event.doc.launchwarden?.findings).toEqual(['vanished']);
      expect(event.doc.launchwarden?.sensor).toMatchObject({ precision: 'interval' });
      const { not_before: notBefore = '~' } = event.doc.launchwarden?.sensor ?? {};
      expect(notBefore <= (event.doc['@timestamp'] ?? '')).toBe(true);
    }
  });

  test('the same name again and again: each time counts', async () => {
    await rig.start();
    for (let round = 1; round <= 5; round++) {
      writeFileSync(rig.host(path), 'x');
      unlinkSync(rig.host(path));
      await expect.poll(() => rig.actions(path).length, patient).toBe(round * 2);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  });

  test.each([1, 2, 5])('deleted after %i ms: nothing is lost', async (ms) => {
    await rig.start();
    for (let round = 0; round < 20; round++) {
      const one = `${agents}/gone${round}.plist`;
      writeFileSync(rig.host(one), 'content');
      await new Promise((resolve) => setTimeout(resolve, ms));
      rmSync(rig.host(one));
    }
    for (let round = 0; round < 20; round++) {
      const one = `${agents}/gone${round}.plist`;
      await rig.event(one);
      await rig.event(one, 'deletion');
      expect(rig.actions(one)).toEqual(['modification', 'deletion']);
    }
  });
});

describe('names', () => {
  test.each([
    ['a newline', 'a\nb.plist'],
    ['a terminal escape', '\u001b[31mred.plist'],
    ['a direction mark', '\u202etsilp.plist'],
    ['no letters', ' .plist'],
    ['255 bytes', `${'n'.repeat(249)}.plist`],
    ['a prototype key', '__proto__'],
    ["the folder's own name", 'LaunchAgents'],
  ])('with %s', async (_, name) => {
    await rig.start();
    writeFileSync(rig.host(`${agents}/${name}`), 'x');
    const event = await rig.event(`${agents}/${name}`);
    expect(event.doc.file?.name).toBe(name);
  });

  test('that are no UTF-8 stop nothing', async () => {
    await rig.start();
    writeFileSync(Buffer.concat([Buffer.from(rig.host(`${agents}/`)), Buffer.from([0xff, 0xfe, 0x78])]), 'x');
    rig.write(path);
    await rig.event(path);
  });
});

describe('too much', () => {
  test('beyond the cap on items the kernel’s word still counts', async () => {
    const sensor = await rig.start({ limits: { maxItemsPerTarget: 20 } });
    for (let n = 0; n < 40; n++) rig.write(`${agents}/n${n}.plist`);
    for (let n = 0; n < 40; n++) await rig.event(`${agents}/n${n}.plist`);
    expect(sensor.health().counters['untracked']).toBeGreaterThan(0);
    expect([...sensor.snapshot()].length).toBeLessThan(40);
    rig.write('/Users/alice/Library/LaunchAgents/x.plist');
    await rig.event('/Users/alice/Library/LaunchAgents/x.plist');
  });

  test('a tree that is too deep is a gap, and what is above it is seen', async () => {
    await rig.start({ limits: { maxDepth: 4 } });
    rig.write(`${plugIns}/x.dsplug/1/2/3/4/5/6/7/deep`);
    await rig.event(`${plugIns}/x.dsplug`);
    await rig.event(`${plugIns}/x.dsplug/1/2/3`);
    await rig.stop();
    const deeper = expect.stringContaining('deeper than 4 levels');
    expect(rig.sink.gaps).toMatchObject([
      { sensor: 'file-watch', reason: 'overflow', detail: deeper },
      // The watcher has stopped.
      { sensor: 'file-watch', reason: 'overflow', detail: deeper },
    ]);
  });

  test('too many folders are a gap', async () => {
    await rig.start({ limits: { maxFolders: 30 } });
    for (let n = 0; n < 60; n++) rig.folder(`${plugIns}/d${n}`);
    for (let n = 0; n < 60; n++) await rig.event(`${plugIns}/d${n}`);
    await rig.stop();
    expect(rig.sink.gaps.map((gap) => gap.reason)).toContain('overflow');
  });

  test('one tree of too many folders takes no room from another one', async () => {
    await rig.start({ limits: { maxFoldersPerTarget: 10, maxFolders: 20 } });
    for (let n = 0; n < 40; n++) rig.folder(`${plugIns}/d${n}`);
    for (let n = 0; n < 40; n++) await rig.event(`${plugIns}/d${n}`);
    for (const user of ['carol', 'dave']) {
      rig.write(`/Users/${user}/Library/LaunchAgents/x.plist`);
      await rig.event(`/Users/${user}/Library/LaunchAgents/x.plist`);
      rig.write(`/Users/${user}/Library/LaunchAgents/later.plist`);
      await rig.event(`/Users/${user}/Library/LaunchAgents/later.plist`);
    }
  });

  test('more wake-ups at once than the kernel keeps: everything is compared again, and that is said', async (context) => {
    const limit = '/proc/sys/fs/inotify/max_queued_events';
    if (!existsSync(limit)) context.skip('only inotify has a queue that can be made to overflow');
    const count = Number(readFileSync(limit, 'utf8'));
    if (count > 40_000) context.skip(`the queue holds ${count}: too slow to fill`);
    await rig.start({ limits: { maxItemsPerTarget: 50_000 } });
    // Each file is two wake-ups or more, and nobody takes them away meanwhile.
    const files = Math.ceil(count / 2) + 500;
    for (let n = 0; n < files; n++) writeFileSync(rig.host(`${agents}/n${n}.plist`), 'x');
    rig.write('/Users/alice/Library/LaunchAgents/after.plist');
    await rig.event('/Users/alice/Library/LaunchAgents/after.plist');
    await expect.poll(() => rig.sink.events.length, patient).toBeGreaterThanOrEqual(files + 1);
    await rig.stop();
    expect(rig.sink.gaps.map((gap) => gap.reason)).toContain('overflow');
  });

  for (const [words, changes, change] of [
    [
      'renames',
      6_000,
      (n: number) => renameSync(rig.host(`${agents}/${n % 2}`), rig.host(`${agents}/${1 - (n % 2)}`)),
    ],
    [
      'changes of modes',
      14_000,
      (n: number) => chmodSync(rig.host(`${agents}/${n % 2}`), n % 3 === 0 ? 0o600 : 0o644),
    ],
    ['new files', 6_000, (n: number) => writeFileSync(rig.host(`${agents}/x${n}`), 'x')],
  ] as const)
    test(`${words} faster than they can be answered make their folder rest for a while, and no other`, async () => {
      // On a machine that needs two milliseconds more for each.
      let [slow, drift] = [false, 0];
      const monotonic = () => {
        if (slow) drift += 2;
        return systemClock.monotonic() + drift;
      };
      await rig.start({ clock: { ...systemClock, monotonic } });
      rig.write(`${agents}/0`);
      await rig.event(`${agents}/0`);
      if (words !== 'renames') rig.write(`${agents}/1`);
      await rig.quiet();
      slow = true;
      for (let n = 0; n < changes; n++) change(n);
      const rests = () =>
        rig.sink.gaps.filter(({ detail }) => detail?.includes('faster than they can be answered'));
      await expect.poll(() => rests().length, patient).toBeGreaterThan(0);
      slow = false;
      // Polled meanwhile.
      rig.write(`${agents}/meanwhile.plist`);
      rig.write('/Users/alice/Library/LaunchAgents/other.plist');
      await rig.event('/Users/alice/Library/LaunchAgents/other.plist');
      await rig.event(`${agents}/meanwhile.plist`);
      // Until it is watched again.
      await expect.poll(() => rests().some(({ detail }) => detail?.includes('(over)')), patient).toBe(true);
      rig.write(`${agents}/after.plist`);
      await rig.event(`${agents}/after.plist`);
      expect(rests().every(({ detail }) => detail?.startsWith(`${agents}:`))).toBe(true);
    });

  test('5,000 files at once: none is lost, and the watcher keeps saying how far it is', async () => {
    await rig.start();
    const marks = rig.sink.completes.length;
    for (let n = 0; n < 5_000; n++) writeFileSync(rig.host(`${agents}/n${n}.plist`), `content ${n}`);
    await expect.poll(() => rig.sink.events.length, patient).toBe(5_000);
    await rig.quiet();
    expect(rig.sink.completes.length).toBeGreaterThan(marks);
    for (const n of [0, 2_500, 4_999]) {
      const [event] = rig.eventsOf(`${agents}/n${n}.plist`);
      expect(rig.latest(event!.id)?.event.doc.file?.hash?.sha256).toBe(sha256Hex(`content ${n}`));
    }
    expect(rig.sensor?.health().counters['missed']).toBe(0);
  });
});

test('a root that is not there is a clear error', async () => {
  rmSync(rig.root, { recursive: true });
  await expect(rig.start()).rejects.toMatchObject({ code: 'file-watch/root' });
});

test('a change in the future, of a foreign volume, is dated by the look', async () => {
  const now = () => systemClock.now() - 3_600_000_000;
  await rig.start({ clock: { ...systemClock, now } });
  rig.write(path);
  const event = await rig.event(path);
  expect(event.time).toBeLessThanOrEqual(now());
});
