import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/log.js';
import { RootMap } from '../../../src/base/root.js';
import {
  type LaunchdStateOptions,
  LaunchdStateSensor,
  type RunLaunchctl,
} from '../../../src/sensors/launchd-state/index.js';
import { RecordingSink } from '../../contract/sensor.contract.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { tempFolder } from '../../helpers/run-cli.js';
import { waitFor } from '../../simulation/mac.js';
import { FakeLaunchd, written } from './fake-launchd.js';

const daemon = '/Library/LaunchDaemons/com.example.x.plist';
const agent = '/Library/LaunchAgents/com.example.x.plist';

interface Rig {
  /** That stands for the Mac's tree; it has one home. */
  readonly folder: string;
  readonly launchd: FakeLaunchd;
  readonly clock: ManualClock;
  readonly sensor: LaunchdStateSensor;
  readonly sink: RecordingSink;
  /** Lets time pass in steps of 50 ms, with the answers in between. */
  pass(milliseconds: number): Promise<void>;
  write(macPath: string, label?: string): void;
}

async function rig(
  settings: Partial<LaunchdStateOptions> = {},
  prepare: (launchd: FakeLaunchd) => void = () => {},
  run?: RunLaunchctl,
): Promise<Rig> {
  const launchd = new FakeLaunchd();
  prepare(launchd);
  const clock = new ManualClock();
  const folder = tempFolder();
  mkdirSync(path.join(folder, 'Users/alice'), { recursive: true });
  const root = new RootMap(folder);
  const options = { root, clock, logger: silentLogger, boot: 'boot', settings, run: run ?? launchd.run };
  const sensor = new LaunchdStateSensor(options);
  const sink = new RecordingSink();
  sink.sensor = sensor;
  await sensor.start(sink);
  onTestFinished(() => sensor.stop());
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  return {
    folder,
    launchd,
    clock,
    sensor,
    sink,
    async pass(milliseconds) {
      for (let passed = 0; passed < milliseconds; passed += 50) {
        clock.pass(50);
        sensor.ask();
        await settle();
      }
    },
    write: (macPath, label) => sensor.changed(written(macPath, label, clock.now())),
  };
}

describe('a launch item changes', () => {
  test('and its job is loaded at once: one event that says so', async () => {
    const { launchd, sink, pass, write, clock } = await rig();
    await pass(200);
    const before = clock.now();
    write(daemon, 'com.example.label');
    launchd.load('system/com.example.label', daemon);
    await pass(60_000);
    expect(sink.events).toHaveLength(1);
    const [event] = sink.events;
    expect(event?.doc).toMatchObject({
      event: { category: ['configuration'], type: ['change'], action: 'loaded' },
      launchwarden: {
        sensor: { kind: 'launchd-state', precision: 'interval', reason: expect.stringContaining('inferred') },
        job: {
          label: 'com.example.label',
          domain: 'system',
          plist_path: daemon,
          path: daemon,
          program: '/private/tmp/evil',
          state: 'running',
          pid: 4711,
        },
      },
    });
    expect(event?.doc.process).toBeUndefined();
    expect((event?.time ?? 0) - before).toBeLessThanOrEqual(150_000);
    expect(sink.late).toEqual([]);
    const { not_before } = event?.doc.launchwarden?.sensor ?? {};
    expect(Date.parse(not_before ?? '') * 1000).toBeLessThanOrEqual(before);
  });

  test.each([1_000, 20_000, 50_000])('and its job is loaded %i ms later', async (later) => {
    const { launchd, sink, pass, write } = await rig();
    await pass(50);
    write(daemon);
    await pass(later);
    expect(sink.events).toEqual([]);
    launchd.load('system/com.example.x');
    await pass(5_100);
    expect(sink.events).toHaveLength(1);
    await pass(70_000);
    expect(sink.events).toHaveLength(1);
  });

  test('and its job is loaded more than a minute later: nothing, unless it has changed again', async () => {
    const { launchd, sink, pass, write } = await rig();
    await pass(50);
    write(daemon);
    write(agent, 'com.example.again');
    await pass(40_000);
    write(agent, 'com.example.again');
    await pass(25_000);
    launchd.load('system/com.example.x');
    launchd.load('system/com.example.again');
    await pass(30_000);
    expect(sink.events.map(({ doc }) => doc.launchwarden?.job?.label)).toEqual(['com.example.again']);
  });

  test('and it was loaded before: nothing, until it is unloaded and loaded again', async () => {
    const { launchd, sink, pass, write } = await rig({}, (one) => one.load('system/com.example.x'));
    await pass(50);
    write(daemon);
    await pass(5_000);
    expect(sink.events).toEqual([]);
    launchd.loaded.clear();
    await pass(6_000);
    launchd.load('system/com.example.x');
    await pass(6_000);
    expect(sink.events).toHaveLength(1);
  });

  test('and what was loaded before is not known: the first answer decides, and invents nothing', async () => {
    const { launchd, sink, pass, write, clock, sensor } = await rig();
    // The write is older than the first list.
    sensor.changed(written(daemon, undefined, clock.now() - 1_000));
    launchd.load('system/com.example.x');
    await pass(10_000);
    expect(sink.events).toEqual([]);
    write(agent, 'com.example.other');
    await pass(10_000);
    launchd.load('system/com.example.other');
    await pass(6_000);
    expect(sink.events).toHaveLength(1);
  });

  test('a list that was asked for before the write and answered after it does not hide the load', async () => {
    const launchd = new FakeLaunchd();
    let release: (() => void) | undefined;
    let hold = false;
    const run: RunLaunchctl = async (args) => {
      if (hold && args[1] === 'system') await new Promise<void>((resolve) => (release = resolve));
      return launchd.run(args);
    };
    const { sink, pass, write } = await rig({ listMs: 1_000 }, undefined, run);
    hold = true;
    await pass(1_000);
    write(daemon);
    launchd.load('system/com.example.x');
    hold = false;
    release?.();
    await pass(1_000);
    expect(sink.events).toHaveLength(1);
  });

  test('an agent is asked about in every session and in system', async () => {
    const { launchd, sink, pass, write } = await rig({}, (one) => {
      one.sessions.add('gui/501');
      one.sessions.add('gui/502');
    });
    await pass(50);
    write(agent);
    launchd.load('gui/502/com.example.x', agent);
    await pass(500);
    expect(launchd.asked).toEqual(
      expect.arrayContaining([
        'print gui/501/com.example.x',
        'print gui/502/com.example.x',
        'print system/com.example.x',
      ]),
    );
    expect(sink.events.map(({ doc }) => doc.launchwarden?.job?.domain)).toEqual(['gui/502']);
  });

  test("an agent in a home is asked about in its owner's session, also when that begins later", async () => {
    const { launchd, sink, pass, write, folder } = await rig();
    const session = `gui/${statSync(path.join(folder, 'Users/alice')).uid}`;
    await pass(50);
    write('/Users/alice/Library/LaunchAgents/com.example.x.plist');
    launchd.sessions.add(session);
    launchd.load(`${session}/com.example.x`);
    await pass(500);
    expect(sink.events.map(({ doc }) => doc.launchwarden?.job?.domain)).toEqual([session]);
  });

  test('the label of the content takes the place of the file name', async () => {
    const { launchd, pass, write } = await rig();
    write(daemon);
    write(daemon, 'com.example.real');
    await pass(1_000);
    expect(launchd.asked).toContain('print system/com.example.real');
    expect(launchd.asked).not.toContain('print system/com.example.x');
  });

  test.each([
    ['a deletion', { type: ['deletion'] }, daemon],
    ['no launch item', {}, '/Users/alice/x.plist'],
    ['a process event', { category: ['process'] }, daemon],
  ])('%s is not asked about', async (_name, change, macPath) => {
    const { sensor, clock } = await rig();
    const event = written(macPath, undefined, clock.now());
    const doc = { ...event.doc, event: { ...event.doc.event, ...change } };
    sensor.changed({ ...event, doc });
    expect(sensor.health().counters['watched']).toBe(0);
  });
});

describe('bounds', () => {
  test('the questions of one item become fewer, and end after a minute', async () => {
    const { launchd, pass, write, sensor } = await rig({ listMs: 600_000 });
    write(daemon);
    await pass(60_000);
    const asked = launchd.asked.filter((one) => one.endsWith('com.example.x')).length;
    expect(asked).toBeGreaterThan(10);
    expect(asked).toBeLessThan(30);
    await pass(10_000);
    expect(sensor.health().counters['watched']).toBe(0);
    expect(launchd.asked.filter((one) => one.endsWith('com.example.x'))).toHaveLength(asked);
  });

  test('a flood is asked about in bounded number and time; the newest get their questions, the loss is told', async () => {
    let running = 0;
    let most = 0;
    const { pass, write, sink, sensor } = await rig(
      { mostItems: 4, mostQuestions: 2 },
      undefined,
      async () => {
        most = Math.max(most, ++running);
        await Promise.resolve();
        running--;
        return { status: 113, stdout: '', stderr: '' };
      },
    );
    for (let count = 0; count < 2_000; count++) write(`/Library/LaunchDaemons/${count}.plist`);
    await pass(1_000);
    expect(most).toBeLessThanOrEqual(2);
    expect(sensor.health().counters).toMatchObject({ watched: 4, evicted: 1_996 });
    expect(sink.gaps).toMatchObject([{ sensor: 'launchd-state', reason: 'overflow', lost: 1_996 }]);
  });

  test.each(['', 'a/b', 'a\nb', 'x'.repeat(1_000)])(
    'the label %j is never put on a command line',
    async (label) => {
      const { launchd, pass, write, sensor } = await rig();
      write(daemon, label);
      await pass(1_000);
      expect(launchd.asked.filter((one) => !/^print (?:system|gui\/\d+)$/.test(one))).toEqual([]);
      expect(sensor.health().counters['odd_labels']).toBe(1);
    },
  );

  test('a launchctl that says nothing is "unknown": no event, few questions, and the health says so', async () => {
    const { launchd, pass, write, sink, sensor } = await rig({}, (one) => {
      one.mute = true;
    });
    write(daemon);
    await pass(30_000);
    expect(sink.events).toEqual([]);
    expect(launchd.asked.filter((one) => one.endsWith('com.example.x'))).toHaveLength(2);
    expect(sensor.health()).toMatchObject({ running: false, counters: { unknown: 2, given_up: 1 } });
    expect(sensor.health().notes[0]).toContain('no answer that is understood');
  });
});

describe('the program', () => {
  const start = async (script: string | undefined, settings: Partial<LaunchdStateOptions> = {}) => {
    const folder = tempFolder();
    const file = path.join(folder, 'bin', 'launchctl');
    if (script !== undefined) {
      mkdirSync(path.dirname(file));
      writeFileSync(file, script);
      chmodSync(file, 0o755);
    }
    const root = new RootMap(folder);
    const options = { root, clock: systemClock, logger: silentLogger, boot: 'boot', settings };
    const sensor = new LaunchdStateSensor(options);
    const sink = new RecordingSink();
    sink.sensor = sensor;
    await sensor.start(sink);
    onTestFinished(() => sensor.stop());
    return { folder, sensor, sink };
  };

  test('is the one of the tree; without it nothing runs, and the health says so', async () => {
    const { sensor, sink } = await start(undefined);
    sensor.changed(written(daemon, undefined, systemClock.now()));
    expect(sensor.health()).toMatchObject({ running: false, counters: { asked: 0, lists: 0 } });
    expect(sensor.health().notes[0]).toMatch(/cannot work here: there is no .*\/bin\/launchctl/);
    await sink.completePast(systemClock.now());
  });

  test('gets its arguments without a shell, and an environment of its own', async () => {
    const { folder, sensor } = await start(
      `#!/bin/sh\nprintf '%s\\n' "$#" "$@" "$HOME" >> "$(dirname "$0")/said"\nexit 113\n`,
    );
    sensor.changed(written(daemon, 'a;touch $(x) "b', systemClock.now()));
    const said = await waitFor('the question', () => {
      const text = readFileSync(path.join(folder, 'bin', 'said'), 'utf8');
      return text.includes('touch') ? text : undefined;
    });
    expect(said).toContain('2\nprint\nsystem/a;touch $(x) "b\n\n');
  });

  test.each([
    ['hangs', '#!/bin/sh\nexec sleep 30\n'],
    ['prints without end', '#!/bin/sh\nexec yes\n'],
    ['cannot be run', 'no program'],
  ])('that %s is unknown, and does not outlive the sensor', async (_name, script) => {
    const { sensor } = await start(script, { timeoutMs: 200, mostBytes: 10_000 });
    sensor.changed(written(daemon, undefined, systemClock.now()));
    await waitFor('the answer', () => (sensor.health().counters['unknown'] ?? 0) > 0 || undefined);
    await sensor.stop();
    expect(sensor.health().running).toBe(false);
  });
});
