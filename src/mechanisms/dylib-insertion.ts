import type { PlistValue } from '../base/plist/index.js';
import { nameOf } from './bundle.js';
import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem, Place } from './mechanism.js';
import { plistOf, runsOfProgram, stringAt } from './read.js';

const jobs = [
  '/Library/LaunchAgents',
  '/Library/LaunchDaemons',
  '/Library/Apple/System/Library/LaunchDaemons',
];
/** Variables of dyld that name a library, or a folder that is searched before the usual ones. Source: dyld(1). */
const variables =
  /^DYLD_(?:INSERT_LIBRARIES|LIBRARY_PATH|FRAMEWORK_PATH|VERSIONED_LIBRARY_PATH|VERSIONED_FRAMEWORK_PATH|IMAGE_SUFFIX|FALLBACK_LIBRARY_PATH|FALLBACK_FRAMEWORK_PATH)$/;

/** Environments that make a program load a foreign library: of launch items, of applications, of a whole session. */
export const dylibInsertion: Mechanism = {
  id: 'dylib-insertion',
  name: 'inserted library',
  knockKnock: 'Library Inserts',
  techniques: ['T1574.006'],
  places: [
    ...jobs.map((path): Place => ({ scope: 'system', path, what: 'entries' })),
    { scope: 'home', path: 'Library/LaunchAgents', what: 'entries' },
    { scope: 'system', path: '/Applications/*/Contents/Info.plist', what: 'file' },
    { scope: 'home', path: 'Applications/*/Contents/Info.plist', what: 'file' },
    // Read at login up to 10.7.
    { scope: 'home', path: '.MacOSX/environment.plist', what: 'file' },
    { scope: 'system', path: '/private/var/db/launchd.db/*/overrides.plist', what: 'file' },
  ],
  read: (file) => firstItems(insertionsIn(file)),
  removal: ({ key }, { path }) => `Delete the variable ${key.split('=')[0] || 'DYLD_...'} from ${path}.`,
};

function* insertionsIn(file: MechanismFile): Generator<PersistentItem> {
  const list = plistOf(file);
  if (list === undefined) return;
  const { value, findings } = list;
  const application = /\/Contents\/Info\.plist$/i.test(file.path);
  const session = /\/environment\.plist$/i.test(file.path);
  const environment = application ? 'LSEnvironment' : 'EnvironmentVariables';
  const maps: (PlistValue | ReadonlyMap<string, PlistValue> | undefined)[] = session
    ? [value]
    : [value.get(environment)];
  // The overrides of launchd: a dictionary a label.
  if (/\/overrides\.plist$/i.test(file.path))
    for (const one of [...value.values()].slice(0, 1_000))
      if (one instanceof Map) maps.push(one.get('EnvironmentVariables'));
  const label = stringAt(value, application ? 'CFBundleIdentifier' : 'Label') ?? nameOf(file.path);
  for (const map of maps)
    for (const [name, paths] of map instanceof Map ? map : []) {
      if (!variables.test(name) || typeof paths !== 'string' || paths === '') continue;
      const libraries = paths
        .slice(0, 16_384)
        .split(':', 32)
        .filter((one) => one !== '');
      yield itemOf({
        key: `${name}=${paths}`,
        label,
        runs: libraries.map((one) => runsOfProgram(one.slice(0, 4_096))),
        when: [session ? 'login' : application ? 'host-program' : 'load'],
        findings: [...findings, 'dyld-environment'],
      });
    }
}
