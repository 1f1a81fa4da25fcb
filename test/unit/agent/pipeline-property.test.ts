import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Alert } from '../../../src/event/alert.js';
import { openStore, type Store } from '../../../src/store/index.js';
import { fuzzRuns } from '../../helpers/fuzz-runs.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { fc } from '../../helpers/property.js';
import { rule } from '../detect/events.js';
import { Mac, type Timed } from './pipeline-model.js';

/** So many runs share a store: they are days apart. */
const runsAStore = 40;
const runs = fuzzRuns(1_000);

const loaded = rule(
  'eql',
  `sequence by host.id with maxspan=1m
    [file where file.path : ("/Users/*/Library/LaunchAgents/*", "/Library/LaunchDaemons/*") and file.size > 10]
    [process where process.name == "launchctl" and process.args == "load"]`,
  { maxSignals: 12 },
);

let dataDir: string;
let store: Store;
let clock: ManualClock;
let run = 0;

const folder = existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();

function open(): void {
  dataDir = mkdtempSync(path.join(folder, 'launchwarden-model-'));
  store = openStore({ dataDir, clock });
}

function close(): void {
  store.close();
  rmSync(dataDir, { recursive: true, force: true });
}

beforeAll(() => {
  clock = new ManualClock();
  open();
});
afterAll(close);

const user = fc.constantFrom('alice', 'alice', 'system', 'mallory');
const file = fc.nat(3);
const span = fc.constantFrom(40, 300, 1_000, 4_000);
const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      user,
      file,
      grows: fc.constantFrom(0, 0, 3, 40, 400, 2_500),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('load' as const), user, file }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('vanish' as const),
      user,
      file,
      found: fc.constantFrom(5, 60, 500),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('link' as const), user, file }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('step' as const),
      by: fc.constantFrom(-7_200_000, -120_000, -30_000, 30_000, 120_000, 7_200_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('blind' as const), for: span }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      code: fc.constantFrom('SQLITE_FULL', 'SQLITE_BUSY'),
      for: fc.constantFrom(300, 4_000, 20_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('late' as const), by: fc.constantFrom(80, 600), for: span }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('flood' as const), files: fc.constantFrom(5, 30) }) },
);
const schedule: fc.Arbitrary<Timed[]> = fc.array(
  fc.record({ gap: fc.constantFrom(1, 5, 30, 120, 700, 2_500, 15_000, 40_000), action }),
  { minLength: 1, maxLength: 14 },
);

interface Candidate {
  readonly path?: string;
  readonly sha256?: string;
  readonly named: boolean;
}
const alertOf = ({ doc }: Alert) =>
  doc.launchwarden?.['alert'] as {
    kind: string;
    user?: string;
    candidates: Candidate[];
    process_event_id?: string;
  };

test('every write and load within a minute is an alert or lies in a reported gap, and none is told twice', {
  timeout: 60_000 + runs * 400,
}, () => {
  fc.assert(
    fc.property(schedule, (actions) => {
      run++;
      if (run % runsAStore === 0) {
        close();
        open();
      }
      const before = new Set(store.alerts.ids(100_000));
      const mac = new Mac(`r${run}`, store, clock, [loaded]);
      mac.play(actions);
      clock.sleep(2 * 86_400_000);
      const alerts = store.alerts.list({ limit: 100_000 }).filter(({ id }) => !before.has(id));
      const matches = alerts.filter((alert) => alertOf(alert).kind === 'match');
      const held = alerts.filter((alert) => alertOf(alert).kind === 'summary');
      for (const { write, load } of mac.attacks()) {
        const isListed = (alert: Alert) =>
          alertOf(alert).user === load.user &&
          alertOf(alert).candidates.some(({ path: named }) => named === write.path);
        const isTold = (alert: Alert) =>
          alertOf(alert).candidates.some(
            ({ path: named, sha256, named: isNamed }) =>
              isNamed &&
              named === write.path && // Of what was gone at once the content is not known.
              (write.sha256 === undefined || sha256 === undefined || sha256 === write.sha256),
          );
        const told = matches.some(isTold) || held.some(isListed);
        expect(told, `${load.id} of ${write.path}, written at ${write.at}, loaded at ${load.at}`).toBe(true);
      }
      const ends = matches.map((alert) => alertOf(alert).process_event_id);
      expect(
        ends.filter((end, index) => ends.indexOf(end) !== index),
        'told twice',
      ).toEqual([]);
      // The noise of another user is held back, and only that.
      for (const one of held) expect(alertOf(one).user).toBe('mallory');
    }),
    { numRuns: runs },
  );
});
