import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { fc } from '../../helpers/property.js';
import { waitFor } from '../../simulation/mac.js';
import { agents, plugIns, Rig } from './rig.js';

const folders = [
  agents,
  plugIns,
  `${plugIns}/a.dsplug`,
  `${plugIns}/a.dsplug/b`,
  '/Users/alice/Library/LaunchAgents',
  '/Users/bob',
];
const names = ['x.plist', 'y.plist', 'a.dsplug', 'b', 'Library', 'LaunchAgents'];
const place = fc
  .tuple(fc.constantFrom(...folders), fc.constantFrom(...names))
  .map(([folder, name]) => `${folder}/${name}`);

type Step = (root: string) => void;
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(place, fc.string({ maxLength: 20 })).map(
    ([to, text]): Step =>
      (root) => {
        mkdirSync(path.dirname(root + to), { recursive: true });
        writeFileSync(root + to, text);
      },
  ),
  place.map(
    (to): Step =>
      (root) =>
        mkdirSync(root + to, { recursive: true }),
  ),
  place.map(
    (at): Step =>
      (root) =>
        rmSync(root + at, { recursive: true, force: true }),
  ),
  fc.constantFrom(...folders).map(
    (at): Step =>
      (root) =>
        rmSync(root + at, { recursive: true, force: true }),
  ),
  fc.tuple(place, place).map(
    ([from, to]): Step =>
      (root) =>
        renameSync(root + from, root + to),
  ),
  fc.tuple(fc.constantFrom(...folders), place).map(
    ([target, at]): Step =>
      (root) =>
        symlinkSync(target, root + at),
  ),
);

/** Every path on disk that is watched as an item, links within the trees not followed. */
function onDisk(root: string): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (at: string) => {
    const stat = lstatSync(root + at, { throwIfNoEntry: false, bigint: true });
    if (stat === undefined) return;
    found.set(at, String(stat.ino));
    if (stat.isDirectory()) for (const name of readdirSync(root + at)) walk(`${at}/${name}`);
  };
  const users = lstatSync(`${root}/Users`, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(`${root}/Users`)
    : [];
  for (const begin of [agents, plugIns]) walk(begin);
  for (const user of users) {
    const library = lstatSync(`${root}/Users/${user}/Library`, { throwIfNoEntry: false });
    if (library?.isDirectory()) walk(`/Users/${user}/Library/LaunchAgents`);
  }
  return found;
}

const behindLinks = (rig: Rig, at: string) => {
  for (let folder = path.dirname(at); folder !== '/'; folder = path.dirname(folder))
    if (lstatSync(rig.host(folder), { throwIfNoEntry: false })?.isSymbolicLink()) return true;
  return false;
};

test('whatever happens, in whatever order and however fast: what is known in the end is what is there', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 6 }),
      async (bursts) => {
        const rig = new Rig();
        try {
          const sensor = await rig.start();
          for (const burst of bursts) {
            for (const run of burst) {
              try {
                run(rig.root);
              } catch {
                // Such a step is not possible now: nothing happened.
              }
            }
            await new Promise((resolve) => setTimeout(resolve, burst.length));
          }
          const expected = [...onDisk(rig.root)].sort().join('\n');
          const known = (items: Iterable<{ path: string; inode: string }>) =>
            [...items]
              .filter((item) => !behindLinks(rig, item.path))
              .map((item) => [item.path, item.inode])
              .sort()
              .join('\n');
          await waitFor(
            'the snapshot to be what is there',
            () => (known(sensor.snapshot()) === expected ? true : undefined),
            15_000,
          ).catch(() => expect(known(sensor.snapshot())).toBe(expected));
          await rig.quiet();
          expect(known(rig.items.values())).toBe(expected);
          const told = new Set(rig.sink.events.map((event) => event.doc.file?.path));
          for (const item of rig.items.values())
            if (item.path !== agents && item.path !== plugIns) expect(told).toContain(item.path);
          const ids = rig.sink.events.map((event) => event.id);
          expect(new Set(ids).size).toBe(ids.length);
          expect(sensor.health().counters).toMatchObject({ failed_looks: 0, missed: 0 });
        } finally {
          await rig.remove();
        }
      },
    ),
    { numRuns: 40, interruptAfterTimeLimit: 60_000 },
  );
}, 90_000);
