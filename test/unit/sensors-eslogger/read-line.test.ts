import { describe, expect, test } from 'vitest';
import { RootMap } from '../../../src/base/root.js';
import { ProcessTable } from '../../../src/enrich/process-table.js';
import { EsloggerReader, readEsloggerLine } from '../../../src/sensors/eslogger/index.js';
import { LineSplitter } from '../../../src/sensors/eslogger/split-lines.js';
import { closeLine, execLine, file, line, processObject, token } from '../../helpers/eslogger-lines.js';
import { fc } from '../../helpers/property.js';

const plist = '/Users/alice/Library/LaunchAgents/x.plist';
const reader = (wants?: (path: string) => boolean) =>
  new EsloggerReader({ root: new RootMap(), boot: 'boot', ...(wants === undefined ? {} : { wants }) });
const eventsOf = (...lines: string[]) => {
  const one = reader();
  return lines.flatMap((text) => one.read(text)).map(({ event }) => event);
};

describe('a line of eslogger', () => {
  test.each([6, 7, 8, 9, 10, 11])('exec of message version %i', (version) => {
    const more =
      version >= 11
        ? { dyld_exec_path: '/bin/launchctl', entitlements: { 'com.apple.private.x': true } }
        : version >= 7
          ? { dyld_exec_path: '/bin/launchctl' }
          : {};
    const target = processObject(
      { pid: 501, pidversion: 52, euid: 0 },
      '/bin/launchctl',
      version >= 10 ? { cs_validation_category: 1 } : {},
    );
    const [event] = eventsOf(execLine(['launchctl', 'load', '', plist], { version, more, target }));
    expect(event).toMatchObject({ time: 1_754_579_589_811_587, nanos: 464 });
    expect(event?.doc).toMatchObject({
      '@timestamp': '2025-08-07T15:13:09.811587464Z',
      event: { category: ['process'], type: ['start'], action: 'exec' },
      process: {
        pid: 501,
        name: 'launchctl',
        executable: '/bin/launchctl',
        args: ['launchctl', 'load', '', plist],
        command_line: `launchctl load  ${plist}`,
        working_directory: '/private/tmp',
        start: '2025-08-07T15:13:09.798115Z',
        parent: { pid: 400 },
        code_signature: { exists: true, trusted: true, signing_id: 'com.apple.zsh' },
        Ext: { effective_parent: { pid: 300 } },
      },
      user: { id: '0' },
      launchwarden: { sensor: { kind: 'eslogger', precision: 'exact' } },
    });
  });

  test('audit tokens as objects and as arrays say the same', () => {
    const [asObject, asArray] = eventsOf(execLine(['a']), execLine(['a'], { arrayTokens: true }));
    expect(asArray?.doc.process).toEqual(asObject?.doc.process);
    expect(asArray?.doc.user).toEqual(asObject?.doc.user);
  });

  test('inode numbers beyond 2^53 are exact', () => {
    const [event] = eventsOf(closeLine(plist));
    expect(event?.doc.file).toMatchObject({
      path: plist,
      name: 'x.plist',
      extension: 'plist',
      inode: '1152921500312525701',
      size: 412,
      mode: '0644',
      type: 'file',
      ctime: '2025-08-07T15:13:09.123456Z',
    });
  });

  test('a file name that looks like a key changes nothing', () => {
    const name = '/tmp/"st_ino":99999999999999999999,"modified":false,"exec":{"close":{';
    const [event] = eventsOf(closeLine(name));
    expect(event?.doc.file?.path).toBe(`/private${name}`);
    expect(event?.doc.file?.inode).toBe('1152921500312525701');
  });

  test("a writer is joined with its child's parent", () => {
    const written = closeLine(plist);
    const parent = token({ pid: 500, pidversion: 50 });
    const target = processObject({ pid: 501, pidversion: 52 }, '/bin/launchctl', {
      parent_audit_token: parent,
    });
    const table = new ProcessTable();
    const [wrote, loaded] = eventsOf(written, execLine(['launchctl', 'load'], { target })).map(({ doc }) =>
      table.complete(doc),
    );
    expect(loaded?.process?.parent?.entity_id).toBe(wrote?.process?.entity_id);
    const [other] = eventsOf(execLine(['launchctl', 'load']));
    expect(other?.doc.process?.parent?.entity_id).not.toBe(wrote?.process?.entity_id);
  });

  // Unproven shapes: made from the key names of eslogger and the C structures.
  test.each([
    [
      'create',
      { destination_type: 0, destination: { existing_file: file(plist) }, acl: null },
      'modification',
      plist,
    ],
    [
      'rename',
      {
        source: file('/tmp/a', '7'),
        destination_type: 1,
        destination: { new_path: { dir: file('/Users/alice/Library/LaunchAgents'), filename: 'x.plist' } },
      },
      'rename',
      plist,
    ],
    [
      'rename',
      { source: file('/tmp/a', '7'), destination_type: 0, destination: { existing_file: file(plist, '8') } },
      'rename',
      plist,
    ],
    ['unlink', { target: file(plist), parent_dir: file('/Users') }, 'deletion', plist],
    [
      'link',
      {
        source: file('/tmp/a'),
        target_dir: file('/Users/alice/Library/LaunchAgents/'),
        target_filename: 'x.plist',
      },
      'modification',
      plist,
    ],
    ['clone', { source: file('/tmp/a'), target_dir: file('/'), target_name: 'x' }, 'modification', '/x'],
    [
      'copyfile',
      {
        source: file('/tmp/a'),
        target_file: null,
        target_dir: file('/y'),
        target_name: 'x',
        mode: 0,
        flags: 0,
      },
      'modification',
      '/y/x',
    ],
    [
      'copyfile',
      { source: file('/tmp/a'), target_file: file(plist), target_dir: file('/y'), target_name: 'x' },
      'modification',
      plist,
    ],
    ['truncate', { target: file(plist) }, 'modification', plist],
    ['setmode', { mode: 420, target: file(plist) }, 'modification', plist],
    [
      'mount',
      { statfs: { f_mntonname: '/Volumes/X', f_mntfromname: '/dev/disk4s1' } },
      'mount',
      '/Volumes/X',
    ],
    ['open', { fflag: 1, file: file(plist) }, 'open', plist],
    [
      'deleteextattr',
      { target: file(plist), extattr: 'com.apple.quarantine' },
      'extended_attributes_delete',
      plist,
    ],
  ])('%s', (kind, body, action, expected) => {
    const [event] = eventsOf(line(kind, body));
    expect([event?.doc.event?.action, event?.doc.file?.path]).toEqual([action, expected]);
    if (kind === 'rename')
      expect(event?.doc.file).toMatchObject({ inode: '7', Ext: { original: { path: '/private/tmp/a' } } });
    if (kind === 'mount') expect(event?.doc.file?.Ext?.original?.path).toBe('/dev/disk4s1');
  });

  test('a background task item', () => {
    const body = {
      item: {
        item_type: '3',
        legacy: true,
        managed: false,
        uid: 501,
        item_url: 'file:///Library/LaunchDaemons/x%20y.plist',
        app_url: null,
      },
      executable_path: '/opt/x',
      instigator: processObject({ pid: 9, pidversion: 9 }, '/usr/bin/installer'),
      app: null,
    };
    const [event, ...more] = eventsOf(line('btm_launch_item_add', body), line('btm_launch_item_add', body));
    expect(event?.doc).toMatchObject({
      event: { category: ['file'], action: 'launch_daemon' },
      Persistence: { name: 'x y.plist', path: '/Library/LaunchDaemons/x y.plist', args: ['/opt/x'] },
      process: { pid: 9, name: 'installer' },
    });
    expect(event?.doc).not.toHaveProperty('file');
    expect(more).toEqual([]);
  });

  test('a job that begins to serve (macOS 27), with the process or its token alone', () => {
    const body = {
      service_name: 'com.example.helper',
      instigator: processObject({ pid: 9, pidversion: 8 }, '/opt/helper'),
      instigator_token: token({ pid: 9, pidversion: 8 }),
    };
    const [event] = eventsOf(line('bootstrap_check_in', body, { version: 11 }));
    expect(event?.doc).toMatchObject({
      message: 'launchd job runs',
      event: { category: ['configuration'], type: ['info'], action: 'job_runs' },
      process: { pid: 9, name: 'helper', executable: '/opt/helper' },
      launchwarden: { job: { service: 'com.example.helper', pid: 9 } },
    });
    const [gone] = eventsOf(line('bootstrap_check_in', { ...body, instigator: null }, { version: 11 }));
    expect(gone?.doc.process).toEqual({ pid: 9, entity_id: event?.doc.process?.entity_id });
    expect(gone?.doc.user?.id).toBe('501');
    const reasonOf = (text: string) => {
      const read = readEsloggerLine(text);
      return read.ok ? 'ok' : read.reason;
    };
    expect(reasonOf(line('bootstrap_check_in', { ...body, service_name: null }))).toBe('malformed');
    expect(reasonOf(line('bootstrap_check_in', { service_name: 'x', instigator_token: null }))).toBe(
      'malformed',
    );
  });

  test('what is no event of ours has its reason', () => {
    const reasons = [
      'x',
      '',
      '[]',
      '{"event":{}}',
      line('lookup', { source_dir: file('/'), relative_target: 'x' }),
      closeLine(plist, { modified: false }),
      line('close', { target: file(plist) }),
      line('create', {
        destination_type: 1,
        destination: { new_path: { dir: file('/x'), filename: 'y', mode: 0 } },
      }),
      line('exec', { args: ['no target'] }),
      closeLine(plist).slice(0, -10),
      `"${'x'.repeat(9 * 1024 * 1024)}"`,
    ].map((text) => {
      const read = readEsloggerLine(text);
      return read.ok ? 'ok' : read.reason;
    });
    expect(reasons).toEqual([
      'malformed',
      'malformed',
      'malformed',
      'malformed',
      'unknown-event',
      'unchanged',
      'unchanged',
      'malformed',
      'malformed',
      'malformed',
      'oversized',
    ]);
  });

  test('unknown keys and wrong types are survived', () => {
    const odd = execLine(['a', 7 as unknown as string, null as unknown as string], {
      more: { new_key: { x: [1] }, cwd: 7, script: [] },
    });
    const [event] = eventsOf(odd);
    expect(event?.doc.process?.args).toEqual(['a', '', '']);
    expect(event?.doc.process).not.toHaveProperty('working_directory');
  });

  test('huge arguments are cut, and counted', () => {
    const [event] = eventsOf(execLine(['x', 'y'.repeat(60_000), 'z'.repeat(60_000)]));
    expect(event?.doc.process).toMatchObject({ args_count: 3, Ext: { command_line_truncated: true } });
    expect(event?.doc.process?.args?.map((one) => one.length)).toEqual([1, 4_095, 4_095]);
    expect(event?.doc.launchwarden?.process).toEqual({ args_cut: true, args_omitted: 0, args_shortened: 2 });
  });

  test('never throws, whatever is in the place of a part', () => {
    const base = JSON.parse(execLine(['a']).replaceAll('\\/', '/')) as object;
    const close = JSON.parse(closeLine(plist)) as object;
    fc.assert(
      fc.property(
        fc.constantFrom(base, close),
        fc.infiniteStream(fc.nat(30)),
        fc.jsonValue(),
        (whole, choices, value) => {
          // Puts any value at a place that a walk of random turns comes to.
          const copy = structuredClone(whole) as Record<string, unknown>;
          let node = copy;
          for (;;) {
            const keys = Object.keys(node);
            const key = keys[(choices.next().value as number) % keys.length] as string;
            const next = node[key];
            if (
              typeof next !== 'object' ||
              next === null ||
              Object.keys(next).length === 0 ||
              (choices.next().value as number) < 8
            ) {
              node[key] = value;
              break;
            }
            node = next as Record<string, unknown>;
          }
          const text = JSON.stringify(copy);
          reader().read(text);
          reader().read(text.slice(0, text.length / 2));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('a stream of lines', () => {
  test('gaps of the numbers are counted, also over lines that nobody parses', () => {
    const one = reader();
    const at = (globalSequence: number) => ({ globalSequence });
    one.read(execLine(['a'], at(10)));
    one.read(closeLine(plist, { modified: false, globalSequence: 11 }));
    one.read(line('lookup', {}, at(12)));
    one.read(execLine(['a'], at(13)));
    expect(one.counters.kernel_dropped).toBe(0);
    one.read(execLine(['a'], at(20)));
    expect(one.counters.kernel_dropped).toBe(6);
    one.restarted();
    one.read(execLine(['a'], at(0)));
    one.read(execLine(['a'], at(2)));
    expect(one.counters.kernel_dropped).toBe(7);
  });

  test('only wanted files are observed, and a rename out of a wanted folder', () => {
    const one = reader((path) => path.startsWith('/Users/alice/Library/LaunchAgents/'));
    const out = line('rename', {
      source: file(plist),
      destination: { new_path: { dir: file('/tmp'), filename: 'y' } },
    });
    const seen = [closeLine(plist), closeLine('/tmp/x'), out, execLine(['a'])].map(
      (text) => one.read(text).length,
    );
    expect(seen).toEqual([1, 0, 1, 1]);
    expect(one.counters.unwanted).toBe(1);
  });

  test('comes in any pieces; a line without bound is dropped whole', () => {
    const lines: string[] = [];
    let oversized = 0;
    const splitter = new LineSplitter(20, {
      onLine: (text) => lines.push(text),
      onOversized: () => oversized++,
    });
    const bytes = Buffer.from(`één\n\n${'x'.repeat(21)}\n${'y'.repeat(20)}\nlast\nhalf`);
    for (let at = 0; at < bytes.length; at += 3) splitter.write(bytes.subarray(at, at + 3));
    expect(lines).toEqual(['één', 'y'.repeat(20), 'last']);
    expect(oversized).toBe(1);
    expect(splitter.end()).toBe(true);
    splitter.write(Buffer.from('whole\n'));
    expect(splitter.end()).toBe(false);
    expect(lines.at(-1)).toBe('whole');
  });
});
