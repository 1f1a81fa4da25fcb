import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { linesOf, runsOfShell } from './read.js';

const system = '/private/etc/crontab';
const tabs = '/private/var/at/tabs/';

/** Tables of cron: a user's in `tabs`, and the system's, whose lines name the user. Source: crontab(5). */
export const cron: Mechanism = {
  id: 'cron',
  name: 'cron job',
  knockKnock: 'Cron Jobs',
  techniques: ['T1053.003'],
  byLine: true,
  places: [
    { scope: 'system', path: system, what: 'file' },
    { scope: 'system', path: '/private/var/at/tabs', what: 'entries' },
    { scope: 'system', path: '/private/etc/cron.d', what: 'entries' },
  ],
  read: (file) => firstItems(linesOf(file).flatMap(({ text }) => jobOf(text, file))),
  removal: (item, { path }) =>
    path.startsWith(tabs)
      ? `Delete its line with \`crontab -u ${item.as} -e\`.`
      : `Delete its line from ${path}.`,
};

/** `@reboot command`, or five fields and a command; the system's table has the user before the command. */
function jobOf(line: string, file: MechanismFile): PersistentItem[] {
  const [, special, rest] = /^(?:@(\w+)|(?:[\d*,/a-zA-Z~-]+\s+){4}[\d*,/a-zA-Z~-]+)\s+(.+)$/.exec(line) ?? [];
  if (rest === undefined) return [];
  const user = file.path.startsWith(tabs) ? file.path.slice(tabs.length) : /^\S+/.exec(rest)?.[0];
  const command = file.path.startsWith(tabs) ? rest : rest.replace(/^\S+\s*/, '');
  if (command === '') return [];
  return [
    itemOf({
      key: `${user} ${command}`,
      label: command,
      runs: [runsOfShell(command)],
      when: [special === 'reboot' ? 'boot' : 'calendar'],
      as: user,
      enabled: true,
    }),
  ];
}
