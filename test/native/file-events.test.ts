import { describe, expect, test } from 'vitest';
import { type NativeFileEventSource, unpack } from '../../src/sensors/addon/index.js';
import { waitFor } from '../simulation/mac.js';
import { addonWithFsDouble, type FsScript, fsFlags, type ScriptedFsEvent, sourceOn } from './fs-double.js';

const { addon, reason } = addonWithFsDouble();
if (addon === undefined) process.stdout.write(`skipped: the source of file events: ${reason}\n`);

interface Taken {
  readonly flags: number;
  readonly id: string;
  readonly path: string;
}

function takeAll(source: NativeFileEventSource): Taken[] {
  const taken: Taken[] = [];
  for (let batch = source.take(); batch !== undefined; batch = source.take()) {
    unpack(batch, ({ kind, numbers: [flags = -1], strings: [id = '', path = ''] }) => {
      expect(kind).toBe(48);
      taken.push({ flags, id, path });
    });
  }
  return taken;
}

function started(script: FsScript = {}, options: Parameters<typeof sourceOn>[2] = {}) {
  const double = new addon!.FileEventDouble(script);
  let wakes = 0;
  const source = sourceOn(addon!, double, options, () => wakes++);
  return { double, source, trouble: source.start(), wakes: () => wakes };
}

/** The paths of those that pass the filter. */
function passing(patterns: readonly string[], events: readonly ScriptedFsEvent[]): string[] {
  const { double, source } = started({}, { patterns });
  double.deliver(events);
  const paths = takeAll(source).map(({ path }) => path);
  source.stop();
  return paths;
}

describe.skipIf(addon === undefined)('the source of file events', () => {
  test('opens one stream on fixed paths and never another', async () => {
    const { double, source, trouble, wakes } = started({}, { since: '18446744073709551614' });
    expect(trouble).toBeUndefined();
    double.deliver([
      { path: '/Library/LaunchAgents/a.plist', id: '9007199254740993', flags: fsFlags.created },
    ]);
    await waitFor('a wake-up', () => (wakes() > 0 ? true : undefined));
    expect(takeAll(source)).toEqual([
      { flags: fsFlags.created, id: '9007199254740993', path: '/Library/LaunchAgents/a.plist' },
    ]);
    double.deliver([{ path: '/Library/LaunchAgents', id: 1, flags: fsFlags.created }]);
    expect(source.flush()).toBe('9007199254740993');
    source.stop();
    source.stop();
    expect(double.calls()).toEqual([
      'open /Library,/Users since 18446744073709551614',
      'start',
      'flush',
      'close',
    ]);
  });

  test('passes what is on the way to a place, the place, and what is below it', () => {
    const paths = [
      ...['/Users', '/Users/eve', '/Users/eve/Library', '/USERS/eve/library/LAUNCHAGENTS/x.plist'],
      ...['/Users/eve/Library/LaunchAgents', '/Users/eve/Library/LaunchAgents/deep/er'],
      ...[
        '/Users/eve/Library/Caches/x',
        '/Users/eve/Documents',
        '/Libraryx',
        '/Users/eve/Library/LaunchAgentsx',
      ],
      '/Users/eve/Li\u212aary/LaunchAgents/x',
    ];
    expect(
      passing(
        ['/Users/*/Library/LaunchAgents'],
        paths.map((path, id) => ({ path, id })),
      ),
    ).toEqual([...paths.slice(0, 6), paths.at(-1)]);
  });

  test.each([
    ['userDropped', fsFlags.userDropped],
    ['kernelDropped', fsFlags.kernelDropped],
    ['idsWrapped', fsFlags.idsWrapped],
    ['historyDone', fsFlags.historyDone],
  ])('%s passes whatever its path is', (_name, flags) => {
    expect(passing(['/Library/LaunchAgents'], [{ path: '/private/tmp', id: 1, flags }])).toEqual([
      '/private/tmp',
    ]);
  });

  test('odd paths mean that everything may have changed', () => {
    const { double, source } = started();
    const longest = `/Library/LaunchAgents/${'n'.repeat(1_023 - 22)}`;
    double.deliver([
      { path: '', id: 1 },
      { path: 'relative', id: 2 },
      { path: `/${'x'.repeat(5000)}`, id: 3 },
      { path: Buffer.from('/Library/LaunchAgents/\xff\xfe.plist', 'latin1'), id: 4 },
      // As long as the system takes them, and flags that nobody knows.
      { path: longest, id: 5, flags: 0xffff_ff00 },
    ]);
    expect(takeAll(source)).toEqual([
      ...['1', '2', '3'].map((id) => ({ flags: fsFlags.mustScanSubDirs, id, path: '/' })),
      { flags: 0, id: '4', path: '/Library/LaunchAgents/\ufffd\ufffd.plist' },
      { flags: 0xffff_ff00, id: '5', path: longest },
    ]);
    expect(source.counters()).toMatchObject({ received: 5, queued: 5, odd_paths: 3 });
    source.stop();
  });

  test('counts what there is no room for, and what comes too late', () => {
    const { double, source } = started({ late: true }, { queueBytes: 128 << 10 });
    const path = `/Library/LaunchAgents/${'n'.repeat(900)}`;
    double.deliver(Array.from({ length: 1000 }, (_, id) => ({ path, id })));
    const { dropped = 0, queued = 0, received } = source.counters();
    expect(dropped).toBeGreaterThan(0);
    expect(queued + dropped).toBe(1000);
    expect(received).toBe(1000);
    expect(takeAll(source)).toHaveLength(queued);
    source.stop();
    double.deliver([{ path, id: 1001 }]);
    expect(takeAll(source)).toEqual([]);
    expect(source.counters()).toMatchObject({ after_stop: 1 });
  });

  test('says why it does not run', () => {
    expect(started({ openFails: true }).trouble).toBe('FSEventStreamCreate failed');
    const { double, trouble } = started({ startFails: true });
    expect(trouble).toBe('FSEventStreamStart failed');
    expect(double.calls().at(-1)).toBe('close');
    const without = new addon!.FileEventSource({ paths: [], patterns: [] }, () => {});
    expect(without.start()).toBe('this system has no FSEvents');
  });

  test('refuses options that make no sense', () => {
    const make = (options: object) => () => new addon!.FileEventSource(options as never, () => {});
    expect(make({ patterns: [] })).toThrow(/paths must be an array/);
    expect(make({ paths: [1], patterns: [] })).toThrow(/paths must hold paths/);
    expect(make({ paths: [], patterns: [], since: '-1' })).toThrow(/since is no event id/);
    expect(make({ paths: [], patterns: [], since: 1 })).toThrow(/since must be text/);
  });
});
