import { xmlPlist } from '../helpers/plist-writer.js';
import type { Attacker } from './attacker.js';
import type { Evasion, Evidence } from './evasion.js';

const both = { scan: 'detected', eslogger: 'detected' } as const;
const inHome = ({ home }: Attacker) => [home];
const records = '/private/var/db/dslocal/nodes/Default';

/** The rule of this name has given an alert that tells of the text. */
function ruled(name: string, text: (attacker: Attacker) => string) {
  return ({ alerts }: Evidence, attacker: Attacker) =>
    alerts.some((one) => one.rule_name === name && JSON.stringify(one).includes(text(attacker)));
}

const labelled = ({ label }: Attacker) => label;

/** Commands that leave no list, and settings of tools whose meaning has to be read. */
export const settings: readonly Evasion[] = [
  {
    number: 401,
    name: 'Remote Login is switched on by launchctl',
    play: (attacker) => attacker.launchctl(['enable', 'system/com.openssh.sshd']),
    fired: ruled('Remote login or screen sharing switched on by a command', () => 'com.openssh.sshd'),
    expected: both,
  },
  {
    number: 402,
    name: 'the search path of every session is set',
    play: (attacker) => attacker.launchctl(['config', 'user', 'path', `/private/tmp/${attacker.label}:/bin`]),
    fired: ruled('Environment of a session changed by launchctl', labelled),
    expected: both,
  },
  {
    number: 403,
    name: 'zsh is led to another folder by the environment of the session',
    play: (attacker) => attacker.launchctl(['setenv', 'ZDOTDIR', `/private/tmp/${attacker.label}`]),
    fired: ruled('Environment of a session changed by launchctl', labelled),
    expected: both,
  },
  {
    number: 404,
    name: 'an alias stands for sudo',
    play: (attacker) =>
      attacker.write(`${attacker.home}/.zshrc`, `alias sudo=/private/tmp/${attacker.label}\n`),
    marks: inHome,
    expected: both,
  },
  {
    number: 405,
    name: 'sudo mails by a program of somebody',
    play: (attacker) =>
      attacker.write('/private/etc/sudoers', `Defaults mailerpath=/private/tmp/${attacker.label}\n`),
    fired: ruled('Rule of sudo created or changed', labelled),
    expected: both,
  },
  {
    number: 406,
    name: 'cron runs every job by a shell of somebody',
    play: (attacker) =>
      attacker.write(
        `/private/var/at/tabs/${attacker.label}`,
        `SHELL=/private/tmp/${attacker.label}\n0 1 * * * @AppleNotOnBattery x\n`,
      ),
    expected: both,
  },
  {
    number: 407,
    name: 'the rotation of logs writes a rule of sudo',
    play: (attacker) =>
      attacker.write(
        `/private/etc/newsyslog.d/${attacker.label}.conf`,
        `/private/etc/sudoers.d/${attacker.label} mara:staff 666 1 1 * C\n`,
      ),
    expected: both,
  },
  {
    number: 408,
    name: 'a map of the automounter is a program',
    play(attacker) {
      const map = `/private/etc/auto_${attacker.label}`;
      attacker.write(map, '#!/bin/sh\n/private/tmp/x\n');
      attacker.chmod(map, 0o755);
    },
    expected: both,
  },
  {
    number: 409,
    name: 'a user joins wheel',
    play: (attacker) =>
      attacker.write(
        `${records}/groups/wheel.plist`,
        xmlPlist({ name: ['wheel'], users: ['root', attacker.label] }),
      ),
    fired: ruled('Members of an administrative group changed', () => 'wheel.plist'),
    expected: both,
  },
  {
    number: 410,
    name: 'an account of a service has the number of root',
    play: (attacker) =>
      attacker.write(
        `${records}/users/_${attacker.label}.plist`,
        xmlPlist({ name: [`_${attacker.label}`], uid: ['0'], shell: ['/usr/bin/false'] }),
      ),
    expected: both,
  },
  {
    number: 411,
    name: 'an agent waits in the template of new homes',
    play: (attacker) =>
      attacker.write(`/Library/User Template/Non_localized/Library/LaunchAgents/${attacker.label}.plist`),
    expected: both,
  },
  {
    number: 412,
    name: 'a compiled script stands beside the start-up file of zsh',
    play: (attacker) =>
      attacker.write(
        `${attacker.home}/.zshenv.zwc`,
        Buffer.from('\x07\x06\x05\x04\0/private/tmp/x\0', 'latin1'),
      ),
    marks: inHome,
    expected: both,
  },
];
