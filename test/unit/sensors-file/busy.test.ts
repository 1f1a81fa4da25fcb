import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Event } from '../../../src/event/event.js';
import { asNobody } from '../../helpers/as-nobody.js';
import { agents, patient, plugIns, Rig } from './rig.js';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig.remove());

const aliceAgents = '/Users/alice/Library/LaunchAgents';
const bobAgents = '/Users/bob/Library/LaunchAgents';

/** Writes and removes files in another process, as fast as that goes; resolves when it has ended. */
function elsewhere(script: string, ...args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['-e', script, ...args], { stdio: 'inherit' });
    child.on('error', reject);
    child.on('exit', () => resolve());
  });
}

describe('rewritten without a pause', () => {
  const rewrite = (how: string) => `
    const fs = require('node:fs'), [folder, count, stop] = process.argv.slice(1);
    for (let n = 0; !fs.existsSync(stop); n++) {
      const file = folder + '/w' + (n % Number(count)) + '.plist', text = 'content ' + n;
      ${how}
    }
    for (let n = 0; n < Number(count); n++) fs.writeFileSync(folder + '/w' + n + '.plist', 'last ' + n);`;

  test.each([
    ['in place', 'fs.writeFileSync(file, text);'],
    [
      'by a rename over it',
      "fs.writeFileSync(folder + '/../t', text); fs.renameSync(folder + '/../t', file);",
    ],
    ['by removing it', 'fs.rmSync(file, { force: true }); fs.writeFileSync(file, text);'],
  ])('%s: few reports, another user is not delayed, and the last content is judged', async (_, how) => {
    rig.folder(aliceAgents);
    rig.folder(bobAgents);
    await rig.start();
    const begun = performance.now();
    const stop = rig.host('/stop');
    const flood = elsewhere(rewrite(how), rig.host(aliceAgents), '20', stop);
    await expect.poll(() => rig.actions(`${aliceAgents}/w19.plist`).length, patient).toBeGreaterThan(0);
    rig.write(`${bobAgents}/his.plist`, 'his');
    rig.folder(`${plugIns}/planted.dsplug`);
    // The flood goes on until both are seen.
    await rig.event(`${bobAgents}/his.plist`);
    await rig.event(`${plugIns}/planted.dsplug`);
    await rig.quiet();
    writeFileSync(stop, '');
    await flood;
    await expect.poll(() => rig.content(`${aliceAgents}/w7.plist`), patient).toBe('last 7');
    const reports = rig.sink.observations.filter(({ event }) => event.doc.file?.path?.includes('/w'));
    // 20 files, each 8 at once and then 10 a second; a deletion beside each of the last kind.
    const seconds = (performance.now() - begun) / 1000;
    expect(reports.length).toBeLessThan(2 * 20 * (9 + 10 * seconds));
  });

  test('by a user with many files: that is a gap with his name, which ends', async () => {
    rig.folder(aliceAgents);
    await rig.start();
    const gaps = () => rig.sink.gaps.filter(({ detail }) => detail.startsWith('user alice'));
    const stop = rig.host('/stop');
    const flood = elsewhere(rewrite('fs.writeFileSync(file, text);'), rig.host(aliceAgents), '300', stop);
    await expect.poll(gaps, { timeout: 40_000 }).not.toEqual([]);
    writeFileSync(stop, '');
    await flood;
    expect(gaps()[0]).toMatchObject({ reason: 'overflow' });
    await expect.poll(() => gaps().some(({ detail }) => detail.endsWith('(over)')), patient).toBe(true);
    expect(rig.sensor?.health().blind).toEqual([]);
  }, 60_000);
});

describe('a list that is written and removed within 100 ms behind a thousand decoys', () => {
  const script = `
    const fs = require('node:fs'), [decoys, folder] = process.argv.slice(1);
    for (let n = 0; n < 1000; n++) fs.writeFileSync(decoys + '/d' + n + '.plist', 'decoy ' + n);
    fs.writeFileSync(folder + '/real.plist', 'real');
    setTimeout(() => fs.rmSync(folder + '/real.plist'), 100);`;

  test.each([
    ['of the same user in the same folder', aliceAgents],
    ['of another user', bobAgents],
  ])('%s is read, or reported with bounds', async (_, folder) => {
    rig.folder(aliceAgents);
    rig.folder(folder);
    await rig.start();
    const before = Date.now() * 1000 - 1_100_000;
    await elsewhere(script, rig.host(aliceAgents), rig.host(folder));
    const real = `${folder}/real.plist`;
    await rig.event(real);
    // Looked at as soon as it was there it may have been empty yet: then its content comes, or its end.
    const told = () => rig.sink.events.filter(({ doc }) => doc.file?.path === real);
    const isBounded = ({ doc }: Event) =>
      doc.launchwarden?.findings?.includes('vanished') === true || doc.event?.action === 'deletion';
    await expect.poll(() => rig.content(real) === 'real' || told().some(isBounded), patient).toBe(true);
    for (const { doc } of told().filter(isBounded))
      expect(Date.parse(doc.launchwarden?.sensor?.not_before ?? '') * 1000).toBeGreaterThan(before);
    // None of the decoys is lost for it.
    await expect.poll(() => rig.sink.events.length, patient).toBeGreaterThanOrEqual(1_000);
  });
});

describe('a start', () => {
  test('does not wait for the first scan, and what happens meanwhile is seen', async () => {
    for (let n = 0; n < 12_000; n++) writeFileSync(rig.folder(aliceAgents) + `/n${n}.plist`, '');
    const sensor = await rig.start({ early: true });
    expect(sensor.compared).toBe(false);
    rig.write(`${aliceAgents}/now.plist`, 'now');
    rig.write(`${agents}/now.plist`, 'now');
    await rig.event(`${aliceAgents}/now.plist`);
    await rig.event(`${agents}/now.plist`);
    await expect.poll(() => sensor.compared, patient).toBe(true);
    await rig.quiet();
    expect(rig.sink.events).toHaveLength(2);
    expect(rig.content(`${aliceAgents}/now.plist`)).toBe('now');
  });
});

describe('beyond the cap of a folder', () => {
  test('new files and changes are found by a scan, too, and the cap is a gap until there is room', async () => {
    rig.folder(aliceAgents);
    await rig.start({ limits: { maxItemsPerTarget: 10, rescanMs: 200 } });
    for (let n = 0; n < 30; n++) rig.write(`${aliceAgents}/n${n}.plist`, '');
    const told = () => new Set(rig.sink.events.map(({ doc }) => doc.file?.path)).size;
    await expect.poll(told, patient).toBe(30);
    await rig.quiet();
    const events = rig.sink.events.length;
    await expect
      .poll(() => rig.sensor?.health().blind?.map(({ place }) => place), patient)
      .toEqual([aliceAgents]);
    // Later scans find the same once more: no event.
    const looks = () => rig.sensor?.health().counters['looks'] ?? 0;
    const before = looks();
    await expect.poll(looks, patient).toBeGreaterThan(before + 90);
    expect(rig.sink.events).toHaveLength(events);
    for (let n = 0; n < 30; n++) rmSync(rig.host(`${aliceAgents}/n${n}.plist`));
    await expect.poll(() => rig.sensor?.health().blind, patient).toEqual([]);
    expect(rig.sink.gaps.filter(({ detail }) => detail.includes('more than 10 items'))).toHaveLength(2);
  });

  test('a folder that was not entered is, as soon as there is room, and what it holds is reported', async () => {
    await rig.start({ limits: { maxFoldersPerTarget: 3, rescanMs: 200 } });
    for (let n = 0; n < 5; n++) rig.folder(`${plugIns}/d${n}`);
    await expect.poll(() => rig.sensor?.health().blind?.length, patient).toBeGreaterThan(0);
    const blind = rig.sensor?.health().blind?.[0]?.place ?? '';
    rig.write(`${blind}/hidden.plist`, 'hidden');
    for (let n = 0; n < 5; n++)
      if (`${plugIns}/d${n}` !== blind) rmSync(rig.host(`${plugIns}/d${n}`), { recursive: true });
    await rig.event(`${blind}/hidden.plist`);
    await expect.poll(() => rig.sensor?.health().blind, patient).toEqual([]);
  });
});

describe('a folder that may not be read any more', () => {
  const mayRead = (macPath: string, may: boolean) => {
    const uid = process.geteuid?.();
    process.seteuid?.(0);
    chmodSync(rig.host(macPath), may ? 0o755 : 0o700);
    process.seteuid?.(uid as number);
  };

  test.skipIf(process.geteuid?.() !== 0)(
    'is a gap each time, at once; what happens there is found afterwards (needs root, to give its rights up)',
    async () => {
      rig.write(`${aliceAgents}/old.plist`);
      chmodSync(rig.base, 0o755);
      await asNobody(async () => {
        await rig.start();
        const permission = () => rig.sink.gaps.filter(({ reason }) => reason === 'permission');
        for (const round of [1, 2]) {
          mayRead(aliceAgents, false);
          await expect.poll(() => permission().length, patient).toBe(round * 2 - 1);
          expect(rig.sensor?.health().blind).toMatchObject([{ place: aliceAgents }]);
          process.seteuid?.(0);
          rig.write(`${aliceAgents}/dark${round}.plist`, 'dark');
          process.seteuid?.(65534);
          mayRead(aliceAgents, true);
          await expect.poll(() => permission().length, patient).toBe(round * 2);
          const ended = permission().at(-1);
          expect(ended?.from).toBe(permission().at(-2)?.from);
          expect(ended?.to).toBeGreaterThan(ended?.from ?? Number.POSITIVE_INFINITY);
          await expect.poll(() => rig.content(`${aliceAgents}/dark${round}.plist`), patient).toBe('dark');
          expect(rig.sensor?.health().blind).toEqual([]);
        }
        await rig.stop();
      });
      expect(rig.actions(`${aliceAgents}/old.plist`)).toEqual([]);
    },
  );

  test.skipIf(process.geteuid?.() !== 0)(
    'from the start: what it held is no event once it can be read (needs root, to give its rights up)',
    async () => {
      rig.write(`${aliceAgents}/old.plist`);
      chmodSync(rig.base, 0o755);
      chownSync(rig.host(aliceAgents), 0, 0);
      mayRead(aliceAgents, false);
      await asNobody(async () => {
        await rig.start();
        expect(rig.sensor?.health().blind).toMatchObject([{ place: aliceAgents }]);
        mayRead(aliceAgents, true);
        await expect.poll(() => rig.sensor?.health().blind, patient).toEqual([]);
        process.seteuid?.(0);
        rig.write(`${aliceAgents}/new.plist`);
        process.seteuid?.(65534);
        await rig.event(`${aliceAgents}/new.plist`);
        await rig.stop();
      });
      expect(rig.actions(`${aliceAgents}/old.plist`)).toEqual([]);
    },
  );
});

test('the home of a user that stands anywhere is watched, also of one who is made later', async () => {
  rig.write('/Volumes/SSD/nick/Library/LaunchAgents/old.plist');
  const homes = [{ user: 'nick', path: '/Volumes/SSD/nick' }];
  await rig.start({ homes: () => homes });
  rig.write('/Volumes/SSD/nick/Library/LaunchAgents/x.plist', 'x');
  await rig.event('/Volumes/SSD/nick/Library/LaunchAgents/x.plist');
  homes.push({ user: 'eve', path: '/opt/eve' });
  await expect
    .poll(() => {
      mkdirSync(rig.host('/opt/eve/Library/LaunchAgents'), { recursive: true });
      writeFileSync(rig.host('/opt/eve/Library/t'), 'x');
      renameSync(rig.host('/opt/eve/Library/t'), rig.host('/opt/eve/Library/LaunchAgents/y.plist'));
      return rig.actions('/opt/eve/Library/LaunchAgents/y.plist').length;
    }, patient)
    .toBeGreaterThan(0);
  expect(rig.actions('/Volumes/SSD/nick/Library/LaunchAgents/old.plist')).toEqual([]);
});
