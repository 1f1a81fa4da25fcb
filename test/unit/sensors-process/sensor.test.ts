import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/log.js';
import { RootMap } from '../../../src/base/root.js';
import type { Addon } from '../../../src/sensors/addon/index.js';
import {
  type ProcessRecord,
  ProcessScanSensor,
  type ProcessScanSensorOptions,
  type ProcessSource,
  type ProcessSourceSink,
  runningProcesses,
} from '../../../src/sensors/process-scan/index.js';
import { processScanDefaults } from '../../../src/sensors/process-scan/options.js';
import { type ListedProcess, PsListProcessSource } from '../../../src/sensors/process-scan/ps-list-source.js';
import { RecordingSink } from '../../contract/sensor.contract.js';
import { ManualClock } from '../../helpers/manual-clock.js';

/** A source whose processes the test makes up. */
class ScriptedSource implements ProcessSource {
  sink!: ProcessSourceSink;
  running: ProcessRecord[] = [];

  async start(sink: ProcessSourceSink): Promise<void> {
    this.sink = sink;
    for (const record of this.running) sink.process(record);
  }

  ask(): void {}

  async stop(): Promise<void> {}

  notes(): readonly string[] {
    return ['scripted'];
  }

  counters(): Readonly<Record<string, number>> {
    return {};
  }
}

function record(pid: number, ppid: number, more: Partial<ProcessRecord> = {}): ProcessRecord {
  return {
    type: 'exec',
    pid,
    ppid,
    startKey: `${pid}`,
    imageKey: '',
    start: 1_000_000,
    notBefore: 1_000_000,
    seen: 1_002_000,
    shortName: 'x',
    executable: '/bin/x',
    args: { args: ['x'], count: 1, front: 1, shortened: 0 },
    ...more,
  };
}

async function start(source: ScriptedSource, options: Partial<ProcessScanSensorOptions> = {}) {
  const sink = new RecordingSink();
  const context: number[] = [];
  const sensor = new ProcessScanSensor({
    root: new RootMap(),
    clock: new ManualClock(2_000_000),
    logger: silentLogger,
    boot: 'boot',
    source,
    onContext: ({ doc }) => context.push(doc.process?.pid as number),
    ...options,
  });
  sink.sensor = sensor;
  await sensor.start(sink);
  return { sink, sensor, context, pids: () => sink.events.map(({ doc }) => doc.process?.pid) };
}

describe('process-scan sensor', () => {
  test('an event is ordered by the upper end of its interval and names the lower one', async () => {
    const source = new ScriptedSource();
    const { sink } = await start(source);
    source.sink.process(record(7, 1, { start: 990_000, notBefore: 1_000_000, seen: 1_002_000 }));
    expect(sink.events[0]?.time).toBe(1_002_000);
    expect(sink.events[0]?.doc).toMatchObject({
      '@timestamp': '1970-01-01T00:00:01.002000Z',
      process: { start: '1970-01-01T00:00:00.990000Z' },
      launchwarden: {
        sensor: { kind: 'process-scan', precision: 'interval', not_before: '1970-01-01T00:00:01.000000Z' },
      },
    });
  });

  test('the same process gives the same ids, another image of it others', async () => {
    const source = new ScriptedSource();
    const { sink } = await start(source);
    source.sink.process(record(7, 1, { seen: 1 }));
    source.sink.process(record(7, 1, { seen: 2 }));
    source.sink.process(record(7, 1, { executable: '/bin/y' }));
    source.sink.process(record(7, 1, { imageKey: '9' }));
    source.sink.process(record(7, 1, { startKey: 'later' }));
    const ids = sink.events.map(({ id }) => id);
    expect(ids[0]).toBe(ids[1]);
    expect(new Set(ids).size).toBe(4);
    const entities = sink.events.map(({ doc }) => doc.process?.entity_id);
    expect(new Set(entities).size).toBe(4);
  });

  test('an image that cannot be read is named by the kernel, and said to be inexact', async () => {
    const source = new ScriptedSource();
    const { sink } = await start(source);
    const { executable: _, args: __, ...unreadable } = record(7, 1, { shortName: 'launchctl' });
    source.sink.process(unreadable);
    const { process, launchwarden } = sink.events[0]?.doc ?? {};
    expect(process?.name).toBe('launchctl');
    expect(process).not.toHaveProperty('executable');
    expect(process).not.toHaveProperty('args');
    expect(process).not.toHaveProperty('command_line');
    expect(launchwarden?.sensor?.name_inexact).toBe(true);
  });

  test('a fork that does not exec is a start with action fork', async () => {
    const source = new ScriptedSource();
    const { sink } = await start(source);
    source.sink.process(record(7, 1, { type: 'fork' }));
    expect(sink.events[0]?.doc.event).toMatchObject({ type: ['start'], action: 'fork' });
  });

  test('what ran before is no event, but known as context', async () => {
    const source = new ScriptedSource();
    source.running = [record(5, 1, { type: 'running' }), record(6, 1, { type: 'running', start: 1_500_000 })];
    const { context, pids } = await start(source);
    expect(pids()).toEqual([]);
    expect(context).toEqual([5, 6]);
    const resumed = await start(source, { resumeFrom: 1_200_000 });
    expect(resumed.pids()).toEqual([6]);
    expect(resumed.context).toEqual([5]);
  });

  test('a scope holds the descendants of one process, also when their parents are gone', async () => {
    const source = new ScriptedSource();
    source.running = [record(10, 1, { type: 'running' }), record(11, 10, { type: 'running' })];
    const { context, pids } = await start(source, { scopePid: 10 });
    source.sink.process(record(12, 11));
    source.sink.process(record(13, 1));
    source.sink.process(record(14, 12));
    // 12 ended: 14 belongs to pid 1 now, and executes another program.
    source.sink.process(record(14, 1, { executable: '/bin/y' }));
    // A child of one that nobody saw, in the group of one that was seen.
    source.sink.process(record(15, 1, { pgid: 12 }));
    // Pid 12 given out again, elsewhere: it and its children do not belong.
    source.sink.process(record(12, 1, { startKey: 'again' }));
    source.sink.process(record(16, 12));
    expect(pids()).toEqual([12, 14, 14, 15]);
    expect(context).toEqual([10, 11, 13, 12, 16]);
  });

  test('the agent does not observe its own helpers', async () => {
    const source = new ScriptedSource();
    const { context, pids } = await start(source, { ignoreChildrenOf: [42] });
    source.sink.process(record(50, 42));
    source.sink.process(record(51, 50));
    expect(pids()).toEqual([51]);
    expect(context).toEqual([50]);
  });

  test('a clock that is set back never takes back what was called complete', async () => {
    const source = new ScriptedSource();
    const { sink } = await start(source);
    source.sink.completeThrough(10);
    source.sink.completeThrough(5);
    source.sink.completeThrough(11);
    expect(sink.completes).toEqual([10, 11]);
  });

  test('lost records are a gap that counts them', async () => {
    const source = new ScriptedSource();
    const { sink, sensor } = await start(source);
    source.sink.completeThrough(1_900_000);
    source.sink.dropped(3);
    expect(sink.gaps).toMatchObject([{ reason: 'dropped', from: 1_900_000, to: 2_000_000, lost: 3 }]);
    expect(sensor.health().counters['dropped']).toBe(3);
  });

  test('a native scanner that hangs is a gap, once, until it looks again', async () => {
    const clock = new ManualClock(50_000_000);
    let looked = 40_000_000;
    let ready: (() => void) | undefined;
    // The ready record alone: kind 4, no numbers, no strings.
    const batches = [Buffer.from([16, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0])];
    class Scanner {
      constructor(_: object, onWake: () => void) {
        ready = onWake;
      }
      start(): undefined {
        queueMicrotask(() => ready?.());
      }
      stop = () => true;
      take = () => batches.shift();
      completeThrough = () => looked;
      counters = () => ({});
      hurry = () => {};
    }
    const addon = { ProcessScanner: Scanner, EndpointSecurityClient: Scanner } as unknown as Addon;
    const sink = new RecordingSink();
    const sensor = new ProcessScanSensor({
      root: new RootMap(),
      clock,
      logger: silentLogger,
      boot: 'boot',
      addon: { state: 'loaded', addon },
    });
    sink.sensor = sensor;
    await sensor.start(sink);
    const ask = (milliseconds: number) => {
      clock.pass(milliseconds);
      sensor.ask(clock.now());
    };
    for (let look = 0; look < 100; look++) {
      ask(100);
      looked += 100_000;
    }
    expect(sink.gaps).toEqual([]);
    // The machine slept: the agent's turn comes before the scanner's first look.
    ask(300_000);
    ask(600);
    expect(sink.gaps).toEqual([]);
    looked += 300_000_000;
    for (let second = 0; second < 5; second++) ask(1_000);
    expect(sink.gaps).toMatchObject([
      { sensor: 'process-scan', reason: 'stalled', from: looked, to: 363_600_000 },
    ]);
    expect(sensor.health().notes.join()).toContain('hangs');
    looked += 1;
    ask(1_000);
    expect(sensor.health().notes.join()).not.toContain('hangs');
    for (let second = 0; second < 5; second++) ask(1_000);
    expect(sink.gaps.length).toBe(2);
    await sensor.stop();
  });

  test('a source that cannot work rejects the start with a hint', async () => {
    const source = new ScriptedSource();
    source.start = async () => {
      throw new Error('/proc is not mounted');
    };
    await expect(start(source)).rejects.toMatchObject({
      code: 'sensor/process-scan',
      hint: expect.any(String),
    });
  });
});

test('the running processes can be listed once, also without the addon', async () => {
  for (const addon of [undefined, { state: 'absent', reason: 'test' } as const]) {
    const events = await runningProcesses({
      root: new RootMap(),
      clock: systemClock,
      boot: 'boot',
      ...(addon === undefined ? {} : { addon }),
    });
    const own = events.find(({ doc }) => doc.process?.pid === process.pid);
    expect(own?.doc.event).toMatchObject({ type: ['info'], action: 'already_running' });
    expect(own?.doc.process?.parent?.pid).toBe(process.ppid);
  }
});

describe('the ps-list fallback', () => {
  test.each([
    ['absent', 'warn'],
    ['broken', 'error'],
  ] as const)('is never chosen silently: addon %s', (state, level) => {
    const said: [string, string][] = [];
    const log = (name: string) => (fields: object, message: string) =>
      void said.push([name, `${message} ${JSON.stringify(fields)}`]);
    const sensor = new ProcessScanSensor({
      root: new RootMap(),
      clock: new ManualClock(),
      logger: { ...silentLogger, warn: log('warn'), error: log('error') },
      boot: 'b',
      addon: { state, reason: 'not built here' },
    });
    expect(said).toHaveLength(1);
    expect(said[0]?.[0]).toBe(level);
    const { degraded = '', notes } = sensor.health();
    for (const text of [said[0]?.[1] ?? '', degraded]) {
      expect(text).toMatch(/misses nearly every program that lives shorter/);
      expect(text).toMatch(/% of a core/);
    }
    expect(notes).toContain('not built here');
  });

  const listed = (pid: number, more: Partial<ListedProcess> = {}): ListedProcess => ({
    pid,
    ppid: 1,
    name: 'x',
    path: '/bin/x',
    cmd: '/bin/x -a  b',
    uid: 501,
    startTime: new Date(1_000),
    ...more,
  });

  async function poll() {
    const clock = new ManualClock(10_000_000);
    const lists: (readonly ListedProcess[] | Error)[] = [[listed(1)]];
    const source = new PsListProcessSource(processScanDefaults, clock, async () => {
      const next = lists.length > 1 ? lists.shift() : lists[0];
      if (next instanceof Error) throw next;
      return next as readonly ListedProcess[];
    });
    const records: ProcessRecord[] = [];
    const completes: number[] = [];
    const failures: string[] = [];
    await source.start({
      process: (one) => records.push(one),
      completeThrough: (time) => completes.push(time),
      dropped: () => {},
      stalled: () => {},
      failed: (reason) => failures.push(reason),
    });
    const look = async (next: readonly ListedProcess[] | Error) => {
      lists.splice(0, lists.length, next);
      clock.pass(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    };
    return { source, records, completes, failures, look };
  }

  test('finds new processes and new programs of known pids, and calls their parts inexact', async () => {
    const { records, look, source } = await poll();
    expect(records).toMatchObject([{ type: 'running', pid: 1 }]);
    await look([listed(1), listed(2)]);
    await look([listed(1), listed(2, { path: '/bin/y', name: 'y' })]);
    await look([listed(1), listed(2, { path: '/bin/y', name: 'y', startTime: new Date(9_000) })]);
    expect(records.slice(1)).toMatchObject([
      {
        type: 'exec',
        pid: 2,
        args: { args: ['/bin/x', '-a', 'b'], count: 3, shortened: 0 },
        argsInexact: true,
        notBefore: 10_000_000,
        seen: 11_000_000,
      },
      { type: 'exec', pid: 2, executable: '/bin/y' },
      { type: 'exec', pid: 2, startKey: '9000' },
    ]);
    await source.stop();
  });

  test('survives a failed list, gives up after five', async () => {
    const { failures, look, source, records } = await poll();
    for (let round = 0; round < 4; round++) await look(new Error('no ps'));
    await look([listed(3)]);
    expect(failures).toEqual([]);
    expect(records.at(-1)?.pid).toBe(3);
    for (let round = 0; round < 5; round++) await look(new Error('no ps'));
    expect(failures).toEqual(['ps-list: no ps']);
    await source.stop();
  });
});
