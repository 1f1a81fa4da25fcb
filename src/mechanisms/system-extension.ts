import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { plistOf, runsOfProgram, stringAt } from './read.js';
import { pathOfUrl, valueAt } from './values.js';

/** Endpoint, network and driver extensions, as the database of sysextd lists them. Source: systemextensionsctl(8). */
export const systemExtension: Mechanism = {
  id: 'system-extension',
  name: 'system extension',
  knockKnock: 'System Extensions',
  techniques: ['T1547.006'],
  places: [{ scope: 'system', path: '/Library/SystemExtensions/db.plist', what: 'file' }],
  read: (file) => firstItems(extensionsOf(file)),
  removal: ({ key }) => {
    const [team = 'TEAM', identifier = 'IDENTIFIER'] = key.split('/');
    return `Delete its application, or run \`systemextensionsctl uninstall ${team || '-'} ${identifier}\`.`;
  },
};

function* extensionsOf(file: MechanismFile): Generator<PersistentItem> {
  const list = plistOf(file);
  const extensions = list?.value.get('extensions');
  for (const extension of Array.isArray(extensions) ? extensions.slice(0, 1_000) : []) {
    if (!(extension instanceof Map)) continue;
    const identifier = stringAt(extension, 'identifier');
    if (identifier === undefined) continue;
    const state = stringAt(extension, 'state');
    const origin = stringAt(extension, 'originPath');
    const container = valueAt(extension, 'container', 'bundlePath');
    const path = [origin, container].flatMap((one) =>
      typeof one === 'string' ? [pathOfUrl(one) ?? ''] : [],
    )[0];
    yield itemOf({
      key: `${stringAt(extension, 'teamID') ?? ''}/${identifier}`,
      label: identifier,
      runs: path === undefined || path === '' ? [] : [runsOfProgram(path)],
      when: ['boot'],
      as: 'root',
      enabled: state === undefined ? undefined : state === 'activated_enabled',
      findings: list?.findings ?? [],
    });
  }
}
