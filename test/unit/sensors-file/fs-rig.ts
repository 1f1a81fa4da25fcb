import { afterEach, expect } from 'vitest';
import type { FileEventMark } from '../../../src/sensors/file-watch/index.js';
import { addonWithFsDouble, type FsDouble, type FsScript } from '../../native/fs-double.js';
import { patient, Rig, type RigOptions } from './rig.js';

export const { addon, reason } = addonWithFsDouble();
if (addon === undefined) process.stdout.write(`skipped: the file watcher on FSEvents: ${reason}\n`);

export const rigs: Rig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop();
});

/** A watcher whose only wake-ups are what the test delivers. */
export async function watching(script: FsScript = {}, options: RigOptions & { since?: FileEventMark } = {}) {
  const rig = new Rig();
  rigs.push(rig);
  const double: FsDouble = new addon!.FileEventDouble(script);
  let id = 5_000;
  const deliver = (host: string, flags = 0) => double.deliver([{ path: host, flags, id: ++id }]);
  const { since, ...rest } = options;
  const start = async () => {
    const sensor = await rig.start({ limits: quiet, ...rest, events: { addon: addon!, double, since } });
    // From here on nothing is found by the first scan.
    await expect.poll(() => sensor.compared, patient).toBe(true);
    return sensor;
  };
  return { rig, double, deliver, start };
}

/** No scan on a timer: what is seen is seen because of a wake-up. */
export const quiet = { rescanMs: 1e9 };
export const paths = (rig: Rig) => rig.sink.events.map(({ doc }) => doc.file?.path);
export const settled = (rig: Rig) => rig.sink.completePast(Date.now() * 1000);
