import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { sha256Hex } from '../../../src/base/digest.js';
import { manifestOf, type SeenState, type Version } from '../../../src/store/index.js';
import { context, detection, fileEvent, standingClock, start, temporaryStore } from './samples.js';

const item = 'a'.repeat(32);

function state(path: string, more: Partial<SeenState> = {}): SeenState {
  return {
    path,
    kind: 'list',
    type: 'file',
    size: 3,
    mode: 0o644,
    uid: 501,
    gid: 20,
    mtime: 1_700_000_000_123_456_789n,
    ctime: 1_700_000_001_000_000_000n,
    ...more,
  };
}

const of = [{ itemId: item, role: 'item' }] as const;

/** Everything but what the store adds. */
function stateOf({ id: _, time: __, lastSeen: ___, gone: ____, kept: _____, ...rest }: Version): object {
  return rest;
}

/** A generator of numbers that a seed decides (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let at = seed;
  return (below) => {
    at = (at + 0x6d2b79f5) | 0;
    let mixed = Math.imul(at ^ (at >>> 15), 1 | at);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

test('versions keep bytes, owner, mode, times and attributes exactly', () => {
  const store = temporaryStore();
  const next = numbers(7);
  for (let round = 0; round < 200; round++) {
    const bytes = new Uint8Array(randomBytes(next(2_000)));
    const sha256 = sha256Hex(bytes);
    const path = `/Users/u/Library/LaunchAgents/${round % 9}\u202e\n"'<b>.plist`;
    const given = state(path, {
      sha256,
      size: bytes.length,
      mode: next(0o10000),
      uid: next(2 ** 31),
      gid: next(2 ** 31),
      birth: BigInt(next(2 ** 31)) * 1_000_000_007n,
      mtime: BigInt(next(2 ** 31)) * -1_000_000_007n,
      ctime: 2n ** 62n + BigInt(round),
      xattrs: Array.from({ length: next(3) }, (_, n) => {
        const value = new Uint8Array(randomBytes(next(300)));
        return { name: `com.apple.${n}`, value, size: value.length };
      }),
    });
    store.evidence.put(sha256, { bytes, size: bytes.length, truncated: false }, { path });
    const [version] = store.versions.record([{ state: given, of }], start + round);
    expect(stateOf(version!)).toEqual(given);
    expect(store.versions.newest(path)).toEqual(version);
    const read = store.evidence.read(sha256);
    expect(read.state === 'kept' && Buffer.compare(read.content.bytes, bytes)).toBe(0);
  }
});

test('a state that is seen again is no new version, and a path has its history', () => {
  const { versions } = temporaryStore();
  const path = '/Library/LaunchDaemons/a.plist';
  const [first] = versions.record([{ state: state(path, { sha256: 'aa' }), of }], start);
  expect(versions.record([{ state: state(path, { sha256: 'aa', ctime: 5n }), of }], start + 1)).toEqual([]);
  const [second] = versions.record([{ state: state(path, { sha256: 'bb' }), of }], start + 2);
  const [third] = versions.record([{ state: state(path, { sha256: 'bb', mode: 0o600 }), of }], start + 3);
  expect(versions.ofPath(path).map(({ id, time, lastSeen }) => [id, time, lastSeen])).toEqual([
    [third?.id, start + 3, start + 3],
    [second?.id, start + 2, start + 2],
    [first?.id, start, start + 1],
  ]);
  expect(versions.before(third!)?.id).toBe(first?.id);
  expect(versions.ofPath(path, { until: start + 1 }).map(({ id }) => id)).toEqual([first?.id]);
  versions.record(
    [{ state: state('/opt/run', { kind: 'program' }), of: [{ itemId: item, role: 'runs' }] }],
    9,
  );
  expect(versions.ofItem(item).map((one) => one.path)).toEqual(['/opt/run', path, path, path]);
  expect(versions.itemsOf('/opt/run')).toEqual([{ itemId: item, path: '/opt/run', role: 'runs' }]);
  versions.gone(path, start + 9);
  expect(versions.newest(path)?.gone).toBe(start + 9);
  versions.record([{ state: state(path, { sha256: 'bb', mode: 0o600 }), of }], start + 10);
  expect(versions.newest(path)?.gone).toBeUndefined();
});

test('of one path so many versions are kept, the first one among them', () => {
  const { versions } = temporaryStore();
  for (let n = 0; n < 200; n++) versions.record([{ state: state('/p', { sha256: `h${n}` }), of }], start + n);
  const hashes = versions.ofPath('/p').map(({ sha256 }) => sha256);
  expect(hashes).toHaveLength(64);
  expect([hashes[0], hashes.at(-1)]).toEqual(['h199', 'h0']);
});

test('what is held or an open alert speaks of stays, whatever else comes', () => {
  const clock = standingClock();
  const store = temporaryStore({ clock, evidenceBytes: 20_000 });
  const put = (bytes: Uint8Array, owner?: string) => {
    clock.time += 1000;
    const sha256 = sha256Hex(bytes);
    const content = { bytes, size: bytes.length, truncated: false };
    store.evidence.put(sha256, content, owner === undefined ? {} : { owner });
    return sha256;
  };
  const held = put(new Uint8Array(3000), 'u');
  store.evidence.hold(held, 'undo:1');
  for (let n = 0; n < 300; n++) {
    const sha256 = put(new Uint8Array(randomBytes(1000)), 'u');
    if (n % 3 === 0) store.evidence.pin(sha256, 99);
    store.tend();
    expect(store.evidence.read(held).state).toBe('kept');
  }
  expect(store.evidence.holders(held)).toEqual(['undo:1']);
  store.evidence.release('undo:1');
  for (let n = 0; n < 60; n++) store.evidence.pin(put(new Uint8Array(randomBytes(1000)), 'u'), 99);
  store.tend();
  expect(store.evidence.read(held)).toEqual({ state: 'missing' });
});

test('a manifest that is none is none', () => {
  expect(manifestOf(Buffer.from('{"version":1,"files":[]}'))).toEqual({ version: 1, files: [] });
  for (const text of ['', 'null', '[]', '{}', '\u0000'])
    expect(manifestOf(Buffer.from(text))).toBeUndefined();
});

test('what an open alert speaks of stays, with the version before it; once it is closed it goes like the rest', () => {
  const clock = standingClock();
  const store = temporaryStore({ clock, evidenceBytes: 40_000 });
  const put = (bytes: Uint8Array, path: string) => {
    clock.time += 1_000_000;
    const sha256 = sha256Hex(bytes);
    store.evidence.put(sha256, { bytes, size: bytes.length, truncated: false }, { path, owner: 'u' });
    store.versions.record([{ state: state(path, { sha256, size: bytes.length }), of }], clock.time);
    return sha256;
  };
  const path = '/Users/u/Library/LaunchAgents/a.plist';
  const before = put(new Uint8Array(1000).fill(1), path);
  const named = put(new Uint8Array(1000).fill(2), path);
  const event = fileEvent('a', { path, hash: { sha256: named } });
  event.doc.launchwarden = {
    persistence: { item_id: item, path, mechanism: 'launch-agent', techniques: [] },
  };
  const { alert } = store.alerts.upsert(detection('a', { events: [event], candidates: [] }), context, []);
  expect(alert.item).toBe(item);
  const later = put(new Uint8Array(1000).fill(3), path);
  const flood = (score: number) => {
    for (let n = 0; n < 60; n++) {
      const sha256 = sha256Hex(randomBytes(8));
      store.evidence.put(
        sha256,
        { bytes: new Uint8Array(1000), size: 1000, truncated: false },
        { owner: 'u' },
      );
      store.evidence.pin(sha256, score);
      store.tend();
    }
  };
  const kept = () => [before, named, later].filter((one) => store.evidence.read(one).state === 'kept');
  flood(99);
  expect(kept()).toEqual([before, named, later]);
  store.alerts.changeAll([alert.id], { action: 'closed', author: 'me', text: '' }, []);
  flood(99);
  expect(kept()).toEqual([]);
});
