import { systemClock } from '../../src/base/clock.js';
import { addonWithDouble, kindNumber, played, sensorOn } from '../native/double.js';
import { sensorContract } from './sensor.contract.js';

const { addon, reason } = addonWithDouble();
if (addon === undefined)
  process.stderr.write(`skipped: EndpointSecurity contract through its double: ${reason}\n`);
else
  sensorContract('endpoint-security, double', async () => {
    const double = new addon.EndpointSecurityDouble();
    let mark = 0;
    return {
      sensor: sensorOn(double),
      async act() {
        mark++;
        const process = { pid: 1_000 + mark, pidversion: mark, executable: '/bin/x' };
        await played(double, [
          { kind: kindNumber('exec'), timeUs: systemClock.now(), process, args: [`mark-${mark}`] },
        ]);
      },
      isMine: (event) => event.doc.process?.args?.[0] === `mark-${mark}`,
      async cleanUp() {},
    };
  });
