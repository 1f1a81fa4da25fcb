import { binaryPlistOf } from '../../helpers/plist-writer.js';
import { type Activity, apple, type Program, type World } from './world.js';

const signed = (image: string, id: string, team: string): Program => ({ image, id, team });
const chrome = (name: string) =>
  signed(
    `/Applications/Google Chrome.app/Contents/Frameworks/Google Chrome Framework.framework/Versions/140/Helpers/${name}.app/Contents/MacOS/${name}`,
    'com.google.Chrome.helper',
    'EQHXZ8M8AV',
  );
const jamf = signed('/usr/local/jamf/bin/jamf', 'com.jamf.management.binary', '483DWKW443');

/** An update is fetched, looked at and put in the place of the old one, as Sparkle, Keystone or Squirrel do. */
function update(world: World, updater: Program, app: string, uid: number): void {
  const process = world.launched(updater, ['--check'], uid);
  const work = `/private/var/folders/zz/${world.hex(8)}/T/update`;
  world.ran(process, apple('/usr/bin/curl'), '-sS', '-o', `${work}.dmg`, 'https://dl.example.com/update.dmg');
  world.ran(process, apple('/usr/bin/hdiutil'), 'attach', '-nobrowse', '-plist', `${work}.dmg`);
  world.ran(
    process,
    apple('/usr/bin/codesign'),
    '--verify',
    '--deep',
    '--strict',
    `/Volumes/Update/${app}.app`,
  );
  world.ran(process, apple('/usr/sbin/spctl'), '--assess', '--type', 'execute', `/Volumes/Update/${app}.app`);
  world.ran(process, apple('/usr/bin/ditto'), `/Volumes/Update/${app}.app`, `${work}/${app}.app`);
  for (let left = world.number(20, 80); left > 0; left--)
    world.created(
      process,
      `/Applications/${app}.app/Contents/${world.pick(['Resources', 'Frameworks', 'MacOS'])}/${world.hex(8)}`,
    );
  world.ran(process, apple('/usr/bin/xattr'), '-dr', 'com.apple.quarantine', `/Applications/${app}.app`);
  world.ran(process, apple('/usr/bin/hdiutil'), 'detach', '/Volumes/Update');
  world.ended(process);
}

export const vendors: readonly Activity[] = [
  {
    name: 'a browser opens pages',
    weight: 10,
    play(world) {
      const { home, uid } = world.user();
      const browser = world.launched(
        signed(
          '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
          'com.google.Chrome',
          'EQHXZ8M8AV',
        ),
        [],
        uid,
      );
      const profile = `${home}/Library/Application Support/Google/Chrome/Default`;
      for (let left = world.number(2, 8); left > 0; left--)
        world.ran(
          browser,
          chrome('Google Chrome Helper (Renderer)'),
          '--type=renderer',
          `--client-id=${left}`,
        );
      for (let left = world.number(5, 25); left > 0; left--)
        world.created(
          browser,
          `${home}/Library/Caches/Google/Chrome/Default/Cache/Cache_Data/${world.hex(16)}_0`,
        );
      for (const name of ['Cookies', 'History', 'Network Persistent State'])
        world.changed(browser, `${profile}/${name}`);
      world.replaced(browser, `${home}/Downloads/${world.hex(6)}.pdf`);
      world.ended(browser);
    },
  },
  {
    name: 'a browser updates its extensions',
    weight: 1.2,
    play(world) {
      const { home, uid } = world.user();
      const browser = world.launched(
        signed(
          '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
          'com.google.Chrome',
          'EQHXZ8M8AV',
        ),
        [],
        uid,
      );
      const [id, name] = world.pick([
        ['cjpalhdlnbpafiamejdnhcphjbkeiagm', 'uBlock Origin'],
        ['aeblfdkhhhdcdjpifhhbdiojplfjncoa', '1Password'],
        ['ghbmnnjooekpmoecnnnilnnbdlolhkhi', 'Docs Offline'],
      ] as const);
      const version = `${world.number(1, 9)}.${world.number(0, 99)}`;
      world.wrote(
        browser,
        `${home}/Library/Application Support/Google/Chrome/Default/Extensions/${id}/${version}_0/manifest.json`,
        JSON.stringify({
          name,
          version,
          manifest_version: 3,
          permissions: ['storage', 'tabs'],
          host_permissions: ['<all_urls>'],
        }),
      );
      world.ended(browser);
    },
  },
  {
    name: 'updaters bring new versions of applications',
    weight: 1.5,
    play(world) {
      const { uid } = world.user();
      const [updater, app] = world.pick([
        [
          signed('/Library/Google/GoogleSoftwareUpdate/ksadmin', 'com.google.ksadmin', 'EQHXZ8M8AV'),
          'Google Chrome',
        ],
        [
          signed(
            '/Library/Application Support/Microsoft/MAU2.0/Microsoft AutoUpdate.app/Contents/MacOS/Microsoft AutoUpdate',
            'com.microsoft.autoupdate2',
            'UBF8T346G9',
          ),
          'Microsoft Word',
        ],
        [
          signed(
            '/Library/Application Support/Adobe/ARMDC/Application/Acrobat Update Helper',
            'com.adobe.ARMDC',
            'JQ525L2MZD',
          ),
          'Adobe Acrobat',
        ],
        [
          signed(
            '/Applications/Sketch.app/Contents/Frameworks/Sparkle.framework/Versions/B/Autoupdate',
            'org.sparkle-project.Sparkle.Autoupdate',
            'WUGMZZ5K46',
          ),
          'Sketch',
        ],
        [
          signed(
            '/Applications/Slack.app/Contents/Frameworks/Squirrel.framework/Resources/ShipIt',
            'com.tinyspeck.slackmacgap.ShipIt',
            'BQR82RBBHL',
          ),
          'Slack',
        ],
      ] as const);
      update(world, updater, app, uid);
      if (app === 'Microsoft Word')
        world.ran(
          world.launched(apple('/usr/sbin/installer'), [
            '-pkg',
            '/Library/Caches/MAU/Word.pkg',
            '-target',
            '/',
          ]),
          apple('/usr/sbin/pkgutil'),
          '--check-signature',
          '/Library/Caches/MAU/Word.pkg',
        );
    },
  },
  {
    name: 'the management agent checks in and runs its scripts',
    weight: 2,
    play(world) {
      const process = world.launched(jamf, ['policy', '-randomDelaySeconds', '300']);
      const script = world.started(process, apple('/bin/sh'), [
        `/Library/Application Support/JAMF/tmp/${world.hex(8)}`,
        '/',
        'mac-1',
        'alice',
      ]);
      for (const [image, ...args] of [
        ['/usr/bin/defaults', 'read', '/Library/Preferences/com.apple.SoftwareUpdate'],
        ['/usr/bin/dscl', '.', '-read', '/Users/alice', 'UniqueID'],
        ['/usr/bin/dscl', '.', '-list', '/Users', 'UniqueID'],
        ['/usr/bin/profiles', 'status', '-type', 'enrollment'],
        ['/usr/bin/fdesetup', 'status'],
        ['/usr/bin/csrutil', 'status'],
        ['/usr/sbin/system_profiler', 'SPHardwareDataType', '-xml'],
        ['/usr/sbin/softwareupdate', '--list'],
        ['/bin/launchctl', 'list'],
        ['/bin/launchctl', 'print', 'system/com.jamf.management.daemon'],
        ['/bin/launchctl', 'asuser', '501', '/usr/bin/osascript', '-e', 'display notification "Updates"'],
        ['/usr/bin/osascript', '-e', 'display dialog "Restart now?"'],
        ['/usr/bin/sfltool', 'dumpbtm'],
        ['/usr/bin/pgrep', '-x', 'Dock'],
        ['/usr/bin/sqlite3', '/Library/Application Support/com.apple.TCC/TCC.db', 'select 1'],
      ] as const)
        if (world.chance() < 0.6) world.ran(script, apple(image), ...args);
      world.changed(process, '/private/var/log/jamf.log');
      for (const one of [script, process]) world.ended(one);
    },
  },
  {
    name: 'a configuration profile is renewed',
    weight: 0.3,
    play(world) {
      const client = world.launched(apple('/usr/libexec/mdmclient'), ['daemon']);
      world.saved(
        client,
        '/Library/Managed Preferences/com.google.Chrome.plist',
        binaryPlistOf({
          HomepageLocation: `https://intranet.example.com/${world.number(1, 99)}`,
          PasswordManagerEnabled: false,
        }),
      );
      world.ended(client);
    },
  },
  {
    name: 'Munki looks for packages',
    weight: 1,
    play(world) {
      const munki = world.launched(
        { image: '/usr/local/munki/munki-python', id: 'munki-python', team: 'T4SK8ZXCXG' },
        ['/usr/local/munki/managedsoftwareupdate', '--auto'],
      );
      for (let left = world.number(3, 9); left > 0; left--) {
        world.ran(munki, apple('/usr/sbin/pkgutil'), '--pkg-info-plist', `com.example.${world.hex(4)}`);
        world.created(munki, `/Library/Managed Installs/Cache/${world.hex(6)}.pkg`);
      }
      world.replaced(munki, '/Library/Managed Installs/InstallInfo.plist');
      world.ended(munki);
    },
  },
  {
    name: 'a backup walks the disk',
    weight: 1.5,
    play(world) {
      const [tool, ...args] = world.pick([
        [apple('/System/Library/CoreServices/backupd.bundle/Contents/Resources/backupd')],
        [
          signed(
            '/Library/PrivilegedHelperTools/com.bombich.ccchelper',
            'com.bombich.ccchelper',
            'L4F2DED5Q7',
          ),
          'run',
        ],
        [{ image: '/opt/homebrew/bin/restic', adHoc: true } as Program, 'backup', '/Users/bob'],
        [apple('/usr/bin/rsync'), '-a', '--delete', '/Users/alice/', '/Volumes/Backup/alice/'],
      ] as const);
      const process = world.launched(tool, args);
      const to = `/Volumes/Backup/2026-11-29-${world.hex(6)}/Macintosh HD`;
      for (let left = world.number(30, 120); left > 0; left--)
        world.created(
          process,
          `${to}/Users/alice/${world.pick(['Documents', 'Library/LaunchAgents', 'Library/Mail', '.ssh', 'src'])}/${world.hex(8)}`,
        );
      world.ended(process);
    },
  },
  {
    name: 'Dropbox switches its Finder extension on after an update',
    weight: 0.05,
    play(world) {
      const dropbox = world.launched(
        signed('/Applications/Dropbox.app/Contents/MacOS/Dropbox', 'com.getdropbox.dropbox', 'G7HH3F8CAK'),
        [],
        501,
      );
      world.ran(dropbox, apple('/usr/bin/pluginkit'), '-e', 'use', '-i', 'com.getdropbox.dropbox.garcon');
      world.ended(dropbox);
    },
  },
  {
    name: 'a security agent takes stock',
    weight: 1,
    play(world) {
      const osquery = world.launched(
        signed('/opt/osquery/lib/osquery.app/Contents/MacOS/osqueryd', 'io.osquery.agent', '3522FA9PXF'),
        ['--flagfile=/private/var/osquery/osquery.flags'],
      );
      for (let left = world.number(2, 6); left > 0; left--)
        world.ran(
          osquery,
          apple(world.pick(['/bin/ps', '/usr/sbin/lsof', '/usr/sbin/netstat', '/bin/launchctl'])),
          'list',
        );
      world.changed(osquery, `/private/var/osquery/osquery.db/${world.number(100_000, 999_999)}.log`);
      world.ended(osquery);
    },
  },
];
