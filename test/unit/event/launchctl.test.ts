import { expect, test } from 'vitest';
import type { EcsDocument, ProcessFields } from '../../../src/event/document.js';
import { domainsNamed, launchctlFields, withLaunchctl } from '../../../src/event/launchctl.js';

const list = '/Library/LaunchDaemons/com.example.x.plist';

const fields = (args: readonly string[] | undefined, process: ProcessFields = {}) =>
  launchctlFields({
    process: { name: 'launchctl', ...(args === undefined ? {} : { args: [...args] }), ...process },
  });

test.each([
  ['load', ['load', '-w', list], { verb: 'load', effect: 'load', paths: [list], outside: false }],
  ['a folder of lists', ['load', '/Library/LaunchAgents/'], { effect: 'load', outside: false }],
  ['another folder', ['load', '/tmp/x.plist'], { paths: ['/private/tmp/x.plist'], outside: true }],
  ['one of two elsewhere', ['load', list, '/opt/x.plist'], { outside: true }],
  ['bootstrap', ['bootstrap', 'system', list], { verb: 'bootstrap', effect: 'load', outside: false }],
  ['a service', ['kickstart', '-k', 'gui/501/com.x'], { effect: 'load', labels: ['com.x'] }],
  ['a signal', ['kill', 'SIGSTOP', 'system/com.x'], { effect: 'change', labels: ['com.x'] }],
  ['boot-out', ['bootout', 'system/com.x'], { effect: 'remove', labels: ['com.x'] }],
  ['a look', ['print', 'system'], { effect: 'read' }],
  ['a verb of tomorrow', ['activate', 'system/com.x'], { verb: 'activate', effect: 'unknown' }],
  [
    'the session of somebody else',
    ['asuser', '501', '/bin/launchctl', 'load', list],
    { verb: 'load', effect: 'load' },
  ],
  ['a dialog in it', ['asuser', '501', '/usr/bin/osascript', '-e', 'x'], { effect: 'change' }],
  ['a copy in it', ['asuser', '501', '/tmp/x', 'load', list], { verb: 'load', effect: 'load' }],
  ['a shell in it', ['asuser', '501', 'sh', '-c', 'launchctl load x'], { effect: 'unknown' }],
  ['nothing in it', ['asuser', '501'], { effect: 'unknown' }],
] as const)('what launchctl is told: %s', (_name, args, expected) => {
  expect(fields(['launchctl', ...args])).toMatchObject({ by: 'name', ...expected });
});

test('without a verb it reads its commands; without arguments nobody knows', () => {
  expect(fields(['launchctl'])).toEqual({ by: 'name', effect: 'none' });
  expect(fields(undefined)).toEqual({ by: 'name', effect: 'unknown' });
  const cut: EcsDocument = {
    process: { name: 'launchctl', args: ['launchctl'] },
    launchwarden: { process: { args_cut: true } },
  };
  expect(launchctlFields(cut)).toMatchObject({ effect: 'unknown' });
  const wrapped = { name: 'launchctl', args: ['launchctl', 'asuser', '501', 'sh'] };
  expect(launchctlFields({ ...cut, process: wrapped })).toMatchObject({ effect: 'unknown' });
});

test('a relative path is made whole by the working folder, and left alone without one', () => {
  const args = ['launchctl', 'load', 'x.plist'];
  expect(fields(args, { working_directory: '/tmp' })).toMatchObject({
    paths: ['/private/tmp/x.plist'],
    outside: true,
  });
  const unknown = fields(args);
  expect(unknown).toMatchObject({ paths: ['x.plist'] });
  expect(unknown).not.toHaveProperty('outside');
});

test.each([
  ['a domain', ['bootstrap', 'gui/502', list], '0', ['gui/502']],
  ['a service', ['kickstart', '-k', 'user/502/com.x'], '0', ['user/502']],
  ['the session of somebody', ['asuser', '502', 'launchctl', 'load', list], '0', ['gui/502', 'user/502']],
  ["the caller's own", ['load', list], '503', ['gui/503', 'user/503']],
  ["root's own", ['load', list], '0', ['system']],
  ['none', ['load', list], undefined, []],
] as const)('the domains that a call acts in: %s', (_name, args, user, expected) => {
  const call: EcsDocument = {
    process: { name: 'launchctl', args: ['launchctl', ...args] },
    ...(user === undefined ? {} : { user: { id: user } }),
  };
  const alert = { file: { path: list }, Events: [{ file: { path: list } }, null, call] } as EcsDocument;
  expect(domainsNamed(alert)).toEqual(expected);
});

test('the domains of an alert are those that calls and launchd named, each once, and a few', () => {
  const call = (id: number): EcsDocument => ({
    process: { name: 'launchctl', args: ['launchctl', 'bootstrap', `gui/${id}`, list] },
  });
  const Events = Array.from({ length: 50 }, (_one, index) => call(500 + (index % 25)));
  const alert = { launchwarden: { job: { domain: 'gui/501' } }, Events } as EcsDocument;
  const named = domainsNamed(alert);
  expect(named).toHaveLength(8);
  expect(named.slice(0, 3)).toEqual(['gui/501', 'gui/500', 'gui/502']);
  expect(domainsNamed({ launchwarden: { job: { domain: 'pid/1; rm' } } } as EcsDocument)).toEqual([]);
});

test('a link in a launch directory that leads out of it leads outside', () => {
  const doc: EcsDocument = {
    process: { name: 'launchctl', args: ['launchctl', 'load', list] },
    launchwarden: { process: { named_files: [{ path: list, resolved: '/private/tmp/x', inode: '1' }] } },
  };
  expect(launchctlFields(doc)).toMatchObject({ outside: true });
});

test('it is known in another case, by what it calls itself, by its signature and by its arguments', () => {
  expect(fields(['x', 'list'], { name: 'LAUNCHCTL' })).toMatchObject({ by: 'name' });
  expect(fields(['/tmp/launchctl', 'load', list], { name: 'x' })).toMatchObject({ by: 'argv0' });
  const signed = { name: 'x', code_signature: { signing_id: 'com.apple.xpc.launchctl' } };
  expect(fields(['x', 'start', 'com.x'], signed)).toMatchObject({ by: 'signature', labels: ['com.x'] });
  for (const args of [
    ['load', list],
    ['bootstrap', 'gui/501', 'x'],
    ['enable', 'system/com.x'],
    ['submit', '-l', 'x', '--', '/tmp/y'],
  ])
    expect(fields(['/tmp/x', ...args], { name: 'x' })).toMatchObject({ by: 'shape', effect: 'load' });
});

test('other programs are not taken for it', () => {
  for (const args of [
    ['npm', 'start', 'server'],
    ['systemctl', 'enable', 'x.service'],
    ['x', 'load', '/tmp/model.bin'],
    ['x', 'bootstrap', 'system-wide'],
    ['git', 'submit', '-l'],
    ['x'],
    [],
  ])
    expect(fields(args, { name: 'x' })).toBeUndefined();
  expect(launchctlFields({})).toBeUndefined();
  const hostile = { process: { name: 7, args: 'load', code_signature: null } } as unknown as EcsDocument;
  expect(launchctlFields(hostile)).toBeUndefined();
});

test('only a program that begins has them, and there is an end to what is kept', () => {
  const doc = (action: string): EcsDocument => ({
    event: { action },
    process: { name: 'launchctl', args: ['launchctl', 'load', list] },
  });
  expect(withLaunchctl(doc('exec')).launchwarden?.launchctl).toBeDefined();
  for (const action of ['fork', 'end']) expect(withLaunchctl(doc(action))).not.toHaveProperty('launchwarden');
  const many = fields(['launchctl', 'load', ...Array.from({ length: 500 }, () => `/${'x'.repeat(5_000)}`)]);
  expect(many?.paths).toHaveLength(32);
  expect(many?.paths?.[0]).toHaveLength(1_024);
});
