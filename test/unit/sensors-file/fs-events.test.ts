import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { streamPaths } from '../../../src/sensors/file-watch/fs-events.js';
import { fsFlags } from '../../native/fs-double.js';
import { addon, paths, quiet, rigs, settled, watching } from './fs-rig.js';
import { agents, patient, Rig } from './rig.js';

test('what a stream is opened on: folders above the first name that may be any, none inside another', () => {
  expect(
    streamPaths([
      ...['/Users/*/Library/LaunchAgents', '/Users/Shared', '/Library/LaunchAgents'],
      ...['/Library/LaunchAgents/deep', '/LibraryX', '/a/b*c/d', '/private/etc'],
    ]),
  ).toEqual(['/Library/LaunchAgents', '/LibraryX', '/Users', '/a', '/private/etc']);
  expect(streamPaths(['/*', '/Users'])).toEqual(['/']);
});

test('where wake-ups are lost when folders come and go, everything is scanned again after that', async () => {
  const rig = new Rig();
  rigs.push(rig);
  await rig.start({ limits: quiet, restless: true });
  await expect.poll(() => rig.sensor!.compared, patient).toBe(true);
  expect(rig.sensor!.health().notes.join()).toContain('may lose file events');
  const polls = () => rig.sensor!.health().counters['looks'] ?? 0;
  for (const name of ['a', 'b', 'c']) rig.write(`${agents}/${name}.plist`);
  await settled(rig);
  const before = polls();
  rig.folder('/Users/eve/Library/LaunchAgents');
  // Each of the three files is polled again at once, after 100 and after 500 ms.
  await expect.poll(() => polls() - before, patient).toBeGreaterThanOrEqual(9);
});

describe.skipIf(addon === undefined)('a watcher that FSEvents wake', () => {
  test('sees nothing without them, and everything with them', async () => {
    const { rig, deliver, start } = await watching();
    await start();
    const file = rig.write(`${agents}/a.plist`);
    await settled(rig);
    expect(paths(rig)).toEqual([]);
    deliver(file, fsFlags.created);
    await settled(rig);
    expect(paths(rig)).toEqual([`${agents}/a.plist`]);
  });

  test('tells of a file that came and went in a folder that is new', async () => {
    const { rig, deliver, start } = await watching();
    await start();
    const macPath = '/Users/eve/Library/LaunchAgents/x.plist';
    const file = rig.write(macPath);
    rmSync(file);
    // As FSEvents merge what happens to one file.
    deliver(file, fsFlags.created | fsFlags.removed);
    await expect.poll(() => paths(rig), patient).toContain(macPath);
  });

  test('keeps its one stream, whatever folders come and go, and needs no folder to exist', async () => {
    const { rig, double, deliver, start } = await watching();
    await start();
    for (const user of ['eve', 'mallory']) {
      // All at once, and only the deepest is told about: the folders on the way are entered on the way.
      const file = rig.write(`/Users/${user}/Library/LaunchAgents/x.plist`);
      deliver(file, fsFlags.created);
      await expect.poll(() => paths(rig), patient).toContain(`/Users/${user}/Library/LaunchAgents/x.plist`);
    }
    rmSync(rig.host('/Users/eve'), { recursive: true });
    deliver(rig.host('/Users/eve'), fsFlags.removed);
    await settled(rig);
    expect(double.calls().filter((call) => /open|close/.test(call))).toEqual([
      expect.stringContaining(`${rig.root}/Users`),
    ]);
  });

  test.each([
    ['mustScanSubDirs', 'file events were merged'],
    ['userDropped', 'the system dropped file events'],
    ['kernelDropped', 'the kernel dropped file events'],
    ['idsWrapped', 'the ids of file events wrapped around'],
    ['rootChanged', 'became another one'],
    ['mount', 'a volume was mounted'],
    ['unmount', 'a volume was unmounted'],
  ] as const)('%s is a scan and a gap', async (flag, detail) => {
    const { rig, deliver, start } = await watching();
    await start();
    const before = Date.now() * 1000;
    rig.write(`${agents}/unheard.plist`);
    rig.write('/Users/alice/Library/LaunchAgents/unheard.plist');
    deliver(rig.host(agents), fsFlags[flag]);
    await expect
      .poll(() => paths(rig), patient)
      .toEqual(
        expect.arrayContaining([
          `${agents}/unheard.plist`,
          '/Users/alice/Library/LaunchAgents/unheard.plist',
        ]),
      );
    const gap = rig.sink.gaps.find((one) => one.detail.includes(detail));
    expect(gap).toMatchObject({ sensor: 'file-watch', reason: 'overflow' });
    expect(gap!.from).toBeLessThanOrEqual(before + 1000);
    expect(gap!.to).toBeGreaterThanOrEqual(before);
  });

  test('events for which there was no room are a scan and a gap', async () => {
    const { rig, double, start } = await watching();
    await start();
    rig.write(`${agents}/crowded-out.plist`);
    const long = `${rig.host(agents)}/${'n'.repeat(900)}`;
    double.deliver(Array.from({ length: 40_000 }, (_, index) => ({ path: long, id: 6_000 + index })));
    await expect.poll(() => paths(rig), patient).toContain(`${agents}/crowded-out.plist`);
    expect(rig.sink.gaps.map(({ detail }) => detail).join()).toContain(
      'came faster than the agent took them',
    );
  });

  test('the history tells what came and went while no agent ran', async () => {
    const since = { id: '70', history: 'H' };
    const { rig, double, start } = await watching(
      { history: 'H', currentId: '99' },
      { since, remembered: [], completeThrough: (Date.now() - 60_000) * 1000 },
    );
    const sensor = await start();
    expect(double.calls()[0]).toMatch(/ since 70$/);
    expect(sensor.mark).toBeUndefined();
    double.deliver([
      { path: `${rig.host(agents)}/gone.plist`, id: 71, flags: fsFlags.created | fsFlags.removed },
      { path: rig.host(agents), id: 72, flags: fsFlags.historyDone },
    ]);
    await expect.poll(() => paths(rig), patient).toContain(`${agents}/gone.plist`);
    const [event] = rig.sink.events.filter(({ doc }) => doc.file?.path === `${agents}/gone.plist`);
    expect(event?.doc.launchwarden?.sensor).toMatchObject({ precision: 'interval' });
    expect(Date.parse(event!.doc.launchwarden!.sensor!.not_before!)).toBeLessThan(Date.now() - 50_000);
    await expect.poll(() => sensor.mark, patient).toEqual({ id: '72', history: 'H' });
    expect(rig.sink.gaps).toEqual([]);
  });

  test('another history is a gap over the time in which no agent ran', async () => {
    const completeThrough = (Date.now() - 60_000) * 1000;
    const { rig, double, start } = await watching(
      { history: 'other', currentId: '99' },
      { since: { id: '70', history: 'H' }, remembered: [], completeThrough },
    );
    const sensor = await start();
    expect(double.calls()[0]).toMatch(/ since now$/);
    expect(rig.sink.gaps).toMatchObject([{ reason: 'restart', from: completeThrough }]);
    await expect.poll(() => sensor.mark, patient).toEqual({ id: '99', history: 'other' });
  });

  test('a volume without history has no mark', async () => {
    const { start } = await watching({ history: '' }, { since: { id: '70', history: '' } });
    expect((await start()).mark).toBeUndefined();
  });

  test('a home outside of what the stream was opened on is polled', async () => {
    let homes: { user: string; path: string }[] = [];
    const { rig, start } = await watching({}, { homes: () => homes });
    await start();
    homes = [{ user: 'nick', path: '/Volumes/SSD/nick' }];
    rig.folder('/Volumes/SSD/nick/Library/LaunchAgents');
    await expect.poll(() => rig.sensor!.health().counters['blind'], patient).toBeGreaterThan(0);
    rig.write('/Volumes/SSD/nick/Library/LaunchAgents/n.plist');
    await expect.poll(() => paths(rig), patient).toContain('/Volumes/SSD/nick/Library/LaunchAgents/n.plist');
  });

  test('a stream that does not open is an error that says so', async () => {
    const { start } = await watching({ openFails: true });
    await expect(start()).rejects.toMatchObject({
      code: 'file-watch/fs-events',
      message: expect.stringContaining('FSEventStreamCreate failed'),
    });
  });
});
