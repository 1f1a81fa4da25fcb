import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/log.js';
import { RootMap } from '../../../src/base/root.js';
import { type EsloggerOptions, EsloggerSensor } from '../../../src/sensors/eslogger/index.js';
import { RecordingSink } from '../../contract/sensor.contract.js';
import { closeLine, execLine, fakeEslogger } from '../../helpers/eslogger-lines.js';
import { waitFor } from '../../simulation/mac.js';

const folders: string[] = [];
const sensors: EsloggerSensor[] = [];
afterEach(async () => {
  for (const sensor of sensors.splice(0)) await sensor.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function setUp(settings: Partial<EsloggerOptions> = {}) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-eslogger-'));
  folders.push(folder);
  const { program, feed } = fakeEslogger(folder);
  const sensor = new EsloggerSensor({
    root: new RootMap(),
    clock: systemClock,
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
  };
  return { sensor, sink, feed, write, read, start };
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

  test('a tool that is not there, or does not answer, is told', async () => {
    await expect(setUp({ program: '/nowhere/eslogger' }).start()).rejects.toMatchObject({
      code: 'sensor/eslogger-absent',
    });
    const { write, start } = setUp();
    write('events', '');
    await expect(start()).rejects.toMatchObject({ code: 'sensor/eslogger-list' });
  });

  test('is started again when it was killed, with a gap, and goes on observing', async () => {
    const { sensor, sink, feed, read, start } = setUp();
    await start();
    process.kill(Number(read('runs').split('\n')[0]), 'SIGKILL');
    await waitFor('the restart', () => (sensor.health().counters['restarts'] === 1 ? true : undefined));
    await waitFor('the second run', () => (read('runs').split('\n').length === 3 ? true : undefined));
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

  test('one that was stopped is noticed, and can still be ended', async () => {
    const { sensor, sink, read, start } = setUp({ silentMs: 100 });
    await start();
    process.kill(Number(read('runs').split('\n')[0]), 'SIGSTOP');
    await waitFor('the gap', () => {
      sensor.ask(Date.now() * 1000);
      return sink.gaps.find(({ reason }) => reason === 'silent');
    });
    expect(sensor.health().notes.join()).toContain('silent');
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
