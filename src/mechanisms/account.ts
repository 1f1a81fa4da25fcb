import type { PlistValue } from '../base/plist/index.js';
import { nameOf } from './bundle.js';
import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem, Place } from './mechanism.js';
import { plistOf, runsOfProgram } from './read.js';
import { textsAt } from './values.js';

const node = '/private/var/db/dslocal/nodes/Default';
/** Those who may administer the Mac, and those who may log in to it from elsewhere. */
const groups = [
  ...['admin', 'wheel', 'com.apple.access_ssh', 'com.apple.access_screensharing'],
  ...['com.apple.access_remote_ae', 'com.apple.access_ftp'],
];

/** Local users, and who may administer the Mac. Source: dscl(1); a record is a property list whose values are lists of texts. */
export const account: Mechanism = {
  id: 'account',
  name: 'local account',
  techniques: ['T1136.001'],
  confidential: true,
  places: [
    { scope: 'system', path: `${node}/users`, what: 'entries', extensions: ['plist'] },
    ...groups.map((name): Place => ({ scope: 'system', path: `${node}/groups/${name}.plist`, what: 'file' })),
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
  const enabled = canLogIn(list.value);
  const uids = textsAt(list.value, 'uid') ?? [];
  const uid = uids[0];
  const isRoot = uids.some((one) => isZero(one));
  // Accounts of services, of which macOS has more than a hundred.
  if (name.startsWith('_') && !enabled && !isRoot) return [];
  const administers = (textsAt(list.value, 'gid') ?? []).some((one) => isZero(one) || Number(one) === admin);
  const shell = first('shell');
  const home = first('home');
  const findings = [
    ...list.findings,
    ...(truthy.test(first('IsHidden') ?? first('dsAttrTypeNative:IsHidden') ?? '') ? ['hidden-account'] : []),
    ...(/\/\./.test(home ?? '') ? ['hidden-account'] : []),
    ...(name !== 'root' && isRoot ? ['root-by-another-name'] : []),
    ...(name !== 'root' && enabled && administers ? ['hidden-member'] : []),
    ...(name === 'root' && enabled ? ['root-enabled'] : []),
    ...(name.startsWith('_') && enabled && name !== '_mbsetupuser' ? ['service-account-logs-in'] : []),
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

/** Number of the group of administrators. */
const admin = 80;

/** The number of root or of wheel, however it is written; one of more than 32 bits is cut to them. */
function isZero(number: string): boolean {
  return /\d/.test(number) && Number(number) % 2 ** 32 === 0;
}

const truthy = /^(?:1|true|yes)$/i;
/** The identifiers of root, and of admin as a member of another group. */
const rootId = /^FFFFEEEE-DDDD-CCCC-BBBB-AAAA00000000$/i;
const adminId = /^ABCDEFAB-CDEF-ABCD-EFAB-CDEF00000050$/i;

function* membersIn(file: MechanismFile): Generator<PersistentItem> {
  const list = plistOf(file);
  if (list === undefined) return;
  const group = nameOf(file.path).replace(/\.plist$/i, '');
  const users = textsAt(list.value, 'users') ?? [];
  const member = (key: string, more: Partial<PersistentItem>) =>
    itemOf({ key, label: `${key} in ${group}`, when: ['authentication'], ...more });
  for (const user of users) {
    // macOS puts root alone into it.
    const odd = /^wheel$/i.test(group) && user !== 'root' ? ['odd-member'] : [];
    yield member(user, { as: user, findings: [...list.findings, ...odd] });
  }
  const ids = (textsAt(list.value, 'groupmembers') ?? []).filter((one) => !rootId.test(one));
  const named = users.filter((one) => one !== 'root').length;
  // Who is meant stands in the records of the users: more identifiers than names hide somebody.
  for (const id of ids.length > named ? ids : [])
    yield member(id, { findings: [...list.findings, 'hidden-member'] });
  for (const id of textsAt(list.value, 'nestedgroups') ?? [])
    if (!adminId.test(id)) yield member(id, { findings: [...list.findings, 'hidden-member'] });
}
