import { writeSync } from 'node:fs';
import { systemClock } from '../../../src/base/clock.js';
import { openStore } from '../../../src/store/index.js';
import { context, detection } from './sample-data.js';

/** Commits alerts as fast as it can, and says each one's id once it is committed, until it is killed. */
const [dataDir, round] = process.argv.slice(2) as [string, string];
const store = openStore({ dataDir, clock: systemClock });
for (let n = 0; ; n++) {
  const { alert } = store.alerts.upsert(detection(`${round}-${n}`), context, ['siem', 'file']);
  writeSync(1, `${alert.id}\n`);
}
