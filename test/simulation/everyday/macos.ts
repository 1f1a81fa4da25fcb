import { binaryPlistOf } from '../../helpers/plist-writer.js';
import { type Activity, apple, type World } from './world.js';

const cfprefsd = (world: World, uid: number) => world.launched(apple('/usr/sbin/cfprefsd'), ['agent'], uid);

const tile = (name: string) => ({
  'tile-data': { 'file-label': name, 'file-data': { _CFURLString: `file:///Applications/${name}.app/` } },
});

export const macos: readonly Activity[] = [
  {
    name: 'launchd starts services by xpcproxy',
    weight: 14,
    play(world) {
      for (let left = world.number(3, 10); left > 0; left--) {
        const service = world.pick([
          'trustd',
          'nsurlsessiond',
          'mdworker_shared',
          'secd',
          'tccd',
          'distnoted',
          'containermanagerd',
          'usernoted',
          'cloudd',
          'bird',
          'photoanalysisd',
          'suggestd',
          'syspolicyd',
          'amfid',
        ]);
        const proxy = world.launched(
          apple('/usr/libexec/xpcproxy'),
          [`com.apple.${service}`],
          world.pick([0, 501, 502]),
        );
        world.ended(world.started(proxy, apple(`/usr/libexec/${service}`)));
        world.ended(proxy);
      }
    },
  },
  {
    name: 'Spotlight reads what is new',
    weight: 6,
    play(world) {
      const mds = world.launched(
        apple(
          '/System/Library/Frameworks/CoreServices.framework/Versions/A/Frameworks/Metadata.framework/Versions/A/Support/mds_stores',
        ),
      );
      for (let left = world.number(5, 20); left > 0; left--)
        world.changed(
          mds,
          `/System/Volumes/Data/.Spotlight-V100/Store-V2/${world.hex(8)}/${world.number(0, 9)}.indexIds`,
        );
      world.ended(mds);
    },
  },
  {
    name: 'preferences are saved',
    weight: 8,
    play(world) {
      const { home, uid } = world.user();
      const process = cfprefsd(world, uid);
      for (let left = world.number(2, 9); left > 0; left--)
        world.replaced(
          process,
          `${home}/Library/Preferences/com.${world.pick(['apple', 'google', 'microsoft'])}.${world.hex(5)}.plist`,
        );
      world.ended(process);
    },
  },
  {
    name: 'the Dock and the login window are saved',
    weight: 2,
    play(world) {
      const { home, uid } = world.user();
      const process = cfprefsd(world, uid);
      const apps = ['Safari', 'Mail', 'Slack', 'Xcode', 'Google Chrome'].filter(() => world.chance() < 0.7);
      world.saved(
        process,
        `${home}/Library/Preferences/com.apple.dock.plist`,
        binaryPlistOf({ 'persistent-apps': apps.map(tile), 'mod-count': world.number(1, 5_000) }),
      );
      const open = ['Slack', 'Mail', 'Google Chrome'].filter(() => world.chance() < 0.5);
      world.saved(
        process,
        `${home}/Library/Preferences/ByHost/com.apple.loginwindow.0123.plist`,
        binaryPlistOf({
          TALAppsToRelaunchAtLogin: open.map((name) => ({
            BundleID: `com.${name}`,
            Path: `/Applications/${name}.app`,
          })),
        }),
      );
      world.saved(
        process,
        `${home}/Library/Preferences/com.apple.Terminal.plist`,
        binaryPlistOf({ 'Default Window Settings': 'Basic', SecureKeyboardEntry: world.chance() < 0.5 }),
      );
      world.ended(process);
    },
  },
  {
    name: 'mail, photos and documents',
    weight: 8,
    play(world) {
      const { home, uid } = world.user();
      const app = world.launched(
        apple(
          `/System/Applications/${world.pick(['Mail', 'Photos', 'Notes', 'Preview', 'Messages'])}.app/Contents/MacOS/x`,
        ),
        [],
        uid,
      );
      for (let left = world.number(3, 15); left > 0; left--)
        world.created(
          app,
          `${home}/Library/${world.pick(['Mail/V10', 'Messages/Attachments', 'Group Containers/group.com.apple.notes'])}/${world.hex(10)}`,
        );
      world.replaced(app, `${home}/Documents/${world.hex(4)}.docx`);
      world.ended(app);
    },
  },
  {
    name: 'an application is put into /Applications, by hand or by the App Store',
    weight: 0.8,
    play(world) {
      const installd = world.launched(
        apple('/System/Library/PrivateFrameworks/PackageKit.framework/Resources/installd'),
      );
      const app = `/Applications/${world.pick(['Keynote', 'Numbers', 'Figma', 'Things'])}.app/Contents`;
      for (let left = world.number(20, 70); left > 0; left--)
        world.created(
          installd,
          `${app}/${world.pick(['Resources', 'Frameworks', 'PlugIns/x.appex/Contents'])}/${world.hex(8)}`,
        );
      world.ran(
        installd,
        apple(
          '/System/Library/Frameworks/CoreServices.framework/Versions/A/Frameworks/LaunchServices.framework/Versions/A/Support/lsregister',
        ),
        '-f',
        app,
      );
      world.ended(installd);
    },
  },
  {
    name: 'the periodic scripts, the log and the clean-up',
    weight: 1,
    play(world) {
      const periodic = world.launched(apple('/usr/sbin/periodic'), ['daily']);
      const script = world.started(periodic, apple('/bin/sh'), ['/etc/periodic/daily/110.clean-tmps']);
      world.ran(script, apple('/usr/bin/find'), '-dx', '.', '-fstype', 'local', '-type', 'f', '-atime', '+3');
      for (let left = world.number(2, 10); left > 0; left--)
        world.removed(script, `/private/tmp/${world.hex(8)}`);
      world.replaced(periodic, '/private/var/log/daily.out');
      world.ran(
        world.launched(apple('/usr/sbin/newsyslog')),
        apple('/usr/bin/bzip2'),
        '/private/var/log/system.log.0',
      );
      for (const one of [script, periodic]) world.ended(one);
    },
  },
  {
    name: 'calls and documents in the office',
    weight: 6,
    play(world) {
      const { home, uid } = world.user();
      const [image, id, team] = world.pick([
        [
          '/Applications/Slack.app/Contents/Frameworks/Slack Helper.app/Contents/MacOS/Slack Helper',
          'com.tinyspeck.slackmacgap.helper',
          'BQR82RBBHL',
        ],
        ['/Applications/zoom.us.app/Contents/MacOS/zoom.us', 'us.zoom.xos', 'BJ4HAAB9B3'],
        [
          '/Applications/Microsoft Excel.app/Contents/MacOS/Microsoft Excel',
          'com.microsoft.Excel',
          'UBF8T346G9',
        ],
        ['/Applications/Microsoft Teams.app/Contents/MacOS/MSTeams', 'com.microsoft.teams2', 'UBF8T346G9'],
      ] as const);
      const app = world.launched({ image, id, team }, ['--type=utility'], uid);
      world.created(app, `${home}/Documents/~$report-${world.hex(3)}.xlsx`);
      for (let left = world.number(4, 16); left > 0; left--)
        world.created(app, `${home}/Library/Containers/${id}/Data/Library/Caches/${world.hex(12)}`);
      world.removed(app, `${home}/Documents/~$report-${world.hex(3)}.xlsx`);
      world.ended(app);
    },
  },
  {
    name: 'the system updates its own lists',
    weight: 0.5,
    play(world) {
      const daemon = world.launched(apple('/usr/libexec/opendirectoryd'));
      world.saved(
        daemon,
        '/private/var/db/dslocal/nodes/Default/users/alice.plist',
        binaryPlistOf({
          name: ['alice'],
          uid: ['501'],
          gid: ['20'],
          shell: ['/bin/zsh'],
          home: ['/Users/alice'],
          authentication_authority: [';ShadowHash;'],
          accountPolicyData: [world.hex(8)],
        }),
      );
      world.ended(daemon);
    },
  },
];
