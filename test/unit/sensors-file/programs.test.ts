import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
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

function look(): void {
  clock.pass(5_000);
  watch.tick();
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

test('a program that is written to is an event that names the items which run it', () => {
  watch.follow(item);
  look();
  expect(seen).toEqual([]);
  write(program, 'evil, and longer');
  look();
  expect(seen).toHaveLength(1);
  expect(seen[0]?.event.doc).toMatchObject({
    event: { category: ['file'], type: ['change'], action: 'modification' },
    file: { path: program, size: 16 },
    launchwarden: { program: { of: [item.path], labels: item.labels } },
  });
  look();
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
])('so is %s', (_, change) => {
  watch.follow(item);
  look();
  change();
  look();
  expect(paths()).toContain(program);
});

test('a link is followed, and a program that comes where there was none is one', () => {
  const link = '/usr/local/bin/link';
  symlinkSync('helper', host(link));
  watch.follow({ ...item, runs: [link, '/usr/local/bin/none'] });
  look();
  write(program, 'evil, and longer');
  write('/usr/local/bin/none', 'planted');
  look();
  expect(paths()).toEqual([link, '/usr/local/bin/none']);
});

test('what is gone, what an item no longer runs, and what the system seals is none', () => {
  write('/usr/local/bin/gone', 'x');
  watch.follow({ ...item, runs: [program, '/usr/local/bin/gone', '/bin/sh', 'relative'] });
  expect(watch.counters.programs).toBe(2);
  look();
  rmSync(host('/usr/local/bin/gone'));
  watch.follow({ ...item, runs: ['/usr/local/bin/gone'] });
  write(program, 'another one');
  look();
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

test('of a daemon, one that others than root may write says so', () => {
  watch.follow(item);
  watch.follow({ path: '/Users/alice/Library/LaunchAgents/y.plist', labels: [], runs: ['/opt/y'] });
  write('/opt/y', 'x');
  chmodSync(host('/opt/y'), 0o777);
  chmodSync(host(program), 0o777);
  look();
  const found = new Map(seen.map(({ event: { doc } }) => [doc.file?.path, doc.launchwarden?.findings]));
  expect(found.get(program)).toEqual(['daemon-program-not-root']);
  expect(found.get('/opt/y')).toBeUndefined();
});
