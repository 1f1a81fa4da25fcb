import { nameOf } from './bundle.js';
import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { plistOf, runsOfProgram, stringAt } from './read.js';
import { booleanAt } from './values.js';

/** Applications that loginwindow opens again at the next login, since they were open at the last logout. */
export const reopenedWindow: Mechanism = {
  id: 'reopened-window',
  name: 're-opened application',
  techniques: ['T1547.007'],
  places: [{ scope: 'home', path: 'Library/Preferences/ByHost/com.apple.loginwindow.*', what: 'file' }],
  read: (file) => firstItems(applicationsIn(file)),
  removal: ({ label }, { path }) =>
    `Log out with "Reopen windows" switched off, so that ${label ?? 'it'} leaves ${path}.`,
};

function* applicationsIn(file: MechanismFile): Generator<PersistentItem> {
  const list = plistOf(file);
  const applications = list?.value.get('TALAppsToRelaunchAtLogin');
  for (const one of Array.isArray(applications) ? applications.slice(0, 1_000) : []) {
    if (!(one instanceof Map)) continue;
    const path = stringAt(one, 'Path');
    const identifier = stringAt(one, 'BundleID');
    if (path === undefined && identifier === undefined) continue;
    yield itemOf({
      key: path ?? identifier ?? '',
      label: identifier ?? (path === undefined ? undefined : nameOf(path)),
      runs: path === undefined ? [] : [runsOfProgram(path)],
      when: ['login'],
      findings: [...(list?.findings ?? []), ...(booleanAt(one, 'Hide') === true ? ['hidden-item'] : [])],
    });
  }
}
