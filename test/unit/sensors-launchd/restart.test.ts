import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { silentLogger } from '../../../src/base/log.js';
import { RootMap } from '../../../src/base/root.js';
import { LaunchdStateSensor } from '../../../src/sensors/launchd-state/index.js';
import { RecordingSink } from '../../contract/sensor.contract.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { aboutChanged, FakeLaunchd, written } from './fake-launchd.js';

const daemon = '/Library/LaunchDaemons/com.example.daemon.plist';
const label = 'com.example.daemon';

/** One launchd and one clock, and runs of the agent one after the other. */
function machine() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-launchd-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(path.join(folder, 'Users/alice'), { recursive: true });
  const launchd = new FakeLaunchd();
  const clock = new ManualClock();
  const saved: string[] = [];
  const pass = async (milliseconds: number) => {
    for (let passed = 0; passed < milliseconds; passed += 50) {
      clock.pass(50);
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
  };
  const start = async (remembered?: string) => {
    const sensor = new LaunchdStateSensor({
      root: new RootMap(folder),
      clock,
      logger: silentLogger,
      boot: 'boot',
      run: launchd.run,
      onRemember: (text) => saved.push(text),
      ...(remembered === undefined ? {} : { remembered }),
    });
    const sink = new RecordingSink();
    await sensor.start(sink);
    onTestFinished(() => sensor.stop());
    return { sensor, sink };
  };
  return { launchd, clock, saved, pass, start };
}

test('what was loaded while no agent ran is found by the next one, from what the run before knew', async () => {
  const { launchd, clock, saved, pass, start } = machine();
  launchd.load('system/com.example.old');
  const first = await start();
  await pass(1_000);
  const changed = clock.now();
  await first.sensor.stop();
  launchd.load(`system/${label}`, daemon);
  await pass(1_000);
  const { sensor, sink } = await start(saved.at(-1));
  sensor.changed(written(daemon, label, changed));
  sensor.changed(written('/Library/LaunchDaemons/com.example.old.plist', 'com.example.old', changed));
  await pass(2_000);
  expect(aboutChanged(sink).map(({ doc }) => doc.launchwarden?.['job'])).toMatchObject([
    { label, domain: 'system', plist_path: daemon },
  ]);
});

test('what the lists were is passed on, however many runs made one after the load', async () => {
  const { launchd, clock, saved, pass, start } = machine();
  const first = await start();
  await pass(1_000);
  const changed = clock.now();
  await first.sensor.stop();
  launchd.load(`system/${label}`, daemon);
  await pass(100);
  for (let run = 0; run < 5; run++) {
    const { sensor } = await start(saved.at(-1));
    await pass(100);
    await sensor.stop();
  }
  const { sensor, sink } = await start(saved.at(-1));
  sensor.changed(written(daemon, label, changed));
  await pass(2_000);
  expect(aboutChanged(sink)).toHaveLength(1);
});

test.each([
  undefined,
  '',
  '{',
  'null',
  '[1, [], ["system"], ["system", [null, 1, {"asked": "x"}]]]',
  '[["system", {"looks": [{"asked": 1, "answered": 9e99, "undo": []}], "labels": []}]]',
  '[["system", {"looks": [null], "labels": []}], ["system", {"looks": [], "labels": []}]]',
])('nothing is inferred when nothing is known of before: %s', async (remembered) => {
  const { launchd, clock, pass, start } = machine();
  const changed = clock.now();
  await pass(1_000);
  launchd.load(`system/${label}`, daemon);
  const { sensor, sink } = await start(remembered);
  sensor.changed(written(daemon, label, changed));
  await pass(2_000);
  expect(aboutChanged(sink)).toEqual([]);
});
