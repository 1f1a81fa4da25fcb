import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { RootMap } from '../../src/base/root.js';
import { ProcessTable } from '../../src/enrich/process-table.js';
import { addonPaths } from '../../src/sensors/addon/index.js';
import type { EndpointSecuritySensor } from '../../src/sensors/endpoint-security/index.js';
import { RecordingSink } from '../contract/sensor.contract.js';
import { waitFor } from '../simulation/mac.js';
import {
  addonWithDouble,
  type EsScript,
  kindNumber,
  played,
  type ScriptedMessage,
  sensorOn,
} from './double.js';

const { addon, reason } = addonWithDouble();
if (addon === undefined) process.stderr.write(`skipped: EndpointSecurity through its double: ${reason}\n`);

const shell = {
  pid: 100,
  pidversion: 7,
  ppid: 1,
  parentPid: 1,
  parentPidversion: 2,
  executable: '/bin/zsh',
  euid: 501,
  ruid: 501,
};
const launchctl = {
  pid: 101,
  pidversion: 9,
  ppid: 100,
  parentPid: 100,
  parentPidversion: 7,
  responsiblePid: 50,
  responsiblePidversion: 3,
  executable: '/bin/launchctl',
  signingId: 'com.apple.xpc.launchctl',
  signingFlags: 0x26015b11,
  platformBinary: true,
  startUs: 1_700_000_000_000_000,
};
const exec: ScriptedMessage = {
  kind: kindNumber('exec'),
  timeUs: 1_700_000_000_123_456,
  timeNs: 789,
  process: launchctl,
  args: ['launchctl', 'load', '', '/Library/LaunchAgents/x.plist'],
  workingDirectory: '/tmp',
};
const plist = {
  path: '/Library/LaunchAgents/x.plist',
  inode: '1152921500312525701',
  size: 300,
  mode: 0o100644,
};
const at = (timeUs: number, message: ScriptedMessage): ScriptedMessage => ({ ...message, timeUs });

describe.skipIf(addon === undefined)('EndpointSecurity through its double', () => {
  const sensors: EndpointSecuritySensor[] = [];
  const folders: string[] = [];
  afterEach(async () => {
    for (const sensor of sensors.splice(0)) await sensor.stop();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  const start = async (script: EsScript = {}, options: Parameters<typeof sensorOn>[1] = {}) => {
    const double = new addon!.EndpointSecurityDouble(script);
    const sensor = sensorOn(double, options);
    const sink = new RecordingSink();
    sink.sensor = sensor;
    await sensor.start(sink);
    sensors.push(sensor);
    const play = async (messages: readonly ScriptedMessage[], repeat?: number) => {
      await played(double, messages, repeat);
      await sink.completePast(Date.now() * 1000);
    };
    return { double, sensor, sink, play };
  };

  test('opens two clients; the file client is subscribed last, with inverted muting', async () => {
    const { double, sensor } = await start();
    expect(double.calls()).toEqual([
      'connect',
      'mute-self',
      'subscribe 5',
      'subscribe 1',
      'connect',
      'mute-self',
      'clear-targets',
      'invert-targets',
      'mute-prefix /Library/LaunchAgents/',
      'mute-prefix /Library/LaunchDaemons/',
      'mute-literal /Library/LaunchAgents',
      'mute-literal /Library/LaunchDaemons',
      'subscribe 12',
    ]);
    sensors.pop();
    await sensor.stop();
    expect(double.calls().slice(-2)).toEqual(['close', 'close']);
  });

  test.each([
    [2, 'internal'],
    [3, 'not-entitled'],
    [4, 'not-permitted'],
    [5, 'not-privileged'],
    [6, 'too-many-clients'],
    [99, 'unknown'],
  ])('result %i of a new client is told in words', async (result, code) => {
    const error = await start({ connect: [result] }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      name: 'UserError',
      code: `sensor/endpoint-security-${code}`,
      hint: expect.stringMatching(/\w/),
    });
  });

  test('a second client that cannot be made closes the first', async () => {
    const double = new addon!.EndpointSecurityDouble({ connect: [0, 6] });
    await expect(sensorOn(double).start(new RecordingSink())).rejects.toThrow(/limit/);
    expect(double.calls()).toEqual([
      'connect',
      'mute-self',
      'subscribe 5',
      'subscribe 1',
      'connect',
      'close',
    ]);
  });

  test('a refused subscription is a failure; a refused folder is counted', async () => {
    await expect(start({ subscribeFails: true })).rejects.toMatchObject({
      code: 'sensor/endpoint-security-subscribe',
    });
    const { sensor } = await start({ mutingFails: true });
    expect(sensor.health().counters['muting_failed']).toBe(6);
  });

  test('without the library the reason is said', async () => {
    const sensor = sensorOn(undefined as never);
    await expect(sensor.start(new RecordingSink())).rejects.toMatchObject({
      code: 'sensor/endpoint-security-unsupported',
    });
  });

  test('an exec becomes a process event as Elastic Defend has it', async () => {
    const { sink, play } = await start();
    await play([exec]);
    const [event] = sink.events;
    expect(event).toMatchObject({ time: 1_700_000_000_123_456, nanos: 789 });
    expect(event?.doc).toMatchObject({
      '@timestamp': '2023-11-14T22:13:20.123456789Z',
      event: { category: ['process'], type: ['start'], action: 'exec' },
      process: {
        pid: 101,
        name: 'launchctl',
        executable: '/bin/launchctl',
        args: ['launchctl', 'load', '', '/Library/LaunchAgents/x.plist'],
        args_count: 4,
        working_directory: '/private/tmp',
        start: '2023-11-14T22:13:20.000000Z',
        parent: { pid: 100 },
        code_signature: {
          exists: true,
          trusted: true,
          status: 'trusted',
          signing_id: 'com.apple.xpc.launchctl',
        },
        Ext: { effective_parent: { pid: 50 } },
      },
      user: { id: '0', Ext: { real: { id: '0' } } },
      launchwarden: { sensor: { kind: 'endpoint-security', precision: 'exact' } },
    });
  });

  test('fork and exit keep their parts', async () => {
    const { sink, play } = await start();
    await play([
      { kind: kindNumber('fork'), process: { ...shell, pid: 102, pidversion: 11 } },
      { kind: kindNumber('exit'), process: shell, exitStatus: 19_968 },
      { kind: kindNumber('exit'), process: shell, exitStatus: 9 },
    ]);
    expect(
      sink.events.map(({ doc }) => [doc.event?.action, doc.event?.type, doc.process?.exit_code]),
    ).toEqual([
      ['fork', ['start'], undefined],
      ['end', ['end'], 78],
      ['end', ['end'], 137],
    ]);
  });

  test("the writer of a file is the launchctl's parent by entity id", async () => {
    const { sink, play } = await start();
    await play([
      { kind: kindNumber('exec'), process: shell, args: ['zsh'] },
      { kind: kindNumber('close'), process: shell, file: plist, modified: true },
      exec,
      {
        kind: kindNumber('exec'),
        process: { ...launchctl, pid: 200, parentPid: 999, parentPidversion: 1 },
        args: ['launchctl', 'load'],
      },
    ]);
    const table = new ProcessTable();
    const [, wrote, loaded, unrelated] = sink.events.map(({ doc }) => table.complete(doc));
    expect(loaded?.process?.parent?.entity_id).toBe(wrote?.process?.entity_id);
    expect(loaded?.process?.parent).toMatchObject({ name: 'zsh', args: ['zsh'] });
    expect(unrelated?.process?.parent?.entity_id).not.toBe(wrote?.process?.entity_id);
  });

  test('what an old message does not have is not read from it', async () => {
    const { sink, play } = await start();
    await play([
      { ...exec, version: 1 },
      { ...exec, version: 3 },
      { ...exec, version: 4, process: { ...launchctl, pid: 5 } },
    ]);
    const [first, third, fourth] = sink.events.map(({ doc }) => doc.process);
    expect(first).not.toHaveProperty('start');
    expect(first).not.toHaveProperty('working_directory');
    expect(first?.parent).toEqual({ pid: 100 });
    expect(first).not.toHaveProperty('Ext');
    expect(third).toHaveProperty('start');
    expect(third?.parent).toEqual({ pid: 100 });
    expect(fourth?.parent).toEqual({ pid: 100, entity_id: expect.any(String) });
  });

  test('a category of signature counts only from message version 10', async () => {
    const { sink, play } = await start();
    const process = { ...launchctl, category: 0 };
    await play([
      { ...exec, version: 9, process },
      { ...exec, version: 10, process: { ...process, pid: 9 } },
    ]);
    expect(sink.events.map(({ doc }) => doc.process?.code_signature?.trusted)).toEqual([true, false]);
  });

  test('arguments that are no UTF-8, empty tokens, cut paths, huge arguments: all survive', async () => {
    const { sink, play } = await start();
    await play([
      { ...exec, args: [Buffer.from([0x61, 0xff, 0x62]), Buffer.alloc(0), 'é'] },
      { kind: kindNumber('exec'), process: { pid: 5, pidversion: 1 } },
      { kind: kindNumber('close'), process: shell, file: { ...plist, truncated: true }, modified: true },
      { kind: kindNumber('exec'), process: { pid: 6, pidversion: 1 }, args: ['x'.repeat(200_000), 'y'] },
    ]);
    expect(sink.events.map(({ doc }) => doc.process?.args?.map((one) => one.length))).toEqual([
      [3, 0, 1],
      [],
      undefined,
      [4_093, 1],
    ]);
    expect(sink.events[0]?.doc.process?.args?.[0]).toBe('a\ufffdb');
    expect(sink.events[1]?.doc.process).not.toHaveProperty('name');
    expect(sink.events[2]?.doc.launchwarden?.findings).toEqual(['path-truncated']);
    expect(sink.events[3]?.doc.process).toMatchObject({
      args_count: 2,
      Ext: { command_line_truncated: true },
    });
    expect(sink.events[3]?.doc.launchwarden?.process).toMatchObject({ args_cut: true, args_shortened: 1 });
  });

  test('inode numbers beyond 2^53 are exact', async () => {
    const { sink, play } = await start();
    await play([{ kind: kindNumber('close'), process: shell, file: plist, modified: true }]);
    expect(sink.events[0]?.doc.file).toMatchObject({
      inode: '1152921500312525701',
      mode: '0644',
      type: 'file',
      extension: 'plist',
    });
  });

  test('only what touches a wanted folder arrives, from either side of a rename', async () => {
    const { sink, play } = await start();
    const rename = (from: string, to: string): ScriptedMessage => ({
      kind: kindNumber('rename'),
      process: shell,
      other: { path: from, inode: '9', mode: 0o100644 },
      directory: path.posix.dirname(to),
      name: path.posix.basename(to),
    });
    await play([
      rename('/private/tmp/a', '/Library/LaunchAgents/in.plist'),
      rename('/Library/LaunchAgents/out.plist', '/private/tmp/b'),
      rename('/private/tmp/a', '/private/tmp/b'),
      { kind: kindNumber('unlink'), process: shell, file: plist },
      { kind: kindNumber('unlink'), process: shell, file: { path: '/Library/LaunchAgentsX/x' } },
      {
        kind: kindNumber('create'),
        process: shell,
        file: { path: '/Library/LaunchAgents', mode: 0o040755, inode: '4' },
      },
    ]);
    expect(
      sink.events.map(({ doc }) => [
        doc.event?.action,
        doc.file?.path,
        doc.file?.Ext?.original?.path,
        doc.file?.inode,
      ]),
    ).toEqual([
      ['rename', '/Library/LaunchAgents/in.plist', '/private/tmp/a', '9'],
      ['rename', '/private/tmp/b', '/Library/LaunchAgents/out.plist', '9'],
      ['deletion', plist.path, undefined, plist.inode],
      ['modification', '/Library/LaunchAgents', undefined, '4'],
    ]);
  });

  test('every way to make or change a file is a modification; an unchanged close and a denied create are none', async () => {
    const { sink, play } = await start({}, { more: ['open', 'setextattr', 'deleteextattr'] });
    const file = (
      kind: Parameters<typeof kindNumber>[0],
      more: Partial<ScriptedMessage> = {},
    ): ScriptedMessage => ({
      kind: kindNumber(kind),
      process: shell,
      file: { ...plist, path: `/Library/LaunchDaemons/${kind}.plist` },
      ...more,
    });
    const { file: _, ...joined } = file('clone');
    await play([
      file('create'),
      file('create', { denied: true }),
      file('close', { modified: false }),
      file('close', { modified: false, mappedWritable: true }),
      file('link', { other: { path: '/private/tmp/a' } }),
      { ...joined, other: { path: '/private/tmp/a' }, directory: '/Library/LaunchDaemons/', name: 'c.plist' },
      file('copyfile'),
      file('truncate'),
      file('exchangedata', { other: { path: '/private/tmp/other' } }),
      file('setmode'),
      file('setowner'),
      file('open'),
      file('setextattr', { attribute: 'a' }),
      file('deleteextattr', { attribute: 'com.apple.quarantine' }),
    ]);
    expect(sink.events.map(({ doc }) => `${doc.event?.action} ${doc.file?.name}`)).toEqual([
      'modification create.plist',
      'modification close.plist',
      'modification link.plist',
      'modification c.plist',
      'clone c.plist',
      'modification copyfile.plist',
      'modification truncate.plist',
      'modification exchangedata.plist',
      'modification other',
      'modification setmode.plist',
      'modification setowner.plist',
      'open open.plist',
      'extended_attributes_delete deleteextattr.plist',
    ]);
    expect(sink.events.at(-1)?.doc.file?.['attributes']).toEqual(['com.apple.quarantine']);
    expect(sink.events.at(-1)?.doc.event?.type).toEqual(['deletion']);
  });

  test('who forked comes along, and what was refused is counted', async () => {
    const { sink, sensor, play } = await start();
    const child = { pid: 102, pidversion: 12, executable: '/bin/zsh', parentPid: 100, parentPidversion: 7 };
    await play([{ kind: kindNumber('fork'), process: child, actor: shell }, { ...exec, denied: true }, exec]);
    expect(sink.events.map(({ doc }) => doc.event?.action)).toEqual(['fork', 'exec']);
    expect(sink.observations[0]?.actor).toMatchObject({ pid: 100, executable: '/bin/zsh', name: 'zsh' });
    expect(sink.observations[0]?.actor?.entity_id).toBe(sink.events[0]?.doc.process?.parent?.entity_id);
    expect(sink.observations[1]?.actor).toBeUndefined();
    expect(sensor.health().counters).toMatchObject({ denied: 1 });
  });

  test('what follows a creation while it settles grows its event, and carries the bytes away', async () => {
    const root = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-es-'));
    folders.push(root);
    mkdirSync(path.join(root, 'Library/LaunchAgents'), { recursive: true });
    writeFileSync(path.join(root, plist.path), '<plist/>');
    const { sink, play } = await start({}, { root: new RootMap(root) });
    const created = { kind: kindNumber('create'), process: shell, file: plist };
    const closed = { kind: kindNumber('close'), process: shell, file: plist, modified: true };
    await play([at(1_000_000, created), at(1_400_000, closed), at(9_000_000, closed)]);
    expect(sink.observations.map(({ amends, event }) => [amends, event.time])).toEqual([
      [undefined, 1_000_000],
      [true, 1_000_000],
      [undefined, 9_000_000],
    ]);
    expect(sink.observations[1]?.event.id).toBe(sink.observations[0]?.event.id);
    expect(Buffer.from(sink.observations[1]?.content?.bytes ?? []).toString()).toBe('<plist/>');
    expect(sink.observations[1]?.event.doc.file?.hash?.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  test('a launch item of background task management is one event until it is removed', async () => {
    const { sink, play } = await start();
    const item = {
      process: { pid: 3, pidversion: 1, executable: '/usr/libexec/smd' },
      instigator: { ...shell, pid: 77 },
      itemType: 3,
      itemUid: 501,
    };
    const add = {
      ...item,
      kind: kindNumber('btm_launch_item_add'),
      itemUrl: 'file:///Users/a/Library/LaunchAgents/%C3%A9%20x.plist',
    };
    await play([
      add,
      add,
      { ...add, kind: kindNumber('btm_launch_item_remove') },
      add,
      {
        ...add,
        itemUrl: 'Contents/Library/LaunchAgents/y.plist',
        appUrl: 'file:///Applications/Y.app/',
        itemExecutable: 'Contents/MacOS/y',
      },
      { ...add, itemUrl: 'http://example.com/x' },
      { ...add, itemUrl: '' },
      { ...add, itemUrl: 'file:///%zz' },
    ]);
    expect(sink.events.map(({ doc }) => doc.Persistence)).toEqual([
      { name: 'é x.plist', path: '/Users/a/Library/LaunchAgents/é x.plist' },
      { name: 'é x.plist', path: '/Users/a/Library/LaunchAgents/é x.plist' },
      {
        name: 'y.plist',
        path: '/Applications/Y.app/Contents/Library/LaunchAgents/y.plist',
        args: ['/Applications/Y.app/Contents/MacOS/y'],
      },
    ]);
    expect(sink.events[0]?.doc.process?.pid).toBe(77);
  });

  test('a process that begins to serve a Mach service is a launchd job that runs', async () => {
    const { sink, sensor, play } = await start();
    const serves = {
      kind: kindNumber('bootstrap_check_in'),
      version: 11,
      process: { pid: 1, pidversion: 1, executable: '/sbin/launchd' },
      instigator: { ...shell, pid: 77, executable: '/opt/helper' },
      service: 'com.example.helper',
    };
    await play([
      serves,
      { ...serves, instigator: { pid: 78, pidversion: 3, euid: 501 } },
      { ...serves, service: '' },
      { ...serves, service: Buffer.from('a\xff'.padEnd(5_000, 'b'), 'latin1') },
    ]);
    expect(sink.events.map(({ doc }) => doc.launchwarden?.job?.pid)).toEqual([77, 78, 77]);
    expect(sink.events[0]?.doc).toMatchObject({
      message: 'launchd job runs',
      event: { category: ['configuration'], action: 'job_runs' },
      process: { pid: 77, executable: '/opt/helper' },
      launchwarden: { job: { service: 'com.example.helper' }, sensor: { precision: 'exact' } },
    });
    expect(sink.events[1]?.doc.process).not.toHaveProperty('code_signature');
    expect(sink.events[1]?.doc.process).not.toHaveProperty('start');
    expect(sink.events[2]?.doc.launchwarden?.job?.service).toHaveLength(1_024);
    expect(sensor.health().notes.join()).not.toContain('27');
  });

  test('a system that is too old for a kind goes without it, and says so', async () => {
    const { sink, sensor, play } = await start({ oldSystem: true });
    await play([exec]);
    expect(sink.events).toHaveLength(1);
    expect(sensor.health().notes).toContain(
      'this macOS does not tell which launchd jobs begin to serve: 27 and later do',
    );
    expect(sensor.health().counters).toMatchObject({ kinds_refused: 1 });
  });

  test('types and versions that nobody knows are counted and named, and no loss', async () => {
    const { sink, sensor, play } = await start();
    await play([exec, { ...exec, unknownType: 161 }, { ...exec, unknownType: 999, version: 12 }, exec]);
    expect(sink.events).toHaveLength(2);
    expect(sink.gaps).toEqual([]);
    const { counters, notes } = sensor.health();
    expect(counters).toMatchObject({
      unknown: 2,
      unknown_type_161: 1,
      unknown_type_999: 1,
      newer_version: 12,
    });
    expect(notes).toContain('messages of types that are not known here: 161, 999');
    expect(notes).toContain('messages of version 12: up to 11 is known, what is new in it is not read');
  });

  test('messages that the system dropped are a gap that counts them', async () => {
    const { sink, sensor, play } = await start();
    await play([exec, { ...exec, skip: 5 }, { kind: kindNumber('fork'), process: shell, skip: 2 }, exec]);
    expect(sink.gaps.reduce((sum, { lost }) => sum + (lost ?? 0), 0)).toBe(7);
    expect(sink.gaps[0]).toMatchObject({ sensor: 'endpoint-security', reason: 'dropped' });
    expect(sensor.health().counters).toMatchObject({ kernel_dropped: 7, received: 4 });
  });

  test('a stalled main thread costs messages that are counted exactly, and no memory without bound', async () => {
    const { sink, sensor, double } = await start({}, { settings: { queueMb: 1 } });
    const before = process.memoryUsage().rss;
    double.play([exec], 500_000);
    // Nothing of JavaScript runs until the script is over.
    while (double.playing());
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
    await sink.completePast(Date.now() * 1000);
    const { received = 0, queued = 0, dropped = 0 } = sensor.health().counters;
    expect(received).toBe(500_000);
    expect(queued + dropped).toBe(500_000);
    expect(dropped).toBeGreaterThan(0);
    expect(sink.observations.length).toBe(queued);
    expect(sink.gaps.reduce((sum, { lost }) => sum + (lost ?? 0), 0)).toBe(dropped);
  });

  test('two million messages come through in order', async () => {
    const client = addon!.EndpointSecurityClient;
    const double = new addon!.EndpointSecurityDouble();
    let bytes = 0;
    const esClient = new client(
      { processKinds: [kindNumber('exit')], fileKinds: [], prefixes: [], literals: [], queueBytes: 1 << 30 },
      () => {
        for (let batch = esClient.take(); batch !== undefined; batch = esClient.take()) bytes += batch.length;
      },
      double,
    );
    expect(esClient.start()).toBe(0);
    await played(double, [{ kind: kindNumber('exit'), process: shell }], 2_000_000);
    await waitFor('the rest', () =>
      bytes % 2_000_000 === 0 && bytes > 0 && esClient.counters()['queued'] === 2_000_000 ? true : undefined,
    );
    esClient.stop();
    expect(esClient.counters()).toMatchObject({
      received: 2_000_000,
      queued: 2_000_000,
      dropped: 0,
      kernel_dropped: 0,
    });
    expect(bytes % 2_000_000).toBe(0);
  });

  test('a handler that is called after the stop does nothing', async () => {
    const { sink, sensor, double } = await start({ late: true, closeFails: true });
    double.play([exec], 100_000);
    sensors.pop();
    await sensor.stop();
    const { calls } = sink;
    await waitFor('the script to end', () => (double.playing() ? undefined : true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(sink.calls).toBe(calls);
  });

  test('new homes are watched as they appear, and gone ones no more', async () => {
    const root = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-es-'));
    folders.push(root);
    mkdirSync(path.join(root, 'Users/a'), { recursive: true });
    const { double, sink } = await start(
      {},
      { root: new RootMap(root), patterns: ['/Users/*/Library/LaunchAgents/*'], settings: { homesMs: 10 } },
    );
    expect(double.calls()).toContain('mute-prefix /Users/a/Library/LaunchAgents/');
    mkdirSync(path.join(root, 'Users/b'));
    await waitFor('the new home', () =>
      double.calls().find((call) => call === 'mute-prefix /Users/b/Library/LaunchAgents/'),
    );
    expect(sink.gaps).toMatchObject([
      { reason: 'rescan', detail: expect.stringContaining('/Users/b/Library/LaunchAgents/') },
    ]);
    rmSync(path.join(root, 'Users/a'), { recursive: true });
    await waitFor('the old one', () =>
      double.calls().find((call) => call === 'unmute-prefix /Users/a/Library/LaunchAgents/'),
    );
  });

  test('a worker that ends without stopping it harms nobody', async () => {
    const code = `
      const { EndpointSecurityClient, EndpointSecurityDouble } = require(${JSON.stringify(addonPaths()[0])});
      const double = new EndpointSecurityDouble();
      const options = { processKinds: [0], fileKinds: [], prefixes: [], literals: [] };
      const client = new EndpointSecurityClient(options, () => { while (client.take() !== undefined); }, double);
      client.start();
      double.play([{ kind: 0, process: { pid: 1 }, args: ['x'] }], 1e9);
      setTimeout(() => process.exit(0), 30);`;
    for (let round = 0; round < 3; round++) {
      const worker = new Worker(code, { eval: true });
      expect(await new Promise((resolve) => worker.once('exit', resolve))).toBe(0);
    }
  });

  test('refuses options that make no sense', () => {
    const make = (options: object) => () => new addon!.EndpointSecurityClient(options as never, () => {});
    expect(make({})).toThrow(/processKinds/);
    expect(make({ processKinds: [99], fileKinds: [], prefixes: [], literals: [] })).toThrow(RangeError);
    expect(make({ processKinds: [], fileKinds: [], prefixes: [7], literals: [] })).toThrow(/path/);
  });
});
