import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Observation } from '../../../src/event/event.js';
import type { RememberedItem } from '../../../src/sensors/file-watch/index.js';
import { agents, patient, plugIns, Rig } from './rig.js';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig.remove());

/** One run that remembers, then the next one after `meanwhile`. */
async function twice(meanwhile: () => void, completeThrough?: number): Promise<void> {
  await rig.start();
  await rig.quiet();
  await rig.stop();
  const remembered = [...rig.items.values()];
  rig.sink.observations.length = 0;
  meanwhile();
  await rig.start({ remembered, completeThrough: completeThrough ?? rig.sink.completes.at(-1)! });
  await rig.quiet();
}

test('what existed before the first start is no event, and is remembered', async () => {
  rig.write(`${agents}/a.plist`);
  const sensor = await rig.start();
  await rig.quiet();
  expect(rig.sink.events).toEqual([]);
  expect(rig.items.has(`${agents}/a.plist`)).toBe(true);
  expect([...sensor.snapshot()].map((item) => item.path).sort()).toEqual([...rig.items.keys()].sort());
});

test('nothing changed while nobody looked: no event', async () => {
  rig.write(`${agents}/a.plist`);
  rig.write(`${plugIns}/x.dsplug/Contents/Info.plist`);
  await twice(() => {});
  expect(rig.sink.events).toEqual([]);
});

test('written, changed, removed, made accessible while nobody looked', async () => {
  for (const name of ['same', 'changed', 'removed', 'mode']) rig.write(`${agents}/${name}.plist`, name);
  await twice(() => {
    writeFileSync(rig.host(`${agents}/changed.plist`), 'CHANGED');
    rmSync(rig.host(`${agents}/removed.plist`));
    chmodSync(rig.host(`${agents}/mode.plist`), 0o600);
    rig.write(`${agents}/new.plist`, 'new');
    rig.write('/Users/dave/Library/LaunchAgents/new.plist', 'new');
  });
  expect(rig.actions(`${agents}/same.plist`)).toEqual([]);
  expect(rig.actions(`${agents}/changed.plist`)).toEqual(['modification']);
  expect(rig.actions(`${agents}/removed.plist`)).toEqual(['deletion']);
  expect(rig.actions(`${agents}/mode.plist`)).toEqual(['modification']);
  expect(rig.actions(`${agents}/new.plist`)).toEqual(['modification']);
  expect(rig.actions('/Users/dave/Library/LaunchAgents/new.plist')).toEqual(['modification']);
  expect(rig.content(`${agents}/changed.plist`)).toBe('CHANGED');
  expect(rig.items.has(`${agents}/removed.plist`)).toBe(false);
});

test('a folder of old files moved into place while nobody looked is new', async () => {
  rig.write('/private/tmp/staged.dsplug/Contents/Info.plist', 'old');
  await new Promise((resolve) => setTimeout(resolve, 20));
  await twice(() => renameSync(rig.host('/private/tmp/staged.dsplug'), rig.host(`${plugIns}/x.dsplug`)));
  expect(rig.actions(`${plugIns}/x.dsplug`)).toEqual(['modification']);
  expect(rig.actions(`${plugIns}/x.dsplug/Contents/Info.plist`)).toEqual(['modification']);
});

test('a path that only now is watched gives no events for what it held before', async () => {
  rig.write('/private/etc/periodic/daily/old', 'old');
  await rig.start();
  await rig.quiet();
  await rig.stop();
  const remembered = [...rig.items.values()];
  const completeThrough = rig.sink.completes.at(-1)!;
  rig.sink.observations.length = 0;
  rig.write('/private/etc/periodic/daily/new', 'new');
  await rig.start({ remembered, completeThrough, patterns: ['/private/etc/periodic/*'] });
  await rig.quiet();
  expect(rig.actions('/private/etc/periodic/daily/old')).toEqual([]);
  expect(rig.actions('/private/etc/periodic/daily/new')).toEqual(['modification']);
});

test('what changed between the last word and the end is told by the next run', async () => {
  await rig.start();
  rig.write(`${agents}/last.plist`, 'last');
  await rig.stop();
  expect(rig.actions(`${agents}/last.plist`)).toEqual(['modification']);
  expect(rig.items.has(`${agents}/last.plist`)).toBe(true);
});

test('what is remembered follows what is seen', async () => {
  await rig.start();
  const host = rig.write(`${agents}/a.plist`, 'one');
  await rig.event(`${agents}/a.plist`);
  await rig.quiet();
  writeFileSync(host, 'one two');
  await expect.poll(() => rig.items.get(`${agents}/a.plist`)?.size, patient).toBe(7);
  renameSync(host, rig.host(`${agents}/b.plist`));
  await rig.event(`${agents}/b.plist`, 'rename');
  expect(rig.items.has(`${agents}/a.plist`)).toBe(false);
  rmSync(rig.host(`${agents}/b.plist`));
  await rig.event(`${agents}/b.plist`, 'deletion');
  expect(rig.items.has(`${agents}/b.plist`)).toBe(false);
});

describe('a file that the run before saw only begun', () => {
  const path = `${agents}/grown.plist`;
  const begun = '<plist><dict><key>Label</key>';

  /** One run sees `first`; the next one finds `second`, and knows what `change` leaves of what was remembered. */
  async function grown(
    first: string,
    second: string,
    change: (item: RememberedItem) => RememberedItem = (item) => item,
  ): Promise<{ readonly before: Observation; readonly after: readonly Observation[] }> {
    const limits = { settleMs: 60_000 };
    await rig.start({ limits });
    await rig.quiet();
    rig.write(path, first);
    await vi.waitFor(() => expect(rig.sink.observations).not.toEqual([]), patient);
    await rig.stop();
    const [before] = rig.sink.observations.splice(0);
    rig.write(path, second);
    const remembered = [...rig.items.values()].map((item) => (item.path === path ? change(item) : item));
    await rig.start({ remembered, completeThrough: rig.sink.completes.at(-1)!, limits });
    await rig.quiet();
    return { before: before!, after: [...rig.sink.observations] };
  }

  test('is the same event, with what it holds now', async () => {
    const { before, after } = await grown(begun, `${begun}<string>a</string></dict></plist>`);
    expect(after.map(({ event, amends }) => [event.id, event.time, amends])).toEqual([
      [before.event.id, before.event.time, true],
    ]);
    expect(rig.content(path)).toContain('</plist>');
    expect(after[0]!.event.doc.launchwarden?.findings ?? []).not.toContain('changed-while-away');
  });

  test('and was empty then', async () => {
    const { before, after } = await grown('', `${begun}<string>a</string></dict></plist>`);
    expect(after.map(({ event, amends }) => [event.id, amends])).toEqual([[before.event.id, true]]);
  });

  test('holds something else now: another event', async () => {
    const { before, after } = await grown(begun, 'something else altogether, and longer than it was');
    expect(after.map(({ amends }) => amends ?? false)).toEqual([false]);
    expect(after[0]!.event.id).not.toBe(before.event.id);
  });

  test.each<[string, (item: RememberedItem) => RememberedItem]>([
    ['grew long afterwards', (item) => ({ ...item, ctimeNanos: item.ctimeNanos - 90_000_000_000n })],
    ['is another file by now', (item) => ({ ...item, inode: '1' })],
    ['was remembered in words that nobody understands', (item) => ({ ...item, told: '{"id":7}' })],
    ['was remembered by a version that kept no word', ({ told: _, ...item }) => item],
  ])('%s: another event', async (_, change) => {
    const { before, after } = await grown(begun, `${begun}<string>a</string></dict></plist>`, change);
    expect(after.map(({ amends }) => amends ?? false)).toEqual([false]);
    expect(after[0]!.event.id).not.toBe(before.event.id);
  });
});
