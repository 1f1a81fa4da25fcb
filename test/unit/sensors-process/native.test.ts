import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/log.js';
import { canonicalMacPath, RootMap } from '../../../src/base/root.js';
import { parseTime } from '../../../src/base/time.js';
import type { Event } from '../../../src/event/event.js';
import { addonCondition, addonPaths, loadAddon } from '../../../src/sensors/addon/index.js';
import {
  EarlyScan,
  ProcessScanSensor,
  type ProcessScanSensorOptions,
} from '../../../src/sensors/process-scan/index.js';
import { RecordingSink } from '../../contract/sensor.contract.js';
import { standInLaunchctl, waitFor } from '../../simulation/mac.js';

const native = loadAddon();
const launchctl = standInLaunchctl();
const reason =
  native.state !== 'loaded' ? native.reason : launchctl === undefined ? 'no C compiler' : undefined;
if (reason !== undefined)
  process.stderr.write(`skipped: native process scanner on real processes: ${reason}\n`);

describe.skipIf(reason !== undefined)('native process scanner on real processes', () => {
  const sensors: ProcessScanSensor[] = [];
  const children: ChildProcess[] = [];
  let folder: string;

  beforeAll(() => {
    folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'launchwarden-scan-')));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  afterEach(async () => {
    for (const sensor of sensors.splice(0)) await sensor.stop();
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  const watch = async (options: Partial<ProcessScanSensorOptions> = {}) => {
    const sink = new RecordingSink();
    const sensor = new ProcessScanSensor({
      root: new RootMap(),
      clock: systemClock,
      logger: silentLogger,
      boot: 'boot',
      scopePid: process.pid,
      ...options,
    });
    sink.sensor = sensor;
    await sensor.start(sink);
    sensors.push(sensor);
    return { sensor, sink };
  };
  const run = (
    program: string,
    args: readonly string[],
    options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
  ) => {
    const child = spawn(program, [...args], { stdio: 'ignore', ...options });
    children.push(child);
    return new Promise<void>((resolve) => child.once('exit', () => resolve()));
  };
  const find = (sink: RecordingSink, holds: (event: Event) => boolean) =>
    waitFor('the event', () => sink.events.find(holds));

  test.each([5, 10, 20])('catches most programs that live %i ms', async (lifetime) => {
    const { sink } = await watch();
    const rounds = 40;
    for (let round = 0; round < rounds; round++)
      await run(launchctl as string, ['load', `/x${round}.plist`], {
        env: { LAUNCHCTL_LIFETIME_MS: String(lifetime) },
      });
    await sink.completePast(Date.now() * 1000);
    const caught = sink.events.filter(({ doc }) => doc.process?.name === 'launchctl');
    expect(caught.length).toBeGreaterThan(rounds / 2);
    expect(new Set(caught.map(({ id }) => id)).size).toBe(caught.length);
    for (const { doc, time } of caught) {
      expect(doc.event).toMatchObject({ category: ['process'], type: ['start'], action: 'exec' });
      expect(doc.process).toMatchObject({
        executable: canonicalMacPath(launchctl as string),
        args_count: 3,
        parent: { pid: process.pid },
      });
      expect(doc.process?.args?.[1]).toBe('load');
      const from = parseTime(doc.launchwarden?.sensor?.not_before);
      expect(from?.time).toBeLessThanOrEqual(time);
      expect(parseTime(doc.process?.start)?.time).toBeLessThanOrEqual(from?.time as number);
    }
  });

  test('a scan that began early tells of what ended before anybody listened', async () => {
    const early = new EarlyScan(systemClock);
    const begun = early.take();
    await waitFor('the first look', () => ((begun?.counters()['looks'] ?? 0) > 1 ? true : undefined));
    await run(launchctl as string, ['early'], { env: { LAUNCHCTL_LIFETIME_MS: '200' } });
    const { sink } = await watch({ begun });
    const { doc } = await find(sink, (event) => event.doc.process?.name === 'launchctl');
    expect(doc).toMatchObject({ event: { action: 'exec' }, process: { args: [launchctl, 'early'] } });
    await run(launchctl as string, ['late'], { env: { LAUNCHCTL_LIFETIME_MS: '200' } });
    await find(sink, (event) => event.doc.process?.args?.[1] === 'late');
    // Taken once: what it was made for has it, and ends it.
    expect(early.take()).toBeUndefined();
  });

  test('a scan that began early and is not wanted ends', async () => {
    const early = new EarlyScan(systemClock);
    expect(early.waits).toBe(true);
    await early.stop();
    expect(early.waits).toBe(false);
    await early.stop();
  });

  test('reads arguments as they are: empty ones, line feeds, blanks', async () => {
    const { sink } = await watch();
    const args = ['', 'a b', 'line\nfeed', '', 'grün\u{1f600}', ''];
    await run(launchctl as string, args);
    const { doc } = await find(sink, (event) => event.doc.process?.name === 'launchctl');
    expect(doc.process?.args).toEqual([launchctl, ...args]);
    expect(doc.process?.args_count).toBe(args.length + 1);
    expect(doc.process?.command_line).toBe([launchctl, ...args].join(' '));
  });

  test('survives arguments that are not UTF-8, and cuts huge ones', async () => {
    const { sink } = await watch();
    await run('/bin/sh', ['-c', '"$0" "$(printf "a\\377b")" end; exit 0', launchctl as string]);
    const odd = await find(sink, (event) => event.doc.process?.name === 'launchctl');
    expect(odd.doc.process?.args?.slice(1)).toEqual(['a\ufffdb', 'end']);
    await run(launchctl as string, ['x'.repeat(100_000), 'y']);
    const huge = await find(sink, (event) => event.doc.process?.args?.[1]?.startsWith('xx') === true);
    expect(huge.doc.process?.Ext?.['command_line_truncated']).toBe(true);
    expect(huge.doc.process?.command_line?.length).toBeLessThanOrEqual(65_536);
    expect(huge.doc.process?.args?.[2]).toBe('y');
    expect(huge.doc.launchwarden?.process).toEqual({ args_cut: true, args_omitted: 0, args_shortened: 1 });
  });

  test('neither a huge program name nor very many arguments hide what is loaded', async () => {
    const { sink } = await watch();
    const named = spawn(launchctl as string, ['load', '/named.plist'], {
      argv0: `/${'x'.repeat(100_000)}`,
      stdio: 'ignore',
    });
    children.push(named);
    const byName = await find(sink, (event) => event.doc.process?.args?.at(-1) === '/named.plist');
    expect(byName.doc.process?.args?.slice(1)).toEqual(['load', '/named.plist']);
    const many = Array.from({ length: 100_000 }, () => '-w');
    await run(launchctl as string, [...many, 'load', '/last.plist']);
    const last = await find(sink, (event) => event.doc.process?.args?.at(-1) === '/last.plist');
    expect(last.doc.process?.args?.at(-2)).toBe('load');
    expect(last.doc.process?.args_count).toBe(100_003);
    expect(last.doc.launchwarden?.process?.args_omitted).toBeGreaterThan(90_000);
  });

  test('sees a shell execute another program in its own place', async () => {
    const { sink } = await watch();
    await run(
      '/bin/sh',
      ['-c', 'read line </dev/null; exec "$0" load /in-place.plist', launchctl as string],
      {
        env: { LAUNCHCTL_LIFETIME_MS: '200' },
      },
    );
    const loaded = await find(
      sink,
      (event) =>
        event.doc.process?.args?.includes('/in-place.plist') === true &&
        event.doc.process.name === 'launchctl',
    );
    const shell = sink.events.find(
      (event) => event.doc.process?.pid === loaded.doc.process?.pid && event !== loaded,
    );
    expect(shell?.doc.process?.entity_id).not.toBe(loaded.doc.process?.entity_id);
  });

  test('never shows a program under the name of its parent', async () => {
    const { sink } = await watch();
    for (let round = 0; round < 20; round++) await run(launchctl as string, [`round-${round}`]);
    await sink.completePast(Date.now() * 1000);
    const named = sink.events.filter((event) => event.doc.process?.args?.[1]?.startsWith('round-') === true);
    expect(new Set(named.map((event) => event.doc.process?.name))).toEqual(new Set(['launchctl']));
    const mine = sink.events.filter((event) => event.doc.process?.executable === process.execPath);
    expect(mine).toEqual([]);
  });

  test('names a program that was deleted while it runs, and one that is really called so', async () => {
    const { sink } = await watch();
    const gone = path.join(folder, 'gone');
    const odd = path.join(folder, 'odd (deleted)');
    copyFileSync(launchctl as string, gone);
    copyFileSync(launchctl as string, odd);
    const env = { LAUNCHCTL_LIFETIME_MS: '300' };
    const ends = [run(gone, ['gone-marker'], { env }), run(odd, ['odd-marker'], { env })];
    // spawn returns when the program is executed: it is mostly gone before the scanner's next look.
    unlinkSync(gone);
    await Promise.all(ends);
    const oddly = await find(sink, (event) => event.doc.process?.args?.[1] === 'odd-marker');
    const deleted = await find(sink, (event) => event.doc.process?.args?.[1] === 'gone-marker');
    expect(oddly.doc.process?.executable).toBe(canonicalMacPath(odd));
    expect(deleted.doc.process?.executable).toBe(canonicalMacPath(gone));
    expect(deleted.doc.process?.name).toBe('gone');
  });

  test('gives the paths of the mapped tree, and says who ran it where', async () => {
    const root = path.join(folder, 'root');
    mkdirSync(path.join(root, 'bin'), { recursive: true });
    mkdirSync(path.join(root, 'private/tmp'), { recursive: true });
    copyFileSync(launchctl as string, path.join(root, 'bin/launchctl'));
    const { sink } = await watch({ root: new RootMap(root) });
    const plist = path.join(root, 'Users/a/Library/LaunchAgents/x.plist');
    await run(path.join(root, 'bin/launchctl'), ['load', plist, `--x=${plist}`, '/other'], {
      cwd: path.join(root, 'private/tmp'),
    });
    const { doc } = await find(sink, (event) => event.doc.process?.name === 'launchctl');
    expect(doc.process).toMatchObject({
      executable: '/bin/launchctl',
      working_directory: '/private/tmp',
      args: [
        '/bin/launchctl',
        'load',
        '/Users/a/Library/LaunchAgents/x.plist',
        '--x=/Users/a/Library/LaunchAgents/x.plist',
        '/other',
      ],
    });
    const uid = String(process.getuid?.());
    expect(doc.user).toEqual({ id: uid, Ext: { real: { id: uid } } });
  });

  test('sees who started while no agent looked, when it is told since when', async () => {
    const before = Date.now() * 1000 - 50_000;
    const ended = run(launchctl as string, ['while-away'], { env: { LAUNCHCTL_LIFETIME_MS: '3000' } });
    const first = await watch();
    const running: Event[] = [];
    const { sink } = await watch({ resumeFrom: before, onContext: (event) => running.push(event) });
    const event = await find(sink, (one) => one.doc.process?.args?.[1] === 'while-away');
    expect(event.doc.event?.type).toEqual(['start']);
    expect(event.doc.launchwarden?.sensor?.reason).toBe('started while no agent looked');
    expect(running.find((one) => one.doc.process?.pid === process.pid)?.doc.event?.type).toEqual(['info']);
    expect(first.sink.events.filter((one) => one.doc.process?.args?.[1] === 'while-away')).toEqual([]);
    children.at(-1)?.kill('SIGKILL');
    await ended;
  });

  test('a stalled main thread costs counted events and no memory without bound', async () => {
    const { sink, sensor } = await watch({ scan: { queueMb: 0.125 } });
    // Nothing of JavaScript runs meanwhile, as when a rule, a disk or a debugger holds it up.
    const long = 'x'.repeat(4_000);
    execFileSync(
      '/bin/sh',
      ['-c', 'i=0; while [ $i -lt 60 ]; do "$0" "$1" & i=$((i+1)); done; wait', launchctl as string, long],
      {
        env: { LAUNCHCTL_LIFETIME_MS: '30' },
      },
    );
    await sink.completePast(Date.now() * 1000);
    const gap = await waitFor('the gap', () => sink.gaps[0]);
    expect(gap).toMatchObject({ sensor: 'process-scan', reason: 'dropped' });
    const { dropped = 0, starts = 0, forks = 0 } = sensor.health().counters;
    expect(sink.gaps.reduce((sum, one) => sum + (one.lost ?? 0), 0)).toBe(dropped);
    expect(sink.events.length + (sensor.health().counters['out_of_scope'] ?? 0) + dropped).toBe(
      starts + forks,
    );
  });

  test('works in a worker that ends without stopping it', async () => {
    const file = addonPaths()[0] as string;
    const code = `
      const { ProcessScanner } = require(${JSON.stringify(file)});
      const scanner = new ProcessScanner({}, () => { while (scanner.take() !== undefined); });
      scanner.start();
      setTimeout(() => process.exit(0), 20);`;
    for (let round = 0; round < 3; round++) {
      const worker = new Worker(code, { eval: true });
      expect(await new Promise((resolve) => worker.once('exit', resolve))).toBe(0);
    }
    const whole = spawnSync(process.execPath, ['-e', code]);
    expect({ status: whole.status, signal: whole.signal, error: whole.stderr.toString() }).toEqual({
      status: 0,
      signal: null,
      error: '',
    });
  });

  test('an addon that is there and broken is said to be so', () => {
    const file = path.join(folder, 'broken.node');
    writeFileSync(file, 'not a library');
    const broken = loadAddon([file]);
    expect(broken).toMatchObject({ state: 'broken' });
    const sensor = new ProcessScanSensor({
      root: new RootMap(),
      clock: systemClock,
      logger: silentLogger,
      boot: 'boot',
      addon: broken,
    });
    expect(sensor.health().notes[0]).toContain('broken.node cannot be loaded');
    unlinkSync(file);
    expect(loadAddon([file])).toMatchObject({ state: 'absent' });
  });

  test('a file that does not load is passed over for the next one, and named', ({ skip }) => {
    if (native.state !== 'loaded') skip('the addon is not built here');
    const file = path.join(folder, 'of-another-system.node');
    writeFileSync(file, Buffer.from('cffaedfe0c000001', 'hex'));
    const loaded = loadAddon([path.join(folder, 'none.node'), file, ...addonPaths()]);
    expect(loaded).toMatchObject({
      state: 'loaded',
      passedOver: [expect.stringContaining('of-another-system.node cannot be loaded')],
    });
    expect(addonCondition(loaded)).toEqual({
      state: 'loaded',
      passed_over: [expect.stringContaining('of-another-system.node')],
    });
    // As one that an older version of this program had built.
    expect(addonCondition(loadAddon([file]))).toMatchObject({ state: 'broken', passed_over: [] });
  });

  test('refuses options that make no sense', () => {
    if (native.state !== 'loaded') return;
    const { ProcessScanner } = native.addon;
    expect(() => new ProcessScanner({ periodUs: 1 }, () => {})).toThrow(/periodUs is out of range/);
    expect(() => new ProcessScanner({ cpuShare: Number.NaN }, () => {})).toThrow(/cpuShare/);
    expect(() => new ProcessScanner({ queueBytes: 'x' as unknown as number }, () => {})).toThrow(
      /must be a number/,
    );
    expect(() => new ProcessScanner({}, undefined as unknown as () => void)).toThrow(TypeError);
  });
});
