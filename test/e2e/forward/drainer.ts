import { writeSync } from 'node:fs';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/log.js';
import { Forwarder } from '../../../src/forward/index.js';
import { openStore } from '../../../src/store/index.js';
import { open } from '../../contract/destinations.js';
import { target } from '../../helpers/targets.js';
import { context, detection } from '../../unit/store/sample-data.js';

/** Commits alerts, says each one's id once it is committed, and drains them; ends when nothing is left, or is killed. */
const [dataDir, url, round, count] = process.argv.slice(2) as [string, string, string, string];
const store = openStore({ dataDir, clock: systemClock });
const siem = await open({
  type: 'elasticsearch',
  name: 'siem',
  url,
  api_key: 'env:DRAINER_KEY',
  batch_items: 10,
  timeout: '10s',
});
const forwarder = new Forwarder({
  outbox: store.outbox,
  targets: [target(siem)],
  clock: systemClock,
  log: silentLogger,
  splayMs: 0,
});
forwarder.start();
for (let n = 0; n < Number(count); n++) {
  const { alert } = store.alerts.upsert(detection(`${round}-${n}`), context, ['siem']);
  writeSync(1, `${alert.id}\n`);
  forwarder.wake();
  await new Promise((resolve) => setImmediate(resolve));
}
// Until the condition holds, with a pause between two looks.
while (!(await forwarder.flush())) await new Promise((resolve) => setTimeout(resolve, 20));
await forwarder.stop(0);
store.close();
