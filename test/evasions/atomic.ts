import type { Attacker } from './attacker.js';
import type { Evasion } from './evasion.js';

/** Runs a program of macOS that this machine has not: a stand-in, which does nothing. */
async function tool(attacker: Attacker, image: string, ...args: readonly string[]): Promise<void> {
  attacker.install(image);
  await attacker.exec(image, args, { cwd: attacker.home, signingId: `com.apple.${image.split('/').at(-1)}` });
}

const inHome = ({ home }: Attacker) => [home];
const both = { scan: 'detected', eslogger: 'detected' } as const;

/** What the tests of Atomic Red Team do to persist on a Mac, in our own words; `number` is ours. */
export const atomicTests: readonly (Evasion & { readonly technique: string })[] = [
  {
    number: 101,
    technique: 'T1543.001',
    name: 'a launch agent is copied to the home and loaded with -w',
    async play(attacker) {
      attacker.mkdir(attacker.agents);
      attacker.write(attacker.plist);
      await attacker.launchctl(['load', '-w', attacker.host(attacker.plist)]);
    },
    expected: both,
  },
  {
    number: 102,
    technique: 'T1543.001',
    name: 'a launch agent for everybody',
    async play(attacker) {
      const list = `/Library/LaunchAgents/${attacker.label}.plist`;
      attacker.write(list);
      await attacker.launchctl(['load', attacker.host(list)]);
    },
    expected: both,
  },
  {
    number: 103,
    technique: 'T1543.004',
    name: 'a launch daemon is copied and loaded with -w',
    async play(attacker) {
      const list = `/Library/LaunchDaemons/${attacker.label}.plist`;
      attacker.write(list);
      await attacker.launchctl(['load', '-w', attacker.host(list)]);
    },
    expected: both,
  },
  {
    number: 104,
    technique: 'T1569.001',
    name: 'a job is submitted',
    play: (attacker) => attacker.launchctl(['submit', '-l', attacker.label, '--', '/bin/sh']),
    expected: both,
  },
  {
    number: 105,
    technique: 'T1053.003',
    name: 'the crontab of a user is replaced',
    async play(attacker) {
      await tool(attacker, '/usr/bin/crontab', '/private/tmp/persistevil');
      attacker.write('/private/var/at/tabs/u105', `* * * * * /private/tmp/${attacker.label}\n`);
    },
    marks: () => ['/private/var/at/tabs/u105'],
    expected: both,
  },
  {
    number: 106,
    technique: 'T1053.002',
    name: 'a job of at',
    play: (attacker) =>
      attacker.write('/private/var/at/jobs/a00106', `#!/bin/sh\n/private/tmp/${attacker.label}\n`),
    marks: () => ['a00106'],
    expected: both,
  },
  {
    number: 107,
    technique: 'T1037.002',
    name: 'a login hook',
    async play(attacker) {
      await tool(
        attacker,
        '/usr/bin/defaults',
        'write',
        'com.apple.loginwindow',
        'LoginHook',
        '/private/tmp/hook',
      );
      attacker.write(
        '/private/var/root/Library/Preferences/com.apple.loginwindow.plist',
        `<plist version="1.0"><dict><key>LoginHook</key><string>/private/tmp/${attacker.label}</string></dict></plist>`,
      );
    },
    expected: both,
  },
  {
    number: 108,
    technique: 'T1037.004',
    name: 'a line in rc.common',
    play: (attacker) =>
      attacker.write('/private/etc/rc.common', `#!/bin/bash\n/private/tmp/${attacker.label}\n`),
    marks: () => ['/private/etc/rc.common'],
    expected: both,
  },
  {
    number: 109,
    technique: 'T1037.005',
    name: 'a start-up item',
    play(attacker) {
      const folder = `/Library/StartupItems/${attacker.label}`;
      attacker.write(`${folder}/StartupParameters.plist`, '<plist version="1.0"><dict/></plist>');
      attacker.write(`${folder}/${attacker.label}`, '#!/bin/sh\n');
    },
    expected: both,
  },
  {
    number: 110,
    technique: 'T1546.004',
    name: 'a line in .bash_profile, .zshrc and /etc/zshenv',
    play(attacker) {
      attacker.write(`${attacker.home}/.bash_profile`, `/private/tmp/${attacker.label}\n`);
      attacker.write(`${attacker.home}/.zshrc`, `/private/tmp/${attacker.label}\n`);
      attacker.write('/private/etc/zshenv', `/private/tmp/${attacker.label}\n`);
    },
    marks: ({ home }) => [`${home}/.bash_profile`, `${home}/.zshrc`, '/private/etc/zshenv'],
    expected: both,
  },
  {
    number: 111,
    technique: 'T1546.005',
    name: 'a trap in the start-up file of a shell',
    play: (attacker) =>
      attacker.write(`${attacker.home}/.bashrc`, `trap "/private/tmp/${attacker.label}" EXIT\n`),
    marks: ({ home }) => [`${home}/.bashrc`],
    expected: both,
  },
  {
    number: 112,
    technique: 'T1546.014',
    name: 'a rule of the event monitor',
    play: (attacker) =>
      attacker.write(
        `/private/etc/emond.d/rules/${attacker.label}.plist`,
        `<plist version="1.0"><array><dict><key>name</key><string>${attacker.label}</string><key>enabled</key><true/><key>eventTypes</key><array><string>startup</string></array><key>actions</key><array><dict><key>type</key><string>RunCommand</string><key>command</key><string>/private/tmp/x</string></dict></array></dict></array></plist>`,
      ),
    expected: both,
  },
  {
    number: 113,
    technique: 'T1547.006',
    name: 'a kernel extension is loaded',
    async play(attacker) {
      attacker.write(`/Library/Extensions/${attacker.label}.kext/Contents/Info.plist`, attacker.list());
      await tool(attacker, '/usr/bin/kmutil', 'load', '-p', `/Library/Extensions/${attacker.label}.kext`);
    },
    expected: both,
  },
  {
    number: 114,
    technique: 'T1547.007',
    name: 'an application among those that are opened again',
    play: (attacker) =>
      attacker.write(
        `${attacker.home}/Library/Preferences/ByHost/com.apple.loginwindow.00000000-0000-1000-8000-000000000000.plist`,
        `<plist version="1.0"><dict><key>TALAppsToRelaunchAtLogin</key><array><dict><key>BundleID</key><string>${attacker.label}</string><key>Path</key><string>/private/tmp/${attacker.label}.app</string></dict></array></dict></plist>`,
      ),
    expected: both,
  },
  {
    number: 115,
    technique: 'T1547.015',
    name: 'a login item, by a script',
    play: (attacker) =>
      tool(
        attacker,
        '/usr/bin/osascript',
        '-e',
        `tell application "System Events" to make login item at end with properties {path:"/private/tmp/${attacker.label}"}`,
      ),
    expected: both,
  },
  {
    number: 116,
    technique: 'T1556.003',
    name: 'a module in a PAM configuration',
    play: (attacker) =>
      attacker.write('/private/etc/pam.d/sudo', `auth sufficient /private/tmp/${attacker.label}.so\n`),
    marks: () => ['/private/etc/pam.d/sudo'],
    expected: both,
  },
  {
    number: 117,
    technique: 'T1548.003',
    name: 'sudo without a password',
    play: (attacker) =>
      attacker.write(`/private/etc/sudoers.d/${attacker.label}`, 'u117 ALL=(ALL) NOPASSWD: ALL\n'),
    expected: both,
  },
  {
    number: 118,
    technique: 'T1098.004',
    name: 'a key in authorized_keys',
    play: (attacker) =>
      attacker.write(`${attacker.home}/.ssh/authorized_keys`, `ssh-ed25519 AAAA ${attacker.label}\n`),
    marks: inHome,
    expected: both,
  },
  {
    number: 119,
    technique: 'T1136.001',
    name: 'an account is made by dscl',
    async play(attacker) {
      await tool(attacker, '/usr/bin/dscl', '.', '-create', `/Users/${attacker.label}`);
      await tool(attacker, '/usr/bin/dscl', '.', '-create', `/Users/${attacker.label}`, 'UniqueID', '503');
    },
    expected: both,
  },
  {
    number: 120,
    technique: 'T1564.002',
    name: 'a hidden account',
    play: (attacker) =>
      tool(attacker, '/usr/bin/dscl', '.', '-create', `/Users/${attacker.label}`, 'IsHidden', '1'),
    expected: both,
  },
  {
    number: 121,
    technique: 'T1078.003',
    name: 'the account of root is enabled',
    play: (attacker) => tool(attacker, '/usr/sbin/dsenableroot', '-u', attacker.label, '-p', 'x', '-r', 'x'),
    expected: both,
  },
  {
    number: 122,
    technique: 'T1176',
    name: 'an extension of a browser is loaded by argument',
    play: (attacker) =>
      tool(
        attacker,
        '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
        `--load-extension=/private/tmp/${attacker.label}`,
      ),
    expected: both,
  },
  {
    number: 123,
    technique: 'T1574.006',
    name: 'a library is inserted by the environment of the session',
    play: (attacker) =>
      attacker.launchctl(['setenv', 'DYLD_INSERT_LIBRARIES', `/private/tmp/${attacker.label}.dylib`]),
    expected: both,
  },
  {
    number: 124,
    technique: 'T1547.002',
    name: 'an authorization plug-in',
    play: (attacker) =>
      attacker.write(
        `/Library/Security/SecurityAgentPlugins/${attacker.label}.bundle/Contents/Info.plist`,
        attacker.list(),
      ),
    expected: both,
  },
  {
    number: 125,
    technique: 'T1546',
    name: 'a folder action, by a script',
    play: (attacker) =>
      attacker.write(`${attacker.home}/Library/Scripts/Folder Action Scripts/${attacker.label}.scpt`, 'x'),
    expected: both,
  },
  {
    number: 126,
    technique: 'T1546.002',
    name: 'a screen saver',
    play: (attacker) =>
      attacker.write(
        `${attacker.home}/Library/Screen Savers/${attacker.label}.saver/Contents/Info.plist`,
        attacker.list(),
      ),
    expected: both,
  },
];
