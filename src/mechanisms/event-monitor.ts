import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { plistValueOf, runsOfProgram, stringAt } from './read.js';
import { commandRuns, textsAt } from './values.js';

/** Rules of the event monitor daemon, which macOS had up to 12. Source: emond(8). */
export const eventMonitor: Mechanism = {
  id: 'event-monitor',
  name: 'event monitor rule',
  knockKnock: 'Event Rules',
  techniques: ['T1546.014'],
  places: [
    { scope: 'system', path: '/private/etc/emond.d/rules', what: 'entries' },
    { scope: 'system', path: '/private/etc/emond.d/emond.plist', what: 'file' },
    { scope: 'system', path: '/private/var/db/emondClients', what: 'entries' },
  ],
  read: (file) => {
    const path = file.path.toLowerCase();
    // launchd starts the daemon while anything stands in this folder.
    if (path.includes('/emondclients/'))
      return [itemOf({ label: 'starts emond', when: ['boot'], as: 'root' })];
    return firstItems(path.endsWith('/emond.plist') ? otherFolders(file) : rulesOf(file));
  },
  removal: ({ label }, { path }) =>
    label === undefined
      ? `Delete ${path}.`
      : `Delete the rule from ${path}, or the file when it holds no other.`,
};

function* rulesOf(file: MechanismFile): Generator<PersistentItem> {
  const { value, findings } = plistValueOf(file) ?? {};
  const rules = Array.isArray(value) ? value : [value];
  for (const rule of rules.slice(0, 1_000)) {
    if (!(rule instanceof Map)) continue;
    const name = stringAt(rule, 'name');
    const actions = rule.get('actions');
    const commands = (Array.isArray(actions) ? actions : [])
      .slice(0, 64)
      .filter((action) => action instanceof Map && /^RunCommand$/i.test(stringAt(action, 'type') ?? ''));
    const user = commands.flatMap((one) => (one instanceof Map ? [stringAt(one, 'user') ?? 'root'] : []))[0];
    yield itemOf({
      key: name ?? '',
      label: name,
      runs: commands.flatMap((one) =>
        one instanceof Map ? commandRuns(stringAt(one, 'command'), textsAt(one, 'arguments')) : [],
      ),
      when: textsAt(rule, 'eventTypes')?.includes('startup') === true ? ['boot', 'event'] : ['event'],
      as: user ?? 'root',
      enabled: rule.get('enabled') === false ? false : undefined,
      findings: findings ?? [],
    });
  }
}

/** `additionalRulesPaths`: folders besides the usual one. */
function* otherFolders(file: MechanismFile): Generator<PersistentItem> {
  const { value, findings } = plistValueOf(file) ?? {};
  const config = value instanceof Map ? value.get('config') : undefined;
  const paths = config instanceof Map ? (textsAt(config, 'additionalRulesPaths') ?? []) : [];
  for (const path of paths.slice(0, 32))
    yield itemOf({
      key: path,
      label: path,
      runs: [runsOfProgram(path)],
      when: ['event'],
      as: 'root',
      findings: findings ?? [],
    });
}
