import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/log.js';
import { RootMap } from '../../../src/base/root.js';
import { type EsloggerOptions, EsloggerSensor } from '../../../src/sensors/eslogger/index.js';
import { EsloggerProcess } from '../../../src/sensors/eslogger/process.js';
import { RecordingSink } from '../../contract/sensor.contract.js';
import { closeLine, execLine, fakeEslogger, processObject } from '../../helpers/eslogger-lines.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { waitFor } from '../../simulation/mac.js';

const folders: string[] = [];
const sensors: EsloggerSensor[] = [];
afterEach(async () => {
  for (const sensor of sensors.splice(0)) await sensor.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function setUp(settings: Partial<EsloggerOptions> = {}, clock: Clock = systemClock) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-eslogger-'));
  folders.push(folder);
  const { program, feed, runs, hasWritten } = fakeEslogger(folder);
  const sensor = new EsloggerSensor({
    root: new RootMap(),
    clock,
    logger: silentLogger,
    boot: 'boot',
    patterns: ['/Library/LaunchAgents/*'],
    settings: { program, startMs: 100, firstPauseMs: 20, largestPauseMs: 40, ...settings },
  });
  const sink = new RecordingSink();
  const write = (name: string, text: string) => writeFileSync(path.join(folder, name), text);
  const read = (name: string) => readFileSync(path.join(folder, name), 'utf8');
  const start = async () => {
    sink.sensor = sensor;
    await sensor.start(sink);
    sensors.push(sensor);
    await waitFor('eslogger to read', () => (runs() > 0 ? true : undefined));
  };
  return { sensor, sink, feed, write, read, start, runs, hasWritten };
}

describe('eslogger as a sensor', () => {
  test('asks for the events that this version knows, and observes what comes', async () => {
    const { sink, feed, read, start } = setUp();
    await start();
    expect(JSON.parse(read('argv'))).toEqual([
      '--format',
      'json',
      'exec',
      'fork',
      'exit',
      'create',
      'close',
      'rename',
      'unlink',
      'clone',
    ]);
    appendFileSync(
      feed,
      `${execLine(['a'])}\n${closeLine('/Library/LaunchAgents/x.plist')}\n${closeLine('/x')}\n`,
    );
    await waitFor('both', () => (sink.events.length === 2 ? true : undefined));
    expect(sink.events.map(({ doc }) => doc.event?.action)).toEqual(['exec', 'modification']);
  });

  test.each([
    ['ES_NEW_CLIENT_RESULT_ERR_NOT_PERMITTED', 'not-permitted'],
    ['Error: ES_NEW_CLIENT_RESULT_ERR_NOT_PRIVILEGED', 'not-privileged'],
    ['ES_NEW_CLIENT_RESULT_ERR_TOO_MANY_CLIENTS', 'too-many-clients'],
    ['Illegal instruction', 'ended'],
  ])('an early end (%s) is told in words', async (text, code) => {
    const { write, start } = setUp({ startMs: 5_000 });
    write('error', text);
    await expect(start()).rejects.toMatchObject({
      name: 'UserError',
      code: `sensor/eslogger-${code}`,
      hint: expect.stringMatching(/\w/),
    });
  });

  describe('in a flood', () => {
    /** As many programs at once as are passed on without waiting, and so many that wait: the clock stands still. */
    async function flooded() {
      const clock = new ManualClock();
      const rig = setUp({ firstPauseMs: 0, largestPauseMs: 0 }, clock);
      await rig.start();
      const cc = processObject({ pid: 600, pidversion: 61 }, '/usr/bin/cc');
      const lines = Array.from({ length: 80 }, (_, index) => execLine(['cc', `${index}.c`], { target: cc }));
      appendFileSync(rig.feed, lines.map((one) => `${one}\n`).join(''));
      const { sink } = rig;
      await waitFor('the first ones', () => (sink.events.length >= 64 ? true : undefined));
      return { ...rig, clock, names: () => sink.events.map(({ doc }) => doc.process?.args?.[1]) };
    }
    const all = Array.from({ length: 80 }, (_, index) => `${index}.c`);

    test('programs wait a little for each other', async () => {
      const { clock, names } = await flooded();
      expect(names()).toEqual(all.slice(0, 64));
      await waitFor('all to be read', () => {
        clock.pass(32);
        return names().length === all.length || undefined;
      });
      expect(names()).toEqual(all);
    });

    test('those that wait are told when the sensor is asked, before it says that all was', async () => {
      const { clock, sensor, sink, names } = await flooded();
      await waitFor('all', () => {
        sensor.ask(clock.now() - 1_000_000);
        return names().length === all.length || undefined;
      });
      expect(names()).toEqual(all);
      expect(sink.completes).toHaveLength(1);
    });

    test('what it wrote before it was killed is told', async () => {
      const { sink, names, read, hasWritten } = await flooded();
      await waitFor('the rest to be written', () => hasWritten() || undefined);
      process.kill(Number(read('runs').split('\n')[0]), 'SIGKILL');
      await waitFor('all', () => (names().length === all.length ? true : undefined));
      expect(names()).toEqual(all);
      expect(sink.gaps).toEqual([]);
    });
  });

  test('one that cannot be started can be stopped at once, and nobody else is killed', async () => {
    const process = new EsloggerProcess('/nowhere/eslogger', ['exec'], () => {});
    await process.stop();
    expect((await process.ended).errorText).toContain('ENOENT');
  });

  test('a tool that is not there, or does not answer, is told', async () => {
    await expect(setUp({ program: '/nowhere/eslogger' }).start()).rejects.toMatchObject({
      code: 'sensor/eslogger-absent',
    });
    const { write, start } = setUp();
    write('events', '');
    await expect(start()).rejects.toMatchObject({ code: 'sensor/eslogger-list' });
  });

  test('is started again when it was killed, with a gap, and goes on observing', async () => {
    const { sensor, sink, feed, read, start, runs } = setUp();
    await start();
    process.kill(Number(read('runs').split('\n')[0]), 'SIGKILL');
    await waitFor('the restart', () => (sensor.health().counters['restarts'] === 1 ? true : undefined));
    await waitFor('the second run', () => (runs() === 2 ? true : undefined));
    expect(sink.gaps).toMatchObject([
      { sensor: 'eslogger', reason: 'restart', detail: expect.stringContaining('SIGKILL') },
    ]);
    await waitFor('an event', () => {
      appendFileSync(feed, `${execLine(['again'])}\n`);
      return sink.events.find(({ doc }) => doc.process?.args?.[0] === 'again');
    });
  });

  test('gives up, in words, when it cannot stay up or has lost its permission', async () => {
    const { sensor, sink, write, read, start } = setUp({ mostFailures: 2 });
    await start();
    write('error', 'ES_NEW_CLIENT_RESULT_ERR_NOT_PERMITTED');
    process.kill(Number(read('runs').split('\n')[0]), 'SIGKILL');
    await waitFor('the end', () => sink.failures[0]);
    expect(sink.failures).toEqual(['eslogger lacks Full Disk Access']);
    expect(sensor.health().running).toBe(false);
    const { calls } = sink;
    await sensor.stop();
    expect(sink.calls).toBe(calls);
  });

  /** A sensor on a clock that the test owns, asked once a second as the agent does. */
  async function watched() {
    const clock = new ManualClock();
    const rig = setUp({ silentMs: 120_000, firstPauseMs: 0, largestPauseMs: 0 }, clock);
    await rig.start();
    const awake = (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        clock.pass(1_000);
        rig.sensor.ask(clock.now());
      }
    };
    return { ...rig, clock, awake };
  }

  test('one that a signal stopped is found out within seconds, replaced, and said to be so', async () => {
    const { sink, read, runs, clock, awake } = await watched();
    process.kill(Number(read('runs').split('\n')[0]), 'SIGSTOP');
    awake(6);
    await waitFor('another one', () => {
      clock.pass(1);
      return runs() === 2 ? true : undefined;
    });
    expect(sink.gaps[0]).toMatchObject({ reason: 'stopped', blinded: true });
  });

  test('one that runs and has nothing to say is left alone', async () => {
    const { sensor, sink, feed, awake } = await watched();
    for (let round = 0; round < 3; round++) {
      awake(6);
      appendFileSync(feed, `${execLine(['again'])}\n`);
      await waitFor('an event', () => sink.events[round]);
    }
    expect(sink.gaps).toEqual([]);
    expect(sensor.health().counters).toMatchObject({ replaced: 0 });
  });

  test('one that uses too much is started anew, and the gap says why', async () => {
    const { sensor, sink, read, runs, clock } = await watched();
    const helper = sensor.helper();
    expect(helper).toMatchObject({ name: 'eslogger', pid: Number(read('runs').split('\n')[0]) });
    helper?.replace('eslogger used too much');
    helper?.replace('said twice');
    await waitFor('another one', () => {
      clock.pass(1);
      return runs() === 2 ? true : undefined;
    });
    expect(sink.gaps).toMatchObject([{ reason: 'restart', detail: 'eslogger used too much' }]);
    expect(sensor.health().notes.join()).not.toContain('silent');
    // Its pid is another one by now.
    helper?.replace('too late');
    expect(sensor.helper()?.pid).not.toBe(helper?.pid);
    expect(runs()).toBe(2);
  });

  test('one that was stopped is noticed, and replaced', async () => {
    const { sensor, sink, feed, read, runs, clock, awake } = await watched();
    process.kill(Number(read('runs').split('\n')[0]), 'SIGSTOP');
    awake(119);
    expect(sink.gaps).toEqual([]);
    const before = clock.now();
    awake(2);
    expect(sink.gaps).toMatchObject([{ reason: 'silent', detail: expect.stringContaining('stopped') }]);
    expect(before - (sink.gaps[0]?.from ?? 0)).toBeGreaterThan(100_000_000);
    await waitFor('another one', () => {
      clock.pass(1);
      return runs() === 2 ? true : undefined;
    });
    expect(sink.gaps[1]).toMatchObject({ reason: 'restart', detail: expect.stringContaining('silent') });
    expect(sensor.health()).toMatchObject({ running: true, counters: { replaced: 1 } });
    expect(sensor.health().notes.join()).toContain('silent');
    appendFileSync(feed, `${execLine(['again'])}\n`);
    await waitFor('an event', () => sink.events[0]);
    expect(sensor.health().notes.join()).not.toContain('silent');
  });

  test('a sleep, a stop and a stall are no silence, and silence before them does not count', async () => {
    const { sink, clock, awake } = await watched();
    awake(100);
    for (let night = 0; night < 5; night++) {
      clock.sleep(8 * 3_600_000);
      awake(100);
    }
    clock.sleep(200_000);
    awake(119);
    expect(sink.gaps).toEqual([]);
    awake(2);
    expect(sink.gaps).toMatchObject([{ reason: 'silent' }]);
  });

  test('a quiet Mac is asked ever less often', async () => {
    const { sink, clock, awake, runs } = await watched();
    const silent = () => sink.gaps.filter(({ reason }) => reason === 'silent').length;
    awake(121);
    expect(silent()).toBe(1);
    await waitFor('another one', () => {
      clock.pass(1);
      return runs() === 2 ? true : undefined;
    });
    awake(200);
    expect(silent()).toBe(1);
    awake(60);
    expect(silent()).toBe(2);
  });

  test('a line too long to be read is a gap', async () => {
    const { sensor, sink, feed, start } = setUp();
    await start();
    appendFileSync(feed, `${'x'.repeat(10 * 1024 * 1024)}\n`);
    const gap = await waitFor('the gap', () => {
      sensor.ask(Date.now() * 1000);
      return sink.gaps[0];
    });
    expect(gap).toMatchObject({ reason: 'oversized', lost: 1 });
  });

  test('garbage, a line without end and a half line are counted', async () => {
    const { sensor, sink, feed, read, start } = setUp();
    await start();
    appendFileSync(feed, `garbage\n${'x'.repeat(10 * 1024 * 1024)}\n${execLine(['after'])}\n{"half":`);
    await waitFor('the event after it', () =>
      sink.events.find(({ doc }) => doc.process?.args?.[0] === 'after'),
    );
    expect(sensor.health().counters).toMatchObject({ malformed: 1, oversized: 1, half_lines: 0 });
    await new Promise((resolve) => setImmediate(resolve));
    process.kill(Number(read('runs').split('\n')[0]), 'SIGKILL');
    await waitFor('the half line', () => (sensor.health().counters['half_lines'] === 1 ? true : undefined));
  });

  test('lost messages are a gap that counts them', async () => {
    const { sensor, sink, feed, start } = setUp();
    await start();
    appendFileSync(
      feed,
      `${execLine(['a'], { globalSequence: 1 })}\n${execLine(['b'], { globalSequence: 9 })}\n`,
    );
    const gap = await waitFor('the gap', () => {
      sensor.ask(Date.now() * 1000);
      return sink.gaps[0];
    });
    expect(gap).toMatchObject({ reason: 'dropped', lost: 7 });
  });
});
