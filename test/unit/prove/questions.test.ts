import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Answer } from '../../../src/prove/question.js';
import { questions } from '../../../src/prove/questions/index.js';
import { sleepsIn } from '../../../src/prove/questions/sleep.js';
import { type Addon, addonPaths, type NativeFileEventOptions } from '../../../src/sensors/addon/index.js';
import { file, line, processObject } from '../../helpers/eslogger-lines.js';
import { addonWithFsDouble, fsFlags, type ScriptedFsEvent } from '../../native/fs-double.js';
import {
  type Script,
  type Scripted,
  ScriptedLaunchd,
  ScriptedSystem,
  scriptedSensor,
} from './scripted-system.js';

function ask(name: string, system: ScriptedSystem): Promise<Answer> {
  const question = questions.find((one) => one.name === name);
  if (question === undefined) throw new Error(`no question ${name}`);
  return question.ask(system);
}

function withLaunchd(launchd: ScriptedLaunchd, more: Scripted = {}): ScriptedSystem {
  return new ScriptedSystem({
    ...more,
    programs: { '/bin/launchctl': launchd.script, ...more.programs },
  });
}

const says =
  (stdout: string): Script =>
  () => ({ stdout });

test('names are unique and can be written', () => {
  const names = questions.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => !/^[a-z]+(-[a-z]+)*$/.test(name))).toEqual([]);
});

describe('launchd', () => {
  test('exit-codes', async () => {
    const launchd = new ScriptedLaunchd();
    expect(await ask('exit-codes', withLaunchd(launchd))).toMatchObject({
      verdict: 'as-expected',
      found: 'gui/99999: 112; user/99999: 112; system/com.launchwarden.prove.absent: 113',
    });
    launchd.noDomain = 113;
    expect(await ask('exit-codes', withLaunchd(launchd))).toMatchObject({ verdict: 'different' });
    launchd.noDomain = 125;
    launchd.noService = 64;
    expect(await ask('exit-codes', withLaunchd(launchd))).toMatchObject({ verdict: 'different' });
  });

  test('overrides', async () => {
    const printed = '\tdisabled services = {\n\t\t"com.a" => disabled\n\t}\n';
    const file = { '/private/var/db/com.apple.xpc.launchd/disabled.plist': { uid: 0, gid: 0, mode: 0o600 } };
    const of = (text: string, files = file) =>
      new ScriptedSystem({ programs: { '/bin/launchctl': says(text) }, files });
    expect(await ask('overrides', of(printed))).toMatchObject({
      verdict: 'as-expected',
      found: expect.stringContaining('1 labels; '),
    });
    expect(await ask('overrides', of('com.a: disabled\n'))).toMatchObject({ verdict: 'different' });
    expect(await ask('overrides', of(printed, {} as typeof file))).toMatchObject({ verdict: 'different' });
  });

  test('no-session is asked only where nobody is at the screen', async () => {
    const launchctl: Script = ([, target]) => ({ status: target === 'gui/502' ? 125 : 0 });
    const programs = { '/bin/launchctl': launchctl };
    const files = (uid: number) => ({ '/dev/console': { uid, gid: 0, mode: 0o600 } });
    const alone = new ScriptedSystem({ programs, files: files(0), person: 502 });
    expect(await ask('no-session', alone)).toMatchObject({
      verdict: 'as-expected',
      found: 'gui/502: 125; user/502: 0',
    });
    const other = new ScriptedSystem({ programs, files: files(0), person: 503 });
    expect(await ask('no-session', other)).toMatchObject({ verdict: 'different' });
    const watched = new ScriptedSystem({ programs, files: files(501), person: 502 });
    expect(await ask('no-session', watched)).toMatchObject({ verdict: 'not-asked' });
  });

  test.each([
    ['interactive (4)', '31\n', 'as-expected'],
    ['interactive (4)', '20\n', 'different'],
    ['daemon (3)', '31\n', 'different'],
    ['interactive (4)', '', 'different'],
  ])('job-class: %s with priority %j', async (spawnType, priority, verdict) => {
    const launchd = new ScriptedLaunchd();
    launchd.spawnType = spawnType;
    const system = withLaunchd(launchd, { programs: { '/bin/ps': says(priority) } });
    expect(await ask('job-class', system)).toMatchObject({ verdict });
    // A job of its own, since ours is not installed, and it is taken away again.
    expect(system.deeds.map(({ kind }) => kind)).toEqual(['folder', 'job']);
    launchd.jobs.set('com.launchwarden.agent', { file: '/x', through: '/x' });
    const installed = withLaunchd(launchd, { programs: { '/bin/ps': says(priority) } });
    expect(await ask('job-class', installed)).toMatchObject({ verdict });
    expect(installed.deeds).toEqual([]);
  });

  test.each([
    ['[4.6,4.8,5.1,6]', 'as-expected'],
    ['[5,12,22.5,22.6]', 'different'],
  ])('timers: %s', async (output, verdict) => {
    const launchd = new ScriptedLaunchd();
    launchd.output = `${output}\n`;
    expect(await ask('timers', withLaunchd(launchd))).toMatchObject({ verdict });
  });

  test('a job that prints nothing is no answer', async () => {
    await expect(ask('timers', withLaunchd(new ScriptedLaunchd()))).rejects.toThrow(
      'printed nothing within 20 s',
    );
  });

  test('forged-labels', async () => {
    const strict = new ScriptedLaunchd();
    strict.takes = () => undefined;
    expect(await ask('forged-labels', withLaunchd(strict))).toMatchObject({
      verdict: 'as-expected',
      found: expect.stringContaining('not loaded: bootstrap ended with 5'),
    });
    const lax = new ScriptedLaunchd();
    expect(await ask('forged-labels', withLaunchd(lax))).toMatchObject({
      verdict: 'as-expected',
      found: expect.stringContaining('read as odd'),
    });
    // One that makes of it what we would take for two ordinary rows.
    const fooled = new ScriptedLaunchd();
    fooled.takes = (content) => {
      const label = /<string>(com\.launchwarden\.prove\.\w+)/.exec(content)?.[1] ?? '';
      return label;
    };
    expect(await ask('forged-labels', withLaunchd(fooled))).toMatchObject({ verdict: 'different' });
  });

  test('links', async () => {
    const launchd = new ScriptedLaunchd();
    expect(await ask('links', withLaunchd(launchd))).toMatchObject({
      verdict: 'as-expected',
      found: 'bootstrap ended with 0: loaded, path the link; load ended with 0: loaded, path the link',
    });
    launchd.shows = () => '(unknown)';
    expect(await ask('links', withLaunchd(launchd))).toMatchObject({ verdict: 'different' });
    launchd.takes = () => undefined;
    expect(await ask('links', withLaunchd(launchd))).toMatchObject({ verdict: 'different' });
  });

  test('odd-plists', async () => {
    expect(await ask('odd-plists', withLaunchd(new ScriptedLaunchd()))).toMatchObject({
      verdict: 'as-expected',
    });
    const other = new ScriptedLaunchd();
    other.takes = (content) => {
      const label = /^\{"Label":"([^"]+)"/.exec(content)?.[1];
      return label === undefined ? undefined : `${label}.first`;
    };
    expect(await ask('odd-plists', withLaunchd(other))).toMatchObject({
      verdict: 'different',
      found: expect.stringContaining('read otherwise: JSON'),
    });
    const none = new ScriptedLaunchd();
    none.takes = () => undefined;
    expect(await ask('odd-plists', withLaunchd(none))).toMatchObject({ verdict: 'different' });
  });
});

describe('processes', () => {
  const started = (args: readonly string[]) => ({
    process: { pid: 4711, executable: '/usr/bin/xargs', args },
  });

  test.each([
    [['', 'a', ''], 'as-expected'],
    [['a', ''], 'different'],
    [['a'], 'different'],
  ])('arguments: %j', async (args, verdict) => {
    const system = new ScriptedSystem({ sensor: scriptedSensor([started(args)]) });
    expect(await ask('arguments', system)).toMatchObject({ verdict });
  });

  test('arguments of a process that nobody saw are not known', async () => {
    const system = new ScriptedSystem({ sensor: scriptedSensor([]) });
    expect(await ask('arguments', system)).toMatchObject({ verdict: 'not-asked' });
  });

  const trueRuns = { '/usr/bin/true': () => ({}) };
  const one = { process: { executable: '/usr/bin/true', args: ['true', 'run-0'] } };

  test.each([
    [{ hints_trusted: 1, hint_errors: 0 }, [one], 'as-expected'],
    [{ hints_trusted: 0, hint_errors: 0 }, [one], 'different'],
    [{ hints_trusted: 1, hint_errors: 2 }, [one], 'different'],
    [{ hints_trusted: 1, hint_errors: 0 }, [], 'different'],
  ])('kernel-hints: %j', async (counters, events, verdict) => {
    const sensor = scriptedSensor(events, counters);
    expect(await ask('kernel-hints', new ScriptedSystem({ programs: trueRuns, sensor }))).toMatchObject({
      verdict,
    });
  });

  test('endpoint-security', async () => {
    const all = Array.from({ length: 100 }, (_, run) => ({
      process: { executable: '/usr/bin/true', args: ['true', `run-${run}`] },
    }));
    const good = new ScriptedSystem({ programs: trueRuns, sensor: scriptedSensor(all) });
    expect(await ask('endpoint-security', good)).toMatchObject({ verdict: 'as-expected' });
    const less = new ScriptedSystem({ programs: trueRuns, sensor: scriptedSensor(all.slice(1)) });
    expect(await ask('endpoint-security', less)).toMatchObject({
      verdict: 'different',
      found: expect.stringContaining('99 of 100'),
    });
    const odd = new ScriptedSystem({ programs: trueRuns, sensor: scriptedSensor(all, { unreadable: 1 }) });
    expect(await ask('endpoint-security', odd)).toMatchObject({ verdict: 'different' });
  });
});

describe('background items', () => {
  const dump = (disposition: string, name = 'launchwarden', developer = 'Example') => `
 #3:
                 UUID: 11111111-2222-3333-4444-555555555555
                 Name: ${name}
       Developer Name: ${developer}
          Disposition: [${disposition}] (0xb)
           Identifier: 16.com.launchwarden.agent
 #4:
                 Name: other
          Disposition: [disabled, disallowed] (0x0)
           Identifier: 16.com.example.other
`;
  const running = () => {
    const launchd = new ScriptedLaunchd();
    launchd.jobs.set('com.launchwarden.agent', { file: '/x', through: '/x' });
    return launchd;
  };
  const system = (text: string, launchd = new ScriptedLaunchd()) =>
    withLaunchd(launchd, { programs: { '/usr/bin/sfltool': says(text) } });

  test('switched-off is asked once somebody has switched it off', async () => {
    expect(await ask('switched-off', system(''))).toMatchObject({ verdict: 'not-asked' });
    expect(await ask('switched-off', system(dump('enabled, allowed, notified')))).toMatchObject({
      verdict: 'not-asked',
      reason: expect.stringContaining('switch launchwarden off'),
    });
    expect(await ask('switched-off', system(dump('disabled, allowed, notified')))).toMatchObject({
      verdict: 'as-expected',
    });
    expect(await ask('switched-off', system(dump('enabled, disallowed, notified')))).toMatchObject({
      verdict: 'as-expected',
    });
    expect(await ask('switched-off', system(dump('disabled, disallowed'), running()))).toMatchObject({
      verdict: 'different',
    });
  });

  test('login-items', async () => {
    expect(await ask('login-items', system(''))).toMatchObject({ verdict: 'not-asked' });
    expect(await ask('login-items', system(dump('enabled')))).toMatchObject({ verdict: 'as-expected' });
    const signer = dump('enabled', 'node', 'Node.js Foundation');
    expect(await ask('login-items', system(signer))).toMatchObject({ verdict: 'different' });
  });
});

test('tcc-identity', async () => {
  const launchd = new ScriptedLaunchd();
  launchd.output = 'EPERM\n';
  const line = (who: string) =>
    `AUTHREQ_ATTRIBUTION: msgID=1, attribution={accessing={identifier=node, path=${who}}}`;
  const system = (text: string) => withLaunchd(launchd, { programs: { '/usr/bin/log': says(text) } });
  expect(await ask('tcc-identity', system(line('/usr/local/bin/node')))).toMatchObject({
    verdict: 'as-expected',
    found: expect.stringContaining('EPERM'),
  });
  expect(await ask('tcc-identity', system(line('/sbin/launchd')))).toMatchObject({ verdict: 'different' });
  expect(await ask('tcc-identity', system('Timestamp'))).toMatchObject({ verdict: 'not-asked' });
});

test('directory-stall is asked on a bound Mac alone', async () => {
  const dscl =
    (nodes: string): Script =>
    ([, , node]) => ({ stdout: node === '/' ? nodes : 'EXAMPLE\n' });
  const programs = { '/usr/bin/dscacheutil': says('name: a\nuid: 1\n') };
  const bound = new ScriptedSystem({
    programs: { ...programs, '/usr/bin/dscl': dscl('Local\nActive Directory\n') },
  });
  expect(await ask('directory-stall', bound)).toMatchObject({
    verdict: 'as-expected',
    found: '0, 0, 0 ms for 1 users; bound to Active Directory',
  });
  const alone = new ScriptedSystem({ programs: { ...programs, '/usr/bin/dscl': dscl('Local\nSearch\n') } });
  expect(await ask('directory-stall', alone)).toMatchObject({ verdict: 'not-asked' });
});

test('volumes', async () => {
  const mountedVolumes = () => [
    { path: '/', type: 'apfs', local: true },
    { path: '/Volumes/on a share', type: 'smbfs', local: false },
  ];
  const text = [
    '/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)',
    '//user@host/x on /Volumes/on a share (smbfs, nodev, nosuid)',
    '',
  ];
  const system = (lines: readonly string[]) =>
    new ScriptedSystem({
      programs: { '/sbin/mount': says(lines.join('\n')) },
      addon: { state: 'loaded', addon: { mountedVolumes } as unknown as Addon },
    });
  expect(await ask('volumes', system(text))).toMatchObject({
    verdict: 'as-expected',
    found: '2 of 2 volumes alike',
  });
  expect(await ask('volumes', system([...text, 'devfs on /dev (devfs, local)']))).toMatchObject({
    verdict: 'different',
    details: ['/dev: mount says local, the addon nothing'],
  });
  expect(await ask('volumes', system([]))).toMatchObject({ verdict: 'different' });
});

test('system-roots', async () => {
  const held =
    'attributes:\n    "alis"<blob>="x"\n    "labl"<blob>="Example Root"\n    "labl"<blob>=0x41  "Other"\n';
  const system = (trusted: string) =>
    new ScriptedSystem({
      programs: {
        '/usr/bin/security': ([verb]) => ({ stdout: verb === 'find-certificate' ? held : trusted }),
      },
    });
  expect(await ask('system-roots', system('Cert 0: Example Root\nCert 1: Other\n'))).toMatchObject({
    verdict: 'as-expected',
  });
  expect(await ask('system-roots', system('Cert 0: Example Root\n'))).toMatchObject({
    verdict: 'different',
    found: '1 of 2 have no setting',
    details: ['Other'],
  });
});

test('directory-plug-ins', async () => {
  const texts = (text: string) => ({ '/usr/libexec/opendirectoryd': text });
  expect(await ask('directory-plug-ins', new ScriptedSystem())).toMatchObject({ verdict: 'not-asked' });
  expect(await ask('directory-plug-ins', new ScriptedSystem({ texts: texts('\0x') }))).toMatchObject({
    verdict: 'as-expected',
  });
  const naming = texts('\0/Library/DirectoryServices/PlugIns\0');
  expect(await ask('directory-plug-ins', new ScriptedSystem({ texts: naming }))).toMatchObject({
    verdict: 'different',
  });
});

test.each([
  [{ uid: 0, gid: 80, mode: 0o775 }, 'as-expected'],
  [{ uid: 0, gid: 0, mode: 0o755 }, 'different'],
  [{ uid: 0, gid: 80, mode: 0o777 }, 'different'],
])('applications-folder: %j', async (facts, verdict) => {
  const system = new ScriptedSystem({ files: { '/Applications': facts } });
  expect(await ask('applications-folder', system)).toMatchObject({ verdict });
});

describe('sleep', () => {
  const log = (...lines: readonly string[]) => lines.map((line) => `2026-11-29 ${line}`).join('\n');
  const night = log(
    '03:00:00 +0000 Sleep               \tEntering Sleep state due to Clamshell Sleep',
    '03:02:00 +0000 DarkWake            \tDarkWake from Deep Idle',
    '03:02:40 +0000 Sleep               \tEntering Sleep state due to Sleep Service Back to Sleep',
    '03:06:00 +0000 Wake                \tWake from Deep Idle [CDNVA] : due to lid/User',
    '03:06:00 +0000 Assertions          \tPID 1(x) Created',
  );
  const at = (text: string) => Date.parse(`2026-11-29T${text}Z`) * 1_000;
  const gap = (reason: string, from = '03:00:00', to = '03:06:00') => ({
    sensor: 'agent' as const,
    reason,
    from: at(from),
    to: at(to),
    detail: 'nothing ran',
  });

  test('a dark wake ends no sleep, and hours ahead of Greenwich are read', () => {
    expect(sleepsIn(night)).toEqual([{ from: at('03:00:00'), to: at('03:06:00') }]);
    expect(sleepsIn('2026-11-29 03:00:00 +0530 Sleep  \tx\n2026-11-29 03:06:00 +0530 Wake  \tx')).toEqual([
      { from: at('03:00:00') - 19_800e6, to: at('03:06:00') - 19_800e6 },
    ]);
    expect(sleepsIn('nonsense\n2026-99-99 03:00:00 +0000 Sleep \tx')).toEqual([]);
  });

  test.each([
    [[gap('sleep')], 'as-expected'],
    [[gap('sleep'), gap('sleep', '03:02:00')], 'as-expected'],
    [[gap('sleep'), gap('silent')], 'different'],
    [[], 'different'],
    [[gap('sleep'), gap('sleep', '03:02:00'), gap('sleep', '03:03:00')], 'different'],
  ])('%# gaps', async (gaps, verdict) => {
    const system = new ScriptedSystem({
      programs: { '/usr/bin/pmset': says(night) },
      status: { started: '2026-11-29T02:00:00Z' },
      gaps,
    });
    expect(await ask('sleep', system)).toMatchObject({ verdict });
  });

  test('is not asked before the lid was closed, nor without an agent', async () => {
    const programs = { '/usr/bin/pmset': says(night) };
    const later = new ScriptedSystem({ programs, status: { started: '2026-11-29T04:00:00Z' }, gaps: [] });
    expect(await ask('sleep', later)).toMatchObject({
      verdict: 'not-asked',
      reason: expect.stringContaining('close its lid'),
    });
    expect(await ask('sleep', new ScriptedSystem({ programs }))).toMatchObject({ verdict: 'not-asked' });
  });
});

describe('code signing', () => {
  const codesign = '/usr/bin/codesign';
  // Both questions copy Node.js: a small file stands for it.
  const system = (programs: Record<string, Script>, more: Scripted = {}) => {
    const made = new ScriptedSystem({ ...more, programs });
    Object.defineProperty(made, 'node', { value: import.meta.filename });
    return made;
  };
  const loop: Script = (args) => ({
    stdout: args[0] === '-x86_64' ? '' : args.includes('--jitless') ? '[900.5,1]\n' : '[30.25,1]\n',
    ...(args[0] === '-x86_64'
      ? { status: 86, stderr: 'arch: posix_spawnp: node: Bad CPU type in executable' }
      : {}),
  });

  test.each([
    [
      { stdout: 'dlopen: code signature in x not valid for use in process: different Team IDs\n' },
      'as-expected',
    ],
    [{ stdout: 'loaded\n' }, 'different'],
    [{ status: null, stderr: 'killed' }, 'not-asked'],
  ])('library-validation: %j', async (answer, verdict) => {
    const [addon = ''] = addonPaths();
    const programs = { [codesign]: () => ({}), [addon]: () => ({}), '*': () => answer };
    expect(await ask('library-validation', system(programs))).toMatchObject({ verdict });
  });

  test('jit', async () => {
    const arch = '/usr/bin/arch';
    expect(await ask('jit', system({ [codesign]: () => ({}), [arch]: loop }))).toMatchObject({
      verdict: 'as-expected',
      found: 'arm64: 30 ms, 29.8 times as fast',
    });
    const slow: Script = () => ({ stdout: '[900,1]\n' });
    expect(await ask('jit', system({ [codesign]: () => ({}), [arch]: slow }))).toMatchObject({
      verdict: 'different',
    });
    const killed: Script = () => ({ status: null, stderr: 'killed' });
    expect(await ask('jit', system({ [codesign]: () => ({}), [arch]: killed }))).toMatchObject({
      verdict: 'different',
    });
    const linked: Script = () => ({ status: 134, stderr: 'dyld: Library not loaded: libuv.1.dylib' });
    expect(await ask('jit', system({ [codesign]: () => ({}), [arch]: linked }))).toMatchObject({
      verdict: 'not-asked',
      reason: expect.stringContaining('nodejs.org'),
    });
    const refusing: Script = () => ({ status: 1, stderr: 'no identity' });
    await expect(ask('jit', system({ [codesign]: refusing, [arch]: loop }))).rejects.toThrow('no identity');
  });
});

describe('eslogger-events', () => {
  const events = ['exec', 'create', 'close', 'rename', 'unlink', 'clone', 'btm_launch_item_add'];
  const programs = {
    '/usr/bin/eslogger': says(`${events.join('\n')}\n`),
    '/usr/bin/true': () => ({}),
    '/bin/cp': () => ({}),
  };

  test('what eslogger says as it ends is why it is not asked', async () => {
    const system = new ScriptedSystem({
      programs,
      started: () => ({ ended: () => true, errorText: () => 'ES_NEW_CLIENT_RESULT_ERR_NOT_PERMITTED' }),
    });
    expect(await ask('eslogger-events', system)).toMatchObject({
      verdict: 'not-asked',
      reason: expect.stringContaining('Full Disk Access'),
    });
  });

  /** What a Mac may say of the copy of a bundle, late by so many milliseconds. */
  const telling = (kinds: readonly string[], lateMs: number, garbage = false) => {
    let tell: (chunk: Buffer) => void = () => {};
    const system: ScriptedSystem = new ScriptedSystem({
      programs: {
        ...programs,
        '/bin/cp': (args) => {
          const about = args.at(-1) ?? '';
          const time = new Date(system.now() / 1_000 - lateMs).toISOString().replace('Z', '000000Z');
          const bodies: Record<string, object> = {
            exec: { target: processObject({ pid: 9, pidversion: 1 }, about), args: [about], cwd: file('/') },
            create: { destination_type: 0, destination: { existing_file: file(about) } },
            close: { modified: true, target: file(about), was_mapped_writable: false },
            rename: {
              source: file(`${about}.old`),
              destination: { new_path: { dir: file('/'), filename: about } },
            },
            unlink: { target: file(about), parent_dir: file('/') },
            clone: { source: file('/x'), target_dir: file('/'), target_name: about },
            btm_launch_item_add: { item: { item_url: `file://${about}`, item_type: 4 } },
          };
          for (const kind of kinds) tell(Buffer.from(`${line(kind, bodies[kind] ?? {}, { time })}\n`));
          if (garbage) tell(Buffer.from(`{"event": {"close": "${about}\n`));
          tell(Buffer.from(`${line('close', { modified: true, target: file('/other') }, { time })}\n`));
          return {};
        },
      },
      started: (_args, onData) => {
        tell = onData;
        return {};
      },
    });
    return system;
  };

  test('what is told in time and understood is as expected', async () => {
    const answer = await ask('eslogger-events', telling(events, 40));
    expect(answer).toMatchObject({
      verdict: 'as-expected',
      found: 'all were seen; 0 not understood; median delay 40 ms',
      details: expect.arrayContaining(['exec: 2', 'btm_launch_item_add: 2']),
    });
    // What happens elsewhere on the machine is in no report.
    expect(JSON.stringify(answer)).not.toContain('/other');
  });

  test.each([
    [
      'without clones',
      telling.bind(
        undefined,
        events.filter((kind) => kind !== 'clone'),
        40,
      ),
      'not seen: clone',
    ],
    ['late', telling.bind(undefined, events, 9_000), 'median delay 9000 ms'],
    ['in another shape', telling.bind(undefined, events, 40, true), '2 not understood'],
  ] as const)('%s it is different', async (_how, make, found) => {
    expect(await ask('eslogger-events', make())).toMatchObject({
      verdict: 'different',
      found: expect.stringContaining(found),
    });
  });

  test('one that tells of nothing is different, and everything is taken away again', async () => {
    const system = new ScriptedSystem({ programs });
    expect(await ask('eslogger-events', system)).toMatchObject({
      verdict: 'different',
      found: expect.stringContaining('not seen: exec, create'),
    });
    expect(system.deeds.map(({ kind }) => kind)).toEqual(['folder', 'file']);
  });
});

describe('check-in', () => {
  const event = 'bootstrap_check_in';
  const system = (lines: readonly string[], known = `exec\n${event}\n`) =>
    new ScriptedSystem({
      programs: { '/usr/bin/eslogger': says(known) },
      started: (_args, onData) => {
        onData(Buffer.from(lines.map((one) => `${one}\n`).join('')));
        return {};
      },
    });
  const good = line(event, {
    service_name: 'com.example.x',
    instigator: processObject({ pid: 9, pidversion: 1 }, '/x'),
  });

  test('is asked where eslogger knows it and some job begins to serve', async () => {
    expect(await ask('check-in', system([good], 'exec\n'))).toMatchObject({
      verdict: 'not-asked',
      reason: expect.stringContaining('macOS 27'),
    });
    expect(await ask('check-in', system([]))).toMatchObject({ verdict: 'not-asked' });
  });

  test('each message has to name a service', async () => {
    expect(await ask('check-in', system([good, good]))).toMatchObject({
      verdict: 'as-expected',
      details: ['com.example.x', 'com.example.x'],
    });
    expect(await ask('check-in', system([good, line(event, { name: 'x' })]))).toMatchObject({
      verdict: 'different',
      found: '1 of 2 messages read with the name of a service',
    });
  });
});

describe('file-events', () => {
  const { addon, reason } = addonWithFsDouble();
  if (addon === undefined) process.stdout.write(`skipped: prove: file-events: ${reason}\n`);

  /** The addon on the double, which tells of the files when it is flushed. */
  const telling = (how: (files: readonly string[]) => readonly ScriptedFsEvent[]) => {
    if (addon === undefined) throw new Error(reason);
    const real = addon.FileEventSource;
    const double = new addon.FileEventDouble();
    class Source extends real {
      readonly #kept: string;
      constructor(options: NativeFileEventOptions, onWake: () => void) {
        super(options, onWake, double);
        this.#kept = path.join(options.paths[0] ?? '', 'kept');
      }
      override flush(): string {
        double.deliver(how(readdirSync(this.#kept).map((name) => path.join(this.#kept, name))));
        return '0';
      }
    }
    return new ScriptedSystem({ addon: { state: 'loaded', addon: { ...addon, FileEventSource: Source } } });
  };

  test
    .skipIf(addon === undefined)
    .each<[string, (files: readonly string[]) => readonly ScriptedFsEvent[], string, string]>([
      [
        'every write',
        (files) => files.map((one, id) => ({ path: one, id })),
        'as-expected',
        '500 of 500 writes',
      ],
      [
        'all but one',
        (files) => files.slice(1).map((one, id) => ({ path: one, id })),
        'different',
        '499 of 500 writes',
      ],
      [
        'a loss that is flagged',
        (files) => [
          ...files.slice(9).map((one, id) => ({ path: one, id })),
          { path: '/', id: 1_000, flags: fsFlags.kernelDropped },
        ],
        'as-expected',
        '1 event said that others were dropped',
      ],
    ])('%s', async (_what, how, verdict, found) => {
    expect(await ask('file-events', telling(how))).toMatchObject({
      verdict,
      found: expect.stringContaining(found),
    });
  });
});
