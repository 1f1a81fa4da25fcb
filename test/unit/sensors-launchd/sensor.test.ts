import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/log.js';
import { RootMap } from '../../../src/base/root.js';
import { domainsOf, homeOwners } from '../../../src/sensors/launchd-state/domains.js';
import {
  type LaunchdStateOptions,
  LaunchdStateSensor,
  type RunLaunchctl,
} from '../../../src/sensors/launchd-state/index.js';
import { RecordingSink } from '../../contract/sensor.contract.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { tempFolder } from '../../helpers/run-cli.js';
import { waitFor } from '../../simulation/mac.js';
import { aboutChanged, FakeLaunchd, written } from './fake-launchd.js';

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
    expect(aboutChanged(sink)).toHaveLength(1);
    const [event] = aboutChanged(sink);
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
    expect(aboutChanged(sink)).toEqual([]);
    launchd.load('system/com.example.x');
    await pass(5_100);
    expect(aboutChanged(sink)).toHaveLength(1);
    await pass(70_000);
    expect(aboutChanged(sink)).toHaveLength(1);
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
    expect(aboutChanged(sink).map(({ doc }) => doc.launchwarden?.job?.label)).toEqual(['com.example.again']);
  });

  test('and it was loaded before: nothing, until it is unloaded and loaded again', async () => {
    const { launchd, sink, pass, write } = await rig({}, (one) => one.load('system/com.example.x'));
    await pass(50);
    write(daemon);
    await pass(5_000);
    expect(aboutChanged(sink)).toEqual([]);
    launchd.loaded.clear();
    await pass(6_000);
    launchd.load('system/com.example.x');
    await pass(6_000);
    expect(aboutChanged(sink)).toHaveLength(1);
  });

  test('and what was loaded before is not known: the first answer decides, and invents nothing', async () => {
    const { launchd, sink, pass, write, clock, sensor } = await rig();
    // The write is older than the first list.
    sensor.changed(written(daemon, undefined, clock.now() - 1_000));
    launchd.load('system/com.example.x');
    await pass(10_000);
    expect(aboutChanged(sink)).toEqual([]);
    write(agent, 'com.example.other');
    await pass(10_000);
    launchd.load('system/com.example.other');
    await pass(6_000);
    expect(aboutChanged(sink)).toHaveLength(1);
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
    expect(aboutChanged(sink)).toHaveLength(1);
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
    expect(aboutChanged(sink).map(({ doc }) => doc.launchwarden?.job?.domain)).toEqual(['gui/502']);
  });

  test("an agent in a home is asked about in its owner's session, also when that begins later", async () => {
    const { launchd, sink, pass, write, folder } = await rig();
    const session = `gui/${statSync(path.join(folder, 'Users/alice')).uid}`;
    await pass(50);
    write('/Users/alice/Library/LaunchAgents/com.example.x.plist');
    launchd.sessions.add(session);
    launchd.load(`${session}/com.example.x`, '/Users/alice/Library/LaunchAgents/com.example.x.plist');
    await pass(500);
    expect(aboutChanged(sink).map(({ doc }) => doc.launchwarden?.job?.domain)).toEqual([session]);
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

  test('the flood of one user takes neither the place nor the questions of another', async () => {
    const { launchd, pass, write, sink, sensor } = await rig({ mostItems: 64, mostDirect: 8 }, (one) => {
      one.sessions.add('gui/501');
    });
    await pass(200);
    for (let count = 0; count < 500; count++)
      write(`/Users/mallory/Library/LaunchAgents/${count}.plist`, `${count}`);
    write(daemon, 'com.example.label');
    for (let count = 0; count < 500; count++)
      write(`/Users/mallory/Library/LaunchAgents/x${count}.plist`, `x${count}`);
    launchd.load('system/com.example.label', daemon);
    await pass(2_000);
    expect(aboutChanged(sink).map(({ doc }) => doc.launchwarden?.job?.label)).toEqual(['com.example.label']);
    expect(sensor.health().counters['watched']).toBe(64);
    expect(sink.gaps[0]?.detail).toContain('most of them of /users/mallory');
  });

  test('of more items than are asked about by name each load is found', async () => {
    const { launchd, pass, write, sink } = await rig({ mostDirect: 4 });
    await pass(200);
    for (let count = 0; count < 400; count++)
      write(`/Library/LaunchDaemons/${count}.plist`, `label ${count}`);
    for (const count of [0, 100, 399])
      launchd.load(`system/label ${count}`, `/Library/LaunchDaemons/${count}.plist`);
    await pass(8_000);
    expect(
      aboutChanged(sink)
        .map(({ doc }) => doc.launchwarden?.job?.label)
        .sort(),
    ).toEqual(['label 0', 'label 100', 'label 399']);
    expect(sink.gaps).toEqual([]);
  });

  test('launchctl is started so many times a second, whatever changes', async () => {
    const { launchd, pass, write } = await rig({ callsPerSecond: 10, callBurst: 20 });
    await pass(5_000);
    const before = launchd.asked.length;
    for (let count = 0; count < 600; count++)
      write(`/Library/LaunchDaemons/${count}.plist`, `label ${count}`);
    await pass(10_000);
    // A piece of work that has begun may need some calls more than are left.
    expect(launchd.asked.length - before).toBeLessThan(10 * 10 + 20 + 20);
  });

  test('more new jobs than can be asked about are a gap', async () => {
    const { launchd, pass, write, sink } = await rig({ mostAppeared: 5 });
    await pass(200);
    write(daemon);
    for (let count = 0; count < 50; count++) launchd.load(`system/other ${count}`);
    await pass(2_000);
    expect(sink.gaps).toMatchObject([
      { reason: 'overflow', detail: expect.stringContaining('more launch items') },
    ]);
  });

  test('a launchctl that says nothing is "unknown": no event, few questions, and the health says so', async () => {
    const { launchd, pass, write, sink, sensor } = await rig({}, (one) => {
      one.mute = true;
    });
    write(daemon);
    await pass(30_000);
    expect(aboutChanged(sink)).toEqual([]);
    expect(launchd.asked.filter((one) => one.endsWith('com.example.x'))).toHaveLength(2);
    expect(sensor.health()).toMatchObject({ running: false, counters: { unknown: 2, given_up: 1 } });
    expect(sensor.health().notes[0]).toContain('no answer that is understood');
  });
});

describe('a job whose label is not certain', () => {
  test.each<[string, string | undefined, string]>([
    ['no label was read', undefined, 'com.evil.other'],
    ['a slash', 'a/b', 'a/b'],
    ['a line break', 'a\n\t\t     0      - \tb', 'a\n\t\t     0      - \tb'],
    ['1,000 characters', 'x'.repeat(1_000), 'x'.repeat(1_000)],
    ['60,000 characters, of which the event has the beginning', 'y'.repeat(4_096), 'y'.repeat(60_000)],
    ['blanks around it', '  com.example.real\n', 'com.example.real'],
    ['an empty label', '', 'com.evil.empty'],
    ['another one than ours, by a reader that differs', 'com.example.ours', 'com.example.theirs'],
  ])('is found by the path that launchd gives: %s', async (name, label, real) => {
    const { sensor, launchd, sink, pass, clock } = await rig();
    await pass(200);
    const findings = name.startsWith('another') ? ['plist-odd-entity'] : [];
    sensor.changed(written(daemon, label, clock.now(), { findings }));
    launchd.load('system/com.unrelated', '/Library/LaunchDaemons/other.plist');
    launchd.load(`system/${real}`, daemon);
    await pass(3_000);
    expect(aboutChanged(sink).map(({ doc }) => doc.launchwarden?.job)).toMatchObject([
      { label: real.slice(0, 4_096), domain: 'system', plist_path: daemon, path: daemon },
    ]);
    await pass(60_000);
    expect(aboutChanged(sink)).toHaveLength(1);
  });

  test('is found through links, also when the item is told about after the load', async () => {
    const { sensor, launchd, sink, pass, folder, clock } = await rig({ listMs: 500 });
    const place = path.join(folder, 'Library/LaunchDaemons');
    mkdirSync(place, { recursive: true });
    mkdirSync(path.join(folder, 'private/tmp'), { recursive: true });
    writeFileSync(path.join(place, 'real.plist'), '');
    symlinkSync(path.join(place, 'real.plist'), path.join(folder, 'private/tmp/link'));
    await pass(1_000);
    const changed = clock.now();
    launchd.load('system/hidden', '/tmp/link');
    await pass(1_000);
    sensor.changed(written('/Library/LaunchDaemons/real.plist', undefined, changed));
    await pass(2_000);
    expect(aboutChanged(sink).map(({ doc }) => doc.launchwarden?.job?.label)).toEqual(['hidden']);
  });

  test('of two labels of a list either is found', async () => {
    const { sensor, launchd, sink, pass, clock } = await rig();
    await pass(200);
    sensor.changed(written(daemon, 'last', clock.now(), { plist: { other_labels: ['first'] } }));
    launchd.load('system/first', daemon);
    await pass(3_000);
    expect(aboutChanged(sink).map(({ doc }) => doc.launchwarden?.job?.label)).toEqual(['first']);
  });

  test('a job of another file under the name of this one is none of its', async () => {
    const { launchd, sink, pass, write } = await rig();
    await pass(200);
    write(daemon);
    launchd.load('system/com.example.x', '/Library/LaunchDaemons/other.plist');
    await pass(5_000);
    expect(aboutChanged(sink)).toEqual([]);
  });
});

describe('a label that launchd has already', () => {
  const evil = '/Library/LaunchDaemons/evil.plist';

  test('is seen to be loaded from the new file, however soon', async () => {
    const { launchd, sink, pass, write } = await rig({}, (one) => one.load('system/com.example.x', daemon));
    await pass(2_000);
    write(evil, 'com.example.x');
    launchd.load('system/com.example.x', evil);
    await pass(2_000);
    expect(aboutChanged(sink).map(({ doc }) => doc.launchwarden?.job?.path)).toEqual([evil]);
    expect(aboutChanged(sink)[0]?.doc.launchwarden?.sensor?.reason).toContain('another file');
  });

  test('is not taken for loaded while launchd keeps the old file', async () => {
    const { sink, pass, write } = await rig({}, (one) => one.load('system/com.example.x', daemon));
    await pass(2_000);
    write(evil, 'com.example.x');
    await pass(20_000);
    expect(aboutChanged(sink)).toEqual([]);
  });

  test('from the same file: another program or process tells', async () => {
    const { launchd, sink, pass, write } = await rig({}, (one) => one.load('system/com.apple.x', daemon));
    await pass(2_000);
    write(daemon, 'com.apple.x');
    await pass(5_000);
    expect(aboutChanged(sink)).toEqual([]);
    launchd.program = '/private/tmp/other';
    launchd.load('system/com.apple.x', daemon);
    await pass(6_000);
    expect(aboutChanged(sink)[0]?.doc.launchwarden?.sensor?.reason).toContain('another program');
  });
});

describe('domains', () => {
  test('where there is no session at the screen the other one of the user is asked', async () => {
    const { launchd, sink, pass, write } = await rig({}, (one) => {
      one.sessions.add('user/501');
      one.named.add('user/501');
    });
    await pass(200);
    write(agent, 'com.example.x');
    launchd.load('user/501/com.example.x', agent);
    await pass(1_000);
    expect(aboutChanged(sink).map(({ doc }) => doc.launchwarden?.job?.domain)).toEqual(['user/501']);
    const asked = launchd.asked.filter((one) => one === 'print gui/501/com.example.x').length;
    // What is not there is asked about now and then, not at each question.
    expect(asked).toBeLessThanOrEqual(1);
  });

  test('nobody lives in /Users/Shared, and root has no session of his own on a Mac', () => {
    const folder = tempFolder();
    mkdirSync(path.join(folder, 'Users/Shared'), { recursive: true });
    expect(homeOwners(new RootMap(folder), 8)).toEqual([]);
    // What a test makes belongs to who runs it.
    const self = process.getuid?.() ?? 0;
    mkdirSync(path.join(folder, 'private/var/root'), { recursive: true });
    mkdirSync(path.join(folder, 'Users/alice'));
    const mac = Object.assign(new RootMap(folder), { toHost: (macPath: string) => folder + macPath });
    Object.defineProperty(mac, 'simulated', { value: false });
    expect(homeOwners(mac, 8)).toEqual(self === 0 ? [] : [self]);
    const agent = '/private/var/root/Library/LaunchAgents/x.plist';
    expect(domainsOf(agent, [], mac)).toEqual(
      self === 0 ? ['system'] : [`gui/${self}`, `user/${self}`, 'system'],
    );
  });

  test('a job that was in the list and is gone before the next question was loaded all the same', async () => {
    const launchd = new FakeLaunchd();
    const run: RunLaunchctl = async (args) => {
      const answer = await launchd.run(args);
      // Taken away right after the list that showed it.
      if (args[1] === 'system' && answer.stdout.includes('com.example.short')) launchd.loaded.clear();
      return answer;
    };
    const { sink, pass, write, sensor, clock } = await rig({ mostDirect: 1 }, undefined, run);
    await pass(200);
    sensor.changed(written('/Library/LaunchDaemons/a.plist', 'com.example.short', clock.now()));
    write('/Library/LaunchDaemons/b.plist', 'b');
    launchd.load('system/com.example.short', '/Library/LaunchDaemons/a.plist');
    await pass(1_000);
    expect(aboutChanged(sink).map(({ doc }) => doc.launchwarden?.job?.label)).toEqual(['com.example.short']);
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

describe('whatever appears in the lists of jobs', () => {
  const stepped = { listMs: 5_000 };
  const jobs = ({ sink }: Rig) =>
    sink.events.map(({ doc }) => `${doc.event?.action} ${doc.launchwarden?.job?.plist_path}`);

  test('is told also when its list changed long before, and once', async () => {
    const one = await rig(stepped);
    await one.pass(200);
    one.write(daemon);
    await one.pass(70_000);
    one.launchd.load('system/com.example.x', daemon);
    await one.pass(30_000);
    expect(jobs(one)).toEqual([`loaded ${daemon}`]);
    const { sensor } = one.sink.events[0]?.doc.launchwarden ?? {};
    expect(sensor?.reason).toContain('had not changed just then');
    expect(sensor?.not_before).toBeDefined();
  });

  test('is told when no change of its list was seen at all, or it stands elsewhere', async () => {
    const one = await rig(stepped);
    await one.pass(200);
    one.launchd.load('system/com.example.x', '/private/tmp/x.plist');
    one.launchd.load('system/submitted', '(submitted by launchctl.4711)');
    one.launchd.load('system/app', '(submitted by runningboardd.99)');
    one.launchd.load('system/bundled', '(submitted by smd.372)');
    one.launchd.load('system/com.apple.x', '/System/Library/LaunchDaemons/com.apple.x.plist');
    await one.pass(20_000);
    expect(jobs(one).sort()).toEqual(['loaded /private/tmp/x.plist', 'loaded undefined', 'loaded undefined']);
  });

  test('is not told once more when it was told of when its list changed', async () => {
    const one = await rig(stepped);
    await one.pass(200);
    one.write(daemon);
    one.launchd.load('system/com.example.x', daemon);
    await one.pass(120_000);
    expect(jobs(one)).toEqual([`loaded ${daemon}`]);
  });

  test("is told of by Apple's names too, unless the list is on the system volume", async () => {
    const one = await rig(stepped);
    const place = path.join(one.folder, 'System/Library/LaunchDaemons');
    mkdirSync(place, { recursive: true });
    writeFileSync(path.join(place, 'com.apple.real.plist'), '');
    await one.pass(200);
    one.launchd.load('system/com.apple.real', '/System/Library/LaunchDaemons/com.apple.real.plist');
    one.launchd.load('system/com.apple.false', '/Library/LaunchDaemons/com.apple.false.plist');
    await one.pass(20_000);
    expect(jobs(one)).toEqual(['loaded /Library/LaunchDaemons/com.apple.false.plist']);
    expect(one.launchd.asked).not.toContain('print system/com.apple.real');
  });

  test('and what is there at first is found: at the start, and when somebody logs in', async () => {
    const one = await rig(stepped, (launchd) => launchd.load('system/com.example.x', daemon));
    await one.pass(2_000);
    expect(jobs(one)).toEqual([`found ${daemon}`]);
    const uid = statSync(path.join(one.folder, 'Users/alice')).uid;
    const home = '/Users/alice/Library/LaunchAgents/com.example.y.plist';
    one.launchd.sessions.add(`gui/${uid}`);
    one.launchd.load(`gui/${uid}/com.example.y`, home);
    await one.pass(20_000);
    expect(jobs(one)).toEqual([`found ${daemon}`, `found ${home}`]);
    expect(one.sink.events[1]?.doc).toMatchObject({
      event: { category: ['configuration'], type: ['info'] },
      launchwarden: { sensor: { precision: 'interval' } },
    });
    expect(one.sink.events[1]?.doc.launchwarden?.sensor).not.toHaveProperty('not_before');
  });
});
