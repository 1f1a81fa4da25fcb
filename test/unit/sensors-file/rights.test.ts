import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  lstatSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { GroupLookup } from '../../../src/base/groups.js';
import { RootMap } from '../../../src/base/root.js';
import { fileReader } from '../../../src/sensors/endpoint-security/read-file.js';
import { hashLarge } from '../../../src/sensors/file-watch/reader.js';
import { Rights } from '../../../src/sensors/file-watch/rights.js';
import { lookAt } from '../../../src/sensors/file-watch/snapshot.js';
import { agents, patient, Rig } from './rig.js';

const [alice, bob, team] = [41_001, 41_002, 41_100];
const userAgents = '/Users/alice/Library/LaunchAgents';
const daemons = '/Library/LaunchDaemons';
const secret = '<plist><dict><key>Label</key><string>SECRET</string></dict></plist>';
const groups: GroupLookup = {
  of: (uid) => (uid === alice ? new Set([alice, team]) : uid === bob ? new Set([bob]) : undefined),
};

let rig: Rig;
beforeEach((context) => {
  if (process.geteuid?.() !== 0) context.skip('only root can make files of other users');
  rig = new Rig();
  for (const place of ['/Users/alice', '/Users/alice/Library', userAgents])
    chownSync(rig.folder(place), alice, alice);
  rig.folder(daemons);
});
afterEach(() => rig?.remove());

/** A file with an owner and a mode. */
function put(macPath: string, [uid, mode]: readonly [number, number], gid = uid): string {
  const host = rig.write(macPath, secret);
  chownSync(host, uid, gid);
  chmodSync(host, mode);
  return host;
}

/** A folder with an owner and a mode. */
function folder(macPath: string, [uid, mode]: readonly [number, number]): void {
  const host = rig.folder(macPath);
  chownSync(host, uid, uid);
  chmodSync(host, mode);
}

function link(to: string, at: string, uid: number): void {
  symlinkSync(to, rig.host(at));
  lchownSync(rig.host(at), uid, uid);
}

/** Whether the content behind a path may be read. */
function mayRead(
  macPath: string,
  rights = new Rights(new RootMap(rig.root), groups, 0),
): boolean | undefined {
  const passage = rights.follow(macPath);
  const seen = passage === undefined ? undefined : lookAt(passage.host);
  return passage === undefined || seen === undefined || seen === 'denied' ? undefined : passage.mayRead(seen);
}

describe('whose rights decide what is read', () => {
  const x = `${userAgents}/x.plist`;

  test.each<[what: string, make: () => void, at: string, allowed: boolean]>([
    ['her own file, closed to all others', () => put(x, [alice, 0o600]), x, true],
    ['her own file without any mode bit, which she can give back', () => put(x, [alice, 0]), x, true],
    ["root's file for all in her folder", () => put(x, [0, 0o644]), x, true],
    [
      "root's private file in her folder, the last name of what she linked",
      () => put(x, [0, 0o600]),
      x,
      false,
    ],
    ["another's private file in her folder", () => put(x, [bob, 0o600]), x, false],
    [
      'a link to a file for all',
      () => [put('/private/etc/hosts', [0, 0o644]), link('/etc/hosts', x, alice)],
      x,
      true,
    ],
    [
      'a link to a private file of root',
      () => [put('/private/etc/pw', [0, 0o600]), link('/etc/pw', x, alice)],
      x,
      false,
    ],
    [
      'a link to a private file of another',
      () => [put('/Users/bob/l', [bob, 0o600]), link('../../../bob/l', x, alice)],
      x,
      false,
    ],
    [
      'a link to a file for all in a folder that she may not enter',
      () => [
        folder('/Users/bob', [bob, 0o700]),
        put('/Users/bob/l', [bob, 0o644]),
        link('/Users/bob/l', x, alice),
      ],
      x,
      false,
    ],
    [
      'a link through a folder that she may enter and not list',
      () => [
        folder('/Users/bob', [bob, 0o711]),
        put('/Users/bob/l', [bob, 0o644]),
        link('/Users/bob/l', x, alice),
      ],
      x,
      true,
    ],
    [
      'a link to a file of her group',
      () => [put('/private/g', [0, 0o640], team), link('/private/g', x, alice)],
      x,
      true,
    ],
    [
      'a link to a file of a group that she is not in',
      () => [put('/private/g', [0, 0o640], bob), link('/private/g', x, alice)],
      x,
      false,
    ],
    [
      'a file for all but her group',
      () => [put('/private/g', [0, 0o604], team), link('/private/g', x, alice)],
      x,
      false,
    ],
    [
      'a link over a link of another, who may not read',
      () => [
        put('/Users/alice/letter', [alice, 0o600]),
        folder('/Users/bob', [bob, 0o755]),
        link('/Users/alice/letter', '/Users/bob/b', bob),
        link('/Users/bob/b', x, alice),
      ],
      x,
      false,
    ],
    [
      "root's own link in a system place",
      () => [put('/private/etc/pw', [0, 0o600]), link('/etc/pw', `${daemons}/r`, 0)],
      `${daemons}/r`,
      true,
    ],
    [
      "root's link to her file, which is a link to root's",
      () => [
        put('/private/etc/pw', [0, 0o600]),
        link('/etc/pw', '/Users/alice/mine', alice),
        link('/Users/alice/mine', `${daemons}/r`, 0),
      ],
      `${daemons}/r`,
      false,
    ],
    [
      'her link in a system place',
      () => [put('/private/etc/pw', [0, 0o600]), link('/etc/pw', `${daemons}/r`, alice)],
      `${daemons}/r`,
      false,
    ],
    ['a private file of root in a system place', () => put(`${daemons}/r`, [0, 0o600]), `${daemons}/r`, true],
    [
      "a second name of root's file in her folder",
      () => linkSync(put('/private/etc/pw', [0, 0o600]), rig.host(x)),
      x,
      false,
    ],
    [
      "a second name of root's file in a folder where everybody may write",
      () => [
        folder('/private/tmp', [0, 0o1777]),
        linkSync(put('/private/etc/pw', [0, 0o600]), rig.host('/private/tmp/y')),
      ],
      '/private/tmp/y',
      false,
    ],
    [
      'the only name of a private file there',
      () => [folder('/private/tmp', [0, 0o1777]), put('/private/tmp/y', [bob, 0o600])],
      '/private/tmp/y',
      true,
    ],
    [
      'a second name of her own file',
      () => linkSync(put('/Users/alice/z', [alice, 0o600]), rig.host(x)),
      x,
      true,
    ],
    ['a file of devices', () => [put('/dev/fd/9', [0, 0o644]), link('/dev/fd/9', x, alice)], x, false],
    ['a file by its number', () => [put('/.vol/1/2', [0, 0o644]), link('/.vol/1/2', x, alice)], x, false],
    [
      'the memory of a process',
      () => [put('/proc/self/maps', [0, 0o444]), link('/proc/self/maps', x, alice)],
      x,
      false,
    ],
  ])('%s', (_what, make, at, allowed) => {
    make();
    expect(mayRead(at)).toBe(allowed);
  });

  test('while her groups are not known, only what every member and everybody else may read', () => {
    const unknown = new Rights(new RootMap(rig.root), { of: () => undefined }, 0);
    put('/private/g', [0, 0o640], team);
    put('/private/h', [0, 0o644], team);
    put('/private/i', [0, 0o604], team);
    for (const name of ['g', 'h', 'i']) link(`/private/${name}`, `${userAgents}/${name}`, alice);
    expect(['g', 'h', 'i'].map((name) => mayRead(`${userAgents}/${name}`, unknown))).toEqual([
      false,
      true,
      false,
    ]);
  });

  test('an agent that runs as a user may read what the system lets it read of its own', () => {
    put('/private/etc/pw', [0, 0o600]);
    link('/etc/pw', x, alice);
    expect(mayRead(x, new Rights(new RootMap(rig.root), groups, alice))).toBe(true);
    expect(mayRead(x, new Rights(new RootMap(rig.root), groups, bob))).toBe(false);
  });
});

describe('what is opened is checked again', () => {
  const x = `${userAgents}/d/x.plist`;

  test('a folder on the way that has become a link by the time the file is opened', async () => {
    folder('/Users/alice/Library/LaunchAgents/d', [alice, 0o755]);
    folder('/Users/bob', [bob, 0o700]);
    const victim = put('/Users/bob/x.plist', [bob, 0o644]);
    put(x, [0, 0o644]);
    const passage = new Rights(new RootMap(rig.root), groups, 0).follow(x)!;
    renameSync(rig.host(`${userAgents}/d`), rig.host(`${userAgents}/e`));
    symlinkSync(rig.host('/Users/bob'), rig.host(`${userAgents}/d`));
    const seen = lookAt(victim);
    if (seen === undefined || seen === 'denied') throw new Error('no victim');
    // By the bits of the file alone everybody may read it.
    expect(passage.mayRead(seen)).toBe(true);
    const how = { maxBytes: 1_000, signal: new AbortController().signal };
    expect(await hashLarge({ hostPath: passage.host, seen, passage }, how)).toBeUndefined();
  });

  test('a file whose owner took it back after the look', async () => {
    folder('/Users/alice/Library/LaunchAgents/d', [alice, 0o755]);
    const host = put(x, [bob, 0o644]);
    const passage = new Rights(new RootMap(rig.root), groups, 0).follow(x)!;
    const seen = lookAt(host);
    if (seen === undefined || seen === 'denied') throw new Error('no file');
    const how = { maxBytes: 1_000, signal: new AbortController().signal };
    expect(await hashLarge({ hostPath: host, seen, passage }, how)).toMatch(/^[0-9a-f]{64}$/);
    chmodSync(host, 0o600);
    expect(await hashLarge({ hostPath: host, seen, passage }, how)).toBeUndefined();
  });
});

describe('the watcher', () => {
  /** All that was observed, as one text. */
  const everything = () =>
    rig.sink.observations
      .map(({ event, content }) => JSON.stringify(event.doc) + Buffer.from(content?.bytes ?? []).toString())
      .join('\n');

  test("a user's link to what he may not read: an event says where it leads, and nothing of what is there", async () => {
    put('/private/etc/pw', [0, 0o640]);
    await rig.start();
    link('/etc/pw', `${userAgents}/a.plist`, alice);
    linkSync(rig.host('/private/etc/pw'), rig.host(`${userAgents}/b.plist`));
    const a = (await rig.event(`${userAgents}/a.plist`)).doc;
    expect(a.launchwarden).toMatchObject({
      findings: ['symlink', 'content-withheld'],
      target: { type: 'file', mode: '0640', uid: '0', gid: '0' },
    });
    expect(a.file).toMatchObject({ target_path: '/private/etc/pw' });
    const b = (await rig.event(`${userAgents}/b.plist`)).doc;
    expect(b.launchwarden?.findings).toEqual(['hard-link', 'content-withheld']);
    for (const { file } of [a, b]) expect([file?.hash, file?.Ext]).toEqual([undefined, undefined]);
    expect(everything()).not.toContain('SECRET');
  });

  test('a home that is given to its user after it was entered', async () => {
    await rig.start();
    for (const place of ['/Users/carol', '/Users/carol/Library', '/Users/carol/Library/LaunchAgents'])
      rig.folder(place);
    put('/Users/carol/Library/LaunchAgents/first.plist', [0, 0o600]);
    await rig.event('/Users/carol/Library/LaunchAgents/first.plist');
    for (const place of ['/Users/carol', '/Users/carol/Library', '/Users/carol/Library/LaunchAgents'])
      chownSync(rig.host(place), alice, alice);
    await new Promise((resolve) => setTimeout(resolve, 150));
    rig.write('/private/etc/pw', 'LATER');
    chmodSync(rig.host('/private/etc/pw'), 0o600);
    linkSync(rig.host('/private/etc/pw'), rig.host('/Users/carol/Library/LaunchAgents/second.plist'));
    const { doc } = await rig.event('/Users/carol/Library/LaunchAgents/second.plist');
    expect(doc.launchwarden?.findings).toEqual(['hard-link', 'content-withheld']);
    expect(everything()).not.toContain('LATER');
  });

  test("a user's folder that is a link to a folder which he may not list: what is there stays there, and it is a gap", async () => {
    folder('/Users/bob', [bob, 0o755]);
    folder('/Users/bob/Private', [bob, 0o711]);
    put('/Users/bob/Private/diary.plist', [bob, 0o644]);
    await rig.start();
    rmSync(rig.host(userAgents), { recursive: true });
    link('/Users/bob/Private', userAgents, alice);
    const { doc } = await rig.event(userAgents);
    expect(doc.launchwarden).toMatchObject({
      findings: ['symlink', 'content-withheld'],
      target: { type: 'dir', mode: '0711', uid: String(bob) },
    });
    await expect.poll(() => rig.sink.gaps.map(({ reason }) => reason), patient).toContain('permission');
    expect(rig.sensor?.health().blind).toMatchObject([
      { place: userAgents, reason: expect.stringContaining('leads to /Users/bob/Private') },
    ]);
    await rig.quiet();
    expect(everything()).not.toContain('diary');
  });

  test("a user's folder that is a link to a folder which he may list is followed", async () => {
    folder('/Users/bob', [bob, 0o755]);
    folder('/Users/bob/Public', [bob, 0o755]);
    await rig.start();
    rmSync(rig.host(userAgents), { recursive: true });
    link('/Users/bob/Public', userAgents, alice);
    put('/Users/bob/Public/open.plist', [bob, 0o644]);
    put('/Users/bob/Public/closed.plist', [bob, 0o600]);
    await rig.event(`${userAgents}/open.plist`);
    await rig.event(`${userAgents}/closed.plist`);
    await expect.poll(() => rig.content(`${userAgents}/open.plist`), patient).toBe(secret);
    expect(rig.content(`${userAgents}/closed.plist`)).toBeUndefined();
  });

  test('a large private file of another is not hashed either', async () => {
    const sensor = await rig.start({ limits: { maxContent: 16 } });
    linkSync(put('/private/etc/pw', [0, 0o600]), rig.host(`${userAgents}/b.plist`));
    await rig.event(`${userAgents}/b.plist`);
    put(`${userAgents}/own.plist`, [alice, 0o600]);
    // Files are hashed one after the other.
    await expect
      .poll(
        () =>
          rig.sink.observations.findLast(({ event }) => event.doc.file?.path === `${userAgents}/own.plist`)
            ?.event.doc.file?.hash,
        patient,
      )
      .toBeDefined();
    expect(rig.eventsOf(`${userAgents}/b.plist`).some(({ doc }) => doc.file?.hash !== undefined)).toBe(false);
    expect(sensor.health().counters['hash_skipped']).toBe(0);
  });
});

test('what a message of EndpointSecurity names is read by the same rights', () => {
  put(`${userAgents}/x.plist`, [bob, 0o600]);
  put(`${userAgents}/y.plist`, [alice, 0o600]);
  put(`${agents}/z.plist`, [0, 0o600]);
  const read = fileReader(new RootMap(rig.root));
  expect(read({ path: `${userAgents}/x.plist` })).toMatchObject({ withheld: true });
  expect(read({ path: `${userAgents}/x.plist` }).content).toBeUndefined();
  for (const own of [`${userAgents}/y.plist`, `${agents}/z.plist`])
    expect(Buffer.from(read({ path: own }).content?.bytes ?? []).toString()).toBe(secret);
  expect(lstatSync(rig.host(`${agents}/z.plist`)).uid).toBe(0);
});
