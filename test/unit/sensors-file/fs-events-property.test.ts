import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { fuzzRuns } from '../../helpers/fuzz-runs.js';
import { mulberry32 } from '../../helpers/mulberry32.js';
import { fsFlags } from '../../native/fs-double.js';
import { addon, settled, watching } from './fs-rig.js';
import { agents, plugIns } from './rig.js';

/** Half of what `npm run fuzz` asks for: each of them writes real files. */
const runs = Math.ceil(fuzzRuns(200) / 2);
/** Side by side: what takes long is waiting for what the watcher gathers before it reports it. */
const watchers = 8;

/**
 * Writes, new folders, deletions, renames and losses in a random order, the events of some of them withheld until a
 * loss is reported: every write is an event, or lies in a gap.
 */
test.skipIf(addon === undefined)(`${runs} random schedules lose nothing unsaid`, { timeout: 3_600_000 }, () =>
  Promise.all(Array.from({ length: watchers }, (_, index) => play(index))),
);

/** Plays this watcher's share of the schedules. */
async function play(index: number): Promise<void> {
  const { rig, deliver, start } = await watching();
  await start();
  const random = mulberry32(20_261_129 + index);
  const losing = [fsFlags.mustScanSubDirs, fsFlags.userDropped, fsFlags.kernelDropped];
  for (let round = index; round < runs; round += watchers) {
    const written = new Map<string, number>();
    let withheld = false;
    const tell = (macPath: string, flags: number) => {
      // What is dropped is followed by nothing until the loss is reported.
      withheld ||= random() < 0.3;
      if (!withheld) deliver(rig.host(macPath), flags);
    };
    const agentsInHome = `/Users/u${round % 7}-${round}/Library/LaunchAgents`;
    const inBundle = `${plugIns}/b${round}.dsplug/Contents`;
    const places = [agents, agentsInHome, inBundle];
    const steps = 2 + Math.floor(random() * 6);
    for (let step = 0; step < steps; step++) {
      const place = places[Math.floor(random() * places.length)] as string;
      const file = `${place}/r${round}-${step}.plist`;
      mkdirSync(rig.host(place), { recursive: true });
      writeFileSync(rig.host(file), `${round} ${step}`);
      written.set(file, Date.now() * 1000);
      // Events that the system merges into one about their folder are flagged as such.
      if (random() < 0.2) tell(place, fsFlags.created | fsFlags.mustScanSubDirs);
      else tell(file, fsFlags.created);
      const next = random();
      if (next < 0.2) {
        rmSync(rig.host(file));
        tell(file, fsFlags.removed);
      } else if (next < 0.3) {
        renameSync(rig.host(file), rig.host(`${file}.new`));
        tell(file, fsFlags.removed);
        tell(`${file}.new`, fsFlags.created);
      } else if (next < 0.35 && place !== agents) {
        rmSync(rig.host(place), { recursive: true });
        tell(place, fsFlags.removed);
      }
      if (random() < 0.3) await new Promise((resolve) => setImmediate(resolve));
    }
    if (withheld) deliver(rig.host('/'), losing[Math.floor(random() * losing.length)]);
    await settled(rig).catch((error: unknown) => {
      throw new Error(`round ${round}: ${JSON.stringify(rig.sensor?.health())}`, { cause: error });
    });
    rig.sensor?.ask(Date.now() * 1000);
    const silent = () => {
      const seen = new Set(
        rig.sink.events.flatMap(({ doc }) => [doc.file?.path, doc.file?.Ext?.original?.path]),
      );
      const deleted = rig.sink.events
        .filter(({ doc }) => doc.event?.type?.includes('deletion'))
        .map(({ doc }) => `${doc.file?.path}/`);
      return [...written].filter(
        ([file, at]) =>
          !seen.has(file) &&
          !deleted.some((folder) => file.startsWith(folder)) &&
          !rig.sink.gaps.some(({ from, to }) => from <= at + 1_000 && to >= at),
      );
    };
    // What many losses close to each other were counted into is reported after some seconds.
    await expect.poll(() => silent().map(([file]) => file), { timeout: 20_000, interval: 5 }).toEqual([]);
    rig.sink.observations.length = 0;
    // What stays would in the end be more than the watcher remembers, and be scanned at each loss.
    const home = path.dirname(path.dirname(agentsInHome));
    for (const place of [home, path.dirname(inBundle)])
      rmSync(rig.host(place), { recursive: true, force: true });
    for (const file of written.keys())
      for (const name of [file, `${file}.new`]) rmSync(rig.host(name), { force: true });
    for (const folder of [agents, plugIns, '/Users']) deliver(rig.host(folder), fsFlags.removed);
  }
}
