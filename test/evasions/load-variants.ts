import { linkSync } from 'node:fs';
import type { Attacker } from './attacker.js';
import type { Evasion } from './evasion.js';

const both = { scan: 'detected', eslogger: 'detected' } as const;
const daemon = ({ label }: Attacker) => `/Library/LaunchDaemons/${label}.plist`;

/** Further forms of the numbered evasions of the loading step. */
export const loadVariants: readonly Evasion[] = [
  {
    number: 302,
    name: 'booted out straight after it was loaded',
    async play(attacker) {
      attacker.write(daemon(attacker));
      await attacker.launchctl(['bootstrap', 'system', attacker.host(daemon(attacker))], { lifetimeMs: 2 });
      await attacker.launchctl(['bootout', `system/${attacker.label}`], { lifetimeMs: 2 });
    },
    expected: both,
  },
  {
    number: 303,
    name: 'a label with slashes, one of a thousand characters, and two labels',
    play(attacker) {
      for (const [name, label] of [
        ['slash', `a/b/${attacker.label}`],
        ['long', `${attacker.label}.${'x'.repeat(1_000)}`],
      ] as const) {
        const list = `/Library/LaunchDaemons/${attacker.label}.${name}.plist`;
        attacker.write(list, attacker.list([], label));
        attacker.loadedUnseen('system', label, list);
      }
      const two = `/Library/LaunchDaemons/${attacker.label}.two.plist`;
      attacker.write(
        two,
        attacker.list([]).replace('<dict>', '<dict><key>Label</key><string>first</string>'),
      );
      attacker.loadedUnseen('system', attacker.label, two);
    },
    marks: ({ label }) => [`${label}.slash.plist`, `${label}.long.plist`, `${label}.two.plist`],
    expected: both,
  },
  {
    number: 305,
    name: 'loaded by a second name elsewhere',
    async play(attacker) {
      attacker.write(attacker.plist);
      linkSync(attacker.host(attacker.plist), attacker.host(`/private/tmp/${attacker.label}.data`));
      await attacker.launchctl(['load', attacker.host(`/private/tmp/${attacker.label}.data`)]);
    },
    expected: both,
  },
  {
    number: 306,
    name: 'launchctl debug puts another program in a job that is there',
    async play(attacker) {
      await attacker.launchctl(['debug', `gui/0/${attacker.label}`, '--program', '/private/tmp/evil']);
      await attacker.launchctl(['kickstart', `gui/0/${attacker.label}`]);
    },
    expected: both,
  },
  {
    number: 307,
    name: 'under another argv[0]',
    async play(attacker) {
      attacker.write(attacker.plist);
      await attacker.launchctl(['load', attacker.host(attacker.plist)], { called: 'softwareupdated' });
    },
    expected: both,
  },
  {
    number: 308,
    name: 'through sh, env, nohup and xargs',
    async play(attacker) {
      attacker.write(attacker.plist);
      await attacker.exec(
        '/bin/sh',
        ['-c', `exec '${attacker.mac.launchctl}' load '${attacker.host(attacker.plist)}'`],
        {
          program: '/bin/sh',
        },
      );
    },
    expected: both,
  },
  {
    number: 309,
    name: 'a list in JSON, and one in the old text form',
    play(attacker) {
      const list = (kind: string) => `/Library/LaunchDaemons/${attacker.label}.${kind}.plist`;
      attacker.write(
        list('json'),
        JSON.stringify({ Label: `${attacker.label}.json`, ProgramArguments: ['/opt/x'] }),
      );
      attacker.write(list('text'), `{ Label = "${attacker.label}.text"; ProgramArguments = ("/opt/x"); }`);
    },
    marks: ({ label }) => [`${label}.json.plist`, `${label}.text.plist`],
    expected: both,
  },
  {
    number: 310,
    name: 'a hundred decoys are loaded, too',
    async play(attacker) {
      const lists = [];
      for (let index = 0; index < 102; index++) {
        const list = `${attacker.agents}/decoy.${index}.plist`;
        attacker.write(list, attacker.list([], `decoy.${index}`));
        lists.push(attacker.host(list));
      }
      attacker.write(attacker.plist, attacker.list(['/private/tmp/evil']));
      await attacker.launchctl(['load', ...lists, attacker.host(attacker.plist)]);
    },
    marks: ({ plist }) => [plist],
    expected: both,
  },
  {
    number: 311,
    name: 'a list on a pipe',
    play: (attacker) =>
      attacker.launchctl(['load', '/dev/stdin'], { input: attacker.list(), cwd: attacker.home }),
    marks: ({ home }) => [home],
    expected: both,
  },
];
