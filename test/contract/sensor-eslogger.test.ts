import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '../../src/base/clock.js';
import { silentLogger } from '../../src/base/log.js';
import { RootMap } from '../../src/base/root.js';
import { formatMicros } from '../../src/base/time.js';
import { EsloggerSensor } from '../../src/sensors/eslogger/index.js';
import { execLine, fakeEslogger, processObject } from '../helpers/eslogger-lines.js';
import { sensorContract } from './sensor.contract.js';

sensorContract('eslogger', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-eslogger-'));
  const { program, feed } = fakeEslogger(folder);
  let mark = 0;
  return {
    sensor: new EsloggerSensor({
      root: new RootMap(),
      clock: systemClock,
      logger: silentLogger,
      boot: 'boot',
      patterns: ['/Library/LaunchAgents/*'],
      settings: { program, startMs: 100 },
    }),
    async act() {
      mark++;
      const target = processObject({ pid: 1_000 + mark, pidversion: mark }, '/bin/x');
      appendFileSync(
        feed,
        `${execLine([`mark-${mark}`], { target, time: formatMicros(systemClock.now()) })}\n`,
      );
    },
    isMine: (event) => event.doc.process?.args?.[0] === `mark-${mark}`,
    async cleanUp() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
});
