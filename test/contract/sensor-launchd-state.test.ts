import { systemClock } from '../../src/base/clock.js';
import { silentLogger } from '../../src/base/log.js';
import { RootMap } from '../../src/base/root.js';
import { LaunchdStateSensor } from '../../src/sensors/launchd-state/index.js';
import { FakeLaunchd, written } from '../unit/sensors-launchd/fake-launchd.js';
import { sensorContract } from './sensor.contract.js';

sensorContract('launchd-state', async () => {
  const launchd = new FakeLaunchd();
  const sensor = new LaunchdStateSensor({
    root: new RootMap(),
    clock: systemClock,
    logger: silentLogger,
    boot: 'boot',
    run: launchd.run,
  });
  let mark = 0;
  return {
    sensor,
    async act() {
      mark++;
      const path = `/Library/LaunchDaemons/com.example.${mark}.plist`;
      sensor.changed(written(path, `com.example.${mark}`, systemClock.now()));
      launchd.load(`system/com.example.${mark}`, path);
    },
    isMine: (event) => event.doc.launchwarden?.job?.label === `com.example.${mark}`,
    async cleanUp() {},
  };
});
