import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '../../src/base/clock.js';
import { silentLogger } from '../../src/base/log.js';
import { RootMap } from '../../src/base/root.js';
import type { Event } from '../../src/event/event.js';
import { FileWatchSensor } from '../../src/sensors/file-watch/index.js';
import { addonWithFsDouble, fsFlags } from '../native/fs-double.js';
import { sensorContract } from './sensor.contract.js';

const { addon, reason } = addonWithFsDouble();
if (addon === undefined) process.stdout.write(`skipped: the file watcher on FSEvents: ${reason}\n`);

/** The watcher on a tree; with `doubled` its wake-ups come from a double of FSEvents. */
async function rig(doubled: boolean) {
  const root = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'launchwarden-contract-')));
  const folder = path.join(root, 'Library', 'LaunchAgents');
  mkdirSync(folder, { recursive: true });
  let latest = '';
  const double = doubled ? new addon!.FileEventDouble() : undefined;
  let id = 1_000;
  return {
    sensor: new FileWatchSensor({
      root: new RootMap(root),
      clock: systemClock,
      logger: silentLogger,
      boot: 'boot',
      patterns: [],
      ...(double === undefined ? {} : { events: { addon: addon!, double } }),
    }),
    async act() {
      latest = `${randomUUID()}.plist`;
      const file = path.join(folder, latest);
      writeFileSync(file, 'x');
      double?.deliver([{ path: file, flags: fsFlags.created, id: ++id }]);
    },
    isMine: (event: Event) => event.doc.file?.path === `/Library/LaunchAgents/${latest}`,
    async cleanUp() {
      rmSync(root, { recursive: true, force: true });
    },
  };
}

sensorContract('file-watch', () => rig(false));
if (addon !== undefined) sensorContract('file-watch on FSEvents', () => rig(true));
