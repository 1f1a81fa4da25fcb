import { describe, expect, test } from 'vitest';
import type { PlistValue } from '../../../../src/base/plist/index.js';
import {
  type DomainReport,
  disabledOf,
  jobKeysOf,
  type Loading,
  liveState,
  loadingOf,
  overridesIn,
  type Question,
  readPrintDisabled,
  runsSays,
} from '../../../../src/mechanisms/launchd/index.js';

const daemonPath = '/Library/LaunchDaemons/com.x.plist';
const agentPath = '/Users/a/Library/LaunchAgents/com.x.plist';
const usual = { Label: 'com.x', Program: '/opt/x' };

interface Given extends Partial<Omit<Question, 'job' | 'file'>> {
  readonly keys?: Record<string, PlistValue>;
  readonly file?: Partial<Question['file']>;
}

function loading({ keys = {}, file = {}, daemon = true, ...rest }: Given): Loading {
  const job = jobKeysOf(new Map(Object.entries({ ...usual, ...keys })), { daemon });
  return loadingOf({
    daemon,
    job,
    file: {
      path: daemon ? daemonPath : agentPath,
      type: 'file',
      uid: daemon ? 0 : 501,
      mode: 0o644,
      ...file,
    },
    ...rest,
  });
}

const map = (record: Record<string, PlistValue>) => new Map(Object.entries(record));
const agent = { daemon: false };

describe('whether launchd loads a list', () => {
  test.each<[name: string, given: Given, answer: Loading['answer'], words: readonly string[]]>([
    ['as it should be', {}, 'yes', []],
    ['group-writable', { file: { mode: 0o664 } }, 'no', ['writable-by-others']],
    ['world-writable', { file: { mode: 0o606 } }, 'no', ['writable-by-others']],
    ['a link, whose own mode says nothing', { file: { type: 'symlink', mode: 0o777 } }, 'yes', []],
    ["a daemon's list of a user", { file: { uid: 501 } }, 'no', ['not-owned-by-root']],
    [
      'an agent for everybody that belongs to a user',
      { ...agent, file: { path: '/Library/LaunchAgents/x.plist' } },
      'no',
      ['not-owned-by-root'],
    ],
    ["an agent in its owner's home", { ...agent, around: { homeOwner: 501 } }, 'yes', []],
    ['an agent of root in a home', { ...agent, file: { uid: 0 }, around: { homeOwner: 501 } }, 'yes', []],
    [
      "an agent in somebody else's home",
      { ...agent, around: { homeOwner: 502 } },
      'no',
      ['not-owned-by-user'],
    ],
    ['a folder in the place of the file', { file: { type: 'dir' } }, 'no', ['not-a-file']],
    ['another name', { file: { path: '/Library/LaunchDaemons/com.x' } }, 'by-hand', ['not-plist-name']],
    ['a folder below', { file: { path: '/Library/LaunchDaemons/d/x.plist' } }, 'by-hand', ['in-subfolder']],
    ['no label', { keys: { Label: '' } }, 'no', ['no-label']],
    ['no program', { keys: { Program: '' } }, 'no', ['no-program']],
    ['Disabled', { keys: { Disabled: true } }, 'no', ['disabled-by-key']],
    [
      'Disabled, and enabled by launchctl',
      { keys: { Disabled: true }, around: { override: false } },
      'yes',
      ['enabled-by-override'],
    ],
    ['disabled by launchctl', { around: { override: true } }, 'no', ['disabled-by-override']],
    ['both', { keys: { Disabled: true }, around: { override: true } }, 'no', ['disabled-by-override']],
    ['switched off by its user', { ...agent, around: { background: false } }, 'no', ['disabled-by-user']],
    [
      'a daemon for sessions at the screen',
      { keys: { LimitLoadToSessionType: 'Aqua' } },
      'no',
      ['other-session'],
    ],
    ['a daemon for the system', { keys: { LimitLoadToSessionType: 'System' } }, 'yes', []],
    [
      'an agent for the login window',
      { ...agent, keys: { LimitLoadToSessionType: ['LoginWindow'] } },
      'yes',
      ['not-at-the-screen'],
    ],
    [
      'an agent for the system',
      { ...agent, keys: { LimitLoadToSessionType: 'System' } },
      'no',
      ['other-session'],
    ],
    ['an agent for two', { ...agent, keys: { LimitLoadToSessionType: ['Background', 'Aqua'] } }, 'yes', []],
    [
      'for another Mac',
      {
        keys: { LimitLoadToHardware: map({ model: ['A1'] }) },
        around: { hardware: new Map([['model', 'B2']]) },
      },
      'no',
      ['other-hardware'],
    ],
    [
      'for this Mac',
      {
        keys: { LimitLoadToHardware: map({ model: ['A1'] }) },
        around: { hardware: new Map([['model', 'A1']]) },
      },
      'yes',
      [],
    ],
    [
      'for a Mac that nobody knows',
      { keys: { LimitLoadToHardware: map({ model: ['A1'] }) } },
      'unknown',
      ['hardware-not-known'],
    ],
    [
      'not for this Mac',
      {
        keys: { LimitLoadFromHardware: map({ model: ['A1'] }) },
        around: { hardware: new Map([['model', 'A1']]) },
      },
      'no',
      ['other-hardware'],
    ],
    [
      'for other hosts, which launchd does not heed',
      { keys: { LimitLoadToHosts: ['h'] } },
      'yes',
      ['limited-to-hosts'],
    ],
    [
      'a second list with its label',
      { around: { sameLabel: ['/Library/LaunchDaemons/b.plist'] } },
      'unknown',
      ['label-clash'],
    ],
    ["a user's name for an agent", { ...agent, keys: { UserName: 'root' } }, 'yes', ['user-name-ignored']],
    ["a user's name for a daemon", { keys: { UserName: 'mara' } }, 'yes', []],
    [
      'a bare name of its program',
      { keys: { Program: null, ProgramArguments: ['sh', '-c'] } },
      'yes',
      ['bare-program'],
    ],
    [
      'a missing program',
      { around: { program: { path: '/opt/x', state: 'missing' } } },
      'yes',
      ['program-missing'],
    ],
    [
      'a program without rights',
      { around: { program: { path: '/opt/x', state: 'not-executable' } } },
      'yes',
      ['program-not-executable'],
    ],
    [
      'a folder that everybody may write',
      { around: { folder: { uid: 0, mode: 0o777 } } },
      'yes',
      ['folder-writable-by-others'],
    ],
    ['a folder with the sticky bit', { around: { folder: { uid: 0, mode: 0o1777 } } }, 'yes', []],
    [
      "a system's folder of a user",
      { around: { folder: { uid: 501, mode: 0o755 } } },
      'yes',
      ['folder-of-another-user'],
    ],
    [
      'in an application, unregistered',
      { ...agent, bundled: true, file: { uid: 501, mode: 0o664 } },
      'by-hand',
      ['not-registered'],
    ],
    ['in an application, allowed', { ...agent, bundled: true, around: { background: true } }, 'yes', []],
  ])('%s', (_, given, answer, words) => {
    const found = loading(given);
    expect([found.answer, found.obstacles.map(({ word }) => word)]).toEqual([answer, words]);
  });

  test('no property list', () => {
    const file = { path: daemonPath, type: 'file' as const, uid: 0, mode: 0o644 };
    expect(loadingOf({ daemon: true, job: undefined, file })).toMatchObject({ answer: 'no', starts: false });
  });

  test('is one sentence; the worst reason counts', () => {
    const { says } = loading({
      file: { path: '/Library/LaunchDaemons/x', mode: 0o666 },
      keys: { Disabled: true },
    });
    expect(says).toBe('launchd does not load it: its group or everybody may write the list.');
    expect(loading({}).says).toBe('launchd loads it when the system starts.');
    expect(loading({ ...agent, around: { program: { path: '/opt/x', state: 'missing' } } }).says).toBe(
      'launchd loads it when its user logs in, and cannot start it: there is nothing at /opt/x.',
    );
  });
});

test.each<[given: Given, unread: string | undefined, answer: boolean | null, by: string | null]>([
  [{}, undefined, false, null],
  [{}, 'nobody knows', null, null],
  [{ keys: { Disabled: true } }, 'nobody knows', true, 'key'],
  [{ around: { override: true } }, undefined, true, 'override'],
  [{ around: { background: false } }, undefined, true, 'background-item'],
  [{ keys: { Disabled: true }, around: { override: false } }, undefined, false, null],
])('disabled by whom: %j', (given, unread, answer, by) => {
  expect(disabledOf(loading(given), unread)).toMatchObject({ answer, by });
});

describe('what launchd has now', () => {
  const loaded = (facts: DomainReport['facts'] = {}): DomainReport => ({
    domain: 'system',
    state: 'loaded',
    facts,
  });
  const socket = { key: 'Sockets', when: 'socket', values: [], says: '' } as const;
  test.each<[DomainReport[], boolean | null, boolean | null, string]>([
    [[loaded({ pid: 7, runs: 3 })], true, true, 'It runs in system (process 7, started 3 times).'],
    [[loaded({ state: 'running' })], true, true, 'It runs in system.'],
    [
      [loaded({ state: 'not running', last_exit: '78: EX_CONFIG' })],
      true,
      false,
      'It is loaded in system and does not run: it waits for a connection to its socket. It ended last with 78: EX_CONFIG.',
    ],
    [
      [loaded({ pid: 7, path: '/private/tmp/x.plist' })],
      true,
      true,
      'It runs in system (process 7). launchd has it from another list, /private/tmp/x.plist.',
    ],
    [
      [
        { domain: 'gui/501', state: 'not-loaded' },
        { domain: 'user/501', state: 'no-domain' },
      ],
      false,
      false,
      'It is not loaded.',
    ],
    [
      [{ domain: 'gui/501', state: 'no-domain' }],
      false,
      false,
      'It is not loaded: no session is there in which it could be loaded.',
    ],
    [
      [
        { domain: 'system', state: 'not-loaded' },
        { domain: 'gui/501', state: 'unknown' },
      ],
      null,
      null,
      'Whether it is loaded is not known: launchctl gave no answer that is understood.',
    ],
  ])('%#', (reports, isLoaded, running, says) => {
    expect(liveState(reports, { triggers: [socket], path: daemonPath })).toMatchObject({
      loaded: isLoaded,
      running,
      says,
    });
  });

  test('nobody who can be asked is no "not loaded"', () => {
    expect(liveState([], { triggers: [], path: daemonPath, unasked: 'why' })).toMatchObject({
      loaded: null,
      says: 'Whether it is loaded is not known: why.',
    });
  });
});

describe('overrides', () => {
  const answer = (stdout: string, status = 0) => ({ status, stdout, stderr: '' });
  test.each([
    [
      'macOS 13',
      '\tdisabled services = {\n\t\t"com.a" => disabled\n\t\t"com.b" => enabled\n\t}\n\tx = {\n\t\t"com.c" => disabled\n',
    ],
    ['macOS 12', 'disabled services = {\n\t"com.a" => true\n\t"com.b" => false\n}\n'],
  ])('as launchctl prints them: %s', (_, text) => {
    expect([...(readPrintDisabled(answer(text)) ?? [])]).toEqual([
      ['com.a', true],
      ['com.b', false],
    ]);
  });

  test('what is not understood is not empty', () => {
    expect(readPrintDisabled(answer('Usage: launchctl'))).toBeUndefined();
    expect(readPrintDisabled(answer('disabled services = {\n}\n', 1))).toBeUndefined();
    expect(overridesIn(Buffer.from('nothing'))).toBeUndefined();
  });

  test('as the file holds them', () => {
    const text =
      '<plist><dict><key>com.a</key><true/><key>com.b</key><false/><key>c</key><string>x</string></dict></plist>';
    expect([...(overridesIn(Buffer.from(text)) ?? [])]).toEqual([
      ['com.a', true],
      ['com.b', false],
    ]);
  });
});

test.each([
  [[], undefined, 'It names nothing that can be executed.'],
  [[{ paths: ['/opt/x'], inline: undefined }], 'root', 'It executes /opt/x, as root.'],
  [
    [{ paths: ['/usr/bin/env', '/bin/sh', '/a.sh'], inline: undefined }],
    undefined,
    'It executes /usr/bin/env, and through it /bin/sh, then /a.sh, as whoever is logged in.',
  ],
  [
    [{ paths: ['/bin/sh'], inline: 'curl' }],
    'root',
    'It executes /bin/sh, with a script among its arguments, as root.',
  ],
] as const)('what it runs: %#', (runs, as, says) => {
  expect(runsSays(runs, as)).toBe(says);
});

test('an agent for the login window says where it loads, and that it loads', () => {
  const { obstacles } = loading({ daemon: false, keys: { LimitLoadToSessionType: 'LoginWindow' } });
  const [{ because, effect } = { because: '', effect: '' }] = obstacles;
  expect(effect).toBe('note');
  expect(because).toContain('it loads at the login window, before anybody has logged in');
});
