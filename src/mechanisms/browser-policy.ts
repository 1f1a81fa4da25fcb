import type { PlistValue } from '../base/plist/index.js';
import { chromeStore } from './browser-extension.js';
import { firefoxLike, policyDomains } from './browsers.js';
import { firstItems, itemOf } from './item.js';
import { elementsOf, type Json, jsonOf, member, membersOf, stringOf } from './json.js';
import type { Mechanism, MechanismFile, PersistentItem, Place } from './mechanism.js';
import { plistOf, runsOfProgram, stringAt } from './read.js';
import { textsAt } from './values.js';

/** Policies that make a browser install extensions which its user cannot remove. Source: the policy lists of Chrome and Firefox. */
export const browserPolicy: Mechanism = {
  id: 'browser-policy',
  name: 'browser policy',
  knockKnock: 'Browser Extensions',
  techniques: ['T1176'],
  places: [
    ...policyDomains.flatMap((domain): Place[] => [
      { scope: 'system', path: `/Library/Managed Preferences/${domain}.plist`, what: 'file' },
      { scope: 'system', path: `/Library/Managed Preferences/*/${domain}.plist`, what: 'file' },
      { scope: 'system', path: `/Library/Preferences/${domain}.plist`, what: 'file' },
      { scope: 'home', path: `Library/Preferences/${domain}.plist`, what: 'file' },
    ]),
    ...firefoxLike.flatMap((resources): Place[] => [
      { scope: 'system', path: `${resources}/distribution/policies.json`, what: 'file' },
      { scope: 'system', path: `${resources}/*.cfg`, what: 'file' },
      { scope: 'system', path: `${resources}/defaults/pref`, what: 'entries' },
    ]),
  ],
  read: (file) => firstItems(itemsIn(file)),
  removal: ({ label }, { path }) =>
    path.startsWith('/Library/Managed Preferences/')
      ? `Remove the configuration profile that brings ${label ?? 'it'}.`
      : `Delete ${label ?? 'it'} from ${path}, then remove the extension in the browser.`,
};

function itemsIn(file: MechanismFile): Iterable<PersistentItem> {
  if (/\.json$/i.test(file.path)) return firefoxPolicies(member(jsonOf(file), 'policies'));
  if (/\.plist$/i.test(file.path)) return fromPlist(file);
  // A script of Firefox's that it reads at every start.
  return [itemOf({ runs: [runsOfProgram(file.path)], when: ['host-program'] })];
}

function* fromPlist(file: MechanismFile): Generator<PersistentItem> {
  const list = plistOf(file);
  if (list === undefined) return;
  const { value, findings } = list;
  // `IDENTIFIER;ADDRESS`
  for (const one of textsAt(value, 'ExtensionInstallForcelist') ?? []) {
    const [identifier = '', from = ''] = one.split(';', 2);
    yield forced(identifier, from, findings);
  }
  const settings = value.get('ExtensionSettings');
  for (const [identifier, setting] of settings instanceof Map ? settings : [])
    if (setting instanceof Map && isForced(stringAt(setting, 'installation_mode')))
      yield forced(
        identifier,
        stringAt(setting, 'update_url') ?? stringAt(setting, 'install_url') ?? '',
        findings,
      );
  yield* firefoxPolicies(jsonFrom(value.get('Extensions'), 'Extensions'));
}

function* firefoxPolicies(policies: Json | undefined): Generator<PersistentItem> {
  for (const from of elementsOf(member(policies, 'Extensions', 'Install')).slice(0, 256))
    if (typeof from === 'string') yield forced(from, from, []);
  for (const [identifier, setting] of membersOf(member(policies, 'ExtensionSettings')).slice(0, 1_000))
    if (isForced(stringOf(member(setting, 'installation_mode'))))
      yield forced(identifier, stringOf(member(setting, 'install_url')) ?? '', []);
}

function forced(identifier: string, from: string, findings: readonly string[]): PersistentItem {
  const path = from.startsWith('/')
    ? from
    : from.startsWith('file:///')
      ? from.slice('file://'.length)
      : undefined;
  const store = from === '' || chromeStore.test(from) || mozillaStore.test(from);
  return itemOf({
    key: identifier,
    label: identifier,
    runs: path === undefined ? [] : [runsOfProgram(path)],
    when: ['host-program'],
    findings: [...findings, 'forced-extension', ...(store ? [] : ['not-from-store'])],
  });
}

const mozillaStore = /^https:\/\/addons\.mozilla\.org\//;

function isForced(mode: string | undefined): boolean {
  return mode === 'force_installed' || mode === 'normal_installed';
}

/** Firefox's `Extensions` of a property list has the shape of its JSON. */
function jsonFrom(value: PlistValue | undefined, key: string): Json | undefined {
  if (!(value instanceof Map)) return undefined;
  return { [key]: { Install: textsAt(value, 'Install') ?? [] } };
}
