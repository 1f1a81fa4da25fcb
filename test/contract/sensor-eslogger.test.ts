import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '../../src/base/clock.js';
import { silentLogger } from '../../src/base/log.js';
import { RootMap } from '../../src/base/root.js';
import { formatMicros } from '../../src/base/time.js';
import { EsloggerSensor } from '../../src/sensors/eslogger/index.js';
import type { Sensor } from '../../src/sensors/sensor.js';
import { execLine, fakeEslogger, processObject } from '../helpers/eslogger-lines.js';
import { waitFor } from '../simulation/mac.js';
import { sensorContract } from './sensor.contract.js';

sensorContract('eslogger', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-eslogger-'));
  const { program, feed, runs } = fakeEslogger(folder);
  let mark = 0;
  const sensor = new EsloggerSensor({
    root: new RootMap(),
    clock: systemClock,
    logger: silentLogger,
    boot: 'boot',
    patterns: ['/Library/LaunchAgents/*'],
    settings: { program, startMs: 100 },
  });
  const reading: Sensor = {
    kind: sensor.kind,
    async start(sink) {
      await sensor.start(sink);
      await waitFor('eslogger to read', () => (runs() > 0 ? true : undefined));
    },
    ask: (time) => sensor.ask(time),
    stop: () => sensor.stop(),
    health: () => sensor.health(),
  };
  return {
    sensor: reading,
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
