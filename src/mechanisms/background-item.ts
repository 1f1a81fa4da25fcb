import { flat } from '../base/flat.js';
import type { PlistValue } from '../base/plist/index.js';
import { firstItems, itemOf } from './item.js';
import { KeyedArchive } from './keyed-archive.js';
import type { Mechanism, MechanismFile, PersistentItem, When } from './mechanism.js';
import { plistValueOf, runsOfProgram } from './read.js';
import { pathOfUrl } from './values.js';

/** Bits of an item's type and of its disposition. Source: objective-see/DumpBTM. */
const types = { app: 0x2, loginItem: 0x4, agent: 0x8, daemon: 0x10, developer: 0x20 } as const;
const dispositions = { enabled: 0x1, allowed: 0x2, hidden: 0x4 } as const;
/** Lines of one answer of sfltool that are read. */
const maxLines = 100_000;

/** The database of backgroundtaskmanagementd (from 13): what opens at login or runs in the background, for each user. */
export const backgroundItem: Mechanism = {
  id: 'background-item',
  name: 'background item',
  knockKnock: 'Background Managed Tasks',
  techniques: ['T1547.015'],
  growsLarge: true,
  places: [
    {
      scope: 'system',
      path: '/private/var/db/com.apple.backgroundtaskmanagement',
      what: 'entries',
      extensions: ['btm'],
    },
  ],
  read: (file) => firstItems(recordsIn(file)),
  removal: ({ label }) =>
    `Switch ${label ?? 'it'} off under Login Items in System Settings, then delete what it starts.`,
};

/** What is known of a record, from the archive or from sfltool's text. */
interface BackgroundRecord {
  readonly user: string;
  readonly identifier: string;
  readonly name: string | undefined;
  readonly url: string | undefined;
  readonly executable: string | undefined;
  readonly type: number;
  readonly disposition: number | undefined;
}

function* recordsIn(file: MechanismFile): Generator<PersistentItem> {
  const { value, findings = [] } = plistValueOf(file) ?? {};
  const archive = KeyedArchive.of(value);
  if (archive === undefined) return;
  const seen = new Set<PlistValue>();
  const users = archive.at(archive.top('store'), 'itemsByUserIdentifier');
  for (const [user, items] of archive.entries(users))
    for (const object of archive.list(items)) {
      if (seen.has(object)) continue;
      seen.add(object);
      yield* itemOfRecord(recordOf(archive, object, user), findings);
    }
  // Records that no user's list names, or whose list could not be read.
  for (const object of archive.objectsOf('ItemRecord'))
    if (!seen.has(object)) yield* itemOfRecord(recordOf(archive, object, ''), findings);
}

function recordOf(archive: KeyedArchive, object: PlistValue, user: string): BackgroundRecord {
  const text = (key: string) => archive.text(archive.at(object, key));
  return {
    user,
    identifier: text('identifier') ?? '',
    name: text('name'),
    url: text('url'),
    executable: text('executablePath'),
    type: archive.number(archive.at(object, 'type')) ?? 0,
    disposition: archive.number(archive.at(object, 'disposition')),
  };
}

/** The items that the text of `sfltool dumpbtm` lists. It is not meant for programs: what is not understood is passed over. */
export function backgroundItemsOf(text: string): readonly PersistentItem[] {
  return firstItems(itemsInText(text));
}

function* itemsInText(text: string): Generator<PersistentItem> {
  let user = '';
  let record: Map<string, string> | undefined;
  let lines = 0;
  for (const [line] of text.matchAll(/[^\n]+/g)) {
    if (++lines > maxLines) break;
    const records = /^\s*Records for UID -?\d+ : (\S+)/.exec(line)?.[1];
    if (records !== undefined) [user] = [records];
    if (records !== undefined || /^\s{0,2}#\d+:/.test(line)) {
      if (record !== undefined) yield* itemOfRecord(recordInText(record), []);
      record = records === undefined ? new Map([['user', user]]) : undefined;
      continue;
    }
    const [, name, value] = /^\s*([A-Z][\w. ]{1,40}?):\s(.*)$/.exec(line.slice(0, 8_192)) ?? [];
    if (name !== undefined && value !== undefined && value !== '(null)' && record?.has(name) === false)
      record.set(name, flat(value.trim()));
  }
  if (record !== undefined) yield* itemOfRecord(recordInText(record), []);
}

function recordInText(record: ReadonlyMap<string, string>): BackgroundRecord {
  const bits = (key: string) => /\((?:0x([0-9a-f]{1,8})|(\d{1,9}))\)$/i.exec(record.get(key) ?? '');
  const type = bits('Type');
  const disposition = bits('Disposition');
  return {
    user: record.get('user') ?? '',
    identifier: record.get('Identifier') ?? '',
    name: record.get('Name'),
    url: record.get('URL'),
    executable: record.get('Executable Path'),
    type: type === null ? 0 : Number.parseInt(type[1] ?? type[2] ?? '0', type[1] === undefined ? 10 : 16),
    disposition:
      disposition === null
        ? undefined
        : Number.parseInt(disposition[1] ?? disposition[2] ?? '0', disposition[1] === undefined ? 10 : 16),
  };
}

function* itemOfRecord(record: BackgroundRecord, findings: readonly string[]): Generator<PersistentItem> {
  const { user, identifier, name, url, executable, type, disposition } = record;
  // The developer of others, or an application that others belong to: nothing of its own starts.
  if (identifier === '' || (type & types.developer) !== 0) return;
  const path = executable ?? (url === undefined ? undefined : pathOfUrl(url));
  const daemon = (type & types.daemon) !== 0;
  const when: When[] = daemon
    ? ['boot']
    : (type & (types.loginItem | types.agent)) !== 0
      ? ['login']
      : ['demand'];
  const hidden = disposition !== undefined && (disposition & dispositions.hidden) !== 0;
  const on = dispositions.enabled | dispositions.allowed;
  yield itemOf({
    key: `${user}/${identifier}`,
    label: name ?? identifier,
    runs: path === undefined ? [] : [runsOfProgram(path)],
    when,
    as: daemon ? 'root' : undefined,
    enabled: disposition === undefined ? undefined : (disposition & on) === on,
    findings: hidden ? [...findings, 'hidden-item'] : findings,
  });
}
