import { chmodSync, mkdirSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Event } from '../../../src/event/event.js';
import { agents, Rig } from './rig.js';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig.remove());

const path = `${agents}/x.plist`;
const findings = (event: Event) => event.doc.launchwarden?.findings ?? [];

/** The findings that stand on the newest state of the path's event. */
const latest = (macPath: string) =>
  findings(rig.sink.observations.filter(({ event }) => event.doc.file?.path === macPath).at(-1)!.event);

test('a new content under the date of before is said, whether in place or by a rename over it', async () => {
  rig.write(path, 'old');
  utimesSync(rig.host(path), 1_700_000_000, 1_700_000_000);
  await rig.start();
  writeFileSync(rig.host(path), 'new and longer');
  utimesSync(rig.host(path), 1_700_000_000, 1_700_000_000);
  await rig.event(path);
  await expect.poll(() => latest(path)).toContain('time-set-back');

  rig.write('/private/tmp/next', 'and longer once more');
  utimesSync(rig.host('/private/tmp/next'), 1_700_000_000, 1_700_000_000);
  const inode = String(statSync(rig.host('/private/tmp/next')).ino);
  renameSync(rig.host('/private/tmp/next'), rig.host(path));
  await expect
    .poll(() => rig.sink.observations.map(({ event }) => event).find(({ doc }) => doc.file?.inode === inode))
    .toBeDefined();
  expect(latest(path)).toContain('time-set-back');
});

test('a rewrite with a date of its own, an older file in its place and a new file with an old date are not', async () => {
  rig.write(path, 'old');
  await rig.start();
  writeFileSync(rig.host(path), 'new and longer');
  await rig.event(path);
  expect(latest(path)).not.toContain('time-set-back');

  const copied = `${agents}/copied.plist`;
  rig.write('/private/tmp/copied', 'x');
  utimesSync(rig.host('/private/tmp/copied'), 1_600_000_000, 1_600_000_000);
  renameSync(rig.host('/private/tmp/copied'), rig.host(copied));
  expect(findings(await rig.event(copied))).not.toContain('time-set-back');
});

test('a list that launchd refused and takes after a change of its mode alone is said', async () => {
  rig.write(path);
  chmodSync(rig.host(path), 0o666);
  await rig.start();
  chmodSync(rig.host(path), 0o644);
  expect(findings(await rig.event(path))).toContain('made-loadable');
});

test('another folder in the place of a launch folder is said', async () => {
  mkdirSync(rig.host(agents), { recursive: true });
  await rig.start();
  mkdirSync(rig.host('/private/tmp/other'), { recursive: true });
  renameSync(rig.host(agents), rig.host('/private/tmp/gone'));
  renameSync(rig.host('/private/tmp/other'), rig.host(agents));
  expect(findings(await rig.event(agents))).toContain('folder-replaced');
});
