import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RootMap } from '../../../src/base/root.js';
import type { Observation } from '../../../src/event/event.js';
import { ProgramWatch } from '../../../src/sensors/file-watch/index.js';
import { ManualClock } from '../../helpers/manual-clock.js';

let folder: string;
let clock: ManualClock;
let seen: Observation[];
let watch: ProgramWatch;

const program = '/usr/local/bin/helper';
const item = { path: '/Library/LaunchDaemons/x.plist', labels: ['com.example.x'], runs: [program] };
const host = (macPath: string) => path.join(folder, macPath);
const paths = () => seen.map(({ event }) => event.doc.file?.path);

function write(macPath: string, text: string): void {
  mkdirSync(path.dirname(host(macPath)), { recursive: true });
  writeFileSync(host(macPath), text);
}

async function look(): Promise<void> {
  clock.pass(5_000);
  watch.tick();
  await watch.compared();
}

beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'launchwarden-programs-')));
  clock = new ManualClock();
  seen = [];
  watch = new ProgramWatch({
    root: new RootMap(folder),
    clock,
    boot: 'boot',
    observe: (one) => seen.push(one),
  });
  write(program, 'good');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a program that is written to is an event that names the items which run it', async () => {
  watch.follow(item);
  await look();
  expect(seen).toEqual([]);
  write(program, 'evil, and longer');
  await look();
  expect(seen).toHaveLength(1);
  expect(seen[0]?.event.doc).toMatchObject({
    event: { category: ['file'], type: ['change'], action: 'modification' },
    file: { path: program, size: 16 },
    launchwarden: { program: { of: [item.path], labels: item.labels } },
  });
  await look();
  expect(seen).toHaveLength(1);
});

test.each<[string, () => void]>([
  [
    'another file renamed over it',
    () => {
      write('/private/tmp/other', 'evil');
      renameSync(host('/private/tmp/other'), host(program));
    },
  ],
  [
    'the same size and the old date',
    () => {
      utimesSync(host(program), 1, 1);
      watch.tick();
      writeFileSync(host(program), 'evil');
      utimesSync(host(program), 1, 1);
    },
  ],
  ['its mode alone', () => chmodSync(host(program), 0o777)],
])('so is %s', async (_, change) => {
  watch.follow(item);
  await look();
  change();
  await look();
  expect(paths()).toContain(program);
});

test('a link is followed, and a program that comes where there was none is one', async () => {
  const link = '/usr/local/bin/link';
  symlinkSync('helper', host(link));
  watch.follow({ ...item, runs: [link, '/usr/local/bin/none'] });
  await look();
  write(program, 'evil, and longer');
  write('/usr/local/bin/none', 'planted');
  await look();
  expect(paths()).toEqual([link, '/usr/local/bin/none']);
});

test('what is gone, what an item no longer runs, and what the system seals is none', async () => {
  write('/usr/local/bin/gone', 'x');
  watch.follow({ ...item, runs: [program, '/usr/local/bin/gone', '/bin/sh', 'relative'] });
  expect(watch.counters.programs).toBe(2);
  await look();
  rmSync(host('/usr/local/bin/gone'));
  watch.follow({ ...item, runs: ['/usr/local/bin/gone'] });
  write(program, 'another one');
  await look();
  expect(seen).toEqual([]);
  watch.forget(item.path);
  expect(watch.counters.programs).toBe(0);
});

test('of too many programs the rest is counted', () => {
  for (let index = 0; index < 3_000; index++)
    watch.follow({ path: `/Library/LaunchDaemons/${index}.plist`, labels: [], runs: [`/opt/${index}`] });
  expect(watch.counters).toMatchObject({ programs: 2_048, programs_beyond: 952 });
});

test('one that an earlier run knew otherwise is an event that says so', () => {
  watch.follow(item);
  watch.changedWhileAway(program, clock.now() - 60_000_000);
  expect(seen[0]?.event.doc).toMatchObject({
    file: { path: program },
    launchwarden: { findings: ['changed-while-away'], program: { of: [item.path] } },
  });
  watch.changedWhileAway('/opt/nobody', clock.now());
  expect(seen).toHaveLength(1);
});

test('of a daemon, one that others than root may write says so', async () => {
  watch.follow(item);
  watch.follow({ path: '/Users/alice/Library/LaunchAgents/y.plist', labels: [], runs: ['/opt/y'] });
  write('/opt/y', 'x');
  chmodSync(host('/opt/y'), 0o777);
  chmodSync(host(program), 0o777);
  await look();
  const found = new Map(seen.map(({ event: { doc } }) => [doc.file?.path, doc.launchwarden?.findings]));
  expect(found.get(program)).toEqual(['owner-or-mode-changed', 'daemon-program-not-root']);
  expect(found.get('/opt/y')).toBeUndefined();
});

test.each([
  ['its hash is known', true],
  ['its hash is not known', false],
])('one whose mode alone changed is not told as exchanged where %s', async (_, known) => {
  const sha256 = createHash('sha256').update('good').digest('hex');
  watch.follow(known ? { ...item, hashes: { [program]: sha256 } } : item);
  await look();
  chmodSync(host(program), 0o700);
  await look();
  expect(seen[0]?.event.doc.launchwarden?.findings).toContain('owner-or-mode-changed');
  // With its mode it may be exchanged: that is what is told then.
  write(program, 'evil');
  chmodSync(host(program), 0o755);
  await look();
  expect(seen).toHaveLength(2);
  expect(seen[1]?.event.doc.launchwarden?.findings ?? []).not.toContain('owner-or-mode-changed');
});

test('the same bytes written anew are none where it is known what it held; others are', async () => {
  const sha256 = createHash('sha256').update('good').digest('hex');
  watch.follow({ ...item, hashes: { [program]: sha256 } });
  await look();
  rmSync(host(program));
  write(program, 'good');
  await look();
  expect(seen).toEqual([]);
  rmSync(host(program));
  write(program, 'evil');
  await look();
  expect(seen).toHaveLength(1);
  expect(seen[0]?.event.doc.file?.inode).toBe(String(statSync(host(program)).ino));
});

test('a hash that is told after the first look does not count', async () => {
  watch.follow(item);
  await look();
  write(program, 'evil, and longer');
  watch.follow({
    ...item,
    hashes: { [program]: createHash('sha256').update('evil, and longer').digest('hex') },
  });
  await look();
  expect(seen).toHaveLength(1);
});
