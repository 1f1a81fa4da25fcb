import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '../../src/base/clock.js';
import { silentLogger } from '../../src/base/log.js';
import { RootMap } from '../../src/base/root.js';
import { FileWatchSensor } from '../../src/sensors/file-watch/index.js';
import { sensorContract } from './sensor.contract.js';

sensorContract('file-watch', async () => {
  const root = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'launchwarden-contract-')));
  const folder = path.join(root, 'Library', 'LaunchAgents');
  mkdirSync(folder, { recursive: true });
  let latest = '';
  return {
    sensor: new FileWatchSensor({
      root: new RootMap(root),
      clock: systemClock,
      logger: silentLogger,
      boot: 'boot',
      patterns: [],
    }),
    async act() {
      latest = `${randomUUID()}.plist`;
      writeFileSync(path.join(folder, latest), 'x');
    },
    isMine: (event) => event.doc.file?.path === `/Library/LaunchAgents/${latest}`,
    async cleanUp() {
      rmSync(root, { recursive: true, force: true });
    },
  };
});
