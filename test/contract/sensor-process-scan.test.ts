import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { systemClock } from '../../src/base/clock.js';
import { silentLogger } from '../../src/base/log.js';
import { RootMap } from '../../src/base/root.js';
import { loadAddon } from '../../src/sensors/addon/index.js';
import { ProcessScanSensor } from '../../src/sensors/process-scan/index.js';
import { type SensorRig, sensorContract } from './sensor.contract.js';

const absent = { state: 'absent', reason: 'as if it were not built' } as const;

/** Starts programs that stay until the test is over, so that the slowest source sees them too. */
function rig(fallback: boolean): SensorRig {
  const children: ChildProcess[] = [];
  let mark = '';
  return {
    sensor: new ProcessScanSensor({
      root: new RootMap(),
      clock: systemClock,
      logger: silentLogger,
      boot: 'boot',
      scopePid: process.pid,
      scan: { fallbackPeriodMs: 100 },
      ...(fallback ? { addon: absent } : {}),
    }),
    async act() {
      mark = randomUUID();
      const child = spawn('/bin/sh', ['-c', 'read line', mark], { stdio: ['pipe', 'ignore', 'ignore'] });
      children.push(child);
      await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    },
    isMine: (event) => event.doc.process?.args?.includes(mark) === true,
    async cleanUp() {
      for (const child of children) {
        child.kill('SIGKILL');
        if (child.exitCode === null && child.signalCode === null)
          await new Promise((resolve) => child.once('exit', resolve));
      }
    },
  };
}

const native = loadAddon();
if (native.state === 'loaded') sensorContract('process-scan, native', async () => rig(false));
else process.stderr.write(`skipped: process-scan contract of the native scanner: ${native.reason}\n`);
sensorContract('process-scan, ps-list', async () => rig(true));
