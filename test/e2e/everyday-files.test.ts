import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { binaryPlistOf, xmlPlist } from '../helpers/plist-writer.js';
import { AgentProcess, allAlerts, SimulatedMac, standInLaunchctl, waitFor } from '../simulation/mac.js';

const compiler = standInLaunchctl() !== undefined;
if (!compiler)
  process.stderr.write('skipped: test/e2e/everyday-files.test.ts needs a C compiler for its launchctl\n');

const home = '/Users/alice';

/** What updates of macOS, installers, management and developers write on a healthy Mac. */
const everyday: readonly (readonly [path: string, content: string | Uint8Array])[] = [
  [
    '/private/etc/pam.d/sudo',
    'auth       include        sudo_local\nauth       sufficient     pam_smartcard.so\nauth       required       pam_opendirectory.so\naccount    required       pam_permit.so\npassword   required       pam_deny.so\nsession    required       pam_permit.so\n',
  ],
  ['/private/etc/pam.d/sudo_local', 'auth       sufficient     pam_tid.so\n'],
  [
    '/private/etc/sudoers',
    'Defaults env_reset\nDefaults env_keep += "LANG LC_ALL"\nDefaults lecture_file = "/etc/sudo_lecture"\nroot ALL = (ALL) ALL\n%admin ALL = (ALL) ALL\n#includedir /private/etc/sudoers.d\n',
  ],
  [
    '/private/etc/ssh/sshd_config',
    'Include /etc/ssh/sshd_config.d/*\nAuthorizedKeysFile .ssh/authorized_keys\nSubsystem sftp /usr/libexec/sftp-server\n',
  ],
  ['/private/etc/zshrc', 'if [[ "$(locale LC_CTYPE)" == "UTF-8" ]]; then\n  setopt COMBINING_CHARS\nfi\n'],
  ['/private/etc/rc.common', '#!/bin/sh\n. /etc/rc.netboot\n'],
  ['/private/etc/periodic/daily/110.clean-tmps', '#!/bin/sh -\nrc=0\nfind -dx . -fstype local\n'],
  [
    '/private/etc/defaults/periodic.conf',
    'local_periodic="/usr/local/etc/periodic"\ndaily_local="/etc/daily.local"\n',
  ],
  [
    '/Library/Preferences/com.apple.loginwindow.plist',
    binaryPlistOf({ lastUserName: 'alice', GuestEnabled: false }),
  ],
  [
    `${home}/.zshrc`,
    'export PATH="$HOME/.cargo/bin:$PATH"\n. "$HOME/.cargo/env"\neval "$(/opt/homebrew/bin/brew shellenv)"\nalias ip="curl -s https://ifconfig.me"\nalias kd="base64 -d"\nnvm() { . "$HOME/.nvm/nvm.sh"; }\n',
  ],
  [`${home}/.vimrc`, 'set number\nautocmd BufWritePost *.go silent !gofmt -w %\n'],
  [
    `${home}/.gitconfig`,
    '[user]\n\tname = Alice\n[core]\n\tpager = delta\n[filter "lfs"]\n\tclean = git-lfs clean -- %f\n\tprocess = git-lfs filter-process\n[credential "https://github.com"]\n\thelper = !/opt/homebrew/bin/gh auth git-credential\n[gpg "ssh"]\n\tprogram = /Applications/1Password.app/Contents/MacOS/op-ssh-sign\n',
  ],
  [`${home}/.npmrc`, '//packages.example/:_authToken=x\nnode-options=--max-old-space-size=4096\n'],
  [
    `${home}/.ssh/config`,
    'Include ~/.orbstack/ssh/config\nHost *.example.com\n  ProxyCommand cloudflared access ssh --hostname %h\n',
  ],
  [
    `${home}/Projects/app/.vscode/tasks.json`,
    '{"version": "2.0.0", "tasks": [{"label": "watch", "type": "shell", "command": "npm run watch", "runOptions": {"runOn": "folderOpen"}}]}',
  ],
  [
    `${home}/Library/Application Support/Google/Chrome/NativeMessagingHosts/com.1password.1password.json`,
    '{"name": "com.1password.1password", "path": "/Applications/1Password.app/Contents/Library/LoginItems/1Password Browser Helper.app/Contents/MacOS/1Password-BrowserSupport", "type": "stdio"}',
  ],
  [
    `${home}/Library/Application Support/Google/Chrome/Default/Extensions/aeblfdkhhhdcdjpifhhbdiojplfjncoa/2.20_0/manifest.json`,
    '{"name": "1Password", "host_permissions": ["<all_urls>"], "permissions": ["nativeMessaging"]}',
  ],
  [
    '/Library/Managed Preferences/com.google.Chrome.plist',
    binaryPlistOf({
      ExtensionInstallForcelist: [
        'aeblfdkhhhdcdjpifhhbdiojplfjncoa;https://clients2.google.com/service/update2/crx',
      ],
    }),
  ],
  [
    '/private/var/db/ConfigurationProfiles/Store/ConfigProfiles.binary',
    binaryPlistOf({
      profiles: [
        { PayloadIdentifier: 'com.example.pppc', PayloadType: 'com.apple.TCC.configuration-profile-policy' },
      ],
    }),
  ],
  [
    `${home}/Library/Preferences/com.apple.dock.plist`,
    binaryPlistOf({
      'persistent-apps': [
        {
          'tile-data': {
            'file-label': 'Safari',
            'file-data': { _CFURLString: 'file:///System/Cryptexes/App/System/Applications/Safari.app/' },
          },
        },
        {
          'tile-data': {
            'file-label': 'Slack',
            'file-data': { _CFURLString: 'file:///Applications/Slack.app/' },
          },
        },
      ],
    }),
  ],
  [
    `${home}/Library/Preferences/ByHost/com.apple.loginwindow.0123.plist`,
    binaryPlistOf({
      TALAppsToRelaunchAtLogin: [{ BundleID: 'com.tinyspeck.slackmacgap', Path: '/Applications/Slack.app' }],
    }),
  ],
  [
    `${home}/Library/Preferences/com.apple.Terminal.plist`,
    binaryPlistOf({ 'Window Settings': { Basic: { name: 'Basic' } } }),
  ],
  [
    '/opt/homebrew/Cellar/redis/7.2/homebrew.mxcl.redis.plist',
    xmlPlist({
      Label: 'homebrew.mxcl.redis',
      ProgramArguments: ['/opt/homebrew/opt/redis/bin/redis-server'],
      KeepAlive: true,
    }),
  ],
  [
    '/Library/SystemExtensions/db.plist',
    xmlPlist({
      extensions: [{ identifier: 'com.example.filter', teamID: 'ABCDE12345', state: 'activated_enabled' }],
    }),
  ],
  [
    '/Library/Audio/Plug-Ins/Components/Synth.component/Contents/Info.plist',
    xmlPlist({ CFBundleIdentifier: 'com.example.synth', CFBundleExecutable: 'Synth' }),
  ],
  [
    '/private/var/db/dslocal/nodes/Default/users/alice.plist',
    binaryPlistOf({
      name: ['alice'],
      uid: ['501'],
      shell: ['/bin/zsh'],
      home: [home],
      authentication_authority: [';ShadowHash;'],
      accountPolicyData: ['x'],
    }),
  ],
  ['/private/var/db/auth.db', 'SQLite format 3\0'],
  ['/private/etc/auto_master', '+auto_master\n/home\tauto_home\t-nobrowse,hidefromfinder\n/-\t-static\n'],
  [
    '/private/etc/newsyslog.d/com.example.conf',
    '/Library/Logs/example/agent.log root:wheel 640 7 10240 * NJ\n',
  ],
  [
    '/private/var/db/com.apple.xpc.launchd/disabled.plist',
    binaryPlistOf({ 'com.openssh.sshd': false, 'com.apple.ftpd': true }),
  ],
  [
    '/private/var/db/dslocal/nodes/Default/users/_www.plist',
    binaryPlistOf({ name: ['_www'], uid: ['70'], gid: ['70'], shell: ['/usr/bin/false'] }),
  ],
  [`${home}/.zshrc.zwc`, Buffer.from('\x07\x06\x05\x04\0/opt/homebrew/bin/brew\0', 'latin1')],
  [`${home}/.config/fish/functions/ll.fish`, 'function ll\n  ls -l $argv\nend\n'],
  [`${home}/.tmux.conf`, "set -g mouse on\nrun '~/.tmux/plugins/tpm/tpm'\n"],
  [`${home}/.hammerspoon/init.lua`, 'hs.hotkey.bind({"cmd"}, "R", hs.reload)\n'],
  [`${home}/.vim/pack/plugins/start/x/plugin/x.vim`, 'command! X call x#run()\n'],
  [
    `${home}/.claude/settings.json`,
    '{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "afplay /System/Library/Sounds/Glass.aiff"}]}]}, "statusLine": {"type": "command", "command": "npx -y ccusage statusline"}}',
  ],
  [
    `${home}/Library/Python/3.9/lib/python/site-packages/x.pth`,
    'import sys; exec("try: import coverage; coverage.process_startup()\\nexcept ImportError: pass")\n',
  ],
];

describe.skipIf(!compiler)('files of a healthy Mac', () => {
  let mac: SimulatedMac;
  let agent: AgentProcess;

  beforeAll(async () => {
    mac = new SimulatedMac();
    agent = await AgentProcess.start({ mac, arguments: ['--sensors', 'file-watch'] });
  });

  afterAll(async () => {
    await agent.stop('SIGKILL');
    mac.remove();
  });

  test('no alert has a priority above low', async () => {
    for (const [path, content] of everyday) mac.write(path, content);
    // The proof that the alerts are there: one that must be.
    mac.write('/private/etc/pam.d/sshd', 'auth sufficient pam_permit.so\n');
    await agent.settled();
    const scored = () =>
      allAlerts(mac).map(({ doc, rule_name }) => ({
        path: doc.file?.path,
        rule: rule_name,
        score:
          (doc['launchwarden'] as { alert?: { priority?: { score?: number } } }).alert?.priority?.score ??
          100,
      }));
    // It may have been seen while it was still empty.
    const alerts = await waitFor('the one that must be', () => {
      const all = scored();
      return all.some(({ score }) => score >= 40) ? all : undefined;
    });
    expect(alerts.length).toBeGreaterThan(10);
    expect(alerts.filter(({ score }) => score >= 40)).toEqual([
      expect.objectContaining({ path: '/private/etc/pam.d/sshd' }),
    ]);
  });
});
