import type { PlistValue } from '../base/plist/index.js';
import { nameOf } from './bundle.js';
import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { plistOf, runsOfProgram } from './read.js';
import { textsAt } from './values.js';

const node = '/private/var/db/dslocal/nodes/Default';

/** Local users, and who may administer the Mac. Source: dscl(1); a record is a property list whose values are lists of texts. */
export const account: Mechanism = {
  id: 'account',
  name: 'local account',
  techniques: ['T1136.001'],
  confidential: true,
  places: [
    { scope: 'system', path: `${node}/users`, what: 'entries', extensions: ['plist'] },
    { scope: 'system', path: `${node}/groups/admin.plist`, what: 'file' },
    { scope: 'system', path: `${node}/groups/com.apple.access_ssh.plist`, what: 'file' },
  ],
  read: (file) => (/\/groups\//i.test(file.path) ? firstItems(membersIn(file)) : userIn(file)),
  removal: ({ key, label }, { path }) => {
    if (/\/groups\//i.test(path))
      return `Take the user out with \`dseditgroup -o edit -d ${key} ${nameOf(path).replace(/\.plist$/i, '')}\`.`;
    return label === 'root'
      ? 'Disable root with `dsenableroot -d`.'
      : `Delete it with \`sysadminctl -deleteUser ${label ?? 'USER'}\`.`;
  },
};

function userIn(file: MechanismFile): PersistentItem[] {
  const list = plistOf(file);
  if (list === undefined) return [];
  const first = (key: string) => textsAt(list.value, key)?.[0];
  const name = first('name') ?? nameOf(file.path).replace(/\.plist$/i, '');
  // Accounts of services, of which macOS has more than a hundred.
  if (name.startsWith('_') && !canLogIn(list.value)) return [];
  const uid = first('uid');
  const shell = first('shell');
  const home = first('home');
  const enabled = canLogIn(list.value);
  const findings = [
    ...list.findings,
    ...(truthy.test(first('IsHidden') ?? first('dsAttrTypeNative:IsHidden') ?? '') ? ['hidden-account'] : []),
    ...(/\/\./.test(home ?? '') ? ['hidden-account'] : []),
    ...(name !== 'root' && uid === '0' ? ['root-by-another-name'] : []),
    ...(name === 'root' && enabled ? ['root-enabled'] : []),
    ...(name.startsWith('_') && name !== '_mbsetupuser' ? ['service-account-logs-in'] : []),
    ...(uid !== undefined &&
    /^\d{1,9}$/.test(uid) &&
    Number(uid) < 500 &&
    Number(uid) > 0 &&
    enabled &&
    !name.startsWith('_')
      ? ['hidden-account']
      : []),
  ];
  return [
    itemOf({
      label: name,
      runs: shell === undefined || !enabled ? [] : [runsOfProgram(shell)],
      when: ['authentication'],
      as: name,
      enabled,
      findings,
    }),
  ];
}

/** A hash of a password is kept, and the shell is one. */
function canLogIn(record: ReadonlyMap<string, PlistValue>): boolean {
  const shell = textsAt(record, 'shell')?.[0];
  const authority = textsAt(record, 'authentication_authority') ?? [];
  const disabled = authority.some((one) => /;DisabledUser;/i.test(one));
  const known =
    record.has('ShadowHashData') ||
    authority.some((one) => /;(?:ShadowHash|Kerberosv5|SecureToken);/i.test(one));
  return known && !disabled && shell !== undefined && !/\/(?:false|nologin)$/.test(shell);
}

const truthy = /^(?:1|true|yes)$/i;

function* membersIn(file: MechanismFile): Generator<PersistentItem> {
  const list = plistOf(file);
  const group = nameOf(file.path).replace(/\.plist$/i, '');
  for (const user of list === undefined ? [] : (textsAt(list.value, 'users') ?? []))
    yield itemOf({
      key: user,
      label: `${user} in ${group}`,
      when: ['authentication'],
      as: user,
      findings: list?.findings ?? [],
    });
}
