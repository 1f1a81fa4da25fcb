import { execFile } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { launchAgentPlist, type SimulatedMac } from './mac.js';

const run = promisify(execFile);

/** One thing that happens on a Mac about which nobody wants to be called. */
export interface Situation {
  readonly name: string;
  /** Something new whose maker is in no pack: a person sees it once. */
  readonly isNew?: true;
  /** What is there before the agent. */
  prepare?(mac: SimulatedMac): void;
  play(mac: SimulatedMac): Promise<void>;
}

interface Job {
  readonly label: string;
  readonly args: readonly string[];
  readonly more?: string;
  /** Who signed its program. */
  readonly team?: string;
}

/** A property list as a vendor writes it. */
export function jobList({ label, args, more }: Job): string {
  return launchAgentPlist(label, args, more);
}

const interval = (seconds: number) => `\n  <key>StartInterval</key>\n  <integer>${seconds}</integer>`;
const agents = '/Library/LaunchAgents';
const daemons = '/Library/LaunchDaemons';
const alices = '/Users/alice/Library/LaunchAgents';
const bobs = '/Users/bob/Library/LaunchAgents';

async function launchctl(mac: SimulatedMac, ...args: string[]): Promise<void> {
  mac.onLaunchctl?.(args);
  await run(mac.launchctl, args);
}

async function reload(mac: SimulatedMac, file: string): Promise<void> {
  await launchctl(mac, 'unload', mac.host(file));
  await launchctl(mac, 'load', '-w', mac.host(file));
}

/** As an updater does it: boot out, write, boot in. */
async function bootAgain(mac: SimulatedMac, file: string, content: string): Promise<void> {
  const domain = file.startsWith('/Users/') ? `gui/${process.getuid?.() ?? 501}` : 'system';
  await launchctl(mac, 'bootout', domain, mac.host(file));
  mac.write(file, content);
  await launchctl(mac, 'bootstrap', domain, mac.host(file));
}

/** A new file in the place of the old one. */
function replace(mac: SimulatedMac, file: string, content: string): void {
  const temporary = mac.write(`${path.dirname(file)}/.${path.basename(file)}.tmp`, content);
  renameSync(temporary, mac.host(file));
}

function program(mac: SimulatedMac, file: string, content = `program ${file}`): void {
  chmodSync(mac.write(file, content), 0o755);
}

const signatures = '/private/var/db/codesign.stand-in';

/** Has the tree's codesign say that a team has signed a program. */
function sign(mac: SimulatedMac, file: string, team: string): void {
  mac.write(
    `${signatures}/${file.replaceAll('/', '_')}`,
    `Identifier=${path.basename(file)}\nTeamIdentifier=${team}\n`,
  );
}

/** Stand-ins for codesign(1) and for the stat(1) of macOS, so that a tree can have signatures. */
export function writeSigningTools(mac: SimulatedMac): void {
  const tree = 'tree=$(cd "$(dirname "$0")/../.." && pwd); for program; do :; done';
  program(
    mac,
    '/usr/bin/codesign',
    `#!/bin/sh
${tree}
known="$tree${signatures}/$(printf %s "$program" | tr / _)"
if [ ! -f "$known" ]; then
  [ -f "$tree$program" ] || { echo "$program: No such file or directory" >&2; exit 1; }
  echo "$program: code object is not signed at all" >&2
  exit 1
fi
[ "$1" = --verify ] && exit 0
{ echo "Executable=$program"; cat "$known"; echo "Signature size=9000"; echo "Authority=Developer ID Application: Vendor"; } >&2
`,
  );
  program(
    mac,
    '/usr/bin/stat',
    `#!/bin/sh
${tree}
[ -f "$tree$program" ] || exit 1
echo "Regular File 1 $(/usr/bin/stat -L -c '%i %s %Y %Z' "$tree$program" 2>/dev/null)"
`,
  );
}

/** A vendor's item that was there before: its program and its list. */
function vendor(
  name: string,
  folder: string,
  job: Job,
  play: (mac: SimulatedMac, file: string, job: Job) => Promise<void>,
): Situation {
  const file = `${folder}/${job.label}.plist`;
  return {
    name,
    prepare(mac) {
      const [first] = job.args;
      if (first?.startsWith('/') === true && !existsSync(mac.host(first))) program(mac, first);
      if (first !== undefined && job.team !== undefined) sign(mac, first, job.team);
      mac.write(file, jobList(job));
    },
    play: (mac) => play(mac, file, job),
  };
}

/** A vendor's item that is new: its program is signed, and its list is written and loaded. */
function install(name: string, folder: string, job: Job): Situation {
  const file = `${folder}/${job.label}.plist`;
  const [first = ''] = job.args;
  return {
    name,
    prepare: (mac) => job.team && sign(mac, first, job.team),
    async play(mac) {
      program(mac, first);
      mac.write(file, jobList(job));
      await launchctl(mac, 'load', '-w', mac.host(file));
    },
  };
}

const bundle = '/Library/DirectoryServices/PlugIns/Directory.dsplug';
const bundleFiles: readonly (readonly [string, string])[] = [
  ['Contents/Info.plist', jobList({ label: 'directory', args: ['x'] })],
  ['Contents/MacOS/Directory', 'the program of the plug-in'],
];

function writeBundle(mac: SimulatedMac, at: string): void {
  for (const [name, content] of bundleFiles) mac.write(`${at}/${name}`, content);
}

export const situations: readonly Situation[] = [
  vendor(
    "Google's updater rewrites its agent as it was and reloads it",
    agents,
    {
      label: 'com.google.keystone.agent',
      args: ['/Library/Google/GoogleSoftwareUpdate/ksadmin', '-runMode', 'ifneeded'],
    },
    async (mac, file, job) => {
      mac.write(file, jobList(job));
      await reload(mac, file);
    },
  ),
  vendor(
    "Google's updater changes its interval and reloads",
    alices,
    {
      label: 'com.google.GoogleUpdater.wake',
      args: ['/Users/alice/Library/Google/GoogleUpdater'],
      more: interval(3600),
    },
    async (mac, file, job) => {
      mac.write(file, jobList({ ...job, more: interval(7200) }));
      await reload(mac, file);
    },
  ),
  vendor(
    'Microsoft AutoUpdate puts a new list in the place of the old one',
    daemons,
    {
      label: 'com.microsoft.autoupdate.helper',
      args: ['/Library/PrivilegedHelperTools/com.microsoft.autoupdate.helper'],
    },
    async (mac, file, job) => {
      replace(mac, file, jobList({ ...job, more: interval(900) }));
      await reload(mac, file);
    },
  ),
  vendor(
    'Adobe removes its agent, writes it again and loads it',
    agents,
    { label: 'com.adobe.AdobeCreativeCloud', args: ['/Applications/Utilities/Adobe Creative Cloud/ACC'] },
    async (mac, file, job) => {
      await launchctl(mac, 'unload', mac.host(file));
      rmSync(mac.host(file));
      mac.write(file, jobList(job));
      await launchctl(mac, 'load', '-w', mac.host(file));
    },
  ),
  vendor(
    "Zoom's updater boots its daemon out and in with a changed list",
    daemons,
    { label: 'us.zoom.ZoomDaemon', args: ['/Library/PrivilegedHelperTools/us.zoom.ZoomDaemon'] },
    (mac, file, job) =>
      bootAgain(mac, file, jobList({ ...job, more: '\n  <key>KeepAlive</key>\n  <true/>' })),
  ),
  vendor(
    'Dropbox loads its agent again',
    agents,
    { label: 'com.dropbox.DropboxUpdater.wake', args: ['/Library/Dropbox/DropboxUpdater'] },
    (mac, file) => reload(mac, file),
  ),
  vendor(
    'Jamf writes its daemon again and boots it in',
    daemons,
    { label: 'com.jamf.management.daemon', args: ['/usr/local/jamf/bin/jamfDaemon'] },
    (mac, file, job) => bootAgain(mac, file, jobList(job)),
  ),
  vendor(
    'Jamf changes the schedule of its check-in',
    daemons,
    {
      label: 'com.jamfsoftware.task.1',
      args: ['/usr/local/jamf/bin/jamf', 'policy', '-randomDelaySeconds', '300'],
      more: interval(1800),
    },
    async (mac, file, job) => {
      mac.write(file, jobList({ ...job, more: interval(900) }));
      await reload(mac, file);
    },
  ),
  vendor(
    'Kandji reloads its agent',
    agents,
    { label: 'io.kandji.Kandji', args: ['/Library/Kandji/Kandji Agent.app/Contents/MacOS/Kandji'] },
    (mac, file, job) => bootAgain(mac, file, jobList(job)),
  ),
  vendor(
    'Munki updates itself: the same lists, copied anew',
    daemons,
    {
      label: 'com.googlecode.munki.managedsoftwareupdate-check',
      args: ['/usr/local/munki/supervisor', '--delayrandom', '60'],
    },
    async (mac, file, job) => {
      replace(mac, file, jobList(job));
      await launchctl(mac, 'load', '-w', mac.host(file));
    },
  ),
  vendor(
    'A management agent runs its script by an interpreter, and is rewritten as it was',
    daemons,
    { label: 'com.mosyle.macos.manager.script', args: ['/bin/sh', '/Library/Mosyle/run.sh'] },
    async (mac, file, job) => {
      mac.write(file, jobList(job));
      await reload(mac, file);
    },
  ),
  vendor(
    'Intune sets owner and mode of its daemon as they are',
    daemons,
    { label: 'com.microsoft.intune.agent', args: ['/Library/Intune/IntuneMdmDaemon'] },
    async (mac, file) => {
      chmodSync(mac.host(file), 0o644);
      await reload(mac, file);
    },
  ),
  {
    name: 'A package installs an application with an agent of its own',
    isNew: true,
    async play(mac) {
      program(mac, '/Applications/Notes Plus.app/Contents/MacOS/helper');
      const file = `${agents}/com.notesplus.helper.plist`;
      mac.write(
        file,
        jobList({
          label: 'com.notesplus.helper',
          args: ['/Applications/Notes Plus.app/Contents/MacOS/helper'],
        }),
      );
      await launchctl(mac, 'load', mac.host(file));
    },
  },
  {
    name: 'A package installs a privileged helper and boots it in',
    isNew: true,
    async play(mac) {
      program(mac, '/Library/PrivilegedHelperTools/com.diskplus.helper');
      const file = `${daemons}/com.diskplus.helper.plist`;
      mac.write(
        file,
        jobList({
          label: 'com.diskplus.helper',
          args: ['/Library/PrivilegedHelperTools/com.diskplus.helper'],
        }),
      );
      await launchctl(mac, 'bootstrap', 'system', mac.host(file));
    },
  },
  install('Google Chrome is installed with its updater', agents, {
    label: 'com.google.keystone.xpcservice',
    args: ['/Library/Google/GoogleSoftwareUpdate/GoogleSoftwareUpdateAgent'],
    team: 'EQHXZ8M8AV',
  }),
  install('Zoom is installed for all users with its updater', agents, {
    label: 'us.zoom.updater',
    args: ['/Applications/zoom.us.app/Contents/MacOS/updater'],
    team: 'BJ4HAAB9B3',
  }),
  install('The management server sends Jamf Connect', daemons, {
    label: 'com.jamf.connect.daemon',
    args: ['/Library/Application Support/JamfConnect/JamfDaemon'],
    team: '483DWKW443',
  }),
  {
    name: 'Homebrew starts a service',
    isNew: true,
    prepare: (mac) => program(mac, '/opt/homebrew/opt/postgresql@16/bin/postgres'),
    async play(mac) {
      const file = `${alices}/homebrew.mxcl.postgresql@16.plist`;
      mac.write(
        file,
        jobList({
          label: 'homebrew.mxcl.postgresql@16',
          args: ['/opt/homebrew/opt/postgresql@16/bin/postgres', '-D', '/opt/homebrew/var/postgresql@16'],
        }),
      );
      await launchctl(mac, 'bootstrap', `gui/${process.getuid?.() ?? 501}`, mac.host(file));
    },
  },
  vendor(
    'Homebrew restarts a service that ran before',
    alices,
    {
      label: 'homebrew.mxcl.redis',
      args: ['/opt/homebrew/opt/redis/bin/redis-server', '/opt/homebrew/etc/redis.conf'],
    },
    (mac, file, job) => bootAgain(mac, file, jobList(job)),
  ),
  {
    name: 'MacPorts links the list of a daemon and loads it',
    isNew: true,
    prepare(mac) {
      program(mac, '/opt/local/sbin/rsyncd');
      mac.write(
        '/opt/local/etc/LaunchDaemons/org.macports.rsyncd.plist',
        jobList({ label: 'org.macports.rsyncd', args: ['/opt/local/sbin/rsyncd'] }),
      );
      symlinkSync(
        '/opt/local/etc/LaunchDaemons/org.macports.rsyncd.plist',
        mac.host(`${daemons}/org.macports.rsyncd.plist`),
      );
    },
    play: (mac) => reload(mac, `${daemons}/org.macports.rsyncd.plist`),
  },
  vendor(
    'nix-darwin activates a generation: each list anew, by rename',
    alices,
    { label: 'org.nixos.skhd', args: ['/run/current-system/sw/bin/skhd'] },
    async (mac, file, job) => {
      replace(mac, file, jobList(job));
      await launchctl(mac, 'load', '-w', mac.host(file));
    },
  ),
  vendor(
    'Docker installs its helper once more',
    daemons,
    { label: 'com.docker.vmnetd', args: ['/Library/PrivilegedHelperTools/com.docker.vmnetd'] },
    async (mac, file, job) => {
      program(mac, '/Library/PrivilegedHelperTools/com.docker.vmnetd');
      await bootAgain(mac, file, jobList(job));
    },
  ),
  {
    name: 'A developer writes an agent and loads it again and again',
    isNew: true,
    prepare: (mac) => program(mac, '/Users/bob/src/agent/agent'),
    async play(mac) {
      const file = `${bobs}/dev.bob.agent.plist`;
      for (const flag of ['-v', '-vv', '-vvv', '-q']) {
        mac.write(file, jobList({ label: 'dev.bob.agent', args: ['/Users/bob/src/agent/agent', flag] }));
        await reload(mac, file);
      }
    },
  },
  {
    name: 'pm2 makes itself start at login',
    isNew: true,
    prepare: (mac) => program(mac, '/opt/homebrew/bin/pm2'),
    async play(mac) {
      const file = `${bobs}/pm2.bob.plist`;
      mac.write(file, jobList({ label: 'pm2.bob', args: ['/opt/homebrew/bin/pm2', 'resurrect'] }));
      await launchctl(mac, 'load', '-w', mac.host(file));
    },
  },
  {
    name: 'A package manager unpacks a thousand files',
    async play(mac) {
      for (let index = 0; index < 1_000; index++)
        mac.write(
          `/Users/bob/src/app/node_modules/package-${index % 100}/file-${index}.js`,
          `exports.n = ${index};\n`,
        );
    },
  },
  vendor(
    'Carbon Copy Cloner updates its helper list',
    daemons,
    { label: 'com.bombich.ccchelper', args: ['/Library/PrivilegedHelperTools/com.bombich.ccchelper'] },
    async (mac, file, job) => {
      mac.write(file, jobList({ ...job, more: '\n  <key>ExitTimeOut</key>\n  <integer>30</integer>' }));
      await reload(mac, file);
    },
  ),
  vendor(
    'Backblaze writes its agent again at each start',
    agents,
    {
      label: 'com.backblaze.bzbmenu',
      args: ['/Library/PreferencePanes/BackblazeBackup.prefPane/Contents/MacOS/bzbmenu'],
    },
    async (mac, file, job) => {
      for (let again = 0; again < 3; again++) mac.write(file, jobList(job));
      await launchctl(mac, 'load', mac.host(file));
    },
  ),
  {
    name: 'A backup copies the launch folders and restores their times',
    async play(mac) {
      for (const folder of [agents, alices])
        cpSync(mac.host(folder), mac.host(`/Volumes/Backup${folder}`), {
          recursive: true,
          dereference: false,
        });
      for (const name of ['com.google.keystone.agent.plist', 'com.backblaze.bzbmenu.plist'])
        utimesSync(
          mac.host(`${agents}/${name}`),
          new Date('2026-01-01T00:00:00Z'),
          new Date('2026-01-01T00:00:00Z'),
        );
    },
  },
  {
    name: "Apple's shove writes a DirectoryService plug-in as it was",
    prepare: (mac) => writeBundle(mac, bundle),
    async play(mac) {
      writeBundle(mac, bundle);
    },
  },
  {
    name: "Apple's installd moves the same plug-in into place",
    async play(mac) {
      writeBundle(mac, '/private/tmp/installd.sandbox/Directory.dsplug');
      renameSync(mac.host(bundle), mac.host('/private/tmp/installd.old.dsplug'));
      renameSync(mac.host('/private/tmp/installd.sandbox/Directory.dsplug'), mac.host(bundle));
      rmSync(mac.host('/private/tmp/installd.old.dsplug'), { recursive: true });
    },
  },
  vendor(
    'An application is uninstalled with its agent',
    agents,
    { label: 'com.spotify.webhelper', args: ['/Applications/Spotify.app/Contents/MacOS/SpotifyWebHelper'] },
    async (mac, file) => {
      await launchctl(mac, 'unload', mac.host(file));
      rmSync(mac.host(file));
    },
  ),
  vendor(
    '1Password writes its list by a temporary file of another name',
    alices,
    {
      label: 'com.1password.1password-launcher',
      args: ['/Applications/1Password.app/Contents/MacOS/launcher'],
    },
    async (mac, file, job) => {
      replace(mac, file, jobList({ ...job, more: interval(60) }));
      await launchctl(mac, 'load', mac.host(file));
    },
  ),
  {
    name: 'A monitoring tool asks launchd about its jobs',
    async play(mac) {
      for (const args of [
        ['list'],
        ['print', 'system'],
        ['print-disabled', 'system'],
        ['list', 'com.jamf.management.daemon'],
      ])
        await launchctl(mac, ...args).catch(() => {});
    },
  },
  vendor(
    'Permissions of the launch folders are repaired',
    daemons,
    { label: 'org.openvpn.client', args: ['/Library/Frameworks/OpenVPN.framework/ovpnagent'] },
    async (mac, file) => {
      const content = readFileSync(mac.host(file));
      mkdirSync(mac.host(daemons), { recursive: true });
      mac.write(file, content);
      chmodSync(mac.host(file), 0o644);
    },
  ),
];
