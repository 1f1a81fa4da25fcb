import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { Plan } from '../../../src/respond/index.js';
import { loadAddon } from '../../../src/sensors/addon/index.js';
import { fuzzRuns } from '../../helpers/fuzz-runs.js';
import { fc } from '../../helpers/property.js';
import { noAddon, type RespondPlace, respondPlace } from '../../helpers/respond-place.js';

// Real processes and a real disk, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 120_000 });

const isRoot = process.geteuid?.() === 0;
const loaded = loadAddon();
const calls = loaded.state === 'loaded' ? loaded.addon.fileCalls : undefined;

function quarantine(macPath: string, expectation: { ino?: string; sha256?: string } = {}): Plan {
  const step = { kind: 'quarantine', path: macPath, expect: expectation } as const;
  return { verb: 'quarantine', about: macPath, steps: [step], watch: [], remarks: [] };
}

/** Everything that a file system tells of an object and of what is in it, but its change time. Moves no time itself. */
function picture(file: string): unknown {
  const facts = lstatSync(file, { bigint: true });
  const { mode, uid, gid, size, atimeNs, mtimeNs, nlink } = facts;
  const common = { mode, uid, gid, mtimeNs, atimeNs };
  if (facts.isSymbolicLink()) {
    const link = readlinkSync(file);
    lutimesSync(file, linkTimes[0], linkTimes[1]);
    return { ...common, link };
  }
  const fd = openSync(file, 'r');
  const before = calls!.statOf(fd);
  const xattrs = calls!
    .attributes(fd)
    .map(({ name, value }) => [name, value.toString('hex')])
    .sort();
  const entries = facts.isDirectory()
    ? readdirSync(file)
        .sort()
        .map((name) => [name, picture(path.join(file, name))])
    : undefined;
  calls!.setFacts(fd, before);
  closeSync(fd);
  return entries === undefined ? { ...common, size, nlink, xattrs } : { ...common, xattrs, entries };
}

function bytesOf(file: string): unknown {
  if (lstatSync(file).isSymbolicLink()) return readlinkSync(file);
  if (!lstatSync(file).isDirectory()) return readFileSync(file).toString('hex');
  return readdirSync(file)
    .sort()
    .map((name) => [name, bytesOf(path.join(file, name))]);
}

interface Made {
  readonly bytes: Uint8Array;
  readonly mode: number;
  readonly owner: number;
  readonly seconds: number;
  readonly xattrs: readonly (readonly [string, Uint8Array])[];
}

/** Of links: seconds, so that they can be set as they were. */
const linkTimes = [1_000, 2_000] as const;

const made: fc.Arbitrary<Made> = fc.record({
  bytes: fc.uint8Array({ maxLength: 5_000 }),
  mode: fc.constantFrom(0o644, 0o600, 0o755, 0o4755, 0o400, 0o000, 0o666, 0o2710),
  owner: fc.integer({ min: 0, max: 70_000 }),
  seconds: fc.double({ min: 1, max: 2_000_000_000, noNaN: true }),
  xattrs: fc.uniqueArray(
    fc.tuple(
      fc.constantFrom(
        'user.com.apple.quarantine',
        'user.com.apple.metadata:kMDItemWhereFroms',
        'user.x',
        'user.é',
      ),
      fc.uint8Array({ maxLength: 300 }),
    ),
    { selector: ([name]) => name, maxLength: 4 },
  ),
});

function dress(file: string, { mode, owner, seconds, xattrs }: Made): void {
  const fd = openSync(file, 'r');
  for (const [name, value] of xattrs) calls?.setAttribute(fd, name, Buffer.from(value));
  closeSync(fd);
  if (isRoot) chownSync(file, owner, owner % 1000);
  chmodSync(file, mode);
  utimesSync(file, seconds / 2, seconds);
}

type Kind = 'file' | 'symlink' | 'bundle';

/** A file, a link, or a bundle with files, folders and links in it. */
function make(file: string, kind: Kind, parts: readonly Made[]): void {
  const [first] = parts as [Made];
  if (kind === 'symlink') symlinkSync('/somewhere/else', file);
  else if (kind === 'file') writeFileSync(file, first.bytes);
  else {
    mkdirSync(path.join(file, 'Contents/MacOS'), { recursive: true });
    for (const [index, part] of parts.entries()) writeFileSync(placeOf(file, index), part.bytes);
    symlinkSync('/somewhere/else', path.join(file, 'link'));
  }
}

const placeOf = (file: string, index: number) =>
  path.join(file, 'Contents', index % 2 === 0 ? 'MacOS' : '', `f${index}`);

function dressAll(file: string, kind: Kind, parts: readonly Made[]): void {
  const [first] = parts as [Made];
  if (kind === 'file') dress(file, first);
  if (kind === 'symlink') lutimesSync(file, linkTimes[0], linkTimes[1]);
  if (kind !== 'bundle') return;
  for (const [index, part] of parts.entries()) dress(placeOf(file, index), part);
  lutimesSync(path.join(file, 'link'), linkTimes[0], linkTimes[1]);
  for (const folder of ['Contents/MacOS', 'Contents', ''])
    dress(path.join(file, folder), { ...first, mode: 0o755 });
}

async function andBack(place: RespondPlace, kind: Kind, parts: readonly Made[]): Promise<void> {
  const macPath = '/Users/alice/Library/LaunchAgents/com.example.x.plist';
  const file = place.host(macPath);
  rmSync(file, { recursive: true, force: true });
  make(file, kind, parts);
  const content = bytesOf(file);
  dressAll(file, kind, parts);
  const before = picture(file);
  const response = await place.engine.run(quarantine(macPath), { author: 'tester' });
  expect(response.records[0]).toMatchObject({ state: 'done' });
  expect(lstatSync(file, { throwIfNoEntry: false })).toBeUndefined();
  const undone = await place.engine.undo(response, { author: 'tester' });
  expect(undone.state).toBe('undone');
  expect(picture(file)).toEqual(before);
  expect(bytesOf(file)).toEqual(content);
  expect(readdirSync(path.dirname(file))).toEqual([path.basename(file)]);
}

describe.skipIf(noAddon !== undefined)('quarantine', () => {
  const kinds = fc.constantFrom('file' as const, 'symlink' as const, 'bundle' as const);

  test('property: and back leaves bytes, owner, mode, times and extended attributes as they were', async () => {
    const place = respondPlace();
    await fc.assert(
      fc.asyncProperty(kinds, fc.array(made, { minLength: 1, maxLength: 5 }), (kind, parts) =>
        andBack(place, kind, parts),
      ),
      { numRuns: fuzzRuns(60) },
    );
  });

  test.skipIf(!existsSync('/dev/shm'))('property: the same with a quarantine on another volume', async () => {
    const place = respondPlace({ dataIn: '/dev/shm' });
    expect(lstatSync(place.dataDir).dev).not.toBe(lstatSync(place.root).dev);
    await fc.assert(
      fc.asyncProperty(kinds, fc.array(made, { minLength: 1, maxLength: 5 }), (kind, parts) =>
        andBack(place, kind, parts),
      ),
      { numRuns: fuzzRuns(40) },
    );
  });
});
