import type { WhatRuns } from '../base/what-runs/index.js';
import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { linesOf, runsOfProgram, runsOfShell } from './read.js';
import { variableFinding } from './search-path.js';

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
  read: (file) => firstItems(itemsIn(file)),
  removal: (item, { path }) =>
    path.startsWith(tabs)
      ? `Delete its line with \`crontab -u ${item.as} -e\`.`
      : `Delete its line from ${path}.`,
};

/** The jobs; and, of a table with jobs, the variables that decide what they run. */
function* itemsIn(file: MechanismFile): Generator<PersistentItem> {
  const lines = linesOf(file);
  const jobs = lines.flatMap(({ text }) => jobOf(text, file));
  yield* jobs;
  if (jobs.length > 0) for (const { text } of lines) yield* variableOf(text, file);
}

const ownTabs = (file: MechanismFile) =>
  file.path.startsWith(tabs) ? file.path.slice(tabs.length) : undefined;

/** `@reboot command`, or five fields and a command; the system's table has the user before the command. */
function jobOf(line: string, file: MechanismFile): PersistentItem[] {
  // A word that stands before the fields in some tables means nothing to the command.
  const text = line.replace(flag, '');
  const [, special, rest = ''] =
    /^(?:@(\w+)|(?:[\d*,/a-zA-Z~-]+\s+){4}[\d*,/a-zA-Z~-]+)\s+(.+)$/.exec(text) ?? [];
  const owner = ownTabs(file);
  const user = owner ?? /^\S+/.exec(rest)?.[0];
  const given = (owner === undefined ? rest.replace(/^\S+\s*/, '') : rest).replace(flag, '');
  const command = given.replace(/^(?:-[nqs]+\s+)+/, '');
  if (command === '') return [];
  return [
    itemOf({
      key: `${user} ${command}`,
      label: command,
      runs: runsOfJob(command),
      when: [special === 'reboot' ? 'boot' : 'calendar'],
      as: user,
      enabled: true,
    }),
  ];
}

/** What macOS adds: the job waits while the Mac runs on its battery. */
const flag = /^(?:@Apple\w+\s+)+/i;

/** What follows a `%` without a backslash is handed to the command as its input, further ones being ends of lines. */
function runsOfJob(command: string): WhatRuns[] {
  const [line = '', ...input] = command.split(/(?<!\\)%/, 1_024).map((one) => one.replaceAll('\\%', '%'));
  const runs = [runsOfShell(line)];
  return input.length === 0 || !readsCommands.test(line) ? runs : [...runs, runsOfShell(input.join('\n'))];
}

/** A shell that is given no script. */
const readsCommands = /(?:^|[\s/;&|])(?:ba|z|da|k|c|tc|fi)?sh(?:\s+-\w+)*\s*$/;

/** `SHELL=/path` runs every command; other variables make programs load or run something. */
function* variableOf(text: string, file: MechanismFile): Generator<PersistentItem> {
  const [, name = '', given = ''] = /^["']?(\w+)["']?\s*=\s*(.*)$/.exec(text) ?? [];
  const value = given.replace(/^(["'])(.*)\1$/, '$2').trim();
  if (name === '' || value === '') return;
  const finding = variableFinding(name, value);
  const shell = name === 'SHELL' && !usualShell.test(value);
  if (finding === undefined && !shell) return;
  const program = name === 'SHELL' || /^(?:BASH_ENV|ENV)$/.test(name);
  yield itemOf({
    key: `${name}=${value}`,
    label: `${name}=${value}`,
    runs: program ? [runsOfProgram(value)] : [],
    when: ['calendar'],
    as: ownTabs(file),
    findings: finding === undefined ? [] : [finding],
  });
}

const usualShell =
  /^(?:\/bin\/(?:zsh|bash|sh|csh|tcsh|ksh|dash)|\/(?:usr\/local|opt\/homebrew)\/bin\/(?:zsh|bash|fish))$/;
