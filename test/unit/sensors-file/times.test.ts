import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../src/base/clock.js';
import { parseTime } from '../../../src/base/time.js';
import type { Event } from '../../../src/event/event.js';
import { differs, type Snapshot } from '../../../src/sensors/file-watch/snapshot.js';
import { waitFor } from '../../simulation/mac.js';
import { agents, plugIns, Rig } from './rig.js';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig.remove());

const path = `${agents}/x.plist`;
const hour = 3_600_000_000;

/** Our clock beside that of the volume: as on a server whose clock is off, or a volume that keeps old dates. */
const ahead: Clock = { ...systemClock, now: () => systemClock.now() + hour };
const behind: Clock = { ...systemClock, now: () => systemClock.now() - hour };

async function quiet(clock: Clock): Promise<void> {
  const now = clock.now();
  await waitFor('all to be reported', () => {
    if ((rig.sink.completes.at(-1) ?? 0) > now) return true;
    rig.sensor?.ask(now + 1);
    return undefined;
  });
}

const notBefore = (event: Event) => parseTime(event.doc.launchwarden?.sensor?.not_before)?.time ?? 0;

describe.each([
  ['behind', ahead],
  ['ahead', behind],
])('the clock of a volume is an hour %s', (_, clock) => {
  test('a new file is no older than the last poll, no newer than the one that found it, and says so', async () => {
    await rig.start({ clock });
    await quiet(clock);
    const complete = rig.sink.completes.at(-1)!;
    rig.write(path);
    const event = await rig.event(path);
    expect(event.time).toBeGreaterThan(complete);
    expect(event.time).toBeLessThanOrEqual(clock.now());
    expect(event.doc.launchwarden?.findings).toContain('time-bounded');
    expect(event.doc.launchwarden?.sensor?.precision).toBe('interval');
    expect(notBefore(event)).toBeLessThanOrEqual(event.time);
    expect(rig.sink.late).toEqual([]);
  });

  test('so are a change, a rename and what a folder moved in holds', async () => {
    rig.write(path, 'old');
    rig.write('/private/tmp/staged.dsplug/Contents/Info.plist');
    await rig.start({ clock });
    await quiet(clock);
    const complete = rig.sink.completes.at(-1)!;
    writeFileSync(rig.host(path), 'changed');
    renameSync(rig.host('/private/tmp/staged.dsplug'), rig.host(`${plugIns}/s.dsplug`));
    const events = [
      await rig.event(path),
      await rig.event(`${plugIns}/s.dsplug`),
      await rig.event(`${plugIns}/s.dsplug/Contents/Info.plist`),
    ];
    renameSync(rig.host(path), rig.host(`${agents}/y.plist`));
    events.push(await rig.event(`${agents}/y.plist`, 'rename'));
    for (const { time } of events) {
      expect(time).toBeGreaterThan(complete);
      expect(time).toBeLessThanOrEqual(clock.now());
    }
  });

  test('the same file again and again is an event each time', async () => {
    await rig.start({ clock, limits: { settleMs: 1 } });
    for (let round = 1; round <= 5; round++) {
      rig.write(path, `${round}`);
      await expect.poll(() => rig.actions(path).filter((one) => one === 'modification').length).toBe(round);
      rmSync(rig.host(path));
      await expect.poll(() => rig.actions(path).filter((one) => one === 'deletion').length).toBe(round);
    }
    const ids = rig.eventsOf(path).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test('what was there before the first start is no event, although a server that is ahead dates it later', async () => {
  rig.write(path);
  await rig.start({ clock: behind });
  await quiet(behind);
  expect(rig.sink.events).toEqual([]);
});

test('a file of our own volume is dated by its ctime, exactly', async () => {
  await rig.start();
  rig.write(path);
  const event = await rig.event(path);
  expect(event.doc.launchwarden?.sensor).toEqual({ kind: 'file-watch', precision: 'exact' });
  expect(parseTime(event.doc.file?.ctime)).toEqual({ time: event.time, nanos: event.nanos });
});

test('a clock that is set back does not keep the watermark in the future', async () => {
  let shift = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + shift };
  await rig.start({ clock });
  await quiet(clock);
  shift = -hour;
  const before = clock.now();
  await waitFor('a word of the new time', () => {
    const last = rig.sink.completes.at(-1) ?? 0;
    rig.sensor?.ask(clock.now());
    return last >= before && last <= clock.now() ? true : undefined;
  });
  rig.write(path);
  expect((await rig.event(path)).time).toBeLessThanOrEqual(clock.now());
});

describe('after a restart', () => {
  async function twice(meanwhile: () => void): Promise<number> {
    await rig.start({ clock: ahead });
    await quiet(ahead);
    await rig.stop();
    const remembered = [...rig.items.values()];
    const completeThrough = rig.sink.completes.at(-1)!;
    rig.sink.observations.length = 0;
    meanwhile();
    await rig.start({ remembered, completeThrough, clock: ahead });
    await expect.poll(() => rig.sensor?.compared).toBe(true);
    await quiet(ahead);
    return completeThrough;
  }

  test('an unknown item in a folder that was listed is new, whatever its date; dated within the absence', async () => {
    rig.write(`${agents}/old.plist`);
    const completeThrough = await twice(() => rig.write(path));
    const [event] = rig.eventsOf(path);
    expect(event?.time).toBeGreaterThanOrEqual(completeThrough);
    expect(event?.time).toBeLessThanOrEqual(ahead.now());
    expect(event?.doc.launchwarden?.findings).toContain('time-bounded');
    expect(rig.actions(`${agents}/old.plist`)).toEqual([]);
  });

  test('so is what stands in a folder that came while nobody looked', async () => {
    await twice(() => {
      rig.write('/Users/dave/Library/LaunchAgents/d.plist');
      rig.write(`${plugIns}/n.dsplug/Contents/Info.plist`);
    });
    expect(rig.actions('/Users/dave/Library/LaunchAgents/d.plist')).toEqual(['modification']);
    expect(rig.actions(`${plugIns}/n.dsplug/Contents/Info.plist`)).toEqual(['modification']);
  });

  test('nothing is new where more was there than could be remembered, unless its date says so', async () => {
    const limits = { maxItemsPerTarget: 4 };
    for (let n = 0; n < 12; n++) rig.write(`${agents}/n${n}.plist`);
    await rig.start({ limits });
    await rig.quiet();
    await rig.stop();
    const remembered = [...rig.items.values()];
    const completeThrough = rig.sink.completes.at(-1)!;
    rig.sink.observations.length = 0;
    rig.write(`${agents}/meanwhile.plist`);
    await rig.start({ remembered, completeThrough, limits });
    await expect.poll(() => rig.sensor?.compared).toBe(true);
    await rig.quiet();
    expect(rig.sink.events.map(({ doc }) => doc.file?.path)).toEqual([`${agents}/meanwhile.plist`]);
  });

  test('a first run reports nothing that was there, and what is made while it scans', async () => {
    for (let n = 0; n < 50; n++) rig.write(`${agents}/n${n}.plist`);
    utimesSync(rig.host(`${agents}/n1.plist`), new Date(0), new Date(0));
    await rig.start();
    rig.write(path);
    await rig.event(path);
    await rig.quiet();
    expect(rig.sink.events.map(({ doc }) => doc.file?.path)).toEqual([path]);
  });
});

test('a volume whose ctime stands still: another size or modification time is a change', () => {
  const one: Snapshot = {
    type: 'file',
    key: 'k',
    inode: '1',
    size: 1,
    mode: 0o644,
    uid: 0,
    gid: 0,
    links: 1,
    ctime: 5n,
    mtime: 5n,
    birth: 0n,
  };
  expect(differs(one, { ...one })).toBe(false);
  expect(differs(one, { ...one, mtime: 6n })).toBe(true);
  expect(differs({ ...one, type: 'dir' }, { ...one, type: 'dir', mtime: 6n })).toBe(false);
});

test('what came and went unread has bounds: from the last poll to its wake-up', async () => {
  await rig.start();
  await rig.quiet();
  const before = systemClock.now();
  mkdirSync(rig.host(`${agents}/d`));
  for (let round = 0; round < 20; round++) {
    writeFileSync(rig.host(`${agents}/gone.plist`), 'x');
    rmSync(rig.host(`${agents}/gone.plist`));
  }
  const event = await rig.event(`${agents}/gone.plist`);
  const after = systemClock.now();
  expect(notBefore(event)).toBeLessThanOrEqual(before);
  expect(event.time).toBeGreaterThanOrEqual(before);
  expect(event.time).toBeLessThanOrEqual(after);
});
