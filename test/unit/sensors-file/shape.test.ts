import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { sha256Hex } from '../../../src/base/digest.js';
import { agents, patient, Rig } from './rig.js';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig.remove());

const path = `${agents}/com.example.plist`;

test('a new file is a modification in the shape of Elastic Defend, with what is known and nothing else', async () => {
  await rig.start();
  const host = rig.write(path, '<plist/>');
  chmodSync(host, 0o640);
  const event = await rig.event(path);
  await rig.quiet();
  const stat = statSync(host, { bigint: true });
  const doc = rig.latest(event.id)?.event.doc;
  expect(doc?.event).toEqual({ id: event.id, category: ['file'], type: ['change'], action: 'modification' });
  expect(doc?.file).toMatchObject({
    path,
    name: 'com.example.plist',
    extension: 'plist',
    size: 8,
    type: 'file',
    mode: '0640',
    inode: String(stat.ino),
    uid: String(stat.uid),
    gid: String(stat.gid),
    hash: { sha256: sha256Hex('<plist/>') },
    Ext: { header_bytes: Buffer.from('<plist/>').toString('hex') },
  });
  expect(doc?.launchwarden).toEqual({ sensor: { kind: 'file-watch', precision: 'exact' } });
  expect(Object.keys(doc ?? {}).sort()).toEqual(['@timestamp', 'event', 'file', 'launchwarden']);
  expect(event.time).toBeLessThanOrEqual(Number(stat.ctimeNs / 1000n));
});

test('the content travels with the event', async () => {
  await rig.start();
  rig.write(path, 'the content');
  await rig.event(path);
  await rig.quiet();
  expect(rig.content(path)).toBe('the content');
});

test('an overwritten file, once it has settled, is another modification with a time of its own', async () => {
  await rig.start({ limits: { settleMs: 30 } });
  const host = rig.write(path, 'one');
  await rig.event(path);
  await new Promise((resolve) => setTimeout(resolve, 60));
  writeFileSync(host, 'two!');
  await rig.quiet();
  expect(rig.actions(path)).toEqual(['modification', 'modification']);
  const [first, second] = rig.eventsOf(path);
  expect(second!.time).toBeGreaterThan(first!.time);
  expect(rig.content(path)).toBe('two!');
});

test('what a file becomes while it settles amends its first event and keeps its time', async () => {
  await rig.start({ limits: { settleMs: 10_000 } });
  const host = rig.write(path, 'begin');
  const event = await rig.event(path);
  for (const text of ['begin middle', 'begin middle end']) {
    await rig.quiet();
    writeFileSync(host, text);
  }
  await expect.poll(() => rig.content(path), patient).toBe('begin middle end');
  expect(rig.actions(path)).toEqual(['modification']);
  const last = rig.latest(event.id);
  expect(last?.amends).toBe(true);
  expect(last?.event.time).toBe(event.time);
  expect(last?.event.doc['@timestamp']).toBe(event.doc['@timestamp']);
  expect(last?.event.doc.file?.hash?.sha256).toBe(sha256Hex('begin middle end'));
});

describe('another content while a file settles', () => {
  const contents = () =>
    rig.sink.observations
      .filter(({ event }) => event.doc.file?.path === path)
      .map(({ content }) => Buffer.from(content?.bytes ?? []).toString());
  const looks = () => rig.sensor?.health().counters['looks'] ?? 0;
  const looked = async (act: () => void) => {
    const before = looks();
    act();
    await expect.poll(looks, patient).toBeGreaterThan(before);
  };

  test('is an event of its own: the first one keeps what it held', async () => {
    await rig.start({ limits: { settleMs: 10_000 } });
    const host = rig.write(path, 'evil');
    const first = await rig.event(path);
    writeFileSync(host, 'harmless');
    await expect.poll(() => rig.actions(path), patient).toEqual(['modification', 'modification']);
    const [, second] = rig.eventsOf(path);
    expect(second?.id).not.toBe(first.id);
    expect(rig.latest(first.id)?.event.doc.file?.hash?.sha256).toBe(sha256Hex('evil'));
    expect(rig.latest(second?.id ?? '')?.event.doc.file?.hash?.sha256).toBe(sha256Hex('harmless'));
  });

  test('also when it is emptied or cut', async () => {
    await rig.start({ limits: { settleMs: 10_000 } });
    const host = rig.write(path, 'evil one');
    await rig.event(path);
    for (const text of ['', 'evil two', 'evil']) {
      writeFileSync(host, text);
      await expect.poll(() => rig.content(path), patient).toBe(text);
    }
    expect(contents()).toEqual(['evil one', '', 'evil two', 'evil']);
    // What grows out of nothing is one event.
    expect(new Set(rig.eventsOf(path).map(({ id }) => id)).size).toBe(3);
    expect(rig.actions(path)).toHaveLength(3);
  });

  test('what had been read and was still to be told is told', async () => {
    await rig.start({ limits: { settleMs: 10_000 } });
    const host = rig.write(path, 'begin');
    await rig.event(path);
    await looked(() => appendFileSync(host, ', evil'));
    await looked(() => writeFileSync(host, 'harmless'));
    await expect.poll(() => rig.eventsOf(path).length, patient).toBe(2);
    expect(contents()).toEqual(['begin', 'begin, evil', 'harmless']);
  });

  test('is none when a writer empties the file only to write the same and more', async () => {
    // Time stands still, so that the writer is never late.
    await rig.start({ limits: { settleMs: 10_000 }, clock: { ...systemClock, monotonic: () => 1_000 } });
    const host = rig.write(path, 'begin');
    const event = await rig.event(path);
    await looked(() => truncateSync(host));
    writeFileSync(host, 'begin, end');
    await rig.stop();
    expect(rig.latest(event.id)?.event.doc.file?.size).toBe(10);
    expect(rig.content(path)).toBe('begin, end');
    expect(rig.actions(path)).toEqual(['modification']);
  });
});

test('a file that never stops changing gets a new event when the longest settling is over', async () => {
  await rig.start({ limits: { maxSettleMs: 200 } });
  const host = rig.write(path, '');
  const end = performance.now() + 600;
  for (let text = 'x'; performance.now() < end; text += 'x') {
    writeFileSync(host, text);
    await rig.quiet();
  }
  expect(rig.actions(path).length).toBeGreaterThan(1);
});

test('deletion', async () => {
  const host = rig.write(path, 'there before');
  await rig.start();
  const before = Date.now() * 1000;
  rmSync(host);
  const event = await rig.event(path, 'deletion');
  expect(event.doc.event?.type).toEqual(['deletion']);
  expect(event.time).toBeGreaterThanOrEqual(before - 1_000);
  expect(event.doc.file).toMatchObject({ path, size: 12 });
  expect(rig.actions(path)).toEqual(['deletion']);
});

test('rename within what is watched names the old path and is no deletion', async () => {
  const host = rig.write(path, 'moved');
  await rig.start();
  const target = `${agents}/com.other.plist`;
  renameSync(host, rig.host(target));
  const event = await rig.event(target, 'rename');
  await rig.quiet();
  expect(event.doc.event?.type).toEqual(['change']);
  expect(event.doc.file?.Ext?.original).toEqual({ path, extension: 'plist' });
  expect(rig.actions(path)).toEqual([]);
  expect(rig.content(target)).toBe('moved');
  expect([...rig.items.keys()]).not.toContain(path);
});

test('a rename from one watched folder to another one', async () => {
  const from = rig.write('/Users/alice/Library/LaunchAgents/com.example.plist', 'moved');
  await rig.start();
  renameSync(from, rig.host(path));
  const event = await rig.event(path, 'rename');
  await rig.quiet();
  expect(event.doc.file?.Ext?.original?.path).toBe('/Users/alice/Library/LaunchAgents/com.example.plist');
  expect(rig.actions('/Users/alice/Library/LaunchAgents/com.example.plist')).toEqual([]);
});

test('a rename in from elsewhere is a modification', async () => {
  const from = rig.write('/private/tmp/staged.plist', 'staged');
  await rig.start();
  renameSync(from, rig.host(path));
  await rig.quiet();
  expect(rig.actions(path)).toEqual(['modification']);
  expect(rig.content(path)).toBe('staged');
});

test('a file replaced by a rename over it is one change and no deletion', async () => {
  rig.write(path, 'old');
  const from = rig.write('/private/tmp/staged.plist', 'new!');
  await rig.start();
  renameSync(from, rig.host(path));
  await rig.quiet();
  expect(rig.actions(path)).toEqual(['modification']);
});

test('content rewritten with its size and modification time restored is seen, in place and by rename', async () => {
  const old = new Date('2020-01-01T00:00:00Z');
  const host = rig.write(path, 'good');
  const other = rig.write(`${agents}/com.other.plist`, 'good');
  for (const one of [host, other]) utimesSync(one, old, old);
  await rig.start();
  writeFileSync(host, 'evil');
  utimesSync(host, old, old);
  const staged = rig.write('/private/tmp/staged.plist', 'evil');
  utimesSync(staged, old, old);
  renameSync(staged, other);
  for (const one of [path, `${agents}/com.other.plist`]) {
    const event = await rig.event(one);
    await rig.quiet();
    expect(rig.latest(event.id)?.event.doc.file).toMatchObject({
      size: 4,
      mtime: '2020-01-01T00:00:00.000000Z',
      hash: { sha256: sha256Hex('evil') },
    });
  }
});

test('a change of mode alone is a modification', async () => {
  const host = rig.write(path);
  chmodSync(host, 0o666);
  await rig.start();
  chmodSync(host, 0o644);
  expect((await rig.event(path)).doc.file?.mode).toBe('0644');
});

test('a folder is no event because of its children, but is when its own mode changes', async () => {
  const folder = `${agents}/folder`;
  const host = rig.folder(folder);
  await rig.start();
  rig.write(`${folder}/child.plist`);
  await rig.event(`${folder}/child.plist`);
  rmSync(`${host}/child.plist`);
  await rig.event(`${folder}/child.plist`, 'deletion');
  mkdirSync(`${host}/deeper`);
  utimesSync(host, new Date(0), new Date(0));
  await rig.event(`${folder}/deeper`);
  await rig.quiet();
  expect(rig.actions(folder)).toEqual([]);
  chmodSync(host, 0o777);
  expect((await rig.event(folder)).doc.file).toMatchObject({ type: 'dir', mode: '0777' });
});

test('a second name for a file is a finding, and a change through the other name is found all the same', async () => {
  const outside = rig.write('/private/tmp/outside.plist', 'one');
  await rig.start({ limits: { settleMs: 10 } });
  linkSync(outside, rig.host(path));
  const event = await rig.event(path);
  expect(event.doc.launchwarden?.findings).toEqual(['hard-link']);
  await new Promise((resolve) => setTimeout(resolve, 50));
  writeFileSync(outside, 'two!');
  await expect.poll(() => rig.content(path), patient).toBe('two!');
  expect(rig.actions(path)).toEqual(['modification', 'modification']);
  // Whoever loads it at once must not be judged first.
  expect(rig.sink.late).toEqual([]);
});

test('also when the second name was given to a file that was there before, which wakes nobody', async () => {
  const host = rig.write(path, 'one');
  await rig.start({ limits: { settleMs: 10, rescanMs: 200 } });
  linkSync(host, rig.host('/Users/alice/outside'));
  await rig.event(path);
  await new Promise((resolve) => setTimeout(resolve, 50));
  writeFileSync(rig.host('/Users/alice/outside'), 'two!');
  await expect.poll(() => rig.content(path), patient).toBe('two!');
});

test('ids are the same when the same thing is seen by another run', async () => {
  rig.write(path, 'seen twice');
  const state = { remembered: [], completeThrough: 1 };
  await rig.start(state);
  await rig.stop();
  await rig.start(state);
  const ids = rig.eventsOf(path).map((event) => event.id);
  expect(ids).toHaveLength(2);
  expect(ids[0]).toBe(ids[1]);
});
