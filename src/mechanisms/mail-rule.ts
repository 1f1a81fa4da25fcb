import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { plistValueOf, runsOfProgram, stringAt } from './read.js';
import { pathOfUrl } from './values.js';

const names = ['SyncedRules.plist', 'UnsyncedRules.plist'];

/** Rules of Mail that run a script when a message comes: whoever can send one can start it. */
export const mailRule: Mechanism = {
  id: 'mail-rule',
  name: 'mail rule',
  techniques: ['T1546'],
  confidential: true,
  growsLarge: true,
  places: names.flatMap((name) => [
    { scope: 'home', path: `Library/Mail/*/MailData/${name}`, what: 'file' },
    { scope: 'home', path: `Library/Mobile Documents/com.apple.mail/Data/*/MailData/${name}`, what: 'file' },
    {
      scope: 'home',
      path: `Library/Containers/com.apple.mail/Data/Library/Mail/*/MailData/${name}`,
      what: 'file',
    },
  ]),
  read: (file) => firstItems(rulesIn(file)),
  removal: ({ label }) =>
    `Delete the rule ${label ?? ''} in the settings of Mail, with Mail on no other Mac of the account.`,
};

/** Only rules with a script are items. */
function* rulesIn(file: MechanismFile): Generator<PersistentItem> {
  const { value, findings = [] } = plistValueOf(file) ?? {};
  const rules = value instanceof Map ? value.get('rules') : value;
  for (const rule of Array.isArray(rules) ? rules.slice(0, 1_000) : []) {
    if (!(rule instanceof Map)) continue;
    const script = stringAt(rule, 'AppleScript');
    if (script === undefined || script === '') continue;
    const name = stringAt(rule, 'RuleName');
    yield itemOf({
      key: stringAt(rule, 'RuleId') ?? name ?? script,
      label: name,
      runs: [runsOfProgram(pathOfUrl(script) ?? script)],
      when: ['message'],
      enabled: /^(?:no|0)$/i.test(stringAt(rule, 'Active') ?? '') ? false : undefined,
      findings,
    });
  }
}
