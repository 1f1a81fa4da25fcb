import { writeSync } from 'node:fs';
import { systemClock } from '../../../src/base/clock.js';
import { UserError } from '../../../src/base/errors.js';
import { openStore } from '../../../src/store/index.js';

/** Says with which code, if any, the data folder of its argument cannot be read. */
const [dataDir] = process.argv.slice(2) as [string];
try {
  openStore({ dataDir, clock: systemClock, readOnly: true }).close();
  writeSync(1, 'opened');
} catch (error) {
  writeSync(1, error instanceof UserError ? `${error.code}: ${error.describe()}` : String(error));
}
