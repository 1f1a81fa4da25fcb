import type { PlistValue } from '../base/plist/index.js';
import { nameOf } from './bundle.js';
import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { plistOf, stringAt } from './read.js';

const store = '/private/var/db/ConfigurationProfiles';
const maxValues = 20_000;
const maxDepth = 16;

/** Settings that profiles enforce: what they manage, and the profiles themselves as the store lists them. Source: profiles(1). */
export const configurationProfile: Mechanism = {
  id: 'configuration-profile',
  name: 'configuration profile',
  techniques: ['T1176', 'T1547'],
  confidential: true,
  places: [
    { scope: 'system', path: store, what: 'entries' },
    { scope: 'system', path: `${store}/Store`, what: 'entries' },
    { scope: 'system', path: `${store}/Settings`, what: 'entries' },
    { scope: 'system', path: '/Library/Managed Preferences', what: 'entries', extensions: ['plist'] },
    { scope: 'system', path: '/Library/Managed Preferences/*', what: 'entries', extensions: ['plist'] },
  ],
  read: (file) =>
    file.path.startsWith('/Library/Managed Preferences/') ? managed(file) : firstItems(profilesIn(file)),
  removal: ({ label }) =>
    `Remove the profile of ${label ?? 'it'} (\`profiles list\`, then System Settings, or in the management service).`,
};

/** The file's name is the preference domain that is managed. */
function managed(file: MechanismFile): PersistentItem[] {
  const list = plistOf(file);
  const label = nameOf(file.path).replace(/\.plist$/i, '');
  return [itemOf({ label, when: ['login', 'host-program'], findings: list?.findings ?? [] })];
}

/** Every dictionary with an identifier and a type of a payload, however deep it stands. */
function* profilesIn(file: MechanismFile): Generator<PersistentItem> {
  const list = plistOf(file);
  if (list === undefined) return;
  const waiting: { value: PlistValue; depth: number }[] = [{ value: new Map(list.value), depth: 0 }];
  let values = 0;
  for (let next = waiting.pop(); next !== undefined && values < maxValues; next = waiting.pop()) {
    const { value, depth } = next;
    values++;
    if (value instanceof Map) {
      const identifier = stringAt(value, 'PayloadIdentifier') ?? stringAt(value, 'ProfileIdentifier');
      const type = stringAt(value, 'PayloadType') ?? stringAt(value, 'ProfileType');
      if (identifier !== undefined)
        yield itemOf({
          key: identifier,
          label: stringAt(value, 'PayloadDisplayName') ?? stringAt(value, 'ProfileDisplayName') ?? identifier,
          when: ['login', 'host-program'],
          findings:
            type !== undefined && risky.test(type) ? [...list.findings, 'weakening-profile'] : list.findings,
        });
    }
    if (depth >= maxDepth) continue;
    const inner = value instanceof Map ? [...value.values()] : Array.isArray(value) ? value : [];
    for (const one of inner.slice(0, maxValues))
      if (one instanceof Map || Array.isArray(one)) waiting.push({ value: one, depth: depth + 1 });
  }
}

/** Payloads that trust a certificate, route traffic, or grant rights. */
const risky =
  /com\.apple\.(?:security\.(?:root|pkcs1|pem)|proxy|vpn|TCC|webcontent-filter|dnsSettings|systempolicy)/i;
